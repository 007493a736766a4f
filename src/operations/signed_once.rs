//! A JWT by which somebody shows that he holds a key: a client assertion, a DPoP proof. Both pass through these types in
//! this order, each made only of the one before: unverified, signed, accepted, fresh. Only a fresh one proves anything.

use std::fmt;
use std::marker::PhantomData;

use serde_json::{Map, Value};

use super::error::OperationError;
use super::replay_cache::{ReplayCache, Spending, Spent};
use crate::crypto::compact::CompactJws;
use crate::crypto::jws::Verifier;
use crate::domain::once::Once;
use crate::domain::profile::Profile;
use crate::domain::shown::unknown;

/// What tells one kind of them from another.
pub trait Kind: fmt::Debug {
    /// Among all `jti` that are spent.
    const NAME: &'static str;
    /// Why one proves nothing.
    type Fault: Into<OperationError>;
    /// What the key that signed it stands for.
    type Key: fmt::Debug;
    /// What it says beside its `jti` and times.
    type Said: fmt::Debug;

    /// Its `typ`.
    ///
    /// # Errors
    /// That of something else (RFC 8725 section 3.11).
    fn check_type(typ: Option<&str>) -> Result<(), Self::Fault>;

    /// It is no compact JWS of strict JSON; the reason.
    fn form(reason: String) -> Self::Fault;
    /// Its `alg` is none that may be; as it is shown.
    fn algorithm(shown: String) -> Self::Fault;
    /// The signature is not of the key.
    fn signature() -> Self::Fault;
    /// It was used before.
    fn replayed() -> Self::Fault;
    /// It was made before the database lost a part of its past.
    fn made_before_loss() -> Self::Fault;
}

/// A text of the right form and type; anybody may have made it.
pub struct Unverified<K: Kind>(CompactJws, PhantomData<K>);

/// One that a key signed which counts for its kind; what it says is still to be judged.
pub struct Signed<K: Kind> {
    jws: CompactJws,
    key: K::Key,
}

/// One that is right in all but one thing: whether its `jti` was used before.
#[derive(Debug)]
pub struct Accepted<K: Kind> {
    key: K::Key,
    once: Once,
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
        K::check_type(jws.typ())?;
        Ok(Self(jws, PhantomData))
    }

    /// What it says and nobody signed yet: to find the key.
    #[must_use]
    pub const fn unverified(&self) -> &CompactJws {
        &self.0
    }

    /// Refuses an algorithm that the server's profile forbids, whatever the key is for.
    ///
    /// # Errors
    /// Such an algorithm.
    pub fn check_algorithm(&self, profile: Profile) -> Result<(), K::Fault> {
        if profile.proof_algorithms().contains(&self.0.alg()) {
            Ok(())
        } else {
            Err(self.wrong_algorithm())
        }
    }

    /// The fault of an `alg` that the key is not for.
    #[must_use]
    pub fn wrong_algorithm(&self) -> K::Fault {
        K::algorithm(unknown(self.0.alg(), []))
    }

    /// Checks the signature, and only then whether the key counts: whoever names a key without holding it learns nothing
    /// of it and raises no alert.
    ///
    /// # Errors
    /// A signature of another key, or a key that does not count.
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

    /// Judges what it says.
    ///
    /// # Errors
    /// What `judge` finds.
    pub fn accept(
        self,
        judge: impl FnOnce(&Map<String, Value>) -> Result<(Once, K::Said), K::Fault>,
    ) -> Result<Accepted<K>, K::Fault> {
        let (once, said) = judge(self.jws.claims())?;
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
    pub const fn once(&self) -> &Once {
        &self.once
    }

    /// Spends the `jti`, which is unique within `scope`.
    ///
    /// # Errors
    /// A replay; or an outage: what is not kept proves nothing.
    pub async fn spend(
        self,
        replay_cache: &ReplayCache,
        scope: &[&[u8]],
    ) -> Result<Fresh<K>, OperationError> {
        let spending = Spending {
            kind: K::NAME,
            scope,
            jti: &self.once.jti,
            made_at: self.once.life.made_at,
            dead_at: self.once.life.dead_at,
        };
        match replay_cache.spend(spending).await? {
            Spent::First => Ok(Fresh { key: self.key }),
            Spent::Replay => Err(K::replayed().into()),
            Spent::Forgotten => Err(K::made_before_loss().into()),
        }
    }
}

impl<K: Kind> Fresh<K> {
    /// What is proven: that the sender holds this key now.
    pub const fn key(&self) -> &K::Key {
        &self.key
    }

    /// The same, for who keeps it.
    pub fn into_key(self) -> K::Key {
        self.key
    }
}
