//! Token exchange (RFC 8693; FEDERATION section 3): `web` calls `orders`, which calls `stock` for it, and that `ledger`.

mod actors;
mod binding;
mod chain;
mod claims;
mod foreign;
mod form;
mod policy;
mod records;
mod subject;

use grantd::crypto::jws::NewKey;
use grantd::domain::check::Check;
use grantd::domain::identifier::ClientId;
use grantd::domain::signing_key::KeyLife;
use grantd::operations::explain::explain_recorded;
use serde_json::Value;

use crate::catalogs::{audience, client, policy};
use crate::forgery::{new_key, signed};
use crate::harness::*;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The secret of each client.
const SECRET: &str = "a secret of exchanges 1";
/// What `orders` may exchange.
const FROM_ORDERS: &str = "exchange = { from = [\"orders-api\"] }";

/// The lines of a client with a secret and these further ones.
fn lines(more: &str) -> String {
    format!("secret = \"{SECRET}\"\n{more}")
}

/// A client that may exchange tokens.
fn exchanging(id: &str, policies: &[String]) -> String {
    let grants = "grants = [\"client_credentials\", \"token-exchange\"]";
    client(id, &lines(grants), policies)
}

/// The usual catalog; `of_orders` are the lines of the policy of `orders` for `stock-api`, and `more` stands behind all.
fn catalog_with(of_orders: &str, more: &str) -> String {
    let of_orders = policy("stock-api", "read write count", "read") + of_orders + "\n";
    let of_stock = policy("ledger-api", "read", "read") + "exchange = { from = [\"stock-api\"] }\n";
    let of_web = [
        policy("orders-api", "read write", "read"),
        policy("other-api", "read", "read"),
    ];
    [
        audience("orders-api", "read write", "served_by = [\"orders\"]"),
        audience("stock-api", "read write count", "served_by = [\"stock\"]"),
        audience("ledger-api", "read", "served_by = [\"ledger\"]"),
        audience("other-api", "read", "served_by = [\"ledger\"]"),
        client(
            "web",
            &lines("tenant = \"acme\"\nclaims = { region = \"eu\" }"),
            &of_web,
        ),
        exchanging("orders", &[of_orders]),
        exchanging("stock", &[of_stock]),
        client("ledger", &lines("grants = []"), &[]),
        more.to_owned(),
    ]
    .concat()
}

fn catalog(of_orders: &str) -> String {
    catalog_with(of_orders, "")
}

fn id(client: &str) -> ClientId {
    ClientId::parse(client).unwrap()
}

impl Replica {
    /// Asks, as `client`, for a token in exchange for `subject`, with these headers.
    async fn give_with(
        &self,
        client: &str,
        subject: &str,
        (headers, more): (&[(&str, &str)], &str),
    ) -> Answer {
        let authorization = basic(client, SECRET);
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend(headers);
        let form = format!(
            "grant_type={EXCHANGE}&subject_token={subject}&subject_token_type={ACCESS_TOKEN}{more}"
        );
        self.post("/oauth2/token", &all, &form).await
    }

    async fn give_for(&self, client: &str, subject: &str, more: &str) -> Answer {
        self.give_with(client, subject, (&[], more)).await
    }

    /// A token that must be given in exchange.
    async fn exchanged(&self, client: &str, subject: &str, more: &str) -> String {
        access_token(&self.give_for(client, subject, more).await)
    }

    /// A token of `web` for `orders-api`.
    async fn of_web(&self, more: &str) -> String {
        let more = format!("&audience=orders-api{more}");
        self.issued("web", SECRET, &more).await
    }

    /// What `api` is told of a token.
    async fn told(&self, api: &str, token: &str) -> Value {
        self.introspect(api, SECRET, token).await.json()
    }
}

#[track_caller]
fn access_token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// Somebody who holds the issuer's own key.
struct Keyholder(NewKey);

impl Keyholder {
    async fn new(env: &Env) -> Self {
        let key = new_key();
        let now = env.clock.now();
        env.announce(&key, KeyLife::from(now, now)).await;
        Self(key)
    }

    /// `token` with one claim replaced, or without it where that is `null`.
    fn with(&self, token: &str, name: &str, value: impl Into<Value>) -> String {
        let (header, mut claims) = decoded(token);
        claims[name] = value.into();
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, it| !it.is_null());
        signed(&self.0, &header, &claims)
    }
}

on_both! {
    /// RFC 8693 section 2.2.1. EXC-07.
    async fn a_service_gets_a_token_for_its_caller(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let answer = replica.give_for("orders", &of_web, "").await;
        let token = access_token(&answer);
        let members = answer.json();
        assert_eq!(members["issued_token_type"], ACCESS_TOKEN);
        assert_eq!((&members["token_type"], &members["scope"]), (&"Bearer".into(), &"read".into()));
        let (_, claims) = decoded(&token);
        let credential = env.credentials("orders").await[0].id.to_string();
        assert!(claims["jti"].as_str().unwrap().starts_with(&format!("{credential}.")));
        for (claim, value) in [
            ("sub", "web"), ("client_id", "orders"), ("azp", "orders"), ("aud", "stock-api"), ("scope", "read"),
        ] {
            assert_eq!(claims[claim], value, "{claim}");
        }
        assert_eq!(claims["act"], serde_json::json!({ "sub": "orders" }));
        let told = replica.told("stock", &token).await;
        assert_eq!((&told["active"], &told["sub"], &told["act"]["sub"]), (&true.into(), &"web".into(), &"orders".into()));
        // A token that is nobody's but its own client's says nothing of an exchange.
        let plain = replica.token("web", SECRET, "&audience=orders-api").await.json();
        assert!(plain.get("issued_token_type").is_none());
        assert!(decoded(&of_web).1.get("act").is_none());
    }
}
