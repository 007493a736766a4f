//! The assertions of `private_key_jwt`.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::check::Check;
use serde_json::{Value, json};

use super::{Cases, GRANT, TOKEN};
use crate::assertion::signer::{Key, claims, present, token, with_client};
use crate::catalogs::{by_key, reads};
use crate::harness::*;
use crate::raw_sql::execute;

/// The client of most cases.
pub(in super::super) const ID: &str = "signs";

/// The keys of clients: one of [`ID`], two of another one, one that is retired, and one that is nobody's.
pub(in super::super) struct Keys {
    pub(in super::super) own: Key,
    two: [Key; 2],
    dead: (Key, String),
    strange: Key,
}

impl Keys {
    pub(in super::super) async fn register(env: &Env) -> Self {
        let new = || Key::new(SigningAlgorithm::Es256);
        let (own, two, dead, strange) = (new(), [new(), new()], new(), new());
        let catalog = with_client(CATALOG, ID, &[&own]);
        let catalog = with_client(&catalog, "has-two-keys", &[&two[0], &two[1]]);
        let jwks = json!({ "keys": [dead.jwk()] });
        let left = by_key("has-a-dead-key", jwks, &reads("pricing"));
        env.apply(&(catalog + &left)).await;
        let id = env.credentials("has-a-dead-key").await[0].id.clone();
        env.retire(&id, false).await;
        Self {
            own,
            two,
            dead: (dead, id.to_string()),
            strange,
        }
    }

    /// An assertion with one claim replaced.
    pub(in super::super) fn with(&self, name: &str, value: Value) -> String {
        let mut claims = claims(ID, "a jti");
        claims[name] = value;
        self.own.sign(&claims)
    }

    /// An assertion that each check refuses which needs no second one, with what that finds.
    pub(in super::super) fn flawed(&self) -> Vec<(Check, String, String)> {
        let right = claims(ID, "a jti").to_string();
        let under = |key: &Key, header: &str| key.sign_raw(header, &right);
        let usual = self.own.header("");
        let of = |client: &str| claims(client, "a jti");
        let nameless = self.two[0].sign_raw(r#"{"alg":"ES256"}"#, &of("has-two-keys").to_string());
        let unknown = under(&self.own, r#"{"alg":"ES256","kid":"key-1"}"#);
        let other_alg = under(&self.own, &usual.replace("ES256", "PS256"));
        let (dead, dead_id) = &self.dead;
        let typ = self.own.header(r#","typ":"at+jwt""#);
        let forged = "one that this key did not make";
        let form = "not three parts separated by dots";
        let of_key = [
            (Check::AssertionForm, form, "no-jwt".to_owned()),
            (Check::AssertionType, "at+jwt", under(&self.own, &typ)),
            (Check::AssertionKey, "key-1", unknown),
            (Check::AssertionOneKey, "no kid", nameless),
            (Check::AssertionAlgorithm, "PS256", other_alg),
            (
                Check::AssertionSignature,
                forged,
                under(&self.strange, &usual),
            ),
            (
                Check::AssertionLiveKey,
                &format!("{dead_id}, retired"),
                dead.sign(&of("has-a-dead-key")),
            ),
        ];
        let other = "https://other.example";
        let of_claims = [
            (Check::AssertionClient, "iss reader", "iss", json!("reader")),
            (Check::AssertionAudience, other, "aud", json!(other)),
            (
                Check::AssertionExpiry,
                "exp 60 s ago",
                "exp",
                json!(START - 60),
            ),
            (
                Check::AssertionLifetime,
                "exp 3600 s ahead",
                "exp",
                json!(START + 3600),
            ),
            (
                Check::AssertionIssued,
                "iat 60 s ahead",
                "iat",
                json!(START + 60),
            ),
            (
                Check::AssertionAge,
                "iat 3600 s ago",
                "iat",
                json!(START - 3600),
            ),
            (
                Check::AssertionBegin,
                "nbf 60 s ahead",
                "nbf",
                json!(START + 60),
            ),
            (Check::AssertionJti, "jti in another form", "jti", json!("")),
        ];
        let of_key = of_key.map(|(check, found, text)| (check, found.to_owned(), text));
        let of_claims = of_claims
            .map(|(check, found, name, value)| (check, found.to_owned(), self.with(name, value)));
        of_key.into_iter().chain(of_claims).collect()
    }
}

pub(super) async fn provoke(cases: &mut Cases<'_>) {
    let keys = Keys::register(cases.env).await;
    let replica = cases.env.replica().await;
    for (check, found, assertion) in keys.flawed() {
        let answer = token(&replica, &assertion).await;
        cases.note(&replica, (check, &found), answer).await;
    }
    let right = keys.own.sign(&claims(ID, "a jti"));
    let form = format!("{GRANT}&client_id=reader");
    let answer = present(&replica, TOKEN, &form, &right).await;
    let told = (Check::AssertionClientId, "reader");
    cases.note(&replica, told, answer).await;
    assert_eq!(token(&replica, &right).await.status, 200);
    let answer = token(&replica, &right).await;
    let told = (Check::AssertionOnce, "one that was used before");
    cases.note(&replica, told, answer).await;

    let lost = format!("UPDATE feed_head SET lost_at = {}", START + 1);
    execute(&cases.env.database, &lost).await;
    replica.follow().await;
    let answer = token(&replica, &keys.with("jti", "another".into())).await;
    let found = "an older one, which may have been used";
    let told = (Check::AssertionSinceLoss, found);
    cases.note(&replica, told, answer).await;
    execute(&cases.env.database, "UPDATE feed_head SET lost_at = 0").await;
}
