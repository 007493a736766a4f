//! Reads access tokens of either form, for introspection, revocation and `grantd token inspect`.

use super::Grantd;
use super::clocks::MOST_APART;
use super::key_ring::KeyRing;
use super::signed_once::around;
use crate::crypto::compact::CompactJws;
use crate::crypto::opaque_token::{NotOpened, OpaqueTokens};
use crate::domain::access_token::{AccessToken, OPAQUE_PREFIX};
use crate::domain::audience::JwtTyp;
use crate::domain::foreign_name;
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::known_client::KnownClient;
use crate::domain::shown::{unknown, unknown_or_none, unknown_url};
use crate::domain::timestamp::Timestamp;
use crate::domain::token_fault::TokenFault;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::store::memory::look::{Look, Named};

/// A verified access token of an issuer, with its parsed client and audience.
#[derive(Debug)]
pub struct OwnToken {
    /// Its claims.
    pub claims: AccessToken,
    /// What made it.
    pub made_by: MadeBy,
    /// The client that it was issued to.
    pub holder: ClientId,
    /// All clients that must live for it to count: the holder first, then its subject and who acted with it, where these
    /// are no names of `issuer`.
    pub clients: Vec<ClientId>,
    /// The issuer that vouches for its subject, if it is trusted.
    pub issuer: Option<IssuerId>,
    /// Its audience.
    pub audience: AudienceId,
}

/// The key of an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MadeBy {
    /// The signing key with this `kid`.
    Signature(String),
    /// The sealing key with this id: the token is opaque.
    Seal(String),
}

/// What access tokens are read with.
#[derive(Clone, Copy, Debug)]
pub struct Readers<'a> {
    /// Verify JWTs.
    pub keys: Option<&'a KeyRing>,
    /// Opens opaque tokens; `None` where the sealing key or the issuer is not known.
    pub opaque: Option<&'a OpaqueTokens>,
}

impl OwnToken {
    /// Reads `text`, which must be an access token of either form that `readers` accept as one of `issuer`, if that is
    /// known. `now` is the database's time. Does not check whether the token has expired or was revoked.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn read(
        text: &str,
        readers: Readers<'_>,
        (issuer, now): (Option<&str>, Timestamp),
    ) -> Result<Self, TokenFault> {
        let token = if text.starts_with(OPAQUE_PREFIX) {
            Self::opened(text, readers.opaque)?
        } else {
            Self::verified(text, readers.keys, now)?
        };
        if issuer.is_some_and(|issuer| token.claims.iss != issuer) {
            return Err(TokenFault::Issuer(unknown_url(&token.claims.iss)));
        }
        Ok(token)
    }

    /// Of a JWT. A client assertion, a DPoP proof or a token of another issuer differs in `typ`, key or `iss`
    /// (RFC 8725 section 3.12).
    fn verified(text: &str, keys: Option<&KeyRing>, now: Timestamp) -> Result<Self, TokenFault> {
        let jws = CompactJws::parse(text).map_err(|error| {
            around(text).map_or_else(
                || TokenFault::Form(error.to_string()),
                TokenFault::Surrounded,
            )
        })?;
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
        let made_by = MadeBy::Signature(kid.to_owned());
        let claims = serde_json::Value::Object(jws.into_claims());
        let claims = serde_json::from_value(claims).map_err(|_| TokenFault::Claims)?;
        Self::of(claims, made_by)
    }

    /// Of an opaque token.
    fn opened(text: &str, tokens: Option<&OpaqueTokens>) -> Result<Self, TokenFault> {
        let no_key = || TokenFault::SealingKey("of a server that was not named".to_owned());
        let opened = tokens.ok_or_else(no_key)?.open(text);
        let opened = opened.map_err(|error| match error {
            NotOpened::Form => TokenFault::Form("no sealed token behind the prefix".to_owned()),
            NotOpened::UnknownKey(id) => TokenFault::SealingKey(id),
            NotOpened::Altered => TokenFault::Seal,
        })?;
        let claims = serde_json::from_slice(&opened.claims).map_err(|_| TokenFault::Claims)?;
        let token = Self::of(claims, MadeBy::Seal(opened.key_id))?;
        if token.claims.aud == opened.audience {
            Ok(token)
        } else {
            Err(TokenFault::Claims)
        }
    }

    fn of(claims: AccessToken, made_by: MadeBy) -> Result<Self, TokenFault> {
        let holder = ClientId::parse(&claims.client_id).map_err(|_| TokenFault::Claims)?;
        let issuer = claims.issuer_of_subject();
        let mut clients = vec![holder.clone()];
        for other in claims.others_named() {
            match ClientId::parse(other) {
                Ok(id) => clients.push(id),
                // What an issuer calls its own may have another form than names of clients.
                Err(_) if is_of(issuer.as_ref(), other) => {}
                Err(_) => return Err(TokenFault::Claims),
            }
        }
        Ok(Self {
            made_by,
            holder,
            clients,
            issuer,
            audience: AudienceId::parse(&claims.aud).map_err(|_| TokenFault::Claims)?,
            claims,
        })
    }

    /// What a look must be about, for this token to be judged.
    #[must_use]
    pub fn named(&self) -> Named<'_> {
        Named {
            clients: &self.clients,
            audience: Some(&self.audience),
            issuer: self.issuer.as_ref(),
        }
    }

    /// That it counts where its clients are those that `known` gives, and issuers those that `trusted` gives: it was issued to
    /// one that lives and may have it, and its subject and all who acted with it live as well, or are names of an issuer that
    /// has been trusted since.
    ///
    /// # Errors
    /// What kills the token.
    pub fn check_named<'k>(
        &self,
        known: impl Fn(&ClientId) -> Option<&'k KnownClient>,
        trusted: impl Fn(&IssuerId) -> Option<&'k TrustedIssuer>,
    ) -> Result<(), TokenFault> {
        let holder = known(&self.holder).ok_or(TokenFault::NoHolder)?;
        holder.check_holds(&self.claims, &self.audience)?;
        let trusted = self.issuer.as_ref().and_then(trusted);
        for name in self.claims.others_named() {
            if let Some(issuer) = trusted.filter(|it| is_of(Some(&it.id), name)) {
                self.check_since(issuer)?;
            } else {
                let id = self.clients.iter().find(|it| it.as_str() == name);
                let known = id.and_then(&known).ok_or_else(|| self.nobody(name, id))?;
                known.check_named(&self.claims)?;
            }
        }
        Ok(())
    }

    fn check_since(&self, issuer: &TrustedIssuer) -> Result<(), TokenFault> {
        let mark = issuer.tokens_not_before;
        if Timestamp::from_unix(self.claims.iat) <= mark {
            Err(TokenFault::IssuerMark(issuer.id.clone(), mark))
        } else {
            Ok(())
        }
    }

    /// Why nobody is known who is called so.
    fn nobody(&self, name: &str, id: Option<&ClientId>) -> TokenFault {
        match (&self.issuer, id) {
            (Some(issuer), _) if is_of(Some(issuer), name) => TokenFault::NoIssuer(issuer.clone()),
            (_, Some(id)) => TokenFault::Named(id.clone(), None),
            (_, None) => TokenFault::Claims,
        }
    }
}

