//! `grantd explain --client`: a request that nobody sent.

use std::net::Ipv4Addr;
use std::sync::Arc;

use grantd::crypto::certificates::CertificateChain;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::client::AuthMethod;
use grantd::domain::identifier::ClientId;
use grantd::domain::profile::Profile;
use grantd::operations::actor::Actor;
use grantd::operations::apply_catalog::ApplyOptions;
use grantd::operations::caller::{Caller, ClientCertificate};
use grantd::operations::change_client::disable_client;
use grantd::operations::explain::{Explained, Supposed, explain_unsent};
use serde_json::{Value, json};

use super::stored;
use crate::assertion::signer::Key;
use crate::catalogs::{CI, audience, by_key, by_secret, client, identity, policy, reads};
use crate::harness::*;
use crate::mtls::{Identity, cas};

const BASIC: AuthMethod = AuthMethod::ClientSecretBasic;

fn supposed(client: &str, method: AuthMethod) -> Supposed<'_> {
    Supposed {
        client,
        method,
        grant: "client_credentials",
        subject_token: None,
        scope: None,
        audience: None,
        brings_proof: false,
    }
}

fn caller(identity: Option<&Identity>) -> Caller {
    Caller {
        source: Ipv4Addr::LOCALHOST.into(),
        proxy: None,
        certificate: identity.map(|it| ClientCertificate {
            chain: CertificateChain::new(&it.chain).unwrap(),
        }),
        hashing_turn: Arc::default(),
    }
}

async fn explain(replica: &Replica, supposed: Supposed<'_>, caller: &Caller) -> Explained {
    explain_unsent(&replica.grantd, supposed, caller)
        .await
        .unwrap()
}

/// What would be issued.
#[track_caller]
fn issued(explained: &Explained) -> Value {
    assert!(explained.is_granted(), "{explained:?}");
    json!(explained)["would_issue"].clone()
}

/// The id of the check that failed, and what it found.
#[track_caller]
fn refused(explained: &Explained) -> (String, String) {
    assert!(!explained.is_granted(), "{explained:?}");
    let failed = explained
        .failed()
        .unwrap_or_else(|| panic!("{explained:?}"));
    let id = json!(failed)["id"].as_str().unwrap().to_owned();
    (id, failed.found.clone().unwrap_or_default())
}

/// The checks of an explanation, by their ids.
fn ids(explained: &Explained) -> Vec<String> {
    let id = |it: &_| json!(it)["id"].as_str().unwrap().to_owned();
    explained.checks.iter().map(id).collect()
}

/// The checks that belong to some methods of client authentication and need no sender.
const OF_PROOFS: [&str; 6] = [
    "method_allowed",
    "secret_times",
    "assertion_live_key",
    "identity",
    "identity_live",
    "certificate",
];

/// A client for each method, all of which may read.
async fn everybody(env: &Env) -> (Replica, Identity) {
    let key = Key::new(SigningAlgorithm::Es256);
    let own = Identity::named("own");
    let pinned = format!(
        "auth = \"self_signed_tls_client_auth\"\nthumbprints = [\"{}\"]",
        own.thumbprint()
    );
    let named = "auth = \"tls_client_auth\"\nsubject_dn = \"CN=job\"";
    let federated = [
        identity("subject = \"repo:a/b\""),
        reads("pricing").concat(),
    ];
    let catalog = [
        CATALOG.replace("served_by", "token_lifetime = \"2m\"\nserved_by"),
        by_key("signs", json!({ "keys": [key.jwk()] }), &reads("pricing")),
        client("pinned", &pinned, &reads("pricing")),
        client("named", named, &reads("pricing")),
        CI.to_owned(),
        client("foreign", "auth = \"private_key_jwt\"", &federated),
    ];
    env.apply(&catalog.concat()).await;
    (env.replica().await, own)
}

