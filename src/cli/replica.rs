//! A replica of our own, which serves nobody: it judges as the servers do, by their settings and the database's clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;

use crate::cli::target::Opened;
use crate::clock::Clock;
use crate::config::settings::Settings;
use crate::crypto::sealing::{SealingKey, SealingKeys};
use crate::operations::Grantd;
use crate::operations::authenticate_client::TrustedCas;

/// Variables that a server reads.
const DATABASE_URL: &str = "GRANTD_DATABASE_URL";
const LISTEN: &str = "GRANTD_PUBLIC__LISTEN";
const LOOPBACK: &str = "127.0.0.1:8443";

impl Opened {
    /// A replica that has loaded what it needs. It trusts `client_cas`, and can sign only where the sealing key is there.
    pub(super) async fn replica(&self, client_cas: TrustedCas) -> anyhow::Result<Grantd> {
        let settings = Arc::new(self.server_settings()?);
        // Nobody serves with it, so it need not go on: one instant is judged.
        let clock = Clock::manual(self.now().await?);
        let sealing = self.sealing.clone();
        let sealing = sealing.unwrap_or_else(|| SealingKeys::new(SealingKey::generate()));
        let store = Arc::clone(&self.store);
        let grantd = Grantd::new(store, clock, settings, sealing, client_cas)?;
        grantd.follow_feed().await?;
        Ok(grantd)
    }

    /// The settings of the servers: as they are told, or in the variables that a server would read.
    pub(super) fn server_settings(&self) -> anyhow::Result<Settings> {
        if let Some(settings) = &self.settings {
            return Ok(settings.clone());
        }
        // Nothing is served, so no listener need be fit for strangers.
        let mut variables = BTreeMap::from([(LISTEN.to_owned(), LOOPBACK.to_owned())]);
        variables.extend(std::env::vars());
        variables.insert(DATABASE_URL.to_owned(), self.url.clone());
        Settings::read(None, variables, None).context(
            "this is judged by the settings of the server: name them with --config FILE, or set GRANTD_ISSUER and \
             whatever else differs from the defaults",
        )
    }
}
