//! `grantd serve`: a replica with the settings of a file and of the environment.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::color;
use super::target::{database_options, sealing};
use crate::clock::Clock;
use crate::config::settings::{self, Settings};
use crate::crypto::secret_hash::HashCost;
use crate::domain::issuer::Issuer;
use crate::http::body::BodyLimits;
use crate::http::state::{MutualTls, Publication};
use crate::operations::make_signing_keys::MakeKeyError;
use crate::operations::{Grantd, Options};
use crate::server::client_ca_files::ClientCaFiles;
use crate::server::descriptors;
use crate::server::limits::Limits;
use crate::server::listener::bind;
use crate::server::replica::Replica;
use crate::server::serve::Endpoint;
use crate::server::shutdown::Shutdown;
use crate::server::tls::Tls;
use crate::store::Store;
use crate::store::memory::directory::Capacity;
use crate::telemetry;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The settings file; GRANTD_ variables override it
    #[arg(long, value_name = "FILE", env = "GRANTD_CONFIG")]
    config: Option<PathBuf>,
    /// Bring the database schema to this version first
    #[arg(long)]
    migrate: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let settings = Settings::read(arguments.config.as_deref(), std::env::vars())?;
    start_log(&settings);
    for variable in &settings.service_links {
        tracing::debug!(
            variable,
            "passing over a variable that Kubernetes made for a Service"
        );
    }
    // The first signal that comes while we start must not be lost.
    let shutdown = Shutdown::on_signals()?;
    let limits = descriptors::fit(limits(&settings), settings.database.max_connections);
    let store = Arc::new(Store::open(database_options(&settings))?);
    if arguments.migrate {
        store.migrate().await?;
    }
    let (grantd, queues) = Grantd::new(store, Clock::system(), options(&settings)?)?;
    let replica = Replica {
        mutual: mutual(&settings)?,
        client_cas: client_cas(&settings, &grantd)?,
        proxies: settings.proxy.clone(),
        grantd,
        queues,
        publication: publication(&settings),
        public: public(&settings)?,
        operations: Endpoint {
            listeners: vec![bind(settings.operations.listen)?],
            tls: None,
        },
        limits,
        poll_interval: settings.feed.poll_interval(),
    };
    tracing::info!(
        issuer = settings.issuer.as_str(),
        public = %settings.public.listen,
        mtls = settings.mtls.as_ref().and_then(|it| it.listener.as_ref()).map(|it| display(it.listen)),
        operations = %settings.operations.listen,
        "serving"
    );
    replica.run(shutdown).await.map_err(anyhow::Error::msg)
}

fn start_log(settings: &Settings) {
    let filter = std::env::var("GRANTD_LOG").unwrap_or_else(|_| settings.log.level.to_string());
    telemetry::init(settings.log.format, &filter, color::on_standard_error());
}

fn options(settings: &Settings) -> anyhow::Result<Options> {
    Ok(Options {
        issuer: settings.issuer.clone(),
        max_lifetime: settings.tokens.max_lifetime,
        max_staleness: settings.feed.max_staleness.duration(),
        capacity: Capacity {
            clients: settings.cache.clients,
            audiences: settings.cache.audiences,
        },
        verified_secrets: settings.cache.verified_secrets,
        hashing: settings.hashing.capacity(),
        imported_cost: HashCost::IMPORTED,
        profile: settings.profile,
        leeway: settings.assertions.leeway,
        sealing: sealing(&settings.sealing)?.ok_or(MakeKeyError::NoSealingKey)?,
        dpop_nonce_required: settings.dpop.require_nonce,
    })
}

fn publication(settings: &Settings) -> Publication {
    Publication {
        issuer: settings.issuer.clone(),
        profile: settings.profile,
        body_limits: BodyLimits {
            bytes: settings.limits.body_bytes,
            time: settings.limits.body_timeout.duration(),
        },
        max_age: settings.keys.jwks_max_age.get(),
        for_strict_readers: settings.metadata.for_strict_readers,
        extra_metadata: settings.metadata.extra.clone(),
        mutual_tls: settings
            .mtls
            .as_ref()
            .map(|mtls| mutual_tls(mtls, &settings.issuer)),
    }
}

fn public(settings: &Settings) -> anyhow::Result<Endpoint> {
    let tls = settings
        .public
        .tls
        .clone()
        .map(|files| Tls::load(files, settings.profile));
    Ok(Endpoint {
        listeners: vec![bind(settings.public.listen)?],
        tls: tls.transpose()?,
    })
}

fn mutual(settings: &Settings) -> anyhow::Result<Option<Endpoint>> {
    let Some(listener) = settings
        .mtls
        .as_ref()
        .and_then(|mtls| mtls.listener.as_ref())
    else {
        return Ok(None);
    };
    let tls = Some(Tls::load_mutual(listener.tls.clone(), settings.profile)?);
    Ok(Some(Endpoint {
        listeners: vec![bind(listener.listen)?],
        tls,
    }))
}

fn client_cas(settings: &Settings, grantd: &Grantd) -> anyhow::Result<Option<ClientCaFiles>> {
    let Some(mtls) = &settings.mtls else {
        return Ok(None);
    };
    Ok(ClientCaFiles::load(mtls.client_ca_files.clone(), grantd)?)
}

/// Clients find certificates asked for where the settings say so, else at the listener, else at the proxy that has
/// the issuer's name.
fn mutual_tls(mtls: &settings::MutualTls, issuer: &Issuer) -> MutualTls {
    let default = || match mtls
        .listener
        .as_ref()
        .map(|listener| listener.listen.port())
    {
        None => issuer.origin().to_owned(),
        Some(443) => format!("https://{}", issuer.host()),
        Some(port) => format!("https://{}:{port}", issuer.host()),
    };
    MutualTls {
        origin: mtls.url.clone().unwrap_or_else(default),
        has_client_cas: !mtls.client_ca_files.is_empty(),
    }
}

fn limits(settings: &Settings) -> Limits {
    let limits = &settings.limits;
    Limits {
        connections: limits.connections,
        requests: limits.requests,
        handshake_time: limits.tls_handshake_timeout.duration(),
        first_bytes_time: limits.first_byte_timeout.duration(),
        head_time: limits.header_timeout.duration(),
        stall_time: limits.idle_timeout.duration(),
        drain_time: limits.drain_timeout.duration(),
        head_bytes: limits.header_bytes,
        headers: limits.header_count,
        body_bytes: limits.body_bytes,
        ..Limits::default()
    }
}
