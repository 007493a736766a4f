//! What a server and the tests see of a replica: how it is, and the parts that it is made of.

use std::sync::Arc;

use super::Grantd;
use super::audit::Audit;
use super::authenticate_client::TrustedCas;
use super::follow_feed::Feed;
use super::key_ring::KeyRing;
use super::loads::Loads;
use super::reloads::Reloads;
use super::replay_cache::ReplayCache;
use super::revoker::Revoker;
use super::troubles::Degraded;
use crate::clock::Clock;
use crate::crypto::hashing_pool::HashingPool;
use crate::crypto::jws::Signer;
use crate::crypto::opaque_token::OpaqueTokens;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::memory::directory::Directory;
use crate::store::memory::revocations::Revocations;

impl Grantd {
    /// The audit log, for alerts.
    #[must_use]
    pub const fn audit(&self) -> &Arc<Audit> {
        &self.audit
    }

    /// What is wrong with this replica, as `/readyz` shows it.
    #[must_use]
    pub fn degraded(&self) -> Vec<Degraded> {
        let trouble = self.key_sources.trouble();
        self.feed.degraded(trouble)
    }

    /// Whether this replica can issue tokens.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.degraded().iter().any(|it| it.blocks)
    }

    /// Whether the replica has loaded what it needs since its start, whatever its state is now.
    #[must_use]
    pub fn has_loaded(&self) -> bool {
        self.feed.freshness.has_been_read()
    }

    /// Whether the feed was read recently enough.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.feed.check_fresh().is_ok()
    }

    /// The time by the database's clock, as far as this replica can tell.
    #[must_use]
    pub fn database_now(&self) -> Timestamp {
        self.clocks.database_now()
    }

    /// The nonce that DPoP proofs must have from now on, if one is required.
    #[must_use]
    pub fn dpop_nonce(&self) -> Option<String> {
        self.proofs.nonce(self.clocks.now())
    }

    /// The signing keys; `None` until they are loaded.
    #[must_use]
    pub fn keys(&self) -> Option<Arc<KeyRing>> {
        self.memory.keys.load_full()
    }

    /// The key that signs with `algorithm` now.
    #[must_use]
    pub fn signer(&self, algorithm: SigningAlgorithm) -> Option<Arc<Signer>> {
        let ring = self.keys()?;
        ring.signer(algorithm, self.clocks.key_time()).cloned()
    }

    /// Seals and opens opaque tokens.
    #[must_use]
    pub const fn opaque_tokens(&self) -> &Arc<OpaqueTokens> {
        &self.opaque_tokens
    }

    /// Our clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.clocks.ours()
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The reader of the feed.
    #[must_use]
    pub const fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Loads revocations and client ids.
    #[must_use]
    pub const fn loads(&self) -> &Arc<Loads> {
        &self.loads
    }

    /// Where each `jti` is spent.
    #[must_use]
    pub const fn replay_cache(&self) -> &Arc<ReplayCache> {
        &self.replay_cache
    }

    /// Writes revocations.
    #[must_use]
    pub const fn revoker(&self) -> &Arc<Revoker> {
        &self.revoker
    }

    /// What was reloaded since the start.
    #[must_use]
    pub const fn reloads(&self) -> &Arc<Reloads> {
        &self.reloads
    }

    /// The remembered clients and audiences.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.memory.directory
    }

    /// The remembered revocations.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.memory.revocations
    }

    /// The threads that hash secrets.
    #[must_use]
    pub const fn hashing(&self) -> &HashingPool {
        &self.authenticator.hashing
    }

    /// The CAs of `tls_client_auth`.
    #[must_use]
    pub const fn client_cas(&self) -> &TrustedCas {
        &self.authenticator.client_cas
    }
}
