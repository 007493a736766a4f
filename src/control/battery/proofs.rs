//! What tokens of a battery are bound to, and the proofs that are sent with them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::control::fault::Fault;
use crate::control::mint::certificate::MadeCertificate;
use crate::control::mint::key_cabinet::new_key;
use crate::control::state::Control;
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
    /// A certificate with its private key.
    Certificate(MadeCertificate),
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
        let subject = SubjectName {
            kind: SubjectKind::Dns,
            value: "battery.grantd.example".to_owned(),
        };
        Ok(Self::Certificate(
            match MadeCertificate::of_client_ca(control, &subject)? {
                Some(made) => made,
                None => MadeCertificate::self_signed(control, "battery")?,
            },
        ))
    }

    /// As `cnf`.
    pub(super) fn confirmation(&self) -> Map<String, Value> {
        let (name, value) = match self {
            Self::Key(held, _) => ("jkt", held.key().public().thumbprint()),
            Self::Certificate(made) => ("x5t#S256", made.thumbprint.clone()),
        };
        Map::from_iter([(name.to_owned(), json!(value))])
    }

    /// The private half, as PEM.
    pub(super) fn private_key_pem(&self) -> String {
        match self {
            Self::Key(held, _) => held.pem().as_str().to_owned(),
            Self::Certificate(made) => made.key.as_str().to_owned(),
        }
    }

    /// The certificate, where it is one.
    pub(super) fn certificate_pem(&self) -> Option<String> {
        match self {
            Self::Key(..) => None,
            Self::Certificate(made) => Some(made.certificate.clone()),
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
