//! `grantd serve`: a replica with the settings of a file and of the environment.

use std::io::{IsTerminal as _, stderr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::color;
use super::target::sealing;
use crate::clock::Clock;
use crate::config::fault::ConfigError;
use crate::config::settings::{LogFormat, MutualTls, Settings};
use crate::operations::make_signing_keys::MakeKeyError;
use crate::server::descriptors;
use crate::server::inherited::Inherited;
use crate::server::reload::Hangups;
use crate::server::replica::Replica;
use crate::server::service_manager::ServiceManager;
use crate::server::shutdown::{Hangup, Shutdown};
use crate::server::sockets::Sockets;
use crate::store::{DatabaseOptions, Store};
use crate::telemetry;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The settings file; GRANTD_ variables override it
    #[arg(
        long,
        value_name = "FILE",
        env = "GRANTD_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,
    /// Upgrade the database schema first
    #[arg(long)]
    migrate: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut settings = read_settings(arguments.config.as_deref())?;
    start_log(&settings);
    // The first signal that comes while we start must not be lost.
    let shutdown = Shutdown::on_signals(Hangup::IsElsewhere)?;
    let config = arguments.config.clone();
    let hangups = Hangups::caught(Box::new(move || {
        let settings = read_settings(config.as_deref()).map_err(|error| error.to_string())?;
        Ok(filter(&settings))
    }))?;
    let manager = ServiceManager::of(variable)?;
    let inherited = Inherited::of(variable)?.adopt(&mut settings)?;
    descriptors::fit(&mut settings);
    let store = Arc::new(Store::open(DatabaseOptions::of(&settings))?);
    if arguments.migrate {
        let migrating = store.migrate();
        manager
            .waits_for("upgrading the database schema", migrating)
            .await?;
    }
    let sealing = sealing(&settings.sealing)?.ok_or(MakeKeyError::NoSealingKey)?;
    let sockets = Sockets::bind(&settings, inherited)?;
    let replica = Replica::new(settings, sockets, store, Clock::system(), sealing)?
        .reloading_at(hangups)
        .told_to(manager);
    tell(&replica.settings);
    replica.run(shutdown).await.map_err(anyhow::Error::msg)
}

fn read_settings(file: Option<&Path>) -> Result<Settings, ConfigError> {
    Settings::read(file, std::env::vars(), None)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What the log shall show: `GRANTD_LOG` stands above the settings.
fn filter(settings: &Settings) -> String {
    variable("GRANTD_LOG").unwrap_or_else(|| settings.log.level.to_string())
}

fn start_log(settings: &Settings) {
    let filter = filter(settings);
    let format = settings.log.format.unwrap_or_else(|| {
        if stderr().is_terminal() {
            LogFormat::Text
        } else {
            LogFormat::Json
        }
    });
    telemetry::init(format, &filter, color::on_standard_error());
    for variable in &settings.service_links {
        tracing::debug!(
            variable,
            "ignoring a variable that Kubernetes made for a Service"
        );
    }
}

fn tell(settings: &Settings) {
    tracing::info!(
        issuer = settings.issuer.as_str(),
        public = %settings.public.listen,
        mtls = settings.mtls.as_ref().and_then(MutualTls::listen).map(tracing::field::display),
        operations = %settings.operations.listen,
        "serving"
    );
}
