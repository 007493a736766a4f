//! Reads one credential as a command brings it, by the rules of the catalog.

use std::io::{self, Read};

use serde_json::Value;

use super::{certificate, jwk, subject};
use crate::config::fault::Problem;
use crate::config::file;
use crate::config::value;
use crate::domain::credential::{PublicMaterial, SubjectKind};

/// The text of keys or of a certificate.
///
/// # Errors
/// What cannot be read, is no UTF-8, or is larger than 1 MiB.
pub fn text(input: impl Read) -> io::Result<String> {
    file::bounded_text(input, file::SMALL)
}

/// The keys of a JWK set, or the one of a single JWK (RFC 7517 sections 4 and 5).
///
/// # Errors
/// Anything else, and what no catalog may register: private members, another `use` than `sig`.
pub fn keys(text: &str) -> Result<Vec<PublicMaterial>, Problem> {
    let document: Value = serde_json::from_str(text).map_err(|_| Problem::Jwk)?;
    let keys = match document.get("keys") {
        Some(_) => jwk::set(text)?,
        None => vec![jwk::single(text)?],
    };
    Ok(keys
        .into_iter()
        .map(|key| PublicMaterial::Jwk(key.json))
        .collect())
}

/// The first certificate of a PEM text: of a chain, the leaf.
///
/// # Errors
/// No certificate in it.
pub fn certificate(pem: &str) -> Result<PublicMaterial, Problem> {
    Ok(PublicMaterial::Certificate(certificate::thumbprint_of(
        pem,
    )?))
}

/// A certificate by its `x5t#S256` (RFC 8705 section 3.1).
///
/// # Errors
/// Anything but 43 characters of base64url.
pub fn thumbprint(text: &str) -> Result<PublicMaterial, Problem> {
    Ok(PublicMaterial::Certificate(value::fitting_thumbprint(
        text.to_owned(),
    )?))
}

/// A subject name of certificates (RFC 8705 section 2.1.2).
///
/// # Errors
/// What is no name of its kind.
pub fn subject(kind: SubjectKind, text: &str) -> Result<PublicMaterial, Problem> {
    Ok(PublicMaterial::Subject(subject::read(
        kind,
        text.to_owned(),
    )?))
}

/// A name for people.
///
/// # Errors
/// What is empty, longer than 255 characters, or not on one line.
pub fn label(text: &str) -> Result<String, Problem> {
    value::fitting_label(text.to_owned())
}
