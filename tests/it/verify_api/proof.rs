//! The checks of a DPoP proof (RFC 9449 section 4.3), each of which one hole leaves out.

use std::collections::HashSet;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, get_current_timestamp};
use openssl::sha::sha256;
use serde_json::Value;

use super::hole::Hole;
use super::token::{Checks, No, Token};

/// Proofs that were used.
pub(super) type SpentProofs = Mutex<HashSet<String>>;

impl Checks {
    /// That the sender holds what the token is bound to.
    pub(super) fn binding(
        &self,
        token: &Token,
        (scheme, proof): (&str, Option<&str>),
        (url, spent): (&str, &SpentProofs),
    ) -> Result<(), No> {
        let fine = match (token.bound_to(), scheme, proof) {
            (None, "Bearer", _) => true,
            (Some(_), "Bearer", _) => self.has(Hole::BearerToo),
            (Some(_), "DPoP", None) => self.has(Hole::NoProof),
            (Some(key), "DPoP", Some(proof)) => self
                .proves(proof, (token.text(), key), (url, spent))
                .is_some(),
            _ => false,
        };
        if fine { Ok(()) } else { Err(No::Token) }
    }

    fn proves(
        &self,
        proof: &str,
        (token, bound_to): (&str, &str),
        (url, spent): (&str, &SpentProofs),
    ) -> Option<()> {
        let (input, signature) = proof.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        let read = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let (header, claims) = (read(header)?, read(payload)?);
        let jwk: Jwk = serde_json::from_value(header["jwk"].clone()).ok()?;
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        let verified =
            jsonwebtoken::crypto::verify(signature, input.as_bytes(), &key, Algorithm::ES256);
        let now = get_current_timestamp();
        let age = now.abs_diff(claims["iat"].as_u64()?);
        let ath = URL_SAFE_NO_PAD.encode(sha256(token.as_bytes()));
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        let jti = claims["jti"].as_str()?.to_owned();
        let checks = [
            (
                Hole::NoProof,
                verified == Ok(true) && header["typ"] == "dpop+jwt",
            ),
            (Hole::AnyProofKey, thumbprint == bound_to),
            (Hole::AnyMethod, claims["htm"] == "GET"),
            (Hole::AnyUrl, claims["htu"] == url),
            (Hole::AnyToken, claims["ath"] == ath.as_str()),
            (Hole::OldProofs, age <= 60),
            (Hole::ProofsTwice, spent.lock().unwrap().insert(jti)),
        ];
        checks
            .iter()
            .all(|(hole, fine)| *fine || self.has(*hole))
            .then_some(())
    }
}
