//! `grantd serve`: a replica with the settings of a file and of the environment.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::color;
use super::target::sealing;
use crate::clock::Clock;
use crate::config::settings::Settings;
use crate::operations::make_signing_keys::MakeKeyError;
use crate::server::descriptors;
use crate::server::replica::Replica;
use crate::server::shutdown::Shutdown;
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
    let mut settings = Settings::read(arguments.config.as_deref(), std::env::vars())?;
    start_log(&settings);
    // The first signal that comes while we start must not be lost.
    let shutdown = Shutdown::on_signals()?;
    descriptors::fit(&mut settings);
    let store = Arc::new(Store::open(DatabaseOptions::of(&settings))?);
    if arguments.migrate {
        store.migrate().await?;
    }
    let sealing = sealing(&settings.sealing)?.ok_or(MakeKeyError::NoSealingKey)?;
    let sockets = Sockets::bind(&settings)?;
    let replica = Replica::new(settings, sockets, store, Clock::system(), sealing)?;
    tell(&replica.settings);
    replica.run(shutdown).await.map_err(anyhow::Error::msg)
}

fn start_log(settings: &Settings) {
    let filter = std::env::var("GRANTD_LOG").unwrap_or_else(|_| settings.log.level.to_string());
    telemetry::init(settings.log.format, &filter, color::on_standard_error());
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
        mtls = settings.mutual_listener().map(|it| tracing::field::display(it.listen)),
        operations = %settings.operations.listen,
        "serving"
    );
}
