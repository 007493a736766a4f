//! Exchanges that are refused for what they are.

use grantd::domain::check::Check;
use grantd::domain::identifier::ClientId;
use grantd::domain::timestamp::Timestamp;
use grantd::operations::change_client::{disable_client, revoke_tokens_of_client};
use serde_json::json;

use super::{Cases, SECRET, TOKEN, client_by_secret};
use crate::catalogs::{audience, client, policy};
use crate::forgery::Forger;
use crate::harness::*;

const GRANT: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
const KIND: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(super) async fn provoke(cases: &mut Cases<'_>) {
    let exchange = "exchange = { from = [\"pricing\"], keep = [\"roles\"] }\n";
    let passes_on = format!("grants = [\"token-exchange\"]\nsecret = \"{SECRET}\"");
    let catalog = [
        CATALOG.replace(
            "served_by = [\"api\"]",
            "served_by = [\"api\", \"passes-on\"]",
        ),
        audience("next", "read", ""),
        client(
            "passes-on",
            &passes_on,
            &[policy("next", "read", "read") + exchange],
        ),
        client_by_secret("stops"),
        client_by_secret("is-killed"),
    ];
    let (replica, forger) = Forger::new(cases.env, &catalog.concat()).await;
    parameters(cases, &replica).await;
    let kind = format!("&actor_token=garbage&actor_token_type={KIND}");
    let six = (0..5).fold(
        json!({ "sub": "reader" }),
        |inner, _| json!({ "sub": "reader", "act": inner }),
    );
    let five = six["act"].clone();
    for (check, found, token, more) in [
        (
            Check::ActorToken,
            "not three parts separated by dots, not a compact JWS of strict JSON, or a sealed token",
            forger.without("nothing"),
            kind.as_str(),
        ),
        (
            Check::MayAct,
            "other",
            forger.claim("may_act", json!({ "sub": "other" })),
            "",
        ),
        (
            Check::ActorCount,
            "5 already",
            forger.claim("act", five),
            "",
        ),
        (
            Check::KeptClaims,
            "roles, of another form",
            forger.claim("roles", "admin"),
            "",
        ),
    ] {
        let answer = replica.exchange_as(&token, more).await;
        cases.note(&replica, (check, found), answer).await;
    }
    let act = |id: &str| forger.claim("act", json!({ "sub": id }));
    let (stopped, killed) = (act("stops"), act("is-killed"));
    let (store, options) = (&cases.env.store, cases.env.options());
    let id = |id: &str| ClientId::parse(id).unwrap();
    disable_client(store, &id("stops"), options).await.unwrap();
    let options = cases.env.options();
    revoke_tokens_of_client(store, &id("is-killed"), options)
        .await
        .unwrap();
    replica.follow().await;
    let mark = Timestamp::from_unix(START + 1);
    let found = format!("is-killed, of whom all up to {mark} were killed");
    for (check, found, token) in [
        (Check::TokenSubject, "stops, disabled", stopped),
        (Check::TokenSubjectMark, found.as_str(), killed),
    ] {
        let answer = replica.exchange_as(&token, "").await;
        cases.note(&replica, (check, found), answer).await;
    }
}

async fn parameters(cases: &mut Cases<'_>, replica: &Replica) {
    for (check, found, more) in [
        (Check::SubjectParameter, "no subject_token", String::new()),
        (
            Check::ActorParameter,
            "actor_token alone",
            format!("&subject_token=x&subject_token_type={KIND}&actor_token=x"),
        ),
        (
            Check::RequestedType,
            "x",
            format!("&subject_token=x&subject_token_type={KIND}&requested_token_type=x"),
        ),
    ] {
        let answer = replica.post(TOKEN, &[], &format!("{GRANT}{more}")).await;
        cases.note(replica, (check, found), answer).await;
    }
    let form = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer";
    let answer = replica.post(TOKEN, &[], form).await;
    cases
        .note(replica, (Check::AssertionParameter, "none"), answer)
        .await;
}

impl Replica {
    async fn exchange_as(&self, token: &str, more: &str) -> Answer {
        let authorization = basic("passes-on", SECRET);
        let form = format!("{GRANT}&subject_token={token}&subject_token_type={KIND}{more}");
        self.post(TOKEN, &[("authorization", &authorization)], &form)
            .await
    }
}
