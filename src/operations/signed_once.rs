//! JWTs that prove something: client assertions, DPoP proofs, and tokens of trusted issuers. All of them pass through these
//! types in order, each made only from the one before: unverified, signed, accepted, fresh. Only a fresh one proves anything.

use std::fmt;
use std::marker::PhantomData;

use serde_json::{Map, Value};

use super::error::{OperationError, Outage};
use super::replay_cache::{ReplayCache, Spending, Spent};
use crate::crypto::compact::CompactJws;
use crate::crypto::jws::Verifier;
use crate::domain::once::Once;
use crate::domain::profile::Profile;
use crate::domain::secret_format::Oddity;
use crate::domain::shown::unknown;
use crate::store::error::StoreError;

/// What differs between them.
pub trait Kind: fmt::Debug {
    /// The kind's name in the replay cache.
    const NAME: &'static str;
    /// Why one is refused.
    type Fault: Into<OperationError>;
    /// What the key that signed it stands for.
    type Key: fmt::Debug;
    /// What it says beside its `jti` and times.
    type Said: fmt::Debug;
    /// What is spent: [`Once`], or nothing of some of a kind that may be used many times.
    type Once: MaybeOnce;

    /// Its `typ`.
    ///
    /// # Errors
    /// The `typ` of another kind of JWT (RFC 8725 section 3.11).
    fn check_type(typ: Option<&str>) -> Result<(), Self::Fault>;

    /// The `alg` values that the profile allows for it.
    fn algorithms(profile: Profile) -> &'static [&'static str];
    /// The fault of a text that is not a compact JWS of strict JSON, with the reason.
    fn form(reason: String) -> Self::Fault;
    /// The fault of an `alg` that is not allowed, as it may be shown.
    fn algorithm(shown: String) -> Self::Fault;
    /// The fault of a signature that the key did not make.
    fn signature() -> Self::Fault;
    /// The fault of one that was used before.
    fn replayed() -> Self::Fault;
    /// The fault of one that was made before the database lost its record of used ones.
    fn made_before_loss() -> Self::Fault;
}

fn spending<'a, K: Kind>(once: &'a Once, scope: &'a [&'a [u8]]) -> Spending<'a> {
    Spending {
        kind: K::NAME,
        scope,
        jti: &once.jti,
        made_at: once.life.made_at,
        dead_at: once.life.dead_at,
    }
}

/// What stands around `text`, which would be a compact JWS without it.
#[must_use]
pub fn around(text: &str) -> Option<Oddity> {
    let within = text.trim_matches(['\n', '\r', ' ', '\t']);
    Oddity::around(text).filter(|_| CompactJws::parse(within).is_ok())
}

/// What of a JWT is spent, if anything is.
pub trait MaybeOnce: fmt::Debug {
    /// Its `jti` and times, where it counts once.
    fn once(&self) -> Option<&Once>;
}

impl MaybeOnce for Once {
    fn once(&self) -> Option<&Once> {
        Some(self)
    }
}

impl MaybeOnce for Option<Once> {
    fn once(&self) -> Option<&Once> {
        self.as_ref()
    }
}

/// A text of the right form and type; anybody may have made it.
pub struct Unverified<K: Kind>(CompactJws, PhantomData<K>);

/// One with a verified signature by an acceptable key; its claims are still to be checked.
pub struct Signed<K: Kind> {
    jws: CompactJws,
    key: K::Key,
}

/// One whose claims are right; whether its `jti` was used before is still to be checked.
#[derive(Debug)]
pub struct Accepted<K: Kind> {
    key: K::Key,
    once: K::Once,
    said: K::Said,
}

/// One whose `jti` this request spent.
pub struct Fresh<K: Kind> {
    key: K::Key,
}

impl<K: Kind> Unverified<K> {
    /// Reads it.
    ///
    /// # Errors
    /// Another form, or the `typ` of something else.
    pub fn parse(text: &str) -> Result<Self, K::Fault> {
        let jws = CompactJws::parse(text).map_err(|error| K::form(error.to_string()))?;
        Self::of(jws)
    }

