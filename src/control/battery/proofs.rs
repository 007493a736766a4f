//! What tokens of a battery are bound to, and the proofs that are sent with them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::control::fault::Fault;
use crate::control::mint::key_cabinet::new_key;
use crate::control::state::{Control, Text};
use crate::crypto::certificates::made::{CertificateKey, MakeError, ThrowAwayCa};
use crate::crypto::digest::certificate_thumbprint;
use crate::crypto::dpop_proof;
use crate::crypto::jws::held_key::HeldKey;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::battery::Case;
use crate::domain::credential::{SubjectKind, SubjectName};
use crate::domain::target_uri::TargetUri;
use crate::domain::timestamp::{Seconds, Timestamp};

/// Older than any API accepts.
const AN_HOUR: Seconds = Seconds::new(3600);

/// The request that proofs are for.
#[derive(Clone, Debug)]
pub(super) struct Purpose {
    method: String,
    url: String,
}

/// What a token is bound to.
pub(super) enum Bond {
    /// A key that signs proofs.
    Key(Arc<HeldKey>, Purpose),
    /// A certificate and its private key, both as PEM, with the thumbprint.
    Certificate {
        certificate: String,
        key: String,
        thumbprint: String,
    },
}

impl Purpose {
    /// # Errors
    /// 400 for what is no URL.
    pub(super) fn new(method: Option<String>, url: Option<&str>) -> Result<Self, Fault> {
        let needs =
            "a proof is for one request: name its URL, such as http://127.0.0.1:8090/documents";
        let url = url.and_then(TargetUri::parse);
        let url = url.ok_or_else(|| Fault::invalid(needs).at("url"))?;
        Ok(Self {
            method: method.unwrap_or_else(|| "GET".to_owned()),
            url: url.as_str().to_owned(),
        })
    }
}

impl Bond {
    /// A new key.
    ///
    /// # Errors
    /// 503.
    pub(super) async fn to_key(purpose: Purpose) -> Result<Self, Fault> {
        Ok(Self::Key(new_key(SigningAlgorithm::Es256).await?, purpose))
    }

    /// A new certificate of the CA whose clients are accepted, or by itself where that CA is somebody else's.
    ///
    /// # Errors
    /// 503.
    pub(super) fn to_certificate(control: &Control) -> Result<Self, Fault> {
        let now = control.grantd().clock().now();
        let made = || -> Result<_, MakeError> {
            let key = CertificateKey::generate()?;
            let ca = control.world().client_ca_key.as_ref();
            let certificate = match ca.and_then(Text::read) {
                Some(ca) => ThrowAwayCa::new(CertificateKey::from_pem(&ca)?).client(
                    &key,
                    &SubjectName {
                        kind: SubjectKind::Dns,
                        value: "battery.grantd.example".to_owned(),
                    },
                    now,
                )?,
                None => key.self_signed("battery", now)?,
            };
            Ok((certificate, key.to_pem().as_str().to_owned()))
        };
        let (certificate, key) = made().map_err(|error| Fault::unavailable(&error))?;
        let thumbprint = thumbprint(&certificate);
        Ok(Self::Certificate {
            thumbprint: thumbprint.ok_or_else(|| Fault::unavailable(&"no certificate was made"))?,
            certificate,
            key,
        })
    }

    /// As `cnf`.
    pub(super) fn confirmation(&self) -> Map<String, Value> {
        let (name, value) = match self {
            Self::Key(held, _) => ("jkt", held.key().public().thumbprint()),
            Self::Certificate { thumbprint, .. } => ("x5t#S256", thumbprint.clone()),
        };
        Map::from_iter([(name.to_owned(), json!(value))])
    }

    /// The private half, as PEM.
    pub(super) fn private_key_pem(&self) -> String {
        match self {
            Self::Key(held, _) => held.pem().as_str().to_owned(),
            Self::Certificate { key, .. } => key.clone(),
        }
    }

    /// The certificate, where it is one.
    pub(super) fn certificate_pem(&self) -> Option<String> {
        match self {
            Self::Key(..) => None,
            Self::Certificate { certificate, .. } => Some(certificate.clone()),
        }
    }
}

/// A proof for `token`, right but for what `case` says.
///
/// # Errors
/// 503.
pub(super) fn proof(
    (held, purpose): (&HeldKey, &Purpose),
    (case, token): (Case, &str),
    now: Timestamp,
) -> Result<String, Fault> {
    let method = match case {
        Case::ProofOfAnotherMethod if purpose.method == "DELETE" => "PUT",
        Case::ProofOfAnotherMethod => "DELETE",
        _ => &purpose.method,
    };
    let url = match case {
        Case::ProofOfAnotherUrl => "https://another-api.example/",
        _ => &purpose.url,
    };
    let token = match case {
        Case::ProofOfAnotherToken => "another token",
        _ => token,
    };
    let now = match case {
        Case::ProofExpired => now.minus(AN_HOUR),
        _ => now,
    };
    let claims = dpop_proof::claims((method, url), Some(token), now);
    let signed = dpop_proof::signed(held.key(), claims);
    signed.map_err(|error| Fault::unavailable(&error))
}

fn thumbprint(pem: &str) -> Option<String> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    Some(certificate_thumbprint(&der))
}
