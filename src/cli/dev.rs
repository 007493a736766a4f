//! `grantd dev`: an identity provider for a laptop or a CI job, in one command and well under a second.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use super::color;
use super::data_directory::DataDirectory;
use super::dev_certificates::DevCertificates;
use super::dev_control::{ControlArguments, held};
use super::dev_keys::DevKeys;
use super::dev_public::PublicArguments;
use super::dev_screen::{ReadyFile, Screen};
use super::standard_input;
use crate::clock::Clock;
use crate::config::catalog::write::to_toml;
use crate::config::catalog::{Catalog, CatalogOptions, DEMO, DEMO_NAME};
use crate::config::settings::{
    Budget, Feed, Keys, Limits, LogFormat, MTLS, MutualTls, OPERATIONS, OperationsListener, PUBLIC,
    PublicListener, Settings, Tokens,
};
use crate::control::{Text, World, steer};
use crate::crypto::sealing::SealingKeys;
use crate::crypto::secret_hash::HashCost;
use crate::domain::issuer::Issuer;
use crate::domain::secret_format::Secret;
use crate::domain::signing_key::periods::KeyPeriods;
use crate::domain::timestamp::Seconds;
use crate::operations::actor::Actor;
use crate::operations::apply_catalog::{ApplyOptions, apply_catalog};
use crate::operations::restore::Stock;
use crate::server::descriptors;
use crate::server::listener::{BindError, bind_loopback_pair};
use crate::server::replica::Replica;
use crate::server::shutdown::{Hangup, Shutdown};
use crate::server::sockets::Sockets;
use crate::store::error::StoreError;
use crate::store::{DatabaseOptions, Store};
use crate::telemetry;

/// A laptop may have tokens for a day.
const TOKENS: Tokens = Tokens {
    max_lifetime: Seconds::new(24 * 3600),
};

/// Of a directory of an earlier start so many clients are looked at: for those, by id, certificates are made that are
/// missing, and the screen shows the first of them.
const MOST_STORED: i64 = 100;

