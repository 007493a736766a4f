//! What the passing of time brings, done at once: for a clock that a test moved. A server whose clock nobody moves does
//! the same little by little (`background`).

use std::time::Duration;

use tokio::task::JoinSet;

use super::Grantd;
use super::rotate_keys::RotationError;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::error::StoreError;

/// How often keys may change at one instant: more than once where another task was first.
const MOST_CHANGES: usize = 4;

/// How long who moved a clock waits for keys: as long as a request.
const PATIENCE: Duration = Duration::from_secs(2);

impl Grantd {
    /// How long a key signs by schedule; `None` where keys are rotated by hand.
    #[must_use]
    pub fn key_rotation(&self) -> Option<Seconds> {
        self.settings.key_periods().rotation
    }

    /// When the keys change next by schedule; `None` where no key has its turn ever.
    #[must_use]
    pub fn next_turn_of_keys(&self) -> Option<Timestamp> {
        self.rotator.next_turn()
    }

    /// Rotates the keys whose turn it is now, and signs with those of now: which private halves are open depends on the
    /// time, too.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn turn_keys(&self) -> Result<(), RotationError> {
        self.memory.outdated.keys.set();
        self.follow_feed().await?;
        for _ in 0..MOST_CHANGES {
            if !self.rotate_keys().await? {
                break;
            }
            self.follow_feed().await?;
        }
        Ok(())
    }

    /// Removes what has expired by now, fetches the keys that are due, and raises the alerts that are.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        self.sweep().await;
        let mut begun = self.begin_key_fetches().await;
        let all = async { while begun.join_next().await.is_some() {} };
        // Those that hang come to their end by themselves.
        let _ = tokio::time::timeout(PATIENCE, all).await;
        begun.detach_all();
        self.look_out().await;
        self.follow_feed().await
    }

    /// Begins to fetch the keys of clients and issuers that are due.
    pub async fn begin_key_fetches(&self) -> JoinSet<()> {
        self.key_sources.begin_due(&self.memory).await
    }

    /// The same, and waits for all of them.
    pub async fn refresh_key_sources(&self) {
        self.begin_key_fetches().await.join_all().await;
    }
}
