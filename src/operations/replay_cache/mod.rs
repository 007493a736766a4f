//! What may be used once: the `jti` of an assertion or of a proof, kept in the database (RFC 7523 section 3,
//! RFC 9449 section 11.1).

use super::Grantd;
use super::error::Outage;
use crate::crypto::digest::{base64url, length_prefixed, sha256};
use crate::domain::timestamp::Timestamp;

/// Whether something was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// This was its first use.
    First,
    /// It was used before.
    Replay,
}

impl Grantd {
    /// Spends `jti` within `kind` and `scope`; `expires_at` is the last instant at which it could be accepted.
    ///
    /// # Errors
    /// An outage: then nobody knows whether it was spent, and it proves nothing.
    pub async fn spend(
        &self,
        kind: &'static str,
        scope: &[&[u8]],
        jti: &str,
        expires_at: Timestamp,
    ) -> Result<Spent, Outage> {
        let scope = length_prefixed(scope);
        let key = base64url(&sha256(&length_prefixed(&[kind.as_bytes(), &scope, jti.as_bytes()])));
        let first = self.store.use_assertions(&[(key, expires_at)]).await?;
        Ok(if first == [true] { Spent::First } else { Spent::Replay })
    }
}