fn is_of(issuer: Option<&IssuerId>, name: &str) -> bool {
    issuer.is_some_and(|it| foreign_name::of(it, name).is_some())
}

impl Grantd {
    /// Reads `text` as an access token of this issuer that has not expired at `now`.
    ///
    /// # Errors
    /// Why it is not one.
    pub(super) fn own_token(&self, text: &str, now: Timestamp) -> Result<OwnToken, TokenFault> {
        let token = self.made_by_us(text)?;
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
        let token = self.made_by_us(text)?;
        if token.claims.exp > now.minus(MOST_APART).unix() {
            Ok(token)
        } else {
            Err(TokenFault::Expired(
                now.unix().saturating_sub(token.claims.exp),
            ))
        }
    }

    /// Checks a token that was read before against the latest state in memory, all but whether it is revoked by itself and
    /// who may see it.
    ///
    /// # Errors
    /// What kills it.
    pub(super) fn check_in_force(
        &self,
        token: &OwnToken,
        look: &Look<'_>,
    ) -> Result<(), TokenFault> {
        token.check_named(|id| look.named(id), |id| look.issuer(id))?;
        self.check_still_lives(token, self.clocks.now())
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
        if let MadeBy::Signature(kid) = &token.made_by {
            let keys = self.memory.keys.load();
            keys.as_ref()
                .and_then(|keys| keys.verifier(kid, self.clocks.database_now()))
                .ok_or_else(|| TokenFault::Key(kid.clone()))?;
        }
        token.claims.check_life(now)
    }

    fn made_by_us(&self, text: &str) -> Result<OwnToken, TokenFault> {
        let by = (
            Some(self.settings.issuer.as_str()),
            self.clocks.database_now(),
        );
        let keys = self.memory.keys.load();
        let readers = Readers {
            keys: keys.as_deref(),
            opaque: Some(&self.opaque_tokens),
        };
        OwnToken::read(text, readers, by)
    }
}
