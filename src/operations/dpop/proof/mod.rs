//! The types that a proof passes through; each is made only of the one before.

use crate::crypto::compact::CompactJws;
use crate::crypto::jws::Verifier;
use crate::crypto::public_jwk::PublicJwk;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::dpop_fault::DpopFault;
use crate::domain::profile::Profile;
use crate::domain::shown::{unknown, unknown_or_none};
use crate::domain::target_uri::TargetUri;
use crate::domain::timestamp::Timestamp;
use crate::operations::replay_cache::Spent;
use serde_json::{Map, Value};

use super::claims::{Expected, check_claims};

/// `typ` of a proof: no other JWT has it (RFC 8725 section 3.11).
const TYP: &str = "dpop+jwt";

/// A text of the right form; anybody may have made it.
struct UnverifiedProof(CompactJws);

/// A proof signed by the key that it carries.
struct SignedProof {
    jws: CompactJws,
    thumbprint: String,
}

/// A proof for this request at this time; it may have been used before.
pub struct AcceptedProof {
    thumbprint: String,
    uri: TargetUri,
    jti: String,
    issued_at: Timestamp,
    dead_at: Timestamp,
}

/// A proof that was never used before: the client holds the private key now.
pub struct FreshProof {
    thumbprint: String,
}

/// Takes the value of a `DPoP` header through all that can be judged without a store.
///
/// # Errors
/// A [`DpopFault`]; two of them name the nonce to use.
pub fn judge_proof(
    text: &[u8],
    profile: Profile,
    expected: &Expected<'_>,
) -> Result<AcceptedProof, DpopFault> {
    UnverifiedProof::parse(text)?
        .verify(profile)?
        .accept(expected)
}

impl UnverifiedProof {
    /// Reads the value of a `DPoP` header.
    fn parse(text: &[u8]) -> Result<Self, DpopFault> {
        let text = std::str::from_utf8(text).map_err(|_| DpopFault::Form("not text".to_owned()))?;
        CompactJws::parse(text)
            .map(Self)
            .map_err(|error| DpopFault::Form(error.to_string()))
    }

    /// Verifies the signature with the embedded key. Whatever else the header names (`kid`, `x5c`, `jku`) says
    /// nothing about the key.
    fn verify(self, profile: Profile) -> Result<SignedProof, DpopFault> {
        let Self(jws) = self;
        if jws.typ() != Some(TYP) {
            return Err(DpopFault::Typ(unknown_or_none(jws.typ(), [TYP])));
        }
        let allowed = profile.proof_algorithms().contains(&jws.alg());
        let algorithm = algorithm(jws.alg())
            .filter(|_| allowed)
            .ok_or_else(|| DpopFault::Algorithm(unknown(jws.alg(), [])))?;
        let key = public_key(jws.header())?;
        let verifier = Verifier::new(algorithm, &key).map_err(|error| bad_key(&error))?;
        if !verifier.verify(jws.signing_input(), jws.signature()) {
            return Err(DpopFault::Signature);
        }
        Ok(SignedProof {
            jws,
            thumbprint: key.thumbprint(),
        })
    }
}

impl SignedProof {
    /// Holds the claims against the request.
    fn accept(self, expected: &Expected<'_>) -> Result<AcceptedProof, DpopFault> {
        let checked = check_claims(self.jws.claims(), expected)?;
        Ok(AcceptedProof {
            thumbprint: self.thumbprint,
            uri: checked.uri,
            jti: checked.jti,
            issued_at: checked.issued_at,
            dead_at: checked.dead_at,
        })
    }
}

impl AcceptedProof {
    /// The RFC 7638 thumbprint of the key.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The URI that the proof is for.
    #[must_use]
    pub const fn uri(&self) -> &TargetUri {
        &self.uri
    }

    /// The proof's own name.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// Its `iat`.
    #[must_use]
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// From when on it is refused for its age.
    #[must_use]
    pub const fn dead_at(&self) -> Timestamp {
        self.dead_at
    }

    /// The last step.
    pub(super) fn fresh(self, spent: Spent) -> Result<FreshProof, DpopFault> {
        match spent {
            Spent::First => Ok(FreshProof {
                thumbprint: self.thumbprint,
            }),
            Spent::Replay => Err(DpopFault::Replayed),
            Spent::Forgotten => Err(DpopFault::MadeBeforeLoss),
        }
    }
}

impl FreshProof {
    /// The RFC 7638 thumbprint of the key: `jkt`.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

/// Compares exactly (RFC 7515 section 4.1.1): no `none`, nothing symmetric, no other spelling.
fn algorithm(name: &str) -> Option<SigningAlgorithm> {
    match name {
        "Ed25519" => Some(SigningAlgorithm::EdDsa),
        name => name.parse().ok(),
    }
}

fn public_key(header: &Map<String, Value>) -> Result<PublicJwk, DpopFault> {
    match header.get("jwk") {
        None => Err(DpopFault::KeyAbsent),
        Some(Value::Object(members)) => {
            PublicJwk::from_members(members).map_err(|error| bad_key(&error))
        }
        Some(_) => Err(DpopFault::Key("not an object".to_owned())),
    }
}

fn bad_key(error: &dyn std::error::Error) -> DpopFault {
    DpopFault::Key(error.to_string())
}

#[cfg(test)]
mod tests;
