//! `POST /oauth2/token`: RFC 6749, RFC 8707, RFC 9068, and client authentication by secret.

mod answer;
mod budget;
mod change;
mod client_secret;
mod equal_work;
mod leaks;
mod overload;
mod request;
mod scope;
mod secret_life;
mod several_ways;
mod signature;
mod target;

use axum::body::Body;
use axum::http::{Request, header};
use grantd::crypto::digest;
use grantd::domain::identifier::CredentialId;
use grantd::domain::secret_format::assemble;

use crate::catalogs::{audience, client, policy};
use crate::harness::*;

/// A form that gets `reader` of [`CATALOG`] a token.
const FORM: &str =
    "grant_type=client_credentials&client_id=reader&client_secret=reader+secret+of+1";
/// The audience of [`with_clients`].
fn pricing() -> String {
    audience("pricing", "read write", "served_by = [\"api\"]")
}

/// A catalog with one audience and clients that may use it; each is a name and its further lines.
pub(crate) fn with_clients(clients: &[(&str, &str)]) -> String {
    let policies = [policy("pricing", "read write", "read")];
    let client = |(id, lines): &(&str, &str)| client(id, lines, &policies);
    pricing() + &clients.iter().map(client).collect::<String>()
}

/// A secret in generated form, of the credential `id`; `random` is one character.
pub(crate) fn generated_secret(id: &str, random: &str) -> String {
    let id = CredentialId::parse(id).unwrap();
    assemble(&id, &random.repeat(43), digest::secret_checksum)
        .expose()
        .to_owned()
}

impl Replica {
    /// Posts a form to the token endpoint.
    async fn ask(&self, form: &str) -> Answer {
        self.post("/oauth2/token", &[], form).await
    }

    /// Posts a form with exactly this `Authorization`.
    async fn ask_with(&self, authorization: &str, form: &str) -> Answer {
        self.post("/oauth2/token", &[("authorization", authorization)], form)
            .await
    }

    /// Sends any method with any headers.
    async fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "auth.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }
}

/// The claims of an answered token.
fn claims(answer: &Answer) -> serde_json::Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    decoded(answer.json()["access_token"].as_str().unwrap()).1
}