/// How it is usually called.
const EXAMPLES: &str = "Examples:
  grantd dev
  grantd dev --catalog my.toml --data .grantd
  grantd dev --listen 127.0.0.1:0 --ready-file ready.json
  grantd dev --tls --cors http://localhost:3000";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Load this catalog instead of the built-in demo: a file, a folder or -; several are one catalog
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    #[command(flatten)]
    public: PublicArguments,
    /// Keep data and keys in this directory; otherwise they are deleted at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Accept client certificates of this CA instead of a throw-away one
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Write a JSON file with all URLs as soon as requests are accepted
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// End when standard input does: when the program that started this one ends, even if it is killed
    #[arg(long)]
    until_stdin_closes: bool,
    #[command(flatten)]
    control: ControlArguments,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let filter = std::env::var("GRANTD_LOG").unwrap_or_else(|_| "info".to_owned());
    telemetry::init(LogFormat::Text, &filter, color::on_standard_error());
    // The first signal that comes while we start must not be lost.
    let mut shutdown = Shutdown::on_signals(Hangup::Stops)?;
    if arguments.until_stdin_closes {
        standard_input::must_be_free(&arguments.catalog)?;
        shutdown = shutdown.or_when(standard_input::closed()?);
    }
    if let Some(path) = &arguments.ready_file {
        ReadyFile::forget(path)?;
    }
    let data = match &arguments.data {
        Some(path) => DataDirectory::locked(path)?,
        None => DataDirectory::temporary()?,
    };
    let sockets = sockets(&arguments.public)?;
    let (clock, entrance) = match arguments.control.entrance()? {
        None => (Clock::system(), None),
        Some(entrance) => {
            let (clock, hand) = Clock::steered();
            (clock, Some((entrance, hand)))
        }
    };
    let issuer = arguments.public.issuer(sockets.address(PUBLIC)?)?;
    if let Some(before) = data.remember_issuer(issuer.as_str())? {
        tracing::warn!(%before, now = issuer.as_str(), "the issuer changed: tokens of the previous one are refused");
    }
    let sealing = data.sealing()?;
    let stated = read_catalog(&arguments.catalog)?;
    let mut settings = settings(issuer, data.database_url(), &sockets)?;
    descriptors::fit(&mut settings);
    let store = Store::open(DatabaseOptions::of(&settings))?;
    // Where tests move the clock, there is one.
    let store = Arc::new(match entrance {
        None => store,
        Some(_) => store.following(clock.clone()),
    });
    store.migrate().await?;
    // What an earlier start left stays as it is, where no catalog is given.
    let is_new = stated.is_some() || !store.has_audiences().await?;
    let mut catalog = match stated {
        Some(catalog) => catalog,
        None if is_new => Catalog::parse(DEMO_NAME, DEMO, &CatalogOptions::dev(&|_| None))?,
        None => stored_catalog(&store).await?,
    };
    let own_client_ca = arguments.client_ca.is_none();
    let who = (settings.issuer.host(), own_client_ca);
    let mut certificates = DevCertificates::make(&data, &catalog, who, clock.now())?;
    let keys = DevKeys::make(&data, &mut catalog, is_new)?;
    if is_new {
        certificates.register(&mut catalog);
        seed(&store, &catalog, &settings, &sealing).await?;
    } else {
        certificates.keep_registered(&catalog);
    }
    settings.public = arguments
        .public
        .listener(sockets.address(PUBLIC)?, &certificates);
    settings.mtls = Some(mutual(&arguments, &certificates, sockets.address(MTLS)?));
    let replica = Replica::new(settings, sockets, store, clock, sealing.clone())?;
    replica.grantd.follow_feed().await?;
    let client_ca = arguments.client_ca.as_ref();
    let control = entrance.as_ref().map(|(it, _)| it.url()).transpose()?;
    let also = (client_ca, control.as_ref());
    let ready = ReadyFile::new(&replica.settings, data.path(), &certificates, also);
    // The listeners are bound: whoever connects from here on is served.
    if let Some(path) = &arguments.ready_file {
        ready.write(path)?;
    }
    let is_whole = is_new || catalog.clients.len() < usize::try_from(MOST_STORED)?;
    let screen = Screen {
        is_whole,
        has_tls: replica.settings.public.tls().is_some(),
        ready: &ready,
        catalog: &catalog,
        certificates: &certificates,
        keys: &keys,
        data: &data,
    };
    // A screen that nobody reads is no reason not to serve.
    let _ = screen.print();
    let held = held(&screen);
    let replica = match entrance {
        None => replica,
        Some((entrance, hand)) => {
            let world = World {
                hand,
                sealing,
                catalog,
                held,
                stock: stock(&replica, is_new).await?,
                ca: certificates.ca.clone(),
                client_ca_key: own_client_ca.then(|| Text::File(certificates.ca_key.clone())),
                shutdown: shutdown.clone(),
            };
            steer(replica, entrance, world)?
        }
    };
    // Around faults, so that a page reads what they answer.
    let replica = arguments.public.shown_to_pages(replica);
    replica.run(shutdown).await.map_err(anyhow::Error::msg)
}

/// What a test can have put back, where it was made a moment ago: a start does not wait for the clients of an earlier one.
async fn stock(replica: &Replica, is_new: bool) -> Result<Option<Stock>, StoreError> {
    if is_new {
        Stock::take(replica.grantd.store()).await
    } else {
        Ok(None)
    }
}

/// Free ports of loopback, but for what clients reach.
fn sockets(public: &PublicArguments) -> Result<Sockets, BindError> {
    Ok(Sockets::default()
        .with(PUBLIC, public.bind()?)
        .with(MTLS, bind_loopback_pair(0)?)
        .with(OPERATIONS, bind_loopback_pair(0)?))
}

/// Applies the catalog.
async fn seed(
    store: &Store,
    catalog: &Catalog,
    settings: &Settings,
    sealing: &SealingKeys,
) -> anyhow::Result<()> {
    let options = ApplyOptions {
        dry_run: false,
        prune: false,
        allow_removals: 0,
        profile: settings.profile,
        issuer: Some(settings.issuer.as_str()),
        imported_cost: settings.imported_cost,
        sealing: Some(sealing),
        key_delay: Seconds::new(0),
        by: &Actor::named("dev"),
    };
    let (plan, _) = apply_catalog(store, catalog, options).await?;
    for warning in plan.warnings {
        tracing::warn!("{warning}");
    }
    Ok(())
}

/// All that `dev` has other than `serve` by default, but for its mutual TLS.
fn settings(issuer: Issuer, database_url: String, sockets: &Sockets) -> std::io::Result<Settings> {
    Ok(Settings {
        public: PublicListener {
            listen: sockets.address(PUBLIC)?,
            ..PublicListener::default()
        },
        operations: OperationsListener {
            listen: sockets.address(OPERATIONS)?,
        },
        ..unbound(issuer, database_url)
    })
}

