//! Workloads that prove themselves by tokens of trusted issuers (FEDERATION sections 1 and 2).

mod control;
mod counted;
mod form;
mod grant;
mod keys;
mod processes;
mod reliance;
mod replay;
mod shapes;
mod spiffe;
mod tested;
mod who;

use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::{Value, json};

use crate::assertion::signer::{Key, TYPE};
use crate::catalogs::{client, reads};
use crate::harness::{Answer, CATALOG, ISSUER, Replica, START, form_encoded};
use crate::key_sources::publisher::{Manner, Publisher};

/// What most tests call their platform, and its `iss`.
pub(crate) const CI: &str = "https://ci.example";

/// A platform that publishes its keys and signs tokens for workloads.
pub(crate) struct Platform {
    pub(crate) publisher: Publisher,
    pub(crate) key: Key,
    id: &'static str,
    url: &'static str,
}

impl Platform {
    /// One called `ci`, whose tokens are signed with ES256.
    pub(crate) async fn ci() -> Self {
        Self::new("ci", CI, SigningAlgorithm::Es256).await
    }

    async fn new(id: &'static str, url: &'static str, algorithm: SigningAlgorithm) -> Self {
        let key = Key::new(algorithm);
        Self {
            publisher: Publisher::start(Manner::keys(&[&key])).await,
            key,
            id,
            url,
        }
    }

    /// Its `[[issuer]]`, with further lines.
    pub(crate) fn lines(&self, more: &str) -> String {
        format!(
            "[[issuer]]\nid = \"{}\"\nurl = \"{}\"\nkeys = \"{}\"\nca = '''{}'''\n{more}\n",
            self.id,
            self.url,
            self.publisher.url(),
            self.publisher.ca,
        )
    }

    /// Usual claims of a job, with these changes; `null` leaves a claim out.
    pub(crate) fn claims(&self, changes: &Value) -> Value {
        changed(
            &json!({
                "iss": self.url, "sub": "repo:acme/shop:ref:refs/heads/main", "aud": ISSUER, "iat": START, "nbf": START,
                "exp": START + 300, "jti": grantd::crypto::random::token_id(), "ref": "refs/heads/main",
                "repository_id": "74",
            }),
            changes,
        )
    }

    /// A token with these changes.
    pub(crate) fn token(&self, changes: &Value) -> String {
        self.key.sign(&self.claims(changes))
    }
}

/// An object with changes; `null` leaves a member out.
fn changed(object: &Value, changes: &Value) -> Value {
    let mut object = object.clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            _ => object[name] = value.clone(),
        }
    }
    object
}

/// A client that is whoever fits this identity, written as the lines of a `[[client.identity]]`.
pub(crate) fn workload(id: &str, issuer: &str, identity: &str) -> String {
    let identity = format!(
        "auth = \"private_key_jwt\"\n[[client.identity]]\nissuer = \"{issuer}\"\n{identity}\n"
    );
    client(id, &identity, &reads("pricing"))
}

/// The catalog of the harness with the platform `ci` and the client `deploy`, which is a job on the main branch.
fn with_deploy(platform: &Platform) -> String {
    let identity = "subject = \"repo:acme/shop:**\"\nclaims = { ref = \"refs/heads/main\" }";
    CATALOG.to_owned() + &platform.lines("") + &workload("deploy", "ci", identity)
}

/// Asks for a token by a foreign one.
pub(crate) async fn asks(replica: &Replica, token: &str, more: &str) -> Answer {
    let form = format!(
        "grant_type=client_credentials&client_assertion_type={}&client_assertion={token}{more}",
        form_encoded(TYPE)
    );
    let answer = replica.post("/oauth2/token", &[], &form).await;
    if answer.status == 503 {
        // A busy machine may need more than the two seconds that a request waits for keys.
        return replica.post("/oauth2/token", &[], &form).await;
    }
    answer
}
