//! A refused request for each check that there is.

pub(super) mod assertion;
mod client;
mod dpop;
mod exchange;
mod federated;
mod grant;
mod request;
pub(super) mod token;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{Request, header};
use grantd::domain::check::{Chain, Check};
use grantd::http::connection::Connection;

use crate::catalogs::{by_secret, reads};
use crate::harness::*;

/// The path of each endpoint.
const TOKEN: &str = "/oauth2/token";
const INTROSPECT: &str = "/oauth2/introspect";
const REVOKE: &str = "/oauth2/revoke";
const GRANT: &str = "grant_type=client_credentials";
/// The secret of each client that a case makes.
const SECRET: &str = "a secret of cases";

/// One request, and what it was refused for.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) check: Check,
    pub(super) found: String,
    pub(super) request_id: String,
    /// The token that was shown to introspection.
    pub(super) token: Option<String>,
}

/// All cases so far.
pub(super) struct Cases<'e> {
    env: &'e Env,
    pub(super) all: Vec<Case>,
}

impl Cases<'_> {
    /// Notes what `answer` was, which `replica` gave.
    async fn note(&mut self, replica: &Replica, (check, found): (Check, &str), answer: Answer) {
        let is_inactive = || answer.json()["active"] == false;
        assert!(
            answer.status != 200 || is_inactive(),
            "{check:?}: {answer:?}"
        );
        // So that each has room.
        replica.grantd.write_waiting().await;
        self.all.push(Case {
            check,
            found: found.to_owned(),
            request_id: answer.headers["x-request-id"].to_str().unwrap().to_owned(),
            token: None,
        });
    }
}

impl<'e> Cases<'e> {
    pub(super) fn of(env: &'e Env) -> Self {
        let all = Vec::new();
        Self { env, all }
    }

    /// As [`Self::note`], of a token that `api` showed.
    async fn note_token(&mut self, replica: &Replica, told: (Check, &str), token: &str) {
        let answer = replica.introspect("api", API, token).await;
        self.note(replica, told, answer).await;
        let case = self.all.last_mut().unwrap();
        case.token = Some(token.to_owned());
    }
}

/// Each case: every check has one, but those that are made before any endpoint, whose requests leave no event.
pub(super) async fn all(env: &Env) -> Vec<Case> {
    let mut cases = Cases::of(env);
    // The first: it makes the issuer's key.
    token::provoke(&mut cases).await;
    request::provoke(&mut cases).await;
    client::provoke(&mut cases).await;
    assertion::provoke(&mut cases).await;
    federated::provoke(&mut cases).await;
    dpop::provoke(&mut cases).await;
    grant::provoke(&mut cases).await;
    exchange::provoke(&mut cases).await;
    let has = |check: &Check| cases.all.iter().any(|case| case.check == *check);
    let lacking: Vec<&Check> = Check::ALL
        .iter()
        .filter(|it| it.chain() != Chain::Route && !has(it))
        .collect();
    assert!(lacking.is_empty(), "no case for {lacking:?}");
    let ids: BTreeSet<&str> = cases.all.iter().map(|it| it.request_id.as_str()).collect();
    assert_eq!(ids.len(), cases.all.len());
    cases.all
}

/// A POST of `body` from `connection`.
fn request(path: &str, connection: Connection, body: Body) -> Request<Body> {
    Request::post(path)
        .extension(connection)
        .header(header::HOST, "auth.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
        .unwrap()
}

fn connection(peer: &str) -> Connection {
    Connection::new(SocketAddr::new(peer.parse().unwrap(), 4711))
}

/// A client with the secret [`SECRET`] that reads.
fn client_by_secret(id: &str) -> String {
    by_secret(id, SECRET, &reads("pricing"))
}
