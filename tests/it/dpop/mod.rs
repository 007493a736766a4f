//! Tokens bound to a key of the client: RFC 9449, at the token endpoint and at introspection.

mod binding;
mod nonce;
mod order;
mod proofs;
mod replay;

use grantd::crypto::digest::base64url;
use grantd::crypto::jws::{self, NewKey};
use grantd::crypto::random;
use grantd::domain::algorithm::SigningAlgorithm;
use josekit::jws::{ES256, EdDSA, JwsSigner, PS256, RS256};
use serde_json::{Value, json};

use crate::harness::*;

/// The token endpoint of every test.
const TOKEN: &str = "https://auth.example/oauth2/token";

/// Somebody with a key pair of their own, and the parts of a right proof at the start of a test.
pub(crate) struct Prover {
    key: NewKey,
    signer: Box<dyn JwsSigner>,
    header: Value,
    claims: Value,
}

impl Prover {
    pub(crate) fn new() -> Self {
        Self::with(SigningAlgorithm::Es256)
    }

    pub(crate) fn with(algorithm: SigningAlgorithm) -> Self {
        let key = jws::generate(algorithm).unwrap();
        let der = key.private.as_slice();
        let signer: Box<dyn JwsSigner> = match algorithm {
            SigningAlgorithm::Es256 => Box::new(ES256.signer_from_der(der).unwrap()),
            SigningAlgorithm::EdDsa => Box::new(EdDSA.signer_from_der(der).unwrap()),
            SigningAlgorithm::Rs256 => Box::new(RS256.signer_from_der(der).unwrap()),
            SigningAlgorithm::Ps256 => Box::new(PS256.signer_from_der(der).unwrap()),
        };
        let header = json!({
            "typ": "dpop+jwt", "alg": algorithm.as_str(), "jwk": key.public_jwk.key_members(),
        });
        let claims = json!({ "htm": "POST", "htu": TOKEN, "iat": START });
        Self {
            key,
            signer,
            header,
            claims,
        }
    }

    /// What a token is bound to: `jkt`.
    pub(crate) fn thumbprint(&self) -> &str {
        &self.key.kid
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(claims));
        format!(
            "{input}.{}",
            base64url(&self.signer.sign(input.as_bytes()).unwrap())
        )
    }

    /// A proof with these claims beside the usual ones, or in their place; `null` takes one out.
    pub(crate) fn proof(&self, claims: &Value) -> String {
        let mut all = json!({ "jti": random::token_id() });
        for object in [&self.claims, claims] {
            for (name, value) in object.as_object().unwrap() {
                all[name] = value.clone();
            }
        }
        all.as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        self.sign(&self.header, &all)
    }

    /// A right proof that nobody has used.
    pub(crate) fn right(&self) -> String {
        self.proof(&json!({}))
    }

    /// A proof with one member of its header replaced.
    pub(crate) fn header(&self, name: &str, value: impl Into<Value>) -> String {
        let mut header = self.header.clone();
        header[name] = value.into();
        let mut claims = self.claims.clone();
        claims["jti"] = random::token_id().into();
        self.sign(&header, &claims)
    }
}

impl Replica {
    /// Asks for a token as `reader` with these proofs, each in a header of its own.
    pub(crate) async fn prove(&self, proofs: &[&str], more: &str) -> Answer {
        let authorization = basic("reader", READER);
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
        self.post(
            "/oauth2/token",
            &headers,
            &format!("grant_type=client_credentials{more}"),
        )
        .await
    }
}

/// [`CATALOG`] whose client or audience demands something: `line` below the one that `after` begins.
fn demanding(after: &str, line: &str) -> String {
    CATALOG.replacen(after, &format!("{after}\n{line}"), 1)
}

/// Below it stands what an audience demands.
const AUDIENCE: &str = "served_by = [\"api\"]";
/// Below it stands what a client demands.
const CLIENT: &str = "secret = \"reader secret of 1\"";
