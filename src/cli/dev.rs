//! `grantd dev`: an identity provider for a laptop or a CI job, in one command and well under a second.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use super::color;
use super::data_directory::DataDirectory;
use super::dev_certificates::DevCertificates;
use super::dev_screen::{ReadyFile, Screen};
use crate::clock::Clock;
use crate::config::catalog::{Catalog, CatalogOptions, DEMO, DEMO_NAME};
use crate::config::settings::{LogFormat, TlsFiles};
use crate::crypto::hashing_pool::HashingCapacity;
use crate::crypto::random;
use crate::crypto::sealing::SealingKeys;
use crate::crypto::secret_hash::HashCost;
use crate::domain::issuer::Issuer;
use crate::domain::profile::Profile;
use crate::domain::timestamp::Seconds;
use crate::http::body::BodyLimits;
use crate::http::state::{MutualTls, Publication};
use crate::operations::apply_catalog::{ApplyOptions, apply_catalog};
use crate::operations::{Grantd, Options};
use crate::server::client_ca_files::ClientCaFiles;
use crate::server::descriptors;
use crate::server::limits::Limits;
use crate::server::listener::{bind, bind_loopback_pair};
use crate::server::replica::Replica;
use crate::server::serve::Endpoint;
use crate::server::shutdown::Shutdown;
use crate::server::tls::Tls;
use crate::store::memory::directory::Capacity;
use crate::store::{DatabaseOptions, Store};
use crate::telemetry;

/// The port of `grantd dev` without `--listen`.
const PORT: u16 = 8080;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The catalog; without it the built-in demo catalog
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// Where to listen; 127.0.0.1:0 takes a free port [default: port 8080 of both loopback addresses]
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    listen: Option<SocketAddr>,
    /// Keep the data here; without it they go with the process
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The issuer, where it is not the listener's own URL
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The CA whose client certificates are accepted, in place of a throw-away one
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Write a JSON file with all URLs when requests are accepted
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    // The first random number of the process takes 30 ms: have it made while the database opens.
    std::thread::spawn(random::random_bytes::<1>);
    let filter = std::env::var("GRANTD_LOG").unwrap_or_else(|_| "info".to_owned());
    telemetry::init(LogFormat::Text, &filter, color::on_standard_error());
    // SQLite has one writer beside the readers of the pool.
    let limits = descriptors::fit(
        Limits::default(),
        DatabaseOptions::new("").max_connections + 1,
    );
    // The first signal that comes while we start must not be lost.
    let shutdown = Shutdown::on_signals()?;
    if let Some(path) = &arguments.ready_file {
        ReadyFile::forget(path)?;
    }
    let data = match &arguments.data {
        Some(path) => DataDirectory::locked(path)?,
        None => DataDirectory::temporary()?,
    };
    let listeners = listeners(arguments.listen)?;
    let issuer = issuer(&arguments, &listeners)?;
    if let Some(before) = data.remember_issuer(issuer.as_str())? {
        tracing::warn!(%before, now = issuer.as_str(), "the issuer changed: tokens of before are refused");
    }
    let sealing = data.sealing()?;
    let Seeded {
        store,
        catalog,
        certificates,
    } = seed(&arguments, &data, &sealing).await?;
    let (grantd, queues) = Grantd::new(store, Clock::system(), options(&issuer, sealing))?;
    grantd.follow_feed().await?;
    let operations = bind_loopback_pair(0)?;
    let operations_address = operations
        .first()
        .context("nothing is bound")?
        .local_addr()?;
    let (mutual, client_cas, origin) = mutual(&arguments, &certificates, &grantd)?;
    let publication = publication(issuer, origin);
    let client_ca = arguments.client_ca.as_deref();
    let ready = ReadyFile::new(&publication, operations_address, data.path())
        .with_certificates(&certificates, client_ca);
    let replica = Replica {
        grantd,
        queues,
        publication,
        mutual: Some(mutual),
        client_cas,
        proxies: None,
        public: Endpoint {
            listeners,
            tls: None,
        },
        operations: Endpoint {
            listeners: operations,
            tls: None,
        },
        limits,
        poll_interval: Duration::from_millis(250),
    };
    // The listeners are bound: whoever connects from here on is served.
    if let Some(path) = &arguments.ready_file {
        ready.write(path)?;
    }
    let is_demo = arguments.catalog.is_none();
    let screen = Screen {
        ready: &ready,
        catalog: &catalog,
        certificates: &certificates,
        data: &data,
        is_demo,
    };
    // A screen that nobody reads is no reason not to serve.
    let _ = screen.print();
    replica.run(shutdown).await.map_err(anyhow::Error::msg)
}

fn listeners(listen: Option<SocketAddr>) -> anyhow::Result<Vec<TcpListener>> {
    match listen {
        Some(address) => Ok(vec![bind(address)?]),
        None => Ok(bind_loopback_pair(PORT)?),
    }
}

