//! What makes a DPoP proof of a signed JWT, RFC 9449 section 4.3.

use serde_json::{Map, Value};

use super::claims::{Expected, check_claims};
use crate::crypto::jws::Verifier;
use crate::crypto::public_jwk::PublicJwk;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::dpop_fault::DpopFault;
use crate::domain::once::Once;
use crate::domain::profile::Profile;
use crate::domain::shown::unknown_or_none;
use crate::domain::target_uri::TargetUri;
use crate::operations::signed_once::{Accepted, Fresh, Kind, Signed, Unverified};

/// `typ` of a proof: no other JWT has it (RFC 8725 section 3.11).
const TYP: &str = "dpop+jwt";

/// A DPoP proof. Its key is the one that it carries, by its RFC 7638 thumbprint: `jkt`.
#[derive(Debug)]
pub struct Proof;

/// A proof for this request at this time, whose `jti` is still to be spent.
pub type AcceptedProof = Accepted<Proof>;

/// A proof that was never used before: the client holds the private key now.
pub type FreshProof = Fresh<Proof>;

impl Kind for Proof {
    const NAME: &'static str = "dpop";
    type Fault = DpopFault;
    type Key = String;
    /// The URI that the proof is for.
    type Said = TargetUri;
    type Once = Once;

    fn check_type(typ: Option<&str>) -> Result<(), DpopFault> {
        match typ {
            Some(TYP) => Ok(()),
            _ => Err(DpopFault::Typ(unknown_or_none(typ, [TYP]))),
        }
    }

    fn algorithms(profile: Profile) -> &'static [&'static str] {
        profile.proof_algorithms()
    }

    fn form(reason: String) -> DpopFault {
        DpopFault::Form(reason)
    }

    fn algorithm(shown: String) -> DpopFault {
        DpopFault::Algorithm(shown)
    }

    fn signature() -> DpopFault {
        DpopFault::Signature
    }

    fn replayed() -> DpopFault {
        DpopFault::Replayed
    }

    fn made_before_loss() -> DpopFault {
        DpopFault::MadeBeforeLoss
    }
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
    let text = std::str::from_utf8(text).map_err(|_| DpopFault::Form("not text".to_owned()))?;
    let signed = check_signed(Unverified::parse(text)?, profile)?;
    signed.accept(|claims| check_claims(&claims, expected))
}

/// Verifies the signature with the embedded key. Whatever else the header names (`kid`, `x5c`, `jku`) says nothing about
/// the key.
fn check_signed(
    unverified: Unverified<Proof>,
    profile: Profile,
) -> Result<Signed<Proof>, DpopFault> {
    unverified.check_algorithm(profile)?;
    let jws = unverified.unverified();
    let algorithm =
        SigningAlgorithm::of_header(jws.alg()).ok_or_else(|| unverified.wrong_algorithm())?;
    let key = public_key(jws.header())?;
    let verifier = Verifier::new(algorithm, &key).map_err(|error| bad_key(&error))?;
    unverified.verify(&verifier, || Ok(key.thumbprint()))
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
