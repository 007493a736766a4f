//! What takes long is made before anything is locked; what changes until then is seen.

use std::time::Duration;

use grantd::crypto::random;
use grantd::crypto::secret_hash::HashCost;
use grantd::domain::credential::{Credential, CredentialMaterial};
use grantd::domain::identifier::ClientId;
use grantd::domain::secret_format::Secret;
use grantd::domain::timestamp::Timestamp;
use grantd::operations::apply_catalog::{ApplyOptions, apply_catalog};
use grantd::operations::import_secret::{hash_imported, shared_salt};
use grantd::store::change::ChangeTx;

use super::parsed;
use crate::harness::*;

const SECOND: &str = "a second secret of reader";

/// Long enough for `apply` to have read and hashed; were it not, the outcome must be the same.
const A_WHILE: Duration = Duration::from_millis(300);

impl Env {
    /// A change that holds the lock of administrators, with [`SECOND`] registered for the reader in it.
    async fn registering(&self) -> (ChangeTx, Credential) {
        let reader = ClientId::parse("reader").unwrap();
        let mut change = self.store.begin_change(random::token_id()).await.unwrap();
        change.lock_administration().await.unwrap();
        let known = change.client(&reader).await.unwrap().unwrap();
        let salt = shared_salt(&known.credentials);
        let hash =
            hash_imported(&Secret::new(SECOND.to_owned()), &salt, HashCost::GENERATED).unwrap();
        let added = Credential {
            id: random::credential_id(),
            label: None,
            material: CredentialMaterial::Secret(hash),
            active_from: None,
            expires_at: None,
            retired_at: None,
            tokens_not_before: Timestamp::EPOCH,
            created_at: change.now(),
            last_used_at: None,
            last_used_from: None,
        };
        change.put_credential(&reader, &added).await.unwrap();
        (change, added)
    }

    /// Applies `catalog` while the change is open, and commits it after a while.
    async fn apply_meanwhile(&self, catalog: &str, prune: bool) -> Credential {
        let (change, added) = self.registering().await;
        let options = ApplyOptions {
            prune,
            ..self.options()
        };
        let other = self.other_store();
        let catalog = parsed(catalog);
        let applying = apply_catalog(&other, &catalog, options);
        tokio::pin!(applying);
        let waiting = tokio::time::timeout(A_WHILE, &mut applying).await;
        assert!(waiting.is_err(), "it waits for the lock");
        change.commit().await.unwrap();
        applying.await.unwrap();
        added
    }
}

on_both! {
    async fn a_secret_that_was_registered_meanwhile_is_recognised(env) {
        env.apply(CATALOG).await;
        let both = CATALOG.replace(
            &format!("secret = \"{READER}\""),
            &format!("secrets = [\"{READER}\", \"{SECOND}\"]"),
        );
        let added = env.apply_meanwhile(&both, false).await;
        let credentials = env.credentials("reader").await;
        assert_eq!(credentials.len(), 2, "{credentials:?}");
        assert!(credentials.iter().any(|it| it.id == added.id));
    }

    async fn a_secret_that_was_registered_meanwhile_is_pruned(env) {
        env.apply(CATALOG).await;
        let added = env.apply_meanwhile(CATALOG, true).await;
        let credentials = env.credentials("reader").await;
        assert!(!credentials.iter().any(|it| it.id == added.id), "{credentials:?}");
    }

    /// A thousand hashes would hold up every other writer, on SQLite the tokens' too.
    async fn secrets_are_hashed_before_anything_is_locked(env) {
        let held = env.store.begin_change(random::token_id()).await.unwrap();
        let impossible = HashCost { memory_kib: 1, passes: 1, lanes: 1 };
        let options = ApplyOptions { imported_cost: impossible, ..env.options() };
        let other = env.other_store();
        let catalog = parsed(CATALOG);
        let refused = apply_catalog(&other, &catalog, options).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("8 KiB"), "a database that is locked would be another fault: {refused}");
        drop(held);
    }
}
