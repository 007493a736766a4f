//! Signs what introspection tells, so that whoever asked can show it to others (RFC 9701 section 5).

use serde::Serialize;
use serde_json::Value;

use super::Grantd;
use super::error::Outage;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::identifier::ClientId;
use crate::domain::timestamp::Timestamp;

/// The `typ` of a signed answer. No verifier takes it for an access token.
const TYP: &str = "token-introspection+jwt";

/// Neither `sub` nor `exp` stands here: it is no statement about the caller, and no token.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    token_introspection: &'a Value,
}

impl Grantd {
    /// What signs the answers of introspection: of the algorithms of all audiences the first that the profile allows, in
    /// the order ES256, `EdDSA`, RS256, PS256, of which a key signs now. One for all, so that it tells nothing of the token.
    /// `None` while there is no audience, and so no key.
    #[must_use]
    pub fn introspection_algorithm(&self) -> Option<SigningAlgorithm> {
        let ring = self.memory.keys.load();
        let in_use = ring.as_ref()?.in_use().keys().copied();
        let mut allowed = in_use.filter(|it| self.settings.profile.allows_algorithm(*it));
        let mut signing = allowed.clone().filter(|it| self.signer(*it).is_some());
        signing.next().or_else(|| allowed.next())
    }

    /// The answer of these members as a JWT for the client that asked; `None` where nothing is signed here.
    ///
    /// # Errors
    /// No key that signs now.
    pub async fn sign_introspection(
        &self,
        (to, at): (&ClientId, Timestamp),
        members: &Value,
    ) -> Result<Option<String>, Outage> {
        let Some(algorithm) = self.introspection_algorithm() else {
            return Ok(None);
        };
        let signer = self.awaited_signer(algorithm).await;
        let signer = signer.ok_or(Outage::NoSigningKey(algorithm))?;
        let claims = Claims {
            iss: self.settings.issuer.as_str(),
            aud: to.as_str(),
            iat: at.unix(),
            token_introspection: members,
        };
        let claims = serde_json::to_vec(&claims).map_err(|_| Outage::Signing)?;
        let jwt = signer.sign_compact_as(TYP, &claims);
        jwt.map(Some).map_err(|_| Outage::Signing)
    }
}
