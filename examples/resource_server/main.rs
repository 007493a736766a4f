//! A small API that is protected by grantd's tokens: the pattern to follow in an API of your own.
//!
//! It knows nothing of grantd but the issuer's URL. Each file is one concern: `guard` is what every request
//! passes, `token` and `confirmation` are what it checks, `keys` is where the issuer's keys come from.

mod answer;
mod callers;
mod certificate;
mod confirmation;
mod documents;
mod fetch;
mod guard;
mod introspection;
mod keys;
mod metadata;
mod next;
mod proof;
mod settings;
mod spent_proofs;
mod token;

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use clap::Parser as _;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::callers::Callers;
use crate::certificate::{Peer, TlsListener};
use crate::documents::Documents;
use crate::guard::{Api, Gate};
use crate::keys::Keys;
use crate::settings::Settings;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    log.with_ansi(false).init();
    let mut settings = Settings::parse();
    let listener = TcpListener::bind(settings.listen)
        .await
        .context("--listen")?;
    let address = listener.local_addr()?;
    let tls = settings.tls()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = settings
        .url
        .get_or_insert_with(|| format!("{scheme}://{address}"))
        .clone();

    let keys = Keys::new(&settings.issuer)?;
    keys.start().await;
    let callers = Arc::new(Callers::new(&settings)?);
    let app = app(&Arc::new(Api::new(settings, keys)?), callers);
    tracing::info!(%address, url, "listening");
    match tls {
        Some(tls) => {
            let listener = TlsListener::new(listener, tls)?;
            axum::serve(listener, app.into_make_service_with_connect_info::<Peer>()).await?;
        }
        None => axum::serve(listener, app).await?,
    }
    Ok(())
}

/// Reading and writing need a scope each; what is not listed here is 404 for everybody.
fn app(api: &Arc<Api>, callers: Arc<Callers>) -> Router {
    let gate = |scope: &str| Gate {
        api: Arc::clone(api),
        scope: scope.into(),
    };
    let read = get(documents::list)
        .route_layer(from_fn_with_state(gate(&api.settings.scope), guard::guard));
    let write = post(documents::add).route_layer(from_fn_with_state(
        gate(&api.settings.write_scope),
        guard::guard,
    ));
    let told =
        get(callers::told).route_layer(from_fn_with_state(gate(&api.settings.scope), guard::guard));
    let documents = Router::new()
        .route("/documents", read.merge(write))
        .with_state(Arc::new(Documents::default()));
    let callers = Router::new().route("/callers", told).with_state(callers);
    documents.merge(callers)
}