/// An address with its port, or what is wanted in its place.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().and_then(|port| port.parse().ok());
        let port: u16 = port.unwrap_or(PORT);
        format!("write an IP address and a port: 127.0.0.1:{port}, or [::1]:{port}")
    })
}

/// The issuer follows the listener unless it is given.
fn issuer(arguments: &Arguments, listeners: &[TcpListener]) -> anyhow::Result<Issuer> {
    if let Some(text) = &arguments.issuer {
        return Issuer::parse(text, true).with_context(|| format!("--issuer {text}"));
    }
    let address = listeners
        .first()
        .context("nothing is bound")?
        .local_addr()?;
    let host = match (arguments.listen, address.ip()) {
        (None, _) => "localhost".to_owned(),
        (Some(_), ip) if ip.is_unspecified() => {
            tracing::warn!(
                "other machines reach this under another name: say which by --issuer URL"
            );
            "localhost".to_owned()
        }
        (Some(_), IpAddr::V4(ip)) => ip.to_string(),
        (Some(_), IpAddr::V6(ip)) => format!("[{ip}]"),
    };
    let port = address.port();
    let text = if port == 80 {
        format!("http://{host}")
    } else {
        format!("http://{host}:{port}")
    };
    Ok(Issuer::parse(&text, true)?)
}

/// What was there or was made before the listeners open.
struct Seeded {
    store: Arc<Store>,
    catalog: Catalog,
    certificates: DevCertificates,
}

/// Opens the database and applies the catalog; the demo only where nothing is there yet.
async fn seed(
    arguments: &Arguments,
    data: &DataDirectory,
    sealing: &SealingKeys,
) -> anyhow::Result<Seeded> {
    let mut catalog = catalog(arguments.catalog.as_deref())?;
    let store = Arc::new(Store::open(DatabaseOptions::new(data.database_url()))?);
    let own_client_ca = arguments.client_ca.is_none();
    let certificates = DevCertificates::make(data, &catalog, own_client_ca, Clock::system().now())?;
    store.migrate().await?;
    certificates.register(&mut catalog);
    if arguments.catalog.is_some() || store.all_audiences().await?.is_empty() {
        let options = ApplyOptions {
            dry_run: false,
            prune: false,
            allow_removals: 0,
            profile: Profile::Default,
            imported_cost: HashCost::GENERATED,
            sealing: Some(sealing),
            key_delay: Seconds::new(0),
        };
        let (plan, _) = apply_catalog(&store, &catalog, options).await?;
        for warning in plan.warnings {
            tracing::warn!("{warning}");
        }
    }
    Ok(Seeded {
        store,
        catalog,
        certificates,
    })
}

/// The mutual-TLS listener on a free port of both loopback addresses, and its origin.
fn mutual(
    arguments: &Arguments,
    certificates: &DevCertificates,
    grantd: &Grantd,
) -> anyhow::Result<(Endpoint, Option<ClientCaFiles>, String)> {
    let listeners = bind_loopback_pair(0)?;
    let port = listeners
        .first()
        .context("nothing is bound")?
        .local_addr()?
        .port();
    let files = TlsFiles {
        certificate: certificates.server.clone(),
        key: certificates.server_key.clone(),
    };
    let client_ca = arguments.client_ca.as_ref().unwrap_or(&certificates.ca);
    let client_cas = ClientCaFiles::load(vec![client_ca.clone()], grantd)?;
    let tls = Some(Tls::load_mutual(files, Profile::Default)?);
    Ok((
        Endpoint { listeners, tls },
        client_cas,
        format!("https://localhost:{port}"),
    ))
}

fn catalog(file: Option<&Path>) -> anyhow::Result<Catalog> {
    let environment = |name: &str| std::env::var(name).ok();
    let options = CatalogOptions::dev(&environment);
    Ok(match file {
        Some(path) => Catalog::read(path, &options)?,
        None => Catalog::parse(DEMO_NAME, DEMO, &options)?,
    })
}

fn options(issuer: &Issuer, sealing: SealingKeys) -> Options {
    Options {
        issuer: issuer.clone(),
        max_lifetime: Seconds::new(24 * 3600),
        max_staleness: Duration::from_secs(30),
        capacity: Capacity::default(),
        verified_secrets: 10_000,
        hashing: HashingCapacity::default(),
        imported_cost: HashCost::GENERATED,
        profile: Profile::Default,
        leeway: Seconds::new(10),
        sealing,
        dpop_nonce_required: false,
    }
}

fn publication(issuer: Issuer, origin: String) -> Publication {
    Publication {
        issuer,
        profile: Profile::Default,
        body_limits: BodyLimits::default(),
        max_age: 300,
        for_strict_readers: true,
        extra_metadata: serde_json::Map::new(),
        mutual_tls: Some(MutualTls {
            origin,
            has_client_cas: true,
        }),
    }
}
