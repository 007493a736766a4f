//! Checks regularly for what a person should attend to before it does harm: keys that are missing or old, credentials and
//! certificates that expire, clocks that are apart.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::audit::{Audit, Raised};
use super::background::blocking;
use super::follow_feed::Feed;
use super::key_sources::KeySources;
use super::troubles::Trouble;
use crate::config::file;
use crate::config::settings::{MTLS, PUBLIC, Settings};
use crate::crypto::certificates::first_expiry_of_pem;
use crate::domain::alert::Alert;
use crate::domain::timestamp::{Seconds, Timestamp};

/// Between two looks.
const EVERY: Duration = Duration::from_mins(1);
/// Expiries are read from the database and from files once in so many rounds: each is reported once an hour.
const EXPIRIES_IN: u32 = 10;
/// The most credentials that are reported: those that end first.
const MOST_CREDENTIALS: i64 = 1000;
/// How long before it is needed a key must be there.
const KEY_NOTICE: Seconds = Seconds::new(24 * 3600);

/// Looks.
#[derive(Debug)]
pub(super) struct LookOut {
    pub(super) feed: Arc<Feed>,
    pub(super) audit: Arc<Audit>,
    pub(super) key_sources: Arc<KeySources>,
}

impl LookOut {
    pub(super) async fn keep_looking(self) {
        let mut round = 0_u32;
        loop {
            tokio::time::sleep(EVERY).await;
            self.look_at_memory();
            if round.is_multiple_of(EXPIRIES_IN) {
                self.look_at_expiries().await;
            }
            round = round.wrapping_add(1);
        }
    }

    /// Does one round.
    pub(super) async fn look(&self) {
        self.look_at_memory();
        self.look_at_expiries().await;
    }

    async fn look_at_expiries(&self) {
        self.look_at_credentials().await;
        self.look_at_certificates().await;
    }

    fn look_at_memory(&self) {
        self.look_at_clocks();
        self.look_at_keys();
        self.look_at_issuers();
    }

    fn look_at_issuers(&self) {
        for (issuer, found) in self.key_sources.old() {
            let raised = Raised::new(Alert::IssuerKeysOld, "", issuer.as_str());
            self.remind(&raised.with("found", found));
        }
    }

    fn look_at_clocks(&self) {
        let troubles = self.feed.troubles.all();
        if let Some(apart) = troubles.iter().find(|it| it.what == Trouble::Clock) {
            let raised = Raised::new(Alert::ClockApart, "", "");
            self.remind(&raised.with("found", apart.message.as_str()));
        }
    }

    /// For each algorithm in use a key signs now, its private half can be opened, and the next key is there if the turn
    /// of this one ends within a day.
    fn look_at_keys(&self) {
        let Some(ring) = self.feed.memory.keys.load_full() else {
            return;
        };
        let now = self.feed.clocks.database_now();
        let rotation = self.feed.settings.key_periods().rotation;
        let lineups = ring.lineups();
        for algorithm in ring.in_use().keys() {
            let current = lineups.get(algorithm).and_then(|it| it.current());
            let next = lineups.get(algorithm).and_then(|it| it.next());
            let ends = current.and_then(|(_, life)| Some(life.activates_at?.plus(rotation?)));
            let is_due = ends.is_some_and(|end| end <= now.plus(KEY_NOTICE));
            let found = match (current, next) {
                (None, _) => "no key that signs",
                (Some(_), None) if is_due => "no key that takes over",
                (Some((kid, _)), _) if !ring.opens(kid) => "a key that no sealing key opens",
                (_, Some((kid, _))) if is_due && !ring.opens(kid) => {
                    "a next key that no sealing key opens"
                }
                _ => continue,
            };
            let raised = Raised::new(Alert::SigningKeyMissing, "", algorithm.as_str());
            self.remind(&raised.with("found", found));
        }
    }

    async fn look_at_credentials(&self) {
        let now = self.feed.clocks.database_now();
        let expiry = self.feed.settings.alerts.expiry;
        let found = self.feed.store.next_expiries(now, MOST_CREDENTIALS).await;
        let expiries = match found {
            Ok(expiries) => expiries,
            // The reader of the feed reports that the database is out of reach.
            Err(error) => {
                tracing::debug!(%error, "could not look for credentials that expire soon");
                return;
            }
        };
        let soon = expiries.iter().filter(|it| is_soon(it.at, now, expiry));
        for credential in soon {
            let raised = Raised::new(
                Alert::CredentialExpires,
                &credential.client,
                &credential.credential,
            );
            let raised = raised.with("kind", credential.kind.as_str());
            self.remind(&raised.with("expires_at", credential.at.to_string()));
        }
    }

    /// The certificate of each file that ends first. Whoever reads the file for a listener reports one that cannot be
    /// read.
    async fn look_at_certificates(&self) {
        let settings = Arc::clone(&self.feed.settings);
        let found = blocking(move || certificates(&settings)).await;
        let (now, expiry) = (
            self.feed.clocks.database_now(),
            self.feed.settings.alerts.expiry,
        );
        for (name, at) in found.iter().filter(|(_, at)| is_soon(*at, now, expiry)) {
            let raised = Raised::new(Alert::CertificateExpires, "", name);
            self.remind(&raised.with("expires_at", at.to_string()));
        }
    }

    fn remind(&self, raised: &Raised) {
        if self.audit.remind(raised, self.feed.clocks.database_now()) {
            self.feed.memory.metrics.raised(raised.about());
        }
    }
}

/// The files with certificates, each under the name of its listener or its own, and when the first in it ends.
fn certificates(settings: &Settings) -> Vec<(String, Timestamp)> {
    let public = settings.public.tls().map(|it| (PUBLIC, it));
    let mutual = settings
        .mtls
        .as_ref()
        .and_then(|it| Some((MTLS, it.tls()?)));
    let listeners = public.into_iter().chain(mutual);
    let listeners = listeners.map(|(name, files)| (name.to_owned(), files.certificate));
    let cas = settings.mtls.iter().flat_map(|it| &it.client_ca_files);
    let cas = cas.map(|path| (path.display().to_string(), path.clone()));
    let end = |(name, path): (String, PathBuf)| {
        let pem = file::read(&path, file::SMALL).ok()?;
        Some((name, first_expiry_of_pem(&pem)?))
    };
    listeners.chain(cas).filter_map(end).collect()
}

/// Whether what ends `at` does so within `expiry`, and not before now.
fn is_soon(at: Timestamp, now: Timestamp, expiry: Seconds) -> bool {
    at > now && at <= now.plus(expiry)
}
