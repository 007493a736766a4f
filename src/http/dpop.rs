//! Finds the DPoP proof of a request, RFC 9449 section 4.1.

use axum::http::{HeaderMap, HeaderName};

use crate::domain::presented::PresentedProof;

/// The header of a proof.
pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The proof; nothing of it is believed yet.
pub(super) fn find(headers: &HeaderMap) -> PresentedProof<'_> {
    let mut proofs = headers.get_all(DPOP).iter();
    match (proofs.next(), proofs.next()) {
        (None, _) => PresentedProof::Nothing,
        (Some(proof), None) => PresentedProof::One(proof.as_bytes()),
        (Some(_), Some(_)) => PresentedProof::Several,
    }
}