/// Those of a `dev` that has worked in `data` with this issuer, but for its listeners, where it trusted its throw-away CA;
/// `None` without an issuer.
pub(super) fn settings_of(
    data: &DataDirectory,
    issuer: Option<&str>,
) -> anyhow::Result<Option<Settings>> {
    let Some(issuer) = issuer else {
        return Ok(None);
    };
    let issuer = Issuer::parse(issuer, true).context("the issuer of the data directory")?;
    let ca = Some(data.path().join("ca.pem")).filter(|it| it.is_file());
    Ok(Some(Settings {
        mtls: Some(MutualTls {
            client_ca_files: ca.into_iter().collect(),
            ..MutualTls::default()
        }),
        ..unbound(issuer, data.database_url())
    }))
}

/// Without listeners.
fn unbound(issuer: Issuer, database_url: String) -> Settings {
    Settings {
        tokens: TOKENS,
        // Tests send many refusals from one address.
        budget: Budget {
            failures: 0,
            source_failures: 0,
            ..Budget::default()
        },
        // Whoever waits, a test runner does not.
        limits: Limits {
            drain_timeout: Seconds::new(2),
            ..Limits::default()
        },
        imported_cost: HashCost::GENERATED,
        fetches_plain_keys: true,
        ..Settings::new(issuer, Secret::new(database_url))
    }
}

/// How long its signing keys are announced, sign, and stay.
pub(super) fn key_periods() -> KeyPeriods {
    Keys::default().periods(&Feed::default(), &TOKENS)
}

/// The mutual-TLS listener, by a name that the server's certificate has.
fn mutual(arguments: &Arguments, certificates: &DevCertificates, listen: SocketAddr) -> MutualTls {
    let client_ca = arguments.client_ca.as_ref().unwrap_or(&certificates.ca);
    MutualTls {
        listen,
        tls_certificate_file: Some(certificates.server.clone()),
        tls_key_file: Some(certificates.server_key.clone()),
        client_ca_files: vec![client_ca.clone()],
        url: Some(format!("https://localhost:{}", listen.port())),
        ..MutualTls::default()
    }
}

/// The catalog that is given, if any is.
fn read_catalog(files: &[PathBuf]) -> anyhow::Result<Option<Catalog>> {
    if files.is_empty() {
        return Ok(None);
    }
    let environment = |name: &str| std::env::var(name).ok();
    Ok(Some(Catalog::read(
        files,
        &CatalogOptions::dev(&environment),
    )?))
}

/// The first clients that a directory of an earlier start holds, in the form of a catalog: of secrets the hashes alone.
/// It may hold a million, for which no start waits.
async fn stored_catalog(store: &Store) -> anyhow::Result<Catalog> {
    let (audiences, clients) = store.first_of_catalog(MOST_STORED).await?;
    let issuers = store.load_issuers().await?.value;
    let text = to_toml(&audiences, &issuers, &clients)?;
    let options = CatalogOptions::dev(&|_| None);
    Ok(Catalog::parse("the data directory", &text, &options)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each value with the names that lead to it.
    fn values(settings: &Settings) -> Vec<(String, String)> {
        let mut path = Vec::new();
        let mut values = Vec::new();
        for line in format!("{settings:#?}").lines() {
            let text = line.trim_start();
            path.truncate((line.len() - text.len()) / 4);
            path.push(
                text.split_once(": ")
                    .map_or("", |(name, _)| name)
                    .to_owned(),
            );
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            values.push((
                names.join(".").trim_matches('.').to_owned(),
                text.to_owned(),
            ));
        }
        values
    }

    #[tokio::test]
    async fn dev_differs_from_serve_in_a_short_list() {
        let public = PublicArguments::at(SocketAddr::from(([127, 0, 0, 1], 0)));
        let sockets = sockets(&public).unwrap();
        let issuer = Issuer::parse("http://localhost:8080", true).unwrap();
        let url = "sqlite://x.db".to_owned();
        let dev = settings(issuer.clone(), url.clone(), &sockets).unwrap();
        let serve = values(&Settings::new(issuer, Secret::new(url)));
        let dev = values(&dev);
        assert_eq!(dev.len(), serve.len());
        let differs = dev.iter().zip(&serve).filter(|(dev, serve)| dev != serve);
        let names: Vec<&str> = differs.map(|((name, _), _)| name.as_str()).collect();
        let expected = [
            "public.listen",
            "operations.listen",
            "tokens.max_lifetime",
            "budget.failures",
            "budget.source_failures",
            "limits.drain_timeout",
            "imported_cost.memory_kib",
            "imported_cost.passes",
            "fetches_plain_keys",
        ];
        assert_eq!(names, expected);
    }
}
