//! `grantd check-config`: checks settings and catalogs as `serve` and `apply` read them, without touching anything.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{counted, say};
use super::target::sealing;
use crate::config::absent_secrets::AbsentSecrets;
use crate::config::catalog::{Catalog, CatalogOptions};
use crate::config::settings::{Sealing, Settings, TlsFiles};
use crate::domain::profile::Profile;
use crate::operations::make_signing_keys::MakeKeyError;
use crate::server::client_ca_files::ClientCaFiles;
use crate::server::tls::Tls;
use crate::store::{DatabaseOptions, Store};

/// Examples for `--help`.
const EXAMPLES: &str = "Examples:
  grantd check-config --config grantd.toml --catalog catalog.toml
  grantd check-config --catalog catalog.toml --without-secrets";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Check this settings file, overridden by GRANTD_ variables
    #[arg(
        long,
        value_name = "FILE",
        env = "GRANTD_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,
    /// Check this catalog, with or without settings: a file, a folder or -; several are one catalog
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// Allow secrets and private keys to be absent, as in a pull request, and list what was not checked
    #[arg(long)]
    without_secrets: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let absent = arguments.without_secrets.then(AbsentSecrets::default);
    let settings = if has_settings(arguments) {
        Some(check_settings(
            arguments.config.as_deref(),
            absent.as_ref(),
        )?)
    } else {
        eprintln!("no settings given (--config): checking the catalog for the profile default");
        None
    };
    if !arguments.catalog.is_empty() {
        check_catalog(&arguments.catalog, settings.as_ref(), absent.as_ref())?;
    }
    let absent = absent.map(|absent| absent.names()).unwrap_or_default();
    if !absent.is_empty() {
        eprintln!("not checked because absent here: {}", absent.join(", "));
    }
    Ok(())
}

/// A catalog can be checked alone. Of the variables, the issuer's is the one without which there are no settings.
fn has_settings(arguments: &Arguments) -> bool {
    arguments.catalog.is_empty()
        || arguments.config.is_some()
        || std::env::var_os("GRANTD_ISSUER").is_some()
}

/// Everything that `serve` opens before it listens, opened by the same code.
fn check_settings(file: Option<&Path>, absent: Option<&AbsentSecrets>) -> anyhow::Result<Settings> {
    let settings = Settings::read(file, std::env::vars(), absent)?;
    Store::open(DatabaseOptions::of(&settings))?;
    check_sealing(&settings.sealing, absent)?;
    check_tls(&settings, absent)?;
    say!(
        "the settings are valid; issuer {}",
        settings.issuer.as_str()
    )?;
    Ok(settings)
}

/// `serve` starts with a sealing key alone.
fn check_sealing(keys: &Sealing, absent: Option<&AbsentSecrets>) -> anyhow::Result<()> {
    let mut here = keys.clone();
    if let Some(absent) = absent {
        here.old_key_files
            .retain(|path| !absent.lacks_file("sealing.old_key_files", path));
        match &keys.key_file {
            None if keys.key.is_none() => absent.note("sealing.key"),
            // The old ones are read as they come.
            Some(path) if absent.lacks_file("sealing.key_file", path) => {
                here.key_file = here.old_key_files.pop();
            }
            _ => {}
        }
    }
    if sealing(&here)?.is_none() && absent.is_none() {
        return Err(MakeKeyError::NoSealingKey.into());
    }
    Ok(())
}

/// Certificates, keys and client CAs, as the listeners would use them.
fn check_tls(settings: &Settings, absent: Option<&AbsentSecrets>) -> anyhow::Result<()> {
    let is_here = |files: &TlsFiles| {
        !absent.is_some_and(|absent| {
            let what = format!("{} with its key", files.certificate.display());
            absent.lacks_file(&what, &files.key)
        })
    };
    if let Some(files) = settings.public.tls().filter(is_here) {
        Tls::load(files, settings.profile)?;
    }
    let Some(mtls) = &settings.mtls else {
        return Ok(());
    };
    if let Some(files) = mtls.tls().filter(is_here) {
        Tls::load_mutual(files, settings.profile)?;
    }
    Ok(ClientCaFiles::check(&mtls.client_ca_files)?)
}

fn check_catalog(
    files: &[PathBuf],
    settings: Option<&Settings>,
    absent: Option<&AbsentSecrets>,
) -> anyhow::Result<()> {
    let environment = |name: &str| std::env::var(name).ok();
    let options = CatalogOptions {
        absent,
        ..CatalogOptions::strict(&environment)
    };
    let catalog = Catalog::read(files, &options)?;
    catalog.check_profile(settings.map_or(Profile::Default, |it| it.profile))?;
    if let Some(settings) = settings {
        catalog.check_issuer(settings.issuer.as_str())?;
    }
    let issuers = match catalog.issuers.len() {
        0 => String::new(),
        number => format!("{}, ", counted(number, "trusted issuer")),
    };
    let names: Vec<String> = files.iter().map(|it| it.display().to_string()).collect();
    say!(
        "the catalog {} is valid; {}, {issuers}{}",
        names.join(", "),
        counted(catalog.audiences.len(), "audience"),
        counted(catalog.clients.len(), "client")
    )?;
    Ok(())
}
