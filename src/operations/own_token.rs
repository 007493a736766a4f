//! Checks access tokens, for introspection, revocation and `grantd token inspect`.

use super::Grantd;
use super::clocks::MOST_APART;
use super::key_ring::KeyRing;
use crate::crypto::compact::CompactJws;
use crate::domain::access_token::AccessToken;
use crate::domain::audience::JwtTyp;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::shown::{unknown, unknown_or_none, unknown_url};
use crate::domain::timestamp::Timestamp;
use crate::domain::token_fault::TokenFault;

/// A verified access token of an issuer, with its parsed client and audience.
#[derive(Debug)]
pub struct OwnToken {
    /// Its claims.
    pub claims: AccessToken,
    /// The key that signed it.
    pub kid: String,
    /// The client that it was issued to.
    pub holder: ClientId,
    /// Its audience.
    pub audience: AudienceId,
}

impl OwnToken {
    /// Reads `text`, which must be an access token that one of `keys` signed for `issuer`, if that is known. `now` is
    /// the database's time. Does not check whether the token has expired or was revoked.
    ///
    /// A client assertion, a DPoP proof or a token of another issuer differs in `typ`, key or `iss`
    /// (RFC 8725 section 3.12).
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn read(
        text: &str,
        keys: Option<&KeyRing>,
        (issuer, now): (Option<&str>, Timestamp),
    ) -> Result<Self, TokenFault> {
        let jws = CompactJws::parse(text).map_err(|error| TokenFault::Form(error.to_string()))?;
        if jws.typ().and_then(JwtTyp::of_header).is_none() {
            return Err(TokenFault::Type(unknown_or_none(jws.typ(), [])));
        }
        let kid = jws.kid().unwrap_or_default();
        let (algorithm, verifier) = keys
            .and_then(|keys| keys.verifier(kid, now))
            .ok_or_else(|| TokenFault::Key(unknown_or_none(jws.kid(), [])))?;
        if jws.alg() != algorithm.as_str() {
            return Err(TokenFault::Algorithm(unknown(jws.alg(), [])));
        }
        if !verifier.verify(jws.signing_input(), jws.signature()) {
            return Err(TokenFault::Signature);
        }
        let claims = serde_json::Value::Object(jws.claims().clone());
        let claims: AccessToken = serde_json::from_value(claims).map_err(|_| TokenFault::Claims)?;
        if issuer.is_some_and(|issuer| claims.iss != issuer) {
            return Err(TokenFault::Issuer(unknown_url(&claims.iss)));
        }
        Ok(Self {
            kid: kid.to_owned(),
            holder: ClientId::parse(&claims.client_id).map_err(|_| TokenFault::Claims)?,
            audience: AudienceId::parse(&claims.aud).map_err(|_| TokenFault::Claims)?,
            claims,
        })
    }
}

impl Grantd {
    /// Reads `text` as an access token of this issuer that has not expired at `now`.
    ///
    /// # Errors
    /// Why it is not one.
    pub(super) fn own_token(&self, text: &str, now: Timestamp) -> Result<OwnToken, TokenFault> {
        let token = self.signed_by_us(text)?;
        token.claims.check_life(now)?;
        Ok(token)
    }

    /// Reads `text` as a token that some replica may still call active, even if it has expired by this machine's
    /// clock: it must still be revoked.
    ///
    /// # Errors
    /// Why there is nothing to revoke.
    pub(super) fn revocable_token(&self, text: &str) -> Result<OwnToken, TokenFault> {
        let now = self.clocks.database_now();
        let token = self.signed_by_us(text)?;
        if token.claims.exp > now.minus(MOST_APART).unix() {
            Ok(token)
        } else {
            Err(TokenFault::Expired(
                now.unix().saturating_sub(token.claims.exp),
            ))
        }
    }

    /// Checks that a token that was read before has not expired at `now`, and that its key still verifies.
    ///
    /// # Errors
    /// Why the token is no longer valid.
    pub(super) fn check_still_lives(
        &self,
        token: &OwnToken,
        now: Timestamp,
    ) -> Result<(), TokenFault> {
        let keys = self.memory.keys.load();
        keys.as_ref()
            .and_then(|keys| keys.verifier(&token.kid, self.clocks.database_now()))
            .ok_or_else(|| TokenFault::Key(token.kid.clone()))?;
        token.claims.check_life(now)
    }

    fn signed_by_us(&self, text: &str) -> Result<OwnToken, TokenFault> {
        let by = (
            Some(self.settings.issuer.as_str()),
            self.clocks.database_now(),
        );
        OwnToken::read(text, self.memory.keys.load().as_deref(), by)
    }
}