    /// As [`Self::parse`], of what has the right form.
    ///
    /// # Errors
    /// The `typ` of something else.
    pub fn of(jws: CompactJws) -> Result<Self, K::Fault> {
        K::check_type(jws.typ())?;
        Ok(Self(jws, PhantomData))
    }

    /// Its unverified content, to find the key with.
    #[must_use]
    pub const fn unverified(&self) -> &CompactJws {
        &self.0
    }

    /// Refuses an algorithm that the server's profile forbids, whatever the key is for.
    ///
    /// # Errors
    /// Such an algorithm.
    pub fn check_algorithm(&self, profile: Profile) -> Result<(), K::Fault> {
        if K::algorithms(profile).contains(&self.0.alg()) {
            Ok(())
        } else {
            Err(self.wrong_algorithm())
        }
    }

    /// The fault of an `alg` that the key is not registered for.
    #[must_use]
    pub fn wrong_algorithm(&self) -> K::Fault {
        K::algorithm(unknown(self.0.alg(), []))
    }

    /// Checks the signature, and only then whether the key is acceptable: a sender that does not hold the key learns
    /// nothing about it and raises no alert.
    ///
    /// # Errors
    /// A signature by another key, or a key that is not acceptable.
    pub fn verify(
        self,
        verifier: &Verifier,
        key: impl FnOnce() -> Result<K::Key, K::Fault>,
    ) -> Result<Signed<K>, K::Fault> {
        if !verifier.verify(self.0.signing_input(), self.0.signature()) {
            return Err(K::signature());
        }
        let key = key()?;
        Ok(Signed { jws: self.0, key })
    }
}

impl<K: Kind> Signed<K> {
    /// The key that signed it.
    pub const fn key(&self) -> &K::Key {
        &self.key
    }

    /// Checks its claims with `judge`.
    ///
    /// # Errors
    /// What `judge` finds.
    pub fn accept(
        self,
        judge: impl FnOnce(Map<String, Value>) -> Result<(K::Once, K::Said), K::Fault>,
    ) -> Result<Accepted<K>, K::Fault> {
        let (once, said) = judge(self.jws.into_claims())?;
        Ok(Accepted {
            key: self.key,
            once,
            said,
        })
    }
}

impl<K: Kind> Accepted<K> {
    /// The key that signed it.
    pub const fn key(&self) -> &K::Key {
        &self.key
    }

    /// What it says.
    pub const fn said(&self) -> &K::Said {
        &self.said
    }

    /// Its `jti`, and how long it counts.
    #[must_use]
    pub const fn once(&self) -> &K::Once {
        &self.once
    }

    /// That the `jti` could be spent now, where it counts once. It is not.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn look(
        &self,
        replay_cache: &ReplayCache,
        scope: &[&[u8]],
    ) -> Result<Result<(), K::Fault>, StoreError> {
        let Some(once) = self.once.once() else {
            return Ok(Ok(()));
        };
        let spent = replay_cache.look(spending::<K>(once, scope)).await?;
        Ok(check_first::<K>(spent))
    }

    /// Spends the `jti`, which is unique within `scope`, where it counts once. A replay is a fault of it.
    ///
    /// # Errors
    /// An outage: a `jti` that could not be recorded proves nothing.
    pub async fn spend(
        self,
        replay_cache: &ReplayCache,
        scope: &[&[u8]],
    ) -> Result<Result<Fresh<K>, K::Fault>, Outage> {
        let Some(once) = self.once.once() else {
            return Ok(Ok(Fresh { key: self.key }));
        };
        let spent = replay_cache.spend(spending::<K>(once, scope)).await?;
        Ok(check_first::<K>(spent).map(|()| Fresh { key: self.key }))
    }
}

fn check_first<K: Kind>(spent: Spent) -> Result<(), K::Fault> {
    match spent {
        Spent::First => Ok(()),
        Spent::Replay => Err(K::replayed()),
        Spent::Forgotten => Err(K::made_before_loss()),
    }
}

impl<K: Kind> Fresh<K> {
    /// The key that the sender has proved to hold now.
    pub const fn key(&self) -> &K::Key {
        &self.key
    }

    /// The same, by value.
    pub fn into_key(self) -> K::Key {
        self.key
    }
}
