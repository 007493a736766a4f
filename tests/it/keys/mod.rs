//! The signing keys while they rotate: by schedule, by command, when one leaks, and when their sealing key changes.

mod commands;
mod processes;
mod retirement;
mod schedule;
mod sealing;

use std::collections::BTreeSet;

use grantd::config::settings::Settings;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::signing_key::lineup::Lineup;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::operations::rotate_keys::KeyRotation;

use crate::harness::*;

/// The seconds after the start.
fn at(after: i64) -> Timestamp {
    Timestamp::from_unix(START + after)
}

/// A rotation of ten minutes; verifiers cache for five, and a replica may be 30 s behind.
fn rotating(settings: &mut Settings) {
    settings.keys.rotation = Seconds::new(600);
}

impl Env {
    /// As a command changes keys, with the settings of the servers.
    pub(crate) fn rotation(&self) -> KeyRotation<'_> {
        let mut settings = self.settings();
        rotating(&mut settings);
        KeyRotation {
            store: &self.store,
            sealing: &self.sealing,
            periods: settings.key_periods(),
            by: &self.actor,
        }
    }

    /// The ES256 keys as they are in the database.
    async fn lineup(&self) -> Lineup {
        let stored = self.store.load_signing_keys().await.unwrap().value;
        let keys = stored.keys.into_iter();
        let of_default = keys.filter(|key| key.algorithm == SigningAlgorithm::Es256);
        of_default.map(|key| (key.kid, key.life)).collect()
    }

    async fn next_kid(&self) -> String {
        self.lineup().await.next().unwrap().0.to_owned()
    }
}

impl Replica {
    /// One round of what its tasks do: it hears of changes, rotates what is due, and hears of that.
    async fn tick(&self) {
        self.follow().await;
        self.grantd.rotate_keys().await.unwrap();
        self.follow().await;
    }

    /// A token, and the kid that it names.
    async fn signed(&self) -> (String, String) {
        let token = self.issued("reader", READER, "").await;
        let kid = decoded(&token).0["kid"].as_str().unwrap().to_owned();
        (token, kid)
    }

    async fn published_set(&self) -> BTreeSet<String> {
        self.published_kids().await.into_iter().collect()
    }
}
