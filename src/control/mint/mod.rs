//! What makes tokens that no client asked for: keys that are nobody's, other issuers, and the token itself.

pub(super) mod certificate;
pub(super) mod holder;
pub(super) mod key_cabinet;
pub(super) mod moment;
pub(super) mod other_issuers;
pub(super) mod our_keys;
pub(super) mod signing;

use key_cabinet::KeyCabinet;
use other_issuers::OtherIssuers;

/// What lasts from one token to the next.
#[derive(Debug, Default)]
pub(super) struct Mint {
    /// The issuers beside our own.
    pub(super) issuers: OtherIssuers,
    /// Keys that no issuer has.
    pub(super) strangers: KeyCabinet,
    /// Keys of callers, for DPoP proofs.
    pub(super) callers: KeyCabinet,
}
