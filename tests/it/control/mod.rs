//! The control interface of `grantd dev` (docs/testing.md): in this process over a clock that it moves, and as the real
//! program has it.

mod battery;
mod catalog;
mod client_keys;
mod clients;
mod clock;
mod faults;
mod federation;
mod issuers;
mod keys;
mod pages;
mod paths;
mod program;
mod races;
mod redaction;
mod requests;
mod reset;
mod tokens;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use grantd::clock::{Clock, Hand};
use grantd::config::catalog::{Catalog, CatalogOptions};
use grantd::config::settings::Settings;
use grantd::control::{Entrance, Text, World, routers};
use grantd::crypto::certificates::made::CertificateKey;
use grantd::http::routes::Routes;
use grantd::operations::restore::Stock;
use grantd::server::listener::bind;
use grantd::server::replica as server;
use grantd::server::shutdown::{Shutdown, Trigger};
use grantd::store::DatabaseOptions;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use crate::harness::*;

/// A replica over a clock that stands at [`START`] until the control interface moves it.
pub(crate) struct Lab {
    pub(crate) env: Env,
    pub(crate) replica: Replica,
    control: Router,
    hand: Hand,
    /// Ends whatever waits.
    stop: Trigger,
    /// Where its URL leads, once it is [open](Self::open).
    sockets: Mutex<Vec<TcpListener>>,
}

impl Lab {
    pub(crate) async fn new(env: Env, catalog: &str) -> Self {
        Self::with(env, catalog, |_| {}).await
    }

    /// With other settings.
    async fn with(env: Env, catalog: &str, adjust: impl FnOnce(&mut Settings)) -> Self {
        let (clock, hand) = Clock::steered();
        hand.set(START * 1000);
        hand.freeze();
        let env = env.with_clock(clock.clone());
        env.apply(catalog).await;
        let database = DatabaseOptions::new(env.database.url.clone());
        let made = env.server(clock, database, |settings| {
            // As `dev` has it.
            settings.fetches_plain_keys = true;
            adjust(settings);
        });
        let (stop, shutdown) = Shutdown::manual();
        let hands = (hand.clone(), shutdown);
        let (control, routes, sockets) = control(&env, &made, catalog, hands).await;
        let replica = Replica {
            router: routes,
            ..Replica::of(made)
        };
        replica.spend_what_waits();
        replica.follow().await;
        Self {
            env,
            replica,
            control,
            hand,
            stop,
            sockets: Mutex::new(sockets),
        }
    }

    /// Lets others than this process reach the control interface by its URL.
    pub(crate) fn open(&self) {
        for listener in std::mem::take(&mut *self.sockets.lock().unwrap()) {
            let control = self.control.clone();
            tokio::spawn(async move { axum::serve(listener, control).await });
        }
    }

    /// Asks the control interface; `body` is JSON, or empty.
    pub(crate) async fn ask(&self, line: &str, body: &str) -> (u16, Value) {
        self.ask_typed(line, "application/json", body).await
    }

    /// Asks it with a body of another media type.
    async fn ask_typed(&self, line: &str, media_type: &str, body: &str) -> (u16, Value) {
        let (method, target) = line.split_once(' ').unwrap();
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "localhost")
            .header("content-type", media_type)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = self.control.clone().oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (
            head.status.as_u16(),
            serde_json::from_slice(&body).unwrap_or_default(),
        )
    }

    /// Moves the clock, which must work.
    #[track_caller]
    fn put_clock(&self, body: &str) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        async move {
            let (status, told) = self.ask("PUT /_test/clock", body).await;
            assert_eq!(status, 200, "{place}: {body}: {told}");
            told
        }
    }

    /// Lets time pass.
    async fn advance(&self, span: &str) -> Value {
        self.put_clock(&format!(r#"{{"advance":"{span}"}}"#)).await
    }

    /// Sets the clock to so many seconds after the start.
    async fn set(&self, after: i64) -> Value {
        self.put_clock(&format!(r#"{{"set":{}}}"#, START + after))
            .await
    }

    /// Seconds since the start, by the clock.
    fn after(&self) -> i64 {
        self.hand.shown().now.div_euclid(1000) - START
    }
}

/// Of a CA that no listener of these tests trusts: they have none for certificates.
fn client_ca_key() -> Zeroizing<String> {
    CertificateKey::generate().unwrap().to_pem()
}

/// Steers `made`, for nobody but this process, and looks on at its routes.
async fn control(
    env: &Env,
    made: &server::Replica,
    catalog: &str,
    (hand, shutdown): (Hand, Shutdown),
) -> (Router, Routes, Vec<TcpListener>) {
    let entrance = Entrance {
        sockets: vec![bind("127.0.0.1:0".parse().unwrap()).unwrap()],
        known_as: None,
    };
    let none = |_: &str| None;
    let catalog = Catalog::parse("test.toml", catalog, &CatalogOptions::dev(&none)).unwrap();
    let world = World {
        hand,
        sealing: env.sealing.clone(),
        catalog,
        held: Vec::new(),
        stock: Stock::take(&env.store).await.unwrap(),
        ca: "ca.pem".into(),
        client_ca_key: Some(Text::Here(client_ca_key())),
        shutdown,
    };
    let (control, routes) = routers(made, &entrance, world).unwrap();
    (control, routes, entrance.sockets)
}

/// Status, head and JSON body of one request to `origin`; `lines` are further header lines, each with its end.
pub(crate) fn request(origin: &str, line: &str, lines: &str, body: &str) -> (u16, String, Value) {
    let authority = origin.strip_prefix("http://").unwrap();
    let host = if lines.to_lowercase().starts_with("host:") {
        String::new()
    } else {
        format!("Host: {authority}\r\n")
    };
    let mut stream = TcpStream::connect(authority).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\n{host}Connection: close\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (
        status,
        head.to_owned(),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

/// The header of a JSON body.
pub(crate) const JSON: &str = "Content-Type: application/json\r\n";
