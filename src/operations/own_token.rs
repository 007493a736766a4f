//! Reads an access token that this issuer signed; anything else is nothing.

use super::Grantd;
use super::clocks::MOST_APART;
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
        self.signed_by_us(text)
            .filter(|token| self.still_lives(token, now))
    }

    /// The token that `text` is, where some replica may still call it active: to revoke it is no idle answer, whatever
    /// this machine's clock says.
    pub(super) fn revocable_token(&self, text: &str) -> Option<OwnToken> {
        let expired = self.database_now().minus(MOST_APART).unix();
        self.signed_by_us(text)
            .filter(|token| token.claims.exp > expired)
    }

    /// Whether a token that was read before lives at `now`, and its key still verifies.
    pub(super) fn still_lives(&self, token: &OwnToken, now: Timestamp) -> bool {
        let ring = self.keys.load();
        let verifier = ring
            .as_ref()
            .and_then(|it| it.verifier(&token.kid, self.database_now()));
        verifier.is_some() && token.claims.is_within_life(now)
    }

    fn signed_by_us(&self, text: &str) -> Option<OwnToken> {
        let jws = CompactJws::parse(text).ok()?;
        JwtTyp::from_text(jws.typ()?)?;
        let kid = jws.kid()?;
        let ring = self.keys.load();
        let (algorithm, verifier) = ring.as_ref()?.verifier(kid, self.database_now())?;
        if jws.alg() != algorithm.as_str() || !verifier.verify(jws.signing_input(), jws.signature())
        {
            return None;
        }
        let claims = serde_json::Value::Object(jws.claims().clone());
        let claims: AccessToken = serde_json::from_value(claims).ok()?;
        (claims.iss == self.issuer.as_str()).then(|| OwnToken {
            claims,
            kid: kid.to_owned(),
        })
    }
}
