//! `grantd check-config`: checks settings and catalog as `serve` and `apply` read them, without touching anything.

use std::path::PathBuf;

use clap::Args;

use super::output::say;
use super::target::sealing;
use crate::config::catalog::{Catalog, CatalogOptions};
use crate::config::settings::Settings;
use crate::operations::apply_catalog::check_profile;

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
    if sealing(&settings.sealing)?.is_none() {
        eprintln!("warning: there is no [sealing] key: serve will not start, apply makes no key");
    }
    say!("the settings are right; issuer {}", settings.issuer.as_str())?;
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
