//! Which database an administrative command works on, and what opens its keys.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;

use super::data_directory::DataDirectory;
use super::dev;
use super::output::{Form, Output};
use crate::config::absent_secrets::AbsentSecrets;
use crate::config::file;
use crate::config::settings::{Feed, Keys, Sealing, Settings, Tokens};
use crate::crypto::sealing::{SealingKey, SealingKeys};
use crate::crypto::secret_hash::HashCost;
use crate::domain::profile::Profile;
use crate::domain::secret_format::Secret;
use crate::domain::signing_key::periods::KeyPeriods;
use crate::domain::timestamp::Timestamp;
use crate::store::{DatabaseOptions, Store};

/// Says which database; the first of these that is given counts, and flags before variables.
#[derive(Args, Debug)]
pub(super) struct Target {
    /// The data directory of a `grantd dev --data DIR`; takes precedence over the other two
    #[arg(long, value_name = "DIR", env = "GRANTD_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
    /// The settings file of a `grantd serve`
    #[arg(
        long,
        value_name = "FILE",
        env = "GRANTD_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,
    /// The database itself, postgres://… or sqlite://…; overrides the one in the settings
    #[arg(
        long,
        value_name = "URL",
        env = "GRANTD_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
}

/// Which database a command works on, and how it tells what it found or did there.
#[derive(Args, Debug)]
pub(super) struct Where {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub(super) target: Target,
}

impl Where {
    pub(super) const fn output(&self) -> Output {
        self.form.output
    }
}

/// An open database with what belongs to it.
pub(super) struct Opened {
    pub(super) store: Arc<Store>,
    /// Where the database is.
    pub(super) url: String,
    pub(super) sealing: Option<SealingKeys>,
    /// How long the server's signing keys are announced, sign, and stay, where the settings tell.
    pub(super) key_periods: Option<KeyPeriods>,
    /// The security profile of the server that uses it, where the settings tell.
    pub(super) profile: Profile,
    /// The server's issuer, where settings or data directory tell.
    pub(super) issuer: Option<String>,
    /// The server's settings, where they are told or it is a `grantd dev`.
    pub(super) settings: Option<Settings>,
    /// Whether it is the database of a `grantd dev`, which is laxer with secrets.
    pub(super) is_dev: bool,
}

impl Target {
    /// Whether any database is named.
    pub(super) fn is_named(&self) -> bool {
        self.database_url.is_some() || self.data.is_some() || self.config.is_some()
    }

    /// Opens the database, and refuses a schema of another version.
    pub(super) async fn open(&self) -> anyhow::Result<Opened> {
        let opened = self.open_unchecked()?;
        opened.store.check_schema().await?;
        Ok(opened)
    }

    /// As [`Target::open`], where the sealing keys that the settings name may be absent, as in a pull request.
    pub(super) async fn open_to_look(&self, absent: &AbsentSecrets) -> anyhow::Result<Opened> {
        let opened = self.opened(Some(absent))?;
        opened.store.check_schema().await?;
        Ok(opened)
    }

    /// Opens the database whatever its schema.
    pub(super) fn open_unchecked(&self) -> anyhow::Result<Opened> {
        self.opened(None)
    }

    fn opened(&self, absent: Option<&AbsentSecrets>) -> anyhow::Result<Opened> {
        let is_asked_otherwise =
            is_flag(self.config.as_deref().map(Path::as_os_str), "GRANTD_CONFIG")
                || is_flag(
                    self.database_url.as_deref().map(OsStr::new),
                    "GRANTD_DATABASE_URL",
                );
        let is_asked = is_flag(self.data.as_deref().map(Path::as_os_str), "GRANTD_DATA");
        if let Some(directory) = self
            .data
            .as_ref()
            .filter(|_| is_asked || !is_asked_otherwise)
        {
            return open_data(directory);
        }
        if self.config.is_some() || (self.database_url.is_none() && has_settings()) {
            return open_settings(self.config.as_deref(), self.database_url.as_deref(), absent);
        }
        let Some(url) = &self.database_url else {
            bail!("say which database: --data DIR, --config FILE or --database-url URL");
        };
        Ok(Opened {
            store: Arc::new(Store::open(DatabaseOptions::new(url.clone()))?),
            url: url.clone(),
            sealing: sealing_of_environment()?,
            key_periods: key_periods_of_environment()?,
            profile: Profile::Default,
            issuer: None,
            settings: None,
            is_dev: false,
        })
    }
}

impl Opened {
    /// What time it is by the database's clock: that of this machine may be wrong.
    pub(super) async fn now(&self) -> anyhow::Result<Timestamp> {
        Ok(self.store.now().await?.second())
    }

    /// What an imported secret costs there.
    pub(super) const fn imported_cost(&self) -> HashCost {
        if self.is_dev {
            HashCost::GENERATED
        } else {
            HashCost::IMPORTED
        }
    }
}

