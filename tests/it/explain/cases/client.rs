//! A client's secret, its budget, its certificate, and whether it may do anything.

use grantd::config::settings::Budget;
use grantd::crypto::certificates::CertificateChain;
use grantd::domain::check::Check;
use grantd::domain::profile::Profile;
use grantd::domain::timestamp::Seconds;
use grantd::operations::caller::ClientCertificate;

use super::{Cases, GRANT, SECRET, TOKEN, client_by_secret, connection, request};
use crate::catalogs::{client, reads};
use crate::harness::*;
use crate::token::generated_secret;

pub(super) async fn provoke(cases: &mut Cases<'_>) {
    let retired = format!("secrets = [{{ value = \"{SECRET}\", retired_at = {START} }}]");
    let ledger = format!(
        "auth = \"self_signed_tls_client_auth\"\nthumbprints = [\"{}\"]",
        "A".repeat(43)
    );
    let catalog = [
        CATALOG.to_owned(),
        client_by_secret("by-basic"),
        client("has-left", &retired, &reads("pricing")),
        client_by_secret("is-off").replace("secret =", "status = \"disabled\"\nsecret ="),
        client("ledger", &ledger, &reads("pricing")),
    ];
    cases.env.apply(&catalog.concat()).await;
    let replica = cases.env.replica().await;
    secrets(cases, &replica).await;
    budgets(cases).await;
    let certificate = rcgen::generate_simple_self_signed(vec!["ledger".to_owned()]).unwrap();
    let chain = CertificateChain::new(&[certificate.cert.der().clone()]).unwrap();
    let found = format!("another certificate, x5t#S256 {}", chain.thumbprint());
    let mut presents = connection("192.0.2.1");
    presents.certificate = Some(ClientCertificate { chain });
    let form = format!("{GRANT}&client_id=ledger");
    let answer = replica.send(request(TOKEN, presents, form.into())).await;
    cases
        .note(&replica, (Check::Certificate, &found), answer)
        .await;
}

async fn secrets(cases: &mut Cases<'_>, replica: &Replica) {
    let mistyped = format!("{}x", generated_secret("aaaaaaaaaa", "Q"));
    let dead = cases.env.credentials("has-left").await[0].id.clone();
    for (check, found, id, secret) in [
        (
            Check::SecretForm,
            "a longer one",
            "reader",
            "x".repeat(1025).as_str(),
        ),
        (Check::SecretChecksum, "a wrong one", "reader", &mistyped),
        (Check::Client, "an unknown id", "nobody", SECRET),
        (Check::Secret, "another", "reader", SECRET),
        (
            Check::SecretTimes,
            &format!("{dead}, retired"),
            "has-left",
            SECRET,
        ),
        (Check::Status, "disabled", "is-off", SECRET),
    ] {
        let answer = replica.token(id, secret, "").await;
        cases.note(replica, (check, found), answer).await;
    }
    let form = format!(
        "{GRANT}&client_id=by-basic&client_secret={}",
        form_encoded(SECRET)
    );
    let answer = replica.post(TOKEN, &[], &form).await;
    let found = "client_secret_post, registered: client_secret_basic";
    cases
        .note(replica, (Check::MethodRegistered, found), answer)
        .await;
    let strict = cases
        .env
        .replica_with(|settings| settings.profile = Profile::Fapi2);
    let strict = strict.await;
    let answer = strict.token("reader", READER, "").await;
    let told = (Check::MethodAllowed, "client_secret_basic");
    cases.note(&strict, told, answer).await;
}

async fn budgets(cases: &mut Cases<'_>) {
    for (check, failures, source_failures) in [
        (Check::FailureBudget, 1, 0),
        (Check::SourceFailureBudget, 0, 1),
    ] {
        let budget = Budget {
            failures,
            per: Seconds::new(60),
            source_failures,
        };
        let replica = cases.env.replica_with(|settings| settings.budget = budget);
        let replica = replica.await.at("192.0.2.1");
        replica.token("reader", "a wrong secret of 1", "").await;
        let answer = replica.token("reader", READER, "").await;
        answer.assert_error(429, "temporarily_unavailable");
        cases
            .note(&replica, (check, "none left for 60 s"), answer)
            .await;
    }
}
