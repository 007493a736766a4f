//! Reads an access token that this issuer signed; anything else is nothing.

use super::Grantd;
use super::clocks::MOST_APART;
use crate::crypto::compact::CompactJws;
use crate::domain::access_token::AccessToken;
use crate::domain::audience::JwtTyp;
use crate::domain::timestamp::Timestamp;

impl Grantd {
    /// The claims of `text`, where it is an access token of this issuer within its life at `now`.
    ///
    /// A client assertion, a DPoP proof or a token of another issuer differs in `typ`, key or `iss`
    /// (RFC 8725 section 3.12).
    pub(super) fn own_token(&self, text: &str, now: Timestamp) -> Option<AccessToken> {
        self.signed_by_us(text).filter(|token| token.is_within_life(now))
    }

    /// The claims of `text`, where it is an access token of this issuer that some replica may still call active: to
    /// revoke it is no idle answer, whatever this machine's clock says.
    pub(super) fn revocable_token(&self, text: &str) -> Option<AccessToken> {
        let expired = self.database_now().minus(MOST_APART).unix();
        self.signed_by_us(text).filter(|token| token.exp > expired)
    }

    fn signed_by_us(&self, text: &str) -> Option<AccessToken> {
        let jws = CompactJws::parse(text).ok()?;
        JwtTyp::from_text(jws.typ()?)?;
        let ring = self.keys.load();
        let (algorithm, verifier) = ring.as_ref()?.verifier(jws.kid()?, self.database_now())?;
        if jws.alg() != algorithm.as_str() || !verifier.verify(jws.signing_input(), jws.signature())
        {
            return None;
        }
        let claims = serde_json::Value::Object(jws.claims().clone());
        let token: AccessToken = serde_json::from_value(claims).ok()?;
        (token.iss == self.issuer.as_str()).then_some(token)
    }
}