/// Whether a value was given by a flag, not by its variable.
fn is_flag(value: Option<&OsStr>, variable: &str) -> bool {
    value.is_some() && std::env::var_os(variable).as_deref() != value
}

/// Whether the environment says more than a URL: then it is read as settings.
fn has_settings() -> bool {
    std::env::var_os("GRANTD_DATABASE_URL_FILE").is_some()
}

fn open_data(path: &Path) -> anyhow::Result<Opened> {
    let directory = DataDirectory::existing(path)?;
    let issuer = directory.issuer();
    Ok(Opened {
        store: Arc::new(Store::open(DatabaseOptions::new(directory.database_url()))?),
        url: directory.database_url(),
        sealing: Some(directory.sealing()?),
        key_periods: Some(dev::key_periods()),
        profile: Profile::Default,
        settings: dev::settings_of(&directory, issuer.as_deref())?,
        issuer,
        is_dev: true,
    })
}

/// A URL that is given beside the settings counts in place of theirs.
fn open_settings(
    file: Option<&Path>,
    url: Option<&str>,
    absent: Option<&AbsentSecrets>,
) -> anyhow::Result<Opened> {
    let settings = Settings::read(file, std::env::vars(), None)?;
    let mut options = DatabaseOptions::of(&settings);
    if let Some(url) = url {
        url.clone_into(&mut options.url);
    }
    Ok(Opened {
        url: options.url.clone(),
        store: Arc::new(Store::open(options)?),
        sealing: match absent {
            Some(absent) if lacks_keys(&settings.sealing, absent) => None,
            _ => sealing(&settings.sealing)?,
        },
        key_periods: Some(settings.key_periods()),
        profile: settings.profile,
        issuer: Some(settings.issuer.as_str().to_owned()),
        settings: Some(settings),
        is_dev: false,
    })
}

/// The sealing keys where no settings are read: only their variables say them.
fn sealing_of_environment() -> anyhow::Result<Option<SealingKeys>> {
    let file = std::env::var_os("GRANTD_SEALING__KEY_FILE");
    let inline = std::env::var("GRANTD_SEALING__KEY").ok();
    let old = std::env::var("GRANTD_SEALING__OLD_KEY_FILES").unwrap_or_default();
    let old = old
        .split(',')
        .map(str::trim)
        .filter(|path| !path.is_empty());
    sealing(&Sealing {
        key_file: file.map(PathBuf::from),
        key: inline.map(Secret::new),
        old_key_files: old.map(PathBuf::from).collect(),
    })
}

/// The periods of keys where no settings are read: only their variables say them; `None` where none does.
fn key_periods_of_environment() -> anyhow::Result<Option<KeyPeriods>> {
    let (mut keys, mut feed, mut tokens) = (Keys::default(), Feed::default(), Tokens::default());
    let mut is_told = false;
    for (variable, value) in [
        ("GRANTD_KEYS__ROTATION", &mut keys.rotation),
        ("GRANTD_KEYS__JWKS_MAX_AGE", &mut keys.jwks_max_age),
        ("GRANTD_FEED__MAX_STALENESS", &mut feed.max_staleness),
        ("GRANTD_TOKENS__MAX_LIFETIME", &mut tokens.max_lifetime),
    ] {
        if let Ok(text) = std::env::var(variable) {
            *value = text.parse().context(variable)?;
            is_told = true;
        }
    }
    Ok(is_told.then(|| keys.periods(&feed, &tokens)))
}

/// Whether one of the files is absent; `absent` notes which.
fn lacks_keys(sealing: &Sealing, absent: &AbsentSecrets) -> bool {
    let mut files = sealing.key_file.iter().chain(&sealing.old_key_files);
    files.any(|path| absent.lacks_file("the sealing key", path))
}

/// The sealing keys of the settings; `None` where there are none.
pub(super) fn sealing(sealing: &Sealing) -> anyhow::Result<Option<SealingKeys>> {
    let first = match (&sealing.key_file, &sealing.key) {
        (Some(path), _) => read_key(path)?,
        (None, Some(text)) => {
            SealingKey::parse(text.expose().as_bytes()).context("[sealing] key")?
        }
        (None, None) => return Ok(None),
    };
    let old = sealing.old_key_files.iter().map(|path| read_key(path));
    Ok(Some(SealingKeys {
        first,
        old: old.collect::<Result<_, _>>()?,
    }))
}

fn read_key(path: &Path) -> anyhow::Result<SealingKey> {
    let bytes = file::read(path, file::SMALL)
        .with_context(|| format!("the sealing key {} cannot be read", path.display()))?;
    let bytes = zeroize::Zeroizing::new(bytes);
    if file::others_can_read(path)? {
        bail!(
            "other users can read the sealing key {}, which opens the signing keys: chmod 600 {0}",
            path.display()
        );
    }
    SealingKey::parse(&bytes)
        .with_context(|| format!("the sealing key {} cannot be used", path.display()))
}
