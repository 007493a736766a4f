//! Reads an access token that this issuer signed; anything else is nothing.

use super::Grantd;
use crate::crypto::compact::CompactJws;
use crate::domain::access_token::AccessToken;
use crate::domain::audience::JwtTyp;
use crate::domain::timestamp::Timestamp;

/// An access token that this issuer signed, and the key that it was signed with.
#[derive(Debug)]
pub(super) struct OwnToken {
    pub(super) claims: AccessToken,
    kid: String,
}

impl Grantd {
    /// The token that `text` is, where it is an access token of this issuer that lives at `now`.
    ///
    /// A client assertion, a DPoP proof or a token of another issuer differs in `typ`, key or `iss`
    /// (RFC 8725 section 3.12).
    pub(super) fn own_token(&self, text: &str, now: Timestamp) -> Option<OwnToken> {
        let jws = CompactJws::parse(text).ok()?;
        JwtTyp::from_text(jws.typ()?)?;
        let kid = jws.kid()?;
        let ring = self.keys.load();
        let (algorithm, verifier) = ring.as_ref()?.verifier(kid, now)?;
        if jws.alg() != algorithm.as_str() || !verifier.verify(jws.signing_input(), jws.signature())
        {
            return None;
        }
        let claims = serde_json::Value::Object(jws.claims().clone());
        let claims: AccessToken = serde_json::from_value(claims).ok()?;
        let token = OwnToken { claims, kid: kid.to_owned() };
        self.still_lives(&token, now).then_some(token)
    }

    /// Whether a token that was read before lives at `now`, and its key still verifies.
    pub(super) fn still_lives(&self, token: &OwnToken, now: Timestamp) -> bool {
        let ring = self.keys.load();
        token.claims.iss == self.issuer.as_str()
            && token.claims.is_within_life(now)
            && ring.as_ref().is_some_and(|ring| ring.verifier(&token.kid, now).is_some())
    }
}
