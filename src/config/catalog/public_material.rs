//! Reads the text of a credential, from wherever it comes: a catalog, a file beside it, a command.

use std::io::{self, Read};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{jwk, subject};
use crate::config::fault::Problem;
use crate::config::file;
use crate::config::value;
use crate::crypto::certificates::registration::registrable_thumbprint;
use crate::domain::credential::{PublicMaterial, SubjectKind};
use crate::domain::shape;

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
    let keys = jwk::read(text)?;
    Ok(keys.into_iter().map(PublicMaterial::Jwk).collect())
}

/// The first certificate of a PEM text: of a chain, the leaf.
///
/// # Errors
/// No certificate in it.
pub fn certificate(pem: &str) -> Result<PublicMaterial, Problem> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| Problem::Certificate)?;
    Ok(PublicMaterial::Certificate(registrable_thumbprint(&der)?))
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
    shape::fitting_label(text.to_owned()).map_err(|error| Problem::Said(error.to_string()))
}
