//! Reads the text of a credential, from wherever it comes: a catalog, a file beside it, a command.

use std::io::{self, Read};

use pem::{EncodeConfig, LineEnding};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::subject;
use crate::config::fault::Problem;
use crate::config::file;
use crate::config::value;
use crate::crypto::certificates::authorities::ClientCas;
use crate::crypto::certificates::registration::registrable_thumbprint;
use crate::crypto::client_key::{ClientKey, ClientKeyError};
use crate::crypto::key_set::{KeySet, KeySetError, Publisher};
use crate::crypto::public_jwk::{PublicJwk, PublicJwkError};
use crate::domain::credential::{PublicMaterial, SubjectKind};
use crate::domain::key_source::{KeySource, KeySourceFault};
use crate::domain::shape;

/// The text of keys or of a certificate.
///
/// # Errors
/// What cannot be read, is no UTF-8, or is larger than 1 MiB.
pub fn text(input: impl Read) -> io::Result<String> {
    file::bounded_text(input, file::SMALL)
}

/// The keys of a JWK set, or the one of a single JWK (RFC 7517 sections 4 and 5): compact JSON, its members sorted, so
/// that one key written in two orders is one credential, and a retired one does not come back by the other.
///
/// # Errors
/// Anything else, and what no catalog may register: private members, another `use` than `sig`.
pub fn keys(text: &str) -> Result<Vec<PublicMaterial>, Problem> {
    let no_set =
        || Problem::Expected("a JWK set, {\"keys\": [ … ]}, with at least one key, or a JWK alone");
    let document: Value = serde_json::from_str(text).map_err(|_| no_set())?;
    match document.get("keys").map(Value::as_array) {
        Some(Some(keys)) if !keys.is_empty() => keys.iter().map(key).collect(),
        None if document.is_object() => Ok(vec![key(&document)?]),
        _ => Err(no_set()),
    }
}

fn key(key: &Value) -> Result<PublicMaterial, Problem> {
    ClientKey::parse(&key.to_string())?;
    let mut sorted = key.clone();
    sorted.sort_all_objects();
    Ok(PublicMaterial::Jwk(sorted.to_string()))
}

/// What is kept of a key of a kind that verifies nothing here: enough to tell of it.
const TOLD: [&str; 5] = ["kty", "kid", "use", "alg", "x5c"];

/// The public keys that an issuer publishes, for the database: nothing else of the set, and of symmetric and unknown keys no
/// more than their names.
///
/// # Errors
/// What is no JWK set, has no key that can be used, or has the private key of a pair.
pub fn key_set(publisher: Publisher, text: &str) -> Result<String, Problem> {
    KeySet::parse_of(publisher, text.as_bytes()).map_err(|fault| match fault {
        KeySetError::Json(fault) => Problem::Said(format!("this is {fault}, so no JWK set")),
        KeySetError::NoSet => Problem::Expected("a JWK set, {\"keys\": [ … ]}"),
        other => Problem::Said(other.to_string()),
    })?;
    let mut document: Value = serde_json::from_str(text).unwrap_or_default();
    let keys = document.get_mut("keys").map(Value::take);
    let mut keys = keys.unwrap_or_default();
    for key in keys.as_array_mut().into_iter().flatten() {
        keep_what_is_public(key)?;
    }
    keys.sort_all_objects();
    Ok(json!({ "keys": keys }).to_string())
}

/// Who has half of a pair in this file is about to publish it, and is told; a symmetric key is its owner's matter.
fn keep_what_is_public(key: &mut Value) -> Result<(), Problem> {
    let Some(members) = key.as_object_mut() else {
        *key = Value::Null;
        return Ok(());
    };
    let kind = members.get("kty").and_then(Value::as_str);
    let is_of_pair = matches!(kind, Some("EC" | "OKP" | "RSA"));
    match PublicJwk::from_members(members) {
        Err(fault @ PublicJwkError::Private(member)) if is_of_pair || member != "k" => {
            return Err(ClientKeyError::from(fault).into());
        }
        Err(PublicJwkError::Private(_) | PublicJwkError::KeyType) => {
            members.retain(|name, _| TOLD.contains(&name.as_str()));
        }
        _ => {}
    }
    Ok(())
}

/// The first certificate of a PEM text: of a chain, the leaf.
///
/// # Errors
/// No certificate in it.
pub fn certificate(pem: &str) -> Result<PublicMaterial, Problem> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        Problem::Expected("a certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    })?;
    Ok(PublicMaterial::Certificate(registrable_thumbprint(&der)?))
}

/// A certificate by its `x5t#S256` (RFC 8705 section 3.1).
///
/// # Errors
/// Anything but 43 characters of base64url.
pub fn thumbprint(text: &str) -> Result<PublicMaterial, Problem> {
    Ok(PublicMaterial::Certificate(value::thumbprint(
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

/// The keys that a client publishes at a URL. Only `allow_plain_http` permits one without TLS, on loopback.
///
/// # Errors
/// What is no such URL.
pub fn key_source(url: &str, allow_plain_http: bool) -> Result<KeySource, Problem> {
    let source = KeySource::parse(url)?;
    if source.is_plain() && !allow_plain_http {
        return Err(KeySourceFault::Scheme.into());
    }
    Ok(source)
}

/// The CA certificates of a PEM text, and nothing that stands beside them: what is kept holds no private key.
///
/// # Errors
/// No certificate of a CA in it.
pub fn ca(pem: &str) -> Result<String, Problem> {
    let no_ca =
        |_| Problem::Expected("certificates of CAs in PEM form (-----BEGIN CERTIFICATE-----)");
    ClientCas::none().add_pem(pem.as_bytes()).map_err(no_ca)?;
    let all = pem::parse_many(pem).map_err(|_| Problem::Expected("a PEM text"))?;
    let certificates = all.iter().filter(|it| it.tag() == "CERTIFICATE");
    let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
    Ok(certificates
        .map(|it| pem::encode_config(it, lines))
        .collect())
}

/// A name for people.
///
/// # Errors
/// What is empty, longer than 255 characters, or not on one line.
pub fn label(text: &str) -> Result<String, Problem> {
    shape::fitting_label(text.to_owned()).map_err(|error| Problem::Said(error.to_string()))
}
