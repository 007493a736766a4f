//! A client of a generated catalog that really asks.

use std::net::SocketAddr;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Request, header};
use grantd::crypto::certificates::CertificateChain;
use grantd::crypto::random;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::client::AuthMethod;
use grantd::http::connection::Connection;
use grantd::operations::caller::{Caller, ClientCertificate};
use serde_json::json;

use super::generated::{Asked, Case, Held};
use crate::assertion::signer::{Key, TYPE, claims};
use crate::catalogs::{audience, client, policy, text};
use crate::dpop::Prover;
use crate::harness::*;
use crate::mtls::{Ca, Identity, leaf};

const SECRET: &str = "a secret of agreement";

/// What all clients have: keys take time to make.
struct Common {
    key: Key,
    ca: Ca,
    own: Identity,
    of_ca: Identity,
}

static COMMON: LazyLock<Common> = LazyLock::new(|| {
    let ca = Ca::new("ca");
    Common {
        key: Key::new(SigningAlgorithm::Es256),
        of_ca: ca.sign(&leaf("job")),
        own: Identity::named("own"),
        ca,
    }
});

/// The CA that replicas must trust.
pub(super) fn ca() -> &'static Ca {
    &COMMON.ca
}

/// The client of one case.
pub(super) struct Sender<'r> {
    pub(super) replica: &'r Replica,
    prover: Prover,
}

impl<'r> Sender<'r> {
    pub(super) async fn register(env: &Env, replica: &'r Replica, case: &Case) -> Self {
        env.apply(&catalog(case)).await;
        if case.key == Held::Retired {
            let all = env.credentials(&case.client_id()).await;
            let key = all.iter().find(|it| it.material.catalog_key() == "jwks");
            env.retire(&key.unwrap().id, false).await;
        }
        replica.follow().await;
        Self {
            replica,
            prover: Prover::new(),
        }
    }

    pub(super) async fn send(&self, case: &Case, asked: &Asked) -> Answer {
        let id = case.client_id();
        let mut form = vec![("grant_type", asked.grant.to_owned())];
        let mut add = |name, value: &str| form.push((name, value.to_owned()));
        if let Some(scope) = &asked.scope {
            add("scope", scope);
        }
        if let Some(at) = asked.audience {
            add("audience", &case.audience_id(at));
        }
        let mut request = Request::post("/oauth2/token")
            .extension(connection(asked))
            .header(header::HOST, "auth.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match asked.method {
            AuthMethod::ClientSecretBasic => {
                request = request.header(header::AUTHORIZATION, basic(&id, SECRET));
            }
            AuthMethod::ClientSecretPost => {
                add("client_id", &id);
                add("client_secret", SECRET);
            }
            AuthMethod::PrivateKeyJwt => {
                let claims = claims(&id, &random::token_id());
                add("client_assertion_type", TYPE);
                add("client_assertion", &COMMON.key.sign(&claims));
            }
            AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth => {
                add("client_id", &id);
            }
            AuthMethod::Federated => unreachable!("no case registers it"),
        }
        if asked.dpop {
            request = request.header("dpop", self.prover.right());
        }
        let pair = |(name, value): &(&str, String)| format!("{name}={}", form_encoded(value));
        let form: Vec<String> = form.iter().map(pair).collect();
        let request = request.body(Body::from(form.join("&"))).unwrap();
        self.replica.send(request).await
    }
}

/// Who asks, as it is supposed.
pub(super) fn caller(asked: &Asked) -> Caller {
    let connection = connection(asked);
    Caller {
        source: connection.source(),
        proxy: None,
        certificate: connection.certificate,
        hashing_turn: connection.hashing_turn,
    }
}

/// With the certificate that the method takes, where there is one.
fn connection(asked: &Asked) -> Connection {
    let peer = SocketAddr::new(asked.source.parse().unwrap(), 4711);
    let mut connection = Connection::new(peer);
    let identity = match asked.method {
        AuthMethod::TlsClientAuth => &COMMON.of_ca,
        _ => &COMMON.own,
    };
    let chain = || CertificateChain::new(&identity.chain).unwrap();
    connection.certificate = asked
        .certificate
        .then(|| ClientCertificate { chain: chain() });
    connection
}

fn catalog(case: &Case) -> String {
    let mut all = String::new();
    for (at, it) in case.audiences.iter().enumerate() {
        let typ = if it.is_jwt { "JWT" } else { "at+jwt" };
        let lines = format!(
            "sender_constraint = \"{}\"\njwt_typ = \"{typ}\"\ntoken_lifetime = \"{}s\"",
            it.constraint, it.lifetime
        );
        all += &audience(&case.audience_id(at), &it.scopes.join(" "), &lines);
    }
    let policies: Vec<String> = case.policies.iter().map(|it| policy_of(case, it)).collect();
    all + &client(&case.client_id(), &lines(case), &policies)
}

fn policy_of(case: &Case, it: &super::generated::Policy) -> String {
    let known = &case.audiences[it.audience].scopes;
    let scopes: Vec<&str> = it
        .scopes
        .iter()
        .copied()
        .filter(|it| known.contains(it))
        .collect();
    // A policy grants something.
    let scopes = if scopes.is_empty() {
        known.clone()
    } else {
        scopes
    };
    let default = if it.has_default { scopes[0] } else { "" };
    let text = policy(&case.audience_id(it.audience), &scopes.join(" "), default);
    let mut lines = vec![format!("enabled = {}\n", it.is_enabled)];
    if it.has_network {
        lines.push("networks = [\"192.0.2.0/24\"]\n".to_owned());
    }
    if !it.methods.is_empty() {
        let methods: Vec<&str> = it.methods.iter().map(|it| it.as_str()).collect();
        lines.push(format!("methods = {}\n", json!(methods)));
    }
    if let Some(lifetime) = it.lifetime {
        lines.push(format!("token_lifetime = \"{lifetime}s\"\n"));
    }
    text + &lines.concat()
}

fn lines(case: &Case) -> String {
    let methods: Vec<&str> = case.methods.iter().map(|it| it.as_str()).collect();
    let mut lines = vec![format!("auth = {}", json!(methods))];
    let value = |held: Held, value: &str| match held {
        Held::Retired => format!("{{ value = {}, retired_at = {} }}", text(value), START - 60),
        _ => text(value),
    };
    if case.secret != Held::Nothing {
        lines.push(format!("secrets = [{}]", value(case.secret, SECRET)));
    }
    if case.key != Held::Nothing {
        let jwks = json!({ "keys": [COMMON.key.jwk()] });
        lines.push(format!("jwks = '''{jwks}'''"));
    }
    if case.certificate != Held::Nothing {
        let own = COMMON.own.thumbprint();
        lines.push(format!("thumbprints = [{}]", value(case.certificate, &own)));
    }
    if case.has_subject() {
        lines.push("subject_dn = \"CN=job\"".to_owned());
    }
    lines.extend(case.lines.iter().map(ToString::to_string));
    lines.join("\n")
}
