//! The trusted issuers that a directory knows: all of them or none, so that each of a request's questions is one look-up.

use std::sync::Arc;

use super::{Caches, Directory};
use crate::domain::identifier::IssuerId;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::store::error::StoreError;
use crate::store::feed::{Change, ChangeKind};
use crate::store::loaded::Loaded;
use crate::store::memory::issuers::Issuers;

impl Directory {
    /// All issuers.
    ///
    /// # Errors
    /// An unreachable database, where memory does not have them.
    pub async fn issuers(&self) -> Result<Arc<Issuers>, StoreError> {
        let cached = self.caches.load().issuers.load_full();
        if let Some(issuers) = self.issuer_lookups.note(cached) {
            return Ok(issuers);
        }
        self.load_all_issuers().await
    }

    /// Has all issuers in memory.
    ///
    /// # Errors
    /// An unreachable database, where memory does not have them.
    pub async fn keep_issuers(&self) -> Result<(), StoreError> {
        if self.caches.load().issuers.load().is_none() {
            self.load_all_issuers().await?;
        }
        Ok(())
    }

    async fn load_all_issuers(&self) -> Result<Arc<Issuers>, StoreError> {
        self.load_issuers(|| Box::pin(self.store.load_issuers()))
            .await
    }

    /// The issuer of the SPIFFE trust domain of this name, without a scheme.
    ///
    /// # Errors
    /// An unreachable database, where memory does not have it.
    pub async fn issuer_of_trust_domain(
        &self,
        name: &str,
    ) -> Result<Option<Arc<TrustedIssuer>>, StoreError> {
        Ok(self.issuers().await?.of_trust_domain(name).cloned())
    }

    /// The issuer that we call by this id.
    ///
    /// # Errors
    /// An unreachable database, where memory does not have it.
    pub async fn issuer(&self, id: &IssuerId) -> Result<Option<Arc<TrustedIssuer>>, StoreError> {
        Ok(self.issuers().await?.get(id).cloned())
    }

    pub(super) async fn load_issuers<
        F: Future<Output = Result<Loaded<Vec<TrustedIssuer>>, StoreError>>,
    >(
        &self,
        load: impl Fn() -> F,
    ) -> Result<Arc<Issuers>, StoreError> {
        let keep = |caches: &Caches, issuers: Option<&Arc<Issuers>>| {
            caches.issuers.store(issuers.map(Arc::clone));
        };
        let load = || async {
            let Loaded { value, feed } = load().await?;
            let value = Some(value.into_iter().collect());
            Ok(Loaded { value, feed })
        };
        let loaded = self.load(&any_issuer(), (1, load), keep).await?;
        Ok(loaded.unwrap_or_default())
    }
}

/// What is applied beside a change of an issuer: they are loaded together, so one that changes outdates the load of all.
/// No issuer has this id.
pub(super) const fn any_issuer() -> Change {
    Change {
        kind: ChangeKind::Issuer,
        key: String::new(),
    }
}