on_both! {
    async fn claims_lifetime_key_and_binding_are_told(env) {
        let (replica, own) = everybody(&env).await;
        let credential = env.credentials("reader").await[0].id.to_string();
        let request = Supposed { scope: Some("read write"), ..supposed("reader", BASIC) };
        let would = issued(&explain(&replica, request, &caller(None)).await);
        assert_eq!(would["claims"], json!({
            "iss": ISSUER, "sub": "reader", "client_id": "reader", "azp": "reader", "aud": "pricing",
            "scope": "read write", "iat": START, "exp": START + 120,
            "jti": format!("{credential}.(22 random characters)"),
        }));
        let (header, _) = decoded(&replica.issued("reader", READER, "").await);
        assert_eq!(would["header"], header);
        assert_eq!((&would["key"], &would["lifetime"]), (&header["kid"], &json!(120)));
        assert_eq!((&would["binding"], &would["token_type"]), (&json!(null), &json!("Bearer")));

        for (client, method, dpop, certificate, binding) in [
            ("signs", AuthMethod::PrivateKeyJwt, false, false, json!(null)),
            ("signs", AuthMethod::PrivateKeyJwt, true, false, json!({ "jkt": "(jkt of its DPoP key)" })),
            ("reader", BASIC, false, true, json!(null)),
            ("foreign", AuthMethod::Federated, true, false, json!({ "jkt": "(jkt of its DPoP key)" })),
            ("pinned", AuthMethod::SelfSignedTlsClientAuth, false, false, json!({ "x5t#S256": own.thumbprint() })),
            ("pinned", AuthMethod::SelfSignedTlsClientAuth, false, true, json!({ "x5t#S256": own.thumbprint() })),
            ("named", AuthMethod::TlsClientAuth, false, false, json!({ "x5t#S256": "(x5t#S256 of its certificate)" })),
        ] {
            let request = Supposed { brings_proof: dpop, ..supposed(client, method) };
            let brings = caller(certificate.then_some(&own));
            let would = issued(&explain(&replica, request, &brings).await);
            assert_eq!(would["binding"], binding, "{client}, {dpop}, {certificate}");
            let kind = if dpop { "DPoP" } else { "Bearer" };
            assert_eq!(would["token_type"], kind, "{client}, {dpop}, {certificate}");
        }
    }

    async fn what_stands_in_the_way_is_told(env) {
        let retired = format!("secrets = [{{ value = \"another secret 1\", retired_at = {START} }}]");
        let near = [policy("pricing", "read", "read") + "networks = [\"192.0.2.0/24\"]\n"];
        let catalog = [
            CATALOG.to_owned(),
            audience("billing", "bill", ""),
            by_secret("is-near", "another secret 1", &near),
            client("has-left", &retired, &reads("pricing")),
            client("has-none", "", &reads("pricing")),
        ];
        env.apply(&catalog.concat()).await;
        let replica = env.replica().await;
        let left = format!("{}, retired", env.credentials("has-left").await[0].id);
        let post = AuthMethod::ClientSecretPost;
        let key = AuthMethod::PrivateKeyJwt;
        for (request, check, found) in [
            (supposed("nobody", BASIC), "client", "an unknown id"),
            (supposed("reader", key), "assertion_key", "no key at all"),
            (supposed("is-near", post), "method_registered", "client_secret_post, registered: client_secret_basic"),
            (supposed("is-near", BASIC), "policy", "pricing, whose policy is not for the network of 127.0.0.1"),
            (supposed("has-left", BASIC), "secret_times", &left),
            (supposed("has-none", BASIC), "secret", "no secret at all"),
            (supposed("api", BASIC), "grant_registered", "client_credentials"),
            (Supposed { grant: "password", ..supposed("reader", BASIC) }, "grant_type", "password"),
            (Supposed { scope: Some("fly"), ..supposed("reader", BASIC) }, "scope_known", "fly, in none of its audiences"),
            (Supposed { audience: Some("billing"), ..supposed("reader", BASIC) }, "target", "billing, without a policy"),
        ] {
            let explained = explain(&replica, request, &caller(None)).await;
            assert_eq!(refused(&explained), (check.to_owned(), found.to_owned()), "{request:?}");
            assert!(explained.remedy.is_some(), "{request:?}");
            assert_eq!(json!(explained)["would_issue"], Value::Null);
        }
        let strict = env.replica_with(|settings| settings.profile = Profile::Fapi2).await;
        let explained = explain(&strict, supposed("reader", BASIC), &caller(None)).await;
        assert_eq!(refused(&explained).0, "method_allowed");
    }

    /// Only what the server itself knows is judged: what a sender would have to send is not among it.
    async fn what_only_a_sender_could_pass_is_not_among_the_checks(env) {
        let (replica, _) = everybody(&env).await;
        let explained = explain(&replica, supposed("signs", AuthMethod::PrivateKeyJwt), &caller(None)).await;
        let ids = ids(&explained);
        for judged in ["grant_type", "client", "assertion_live_key", "status", "policy", "scope_granted", "binding"] {
            assert!(ids.iter().any(|it| it == judged), "{judged} is not in {ids:?}");
        }
        for of_a_sender in ["media_type", "assertion_signature", "assertion_audience", "assertion_once", "proxy"] {
            assert!(!ids.iter().any(|it| it == of_a_sender), "{of_a_sender} is in {ids:?}");
        }
        assert!(explained.checks.iter().all(|it| it.passed == Some(true)), "{explained:?}");
    }

    async fn of_the_ways_to_prove_oneself_only_the_assumed_one_is_among_the_checks(env) {
        let (replica, _) = everybody(&env).await;
        for (client, method, judged) in [
            ("reader", BASIC, vec!["method_allowed", "secret_times"]),
            ("signs", AuthMethod::PrivateKeyJwt, vec!["assertion_live_key"]),
            ("foreign", AuthMethod::Federated, vec!["identity", "identity_live"]),
            ("pinned", AuthMethod::SelfSignedTlsClientAuth, vec!["certificate"]),
            ("named", AuthMethod::TlsClientAuth, vec!["certificate"]),
        ] {
            for grant in ["client_credentials", "password"] {
                let request = Supposed { grant, ..supposed(client, method) };
                let explained = explain(&replica, request, &caller(None)).await;
                let ids = ids(&explained);
                let of_proofs = ids.iter().filter(|it| OF_PROOFS.contains(&it.as_str()));
                assert_eq!(of_proofs.collect::<Vec<_>>(), judged, "{client}, {grant}: {ids:?}");
            }
        }
    }

    async fn a_certificate_is_judged_by_the_rules_of_its_method(env) {
        let (replica, own) = everybody(&env).await;
        let other = Identity::named("other");
        let pinned = supposed("pinned", AuthMethod::SelfSignedTlsClientAuth);
        let explained = explain(&replica, pinned, &caller(Some(&other))).await;
        let found = format!("another certificate, x5t#S256 {}", other.thumbprint());
        assert_eq!(refused(&explained), ("certificate".to_owned(), found));
        let named = supposed("named", AuthMethod::TlsClientAuth);
        let explained = explain(&replica, named, &caller(Some(&own))).await;
        assert_eq!(refused(&explained).1, "a certificate, and no client CA is configured");
        let ca = crate::mtls::Ca::new("ca");
        replica.grantd.client_cas().trust(cas(&ca.pem()));
        let job = ca.sign(&crate::mtls::leaf("job"));
        let would = issued(&explain(&replica, named, &caller(Some(&job))).await);
        assert_eq!(would["binding"]["x5t#S256"], job.thumbprint());
        let explained = explain(&replica, named, &caller(Some(&ca.sign(&crate::mtls::leaf("x"))))).await;
        assert_eq!(refused(&explained).1, "a certificate with another subject");
    }

    async fn who_disabled_the_client_is_told_with_the_reason(env) {
        env.apply(CATALOG).await;
        let actor = Actor { reason: Some("INC-7".to_owned()), ..Actor::named("ada") };
        let options = ApplyOptions { by: &actor, ..env.options() };
        disable_client(&env.store, &ClientId::parse("reader").unwrap(), options).await.unwrap();
        let replica = env.replica().await;
        let explained = explain(&replica, supposed("reader", BASIC), &caller(None)).await;
        assert_eq!(refused(&explained), ("status".to_owned(), "disabled".to_owned()));
        let stopped = explained.stopped.unwrap();
        assert_eq!((stopped.action.as_str(), stopped.reason.as_deref()), ("client_disabled", Some("INC-7")));
    }

    async fn nothing_is_written_and_no_budget_is_spent(env) {
        let limited = format!("secret = \"{READER}\"\nmax_tokens_per_minute = 1");
        env.apply(&CATALOG.replace(&format!("secret = \"{READER}\""), &limited)).await;
        let replica = env.replica().await;
        let before = stored(&env).await;
        for _ in 0..5 {
            issued(&explain(&replica, supposed("reader", BASIC), &caller(None)).await);
            explain(&replica, supposed("nobody", BASIC), &caller(None)).await;
        }
        replica.grantd.write_waiting().await;
        assert_eq!(stored(&env).await, before);
        replica.issued("reader", READER, "").await;
        assert_eq!(replica.token("reader", READER, "").await.status, 429);
        // Which a replica that serves nobody cannot know.
        issued(&explain(&replica, supposed("reader", BASIC), &caller(None)).await);
    }
}
