//! What a stranger would publish to have tokens of its own taken for ours: `jku` and `x5u` of the battery lead here.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;

use super::answer::Other;
use super::fault::Fault;
use super::input::Name;
use super::state::Control;
use super::table::Table;
use crate::crypto::certificates::made::CertificateKey;
use crate::domain::algorithm::SigningAlgorithm;
use crate::http::answer::ok_json;

/// RFC 8555 section 9.1.
const CHAIN: HeaderValue = HeaderValue::from_static("application/pem-certificate-chain");
/// Below it lie the certificates.
const CERTIFICATES: &str = "/_test/stranger/certificates";
const JWKS: &str = "/_test/stranger/jwks";

pub(super) fn routes(all: Table) -> Table {
    all.get(JWKS, "is the JWKS of a stranger, for `jku`", jwks)
        .get(
            "/_test/stranger/certificates/{algorithm}",
            "is the certificate of a stranger's key, for `x5u`",
            certificate,
        )
}

/// Where the stranger's keys are.
pub(super) fn jwks_url(control: &str) -> String {
    format!("{control}{JWKS}")
}

/// Where the certificate of the stranger's key is.
pub(super) fn certificate_url(control: &str, algorithm: SigningAlgorithm) -> String {
    format!("{control}{CERTIFICATES}/{algorithm}")
}

async fn jwks(control: Control) -> Result<Other, Fault> {
    let strangers = &control.mint().strangers;
    strangers.key(SigningAlgorithm::Es256).await?;
    let jwks = strangers.jwks("sig").await.to_string();
    Ok(Other(ok_json(jwks.into_bytes())))
}

async fn certificate(control: Control, Name(name): Name) -> Result<Other, Fault> {
    let algorithm: SigningAlgorithm = name.parse().map_err(|_| {
        let known = SigningAlgorithm::ALL.map(SigningAlgorithm::as_str);
        Fault::unknown("algorithm", &name, known)
    })?;
    let key = control.mint().strangers.key(algorithm).await?;
    let now = control.grantd().clock().now();
    let made = CertificateKey::from_pem(key.pem())
        .and_then(|key| key.self_signed("a stranger", now))
        .map_err(|error| Fault::unavailable(&error))?;
    let mut response = ok_json(made.into_bytes());
    response.headers_mut().insert(CONTENT_TYPE, CHAIN);
    Ok(Other(response))
}
