//! `grantd check-config`: checks settings and catalog as `serve` and `apply` read them, without touching anything.

use std::path::PathBuf;

use clap::Args;

use super::output::say;
use super::target::sealing;
use crate::config::catalog::{Catalog, CatalogOptions};
use crate::config::settings::Settings;
use crate::operations::apply_catalog::check_profile;
use crate::server::client_ca_files::ClientCaFiles;
use crate::server::tls::Tls;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The settings file; without it the GRANTD_ variables alone
    #[arg(long, value_name = "FILE", env = "GRANTD_CONFIG")]
    config: Option<PathBuf>,
    /// A catalog to check as well
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let settings = Settings::read(arguments.config.as_deref(), std::env::vars())?;
    check_tls(&settings)?;
    if sealing(&settings.sealing)?.is_none() {
        eprintln!("warning: there is no [sealing] key: serve will not start, apply makes no key");
    }
    say!(
        "the settings are right; issuer {}",
        settings.issuer.as_str()
    )?;
    if let Some(file) = &arguments.catalog {
        let environment = |name: &str| std::env::var(name).ok();
        let catalog = Catalog::read(file, &CatalogOptions::strict(&environment))?;
        check_profile(&catalog, settings.profile)?;
        say!(
            "the catalog is right; {} audiences, {} clients",
            catalog.audiences.len(),
            catalog.clients.len()
        )?;
    }
    Ok(())
}

/// Certificates and keys, as the listeners would use them.
fn check_tls(settings: &Settings) -> anyhow::Result<()> {
    if let Some(files) = &settings.public.tls {
        Tls::load(files.clone(), settings.profile)?;
    }
    let Some(mtls) = &settings.mtls else {
        return Ok(());
    };
    if let Some(listener) = &mtls.listener {
        Tls::load_mutual(listener.tls.clone(), settings.profile)?;
    }
    Ok(ClientCaFiles::check(&mtls.client_ca_files)?)
}
