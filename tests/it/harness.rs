//! The production router over a manual clock, on SQLite and on a real Postgres with a schema per test.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use grantd::clock::Clock;
use grantd::config::catalog::{Catalog, CatalogOptions};
use grantd::config::settings::Settings;
use grantd::crypto::sealing::{SealingKey, SealingKeys};
use grantd::crypto::secret_hash::HashCost;
use grantd::domain::identifier::CredentialId;
use grantd::domain::issuer::Issuer;
use grantd::domain::profile::Profile;
use grantd::domain::secret_format::Secret;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::http::connection::Connection;
use grantd::http::routes;
use grantd::http::state::HttpState;
use grantd::operations::Grantd;
use grantd::operations::actor::Actor;
use grantd::operations::apply_catalog::{ApplyOptions, Plan, apply_catalog};
use grantd::operations::retire_credentials::{Judged, Retirement, Selected, retire_credentials};
use grantd::server::replica as server;
use grantd::server::sockets::Sockets;
use grantd::store::{DatabaseOptions, Store};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::redaction;

/// When every test begins: 2026-01-01T00:00:00Z.
pub(crate) const START: i64 = 1_767_225_600;
/// The issuer of every test.
pub(crate) const ISSUER: &str = "https://auth.example";

/// Makes a test of each function, once on SQLite and once on Postgres.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($env:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn test($env: $crate::harness::Env) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let database = $crate::harness::Database::sqlite();
                test($crate::harness::Env::new(database).await).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                let database = $crate::harness::Database::postgres().await;
                test($crate::harness::Env::new(database).await).await;
            }
        }
    )+};
}
pub(crate) use on_both;

/// An empty database that goes when it is dropped.
pub(crate) struct Database {
    pub(crate) url: String,
    directory: Option<tempfile::TempDir>,
}

impl Database {
    /// A file of its own.
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("grantd.db").display());
        Self {
            url,
            directory: Some(directory),
        }
    }

    /// A schema of its own in the database that `./check` provides. It stays behind: a cluster of `./check` is
    /// thrown away whole.
    pub(crate) async fn postgres() -> Self {
        let url = std::env::var("TEST_POSTGRES_URL")
            .expect("TEST_POSTGRES_URL is not set: run ./check, which provides a Postgres");
        let schema = format!("t_{}", uuid::Uuid::new_v4().simple());
        let admin = sqlx::PgPool::connect(&url).await.expect("Postgres answers");
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}")))
            .execute(&admin)
            .await
            .unwrap();
        admin.close().await;
        redaction::keep_schema(&url, &schema);
        let separator = if url.contains('?') { '&' } else { '?' };
        Self {
            url: format!("{url}{separator}options=-c%20search_path%3D{schema}"),
            directory: None,
        }
    }

    /// A database of its own on the server that `./check` provides, whose user may make databases there.
    pub(crate) async fn postgres_alone() -> Self {
        let url = std::env::var("TEST_POSTGRES_URL")
            .expect("TEST_POSTGRES_URL is not set: run ./check, which provides a Postgres");
        let name = format!("t_{}", uuid::Uuid::new_v4().simple());
        let admin = sqlx::PgPool::connect(&url).await.expect("Postgres answers");
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&admin)
            .await
            .unwrap();
        admin.close().await;
        let (url, parameters) = url.split_once('?').unwrap_or((&url, ""));
        let (server, _) = url.rsplit_once('/').unwrap();
        let mark = if parameters.is_empty() { "" } else { "?" };
        let url = format!("{server}/{name}{mark}{parameters}");
        redaction::keep_schema(&url, "public");
        Self::at(url)
    }

    /// One that is there already.
    pub(crate) fn at(url: String) -> Self {
        Self {
            url,
            directory: None,
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            redaction::keep_sqlite(&directory.path().join("grantd.db"));
        }
    }
}

fn store_of(database: &Database, clock: &Clock) -> Arc<Store> {
    let store = Store::open(DatabaseOptions::new(&database.url)).unwrap();
    Arc::new(store.following(clock.clone()))
}

/// A database with its schema, a clock and a sealing key: what replicas share.
pub(crate) struct Env {
    pub(crate) database: Database,
    pub(crate) store: Arc<Store>,
    /// The clock of each replica.
    pub(crate) clock: Clock,
    /// The database's clock: the same one, unless a test sets them apart.
    pub(crate) database_clock: Clock,
    pub(crate) sealing: SealingKeys,
    /// What an imported secret costs.
    pub(crate) imported_cost: HashCost,
    pub(crate) profile: Profile,
    /// Who changes things.
    pub(crate) actor: Actor,
}

impl Env {
    pub(crate) async fn new(database: Database) -> Self {
        redaction::begin();
        let clock = Clock::manual(Timestamp::from_unix(START));
        let store = store_of(&database, &clock);
        store.migrate().await.unwrap();
        Self {
            database,
            store,
            database_clock: clock.clone(),
            clock,
            sealing: SealingKeys::new(SealingKey::generate()),
            imported_cost: HashCost::GENERATED,
            profile: Profile::Default,
            actor: by(),
        }
    }

    /// The same database with another clock, of its own and of each replica that is made from now on.
    pub(crate) fn with_clock(self, clock: Clock) -> Self {
        let store = store_of(&self.database, &clock);
        Self {
            store,
            database_clock: clock.clone(),
            clock,
            ..self
        }
    }

    /// A replica on a machine whose clock shows another time than the database's; it can be set by the clock given.
    pub(crate) async fn replica_apart(&self, seconds: i64) -> (Replica, Clock) {
        let clock = Clock::manual(self.database_clock.now());
        clock.set_by(seconds);
        let replica = self.replica_by(
            clock.clone(),
            DatabaseOptions::new(&self.database.url),
            |_| {},
        );
        replica.follow().await;
        (replica, clock)
    }

    /// Applies a catalog as an operator does, with its keys active at once.
    pub(crate) async fn apply(&self, catalog: &str) -> Plan {
        self.try_apply(catalog, false).await.unwrap()
    }

    /// Applies a catalog and removes what it does not state.
    pub(crate) async fn prune(&self, catalog: &str) -> Plan {
        self.try_apply(catalog, true).await.unwrap()
    }

    /// How administrators change this environment: nothing is removed that they do not name.
    pub(crate) fn options(&self) -> ApplyOptions<'_> {
        ApplyOptions {
            dry_run: false,
            prune: false,
            allow_removals: 0,
            profile: self.profile,
            issuer: Some(ISSUER),
            imported_cost: self.imported_cost,
            sealing: Some(&self.sealing),
            key_delay: Seconds::new(0),
            by: &self.actor,
        }
    }

    pub(crate) async fn try_apply(&self, catalog: &str, prune: bool) -> Result<Plan, String> {
        redaction::stated(catalog);
        let none = |_: &str| None;
        let options = CatalogOptions::dev(&none);
        let catalog =
            Catalog::parse("test.toml", catalog, &options).map_err(|error| error.to_string())?;
        let options = ApplyOptions {
            prune,
            allow_removals: usize::MAX,
            ..self.options()
        };
        apply_catalog(&self.store, &catalog, options)
            .await
            .map(|(plan, _)| plan)
            .map_err(|error| error.to_string())
    }

    /// Retires a credential.
    pub(crate) async fn retire(&self, id: &CredentialId, compromised: bool) -> Judged {
        let named = Selected::Named(vec![id.clone()]);
        let retirement = Retirement {
            when_unused: None,
            compromised,
            by: &self.actor,
        };
        let judged = retire_credentials(&self.store, &named, retirement).await;
        judged.unwrap().remove(0)
    }

    /// A replica that has loaded and follows the feed when it is told to.
    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with(|_| {}).await
    }

    /// A replica with other settings.
    pub(crate) async fn replica_with(&self, adjust: impl FnOnce(&mut Settings)) -> Replica {
        let replica = self.unloaded_replica(adjust);
        replica.follow().await;
        replica
    }

    /// A replica that has loaded nothing yet, with a pool of its own.
    pub(crate) fn unloaded_replica(&self, adjust: impl FnOnce(&mut Settings)) -> Replica {
        self.replica_over(DatabaseOptions::new(self.database.url.clone()), adjust)
    }

    /// A replica that has loaded nothing yet and reaches its database in a way of its own.
    pub(crate) fn replica_over(
        &self,
        database: DatabaseOptions,
        adjust: impl FnOnce(&mut Settings),
    ) -> Replica {
        self.replica_by(self.clock.clone(), database, adjust)
    }

    fn replica_by(
        &self,
        clock: Clock,
        database: DatabaseOptions,
        adjust: impl FnOnce(&mut Settings),
    ) -> Replica {
        let replica = self.replica_that_spends_nothing(clock, database, adjust);
        replica.spend_what_waits();
        replica
    }

    /// A replica that has loaded nothing yet, and whose assertions wait to be spent until it is told to.
    pub(crate) fn replica_that_spends_nothing(
        &self,
        clock: Clock,
        database: DatabaseOptions,
        adjust: impl FnOnce(&mut Settings),
    ) -> Replica {
        Replica::of(self.server(clock, database, adjust))
    }

    /// A replica as `serve` makes it, without sockets; it does nothing until it is run.
    pub(crate) fn server(
        &self,
        clock: Clock,
        database: DatabaseOptions,
        adjust: impl FnOnce(&mut Settings),
    ) -> server::Replica {
        let store = Store::open(database)
            .unwrap()
            .following(self.database_clock.clone());
        let mut settings = self.settings();
        adjust(&mut settings);
        let (sockets, sealing) = (Sockets::default(), self.sealing.clone());
        server::Replica::new(settings, sockets, Arc::new(store), clock, sealing).unwrap()
    }

    /// The defaults for this database, with what tests differ in.
    pub(crate) fn settings(&self) -> Settings {
        let issuer = Issuer::parse(ISSUER, false).unwrap();
        let database_url = Secret::new(self.database.url.clone());
        Settings {
            profile: self.profile,
            imported_cost: self.imported_cost,
            ..Settings::new(issuer, database_url)
        }
    }
}

/// Who changes things in tests.
pub(crate) fn by() -> Actor {
    Actor::named("test")
}

/// One replica behind its production router.
pub(crate) struct Replica {
    pub(crate) grantd: Arc<Grantd>,
    pub(crate) router: axum::Router,
    pub(crate) settings: Arc<Settings>,
    pub(crate) numbers: Arc<redaction::Numbers>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Replica {
    /// The one that `serve` makes, of whose tasks those run that requests wait for.
    pub(crate) fn of(made: server::Replica) -> Self {
        let server::Replica {
            settings,
            grantd,
            routes,
            ..
        } = made;
        tokio::spawn(Arc::clone(grantd.revoker()).keep_writing());
        tokio::spawn(Arc::clone(grantd.loads()).keep_loading());
        Self {
            numbers: Arc::new(redaction::Numbers(Arc::clone(&grantd))),
            grantd,
            router: routes,
            settings,
        }
    }

    /// The same replica, published otherwise.
    pub(crate) fn published_as(mut self, adjust: impl FnOnce(&mut Settings)) -> Self {
        self.router = self.router_as(adjust);
        self
    }

    /// The same replica, asked from one address.
    pub(crate) fn at(&self, source: &str) -> Self {
        let connection = Connection::new((source.parse::<IpAddr>().unwrap(), 4711).into());
        Self {
            grantd: Arc::clone(&self.grantd),
            router: self.router.clone().layer(Extension(connection)),
            settings: Arc::clone(&self.settings),
            numbers: self.numbers.clone(),
        }
    }

    /// The routes of this replica, published otherwise.
    pub(crate) fn router_as(&self, adjust: impl FnOnce(&mut Settings)) -> axum::Router {
        let mut settings = Settings::clone(&self.settings);
        adjust(&mut settings);
        routes::public(HttpState {
            grantd: Arc::clone(&self.grantd),
            settings: Arc::new(settings),
        })
    }

    /// Begins to spend the assertions that wait.
    pub(crate) fn spend_what_waits(&self) {
        tokio::spawn(Arc::clone(self.grantd.replay_cache()).keep_writing());
    }

    /// Reads the feed once, and waits until revocations and ids are loaded.
    pub(crate) async fn follow(&self) {
        self.grantd.follow_feed().await.unwrap();
        let loaded =
            || self.grantd.revocations().is_loaded() && self.grantd.directory().ids().is_loaded();
        while !loaded() {
            tokio::task::yield_now().await;
        }
    }

    /// Writes waiting audit events, and counts those of `action`.
    pub(crate) async fn audit_events(&self, action: &str) -> i64 {
        self.grantd.write_waiting().await;
        let store = self.grantd.store();
        store.count_audit_events(action).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(&self.router, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::HOST, "auth.example");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Posts a form with the headers given.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], form: &str) -> Answer {
        redaction::asked(headers.iter().copied(), form);
        let mut request = Request::post(path)
            .header(header::HOST, "auth.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form.to_owned())).unwrap())
            .await
    }

    /// Asks for a token with `client_secret_basic`; `more` are further parameters, such as `&scope=a`.
    pub(crate) async fn token(&self, client: &str, secret: &str, more: &str) -> Answer {
        let authorization = basic(client, secret);
        let form = format!("grant_type=client_credentials{more}");
        self.post("/oauth2/token", &[("authorization", &authorization)], &form)
            .await
    }

    /// A token, which must be issued.
    pub(crate) async fn issued(&self, client: &str, secret: &str, more: &str) -> String {
        let answer = self.token(client, secret, more).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Introspects as `client`.
    pub(crate) async fn introspect(&self, client: &str, secret: &str, token: &str) -> Answer {
        self.send_token("/oauth2/introspect", basic(client, secret), token)
            .await
    }

    /// Revokes as `client`.
    pub(crate) async fn revoke(&self, client: &str, secret: &str, token: &str) -> Answer {
        self.send_token("/oauth2/revoke", basic(client, secret), token)
            .await
    }

    async fn send_token(&self, path: &str, authorization: String, token: &str) -> Answer {
        let form = format!("token={token}");
        self.post(path, &[("authorization", &authorization)], &form)
            .await
    }
}

impl Answer {
    pub(crate) async fn of(router: &axum::Router, request: Request<Body>) -> Self {
        redaction::asked(redaction::texts(request.headers()), "");
        let response = router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        redaction::answered(&String::from_utf8_lossy(&body));
        Self {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The `error` member.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// Everything of the answer but what differs between any two: for SAME of STANDARDS.
    pub(crate) fn same(&self) -> (StatusCode, Vec<(String, String)>, Vec<u8>) {
        let mut headers: Vec<(String, String)> = self
            .headers
            .iter()
            .filter(|(name, _)| *name != "x-request-id" && *name != "date")
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        (self.status, headers, self.body.clone())
    }

    /// ERR(status, code) of STANDARDS.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.error(), code, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.headers["cache-control"], "no-store");
        let members = self.json();
        let members = members.as_object().unwrap();
        assert!(
            members
                .keys()
                .all(|key| key == "error" || key == "error_description")
        );
        if status == 401 {
            assert!(
                self.headers["www-authenticate"]
                    .to_str()
                    .unwrap()
                    .starts_with("Basic realm=")
            );
        }
    }
}

/// The `Authorization` of `client_secret_basic`, both halves form-encoded.
pub(crate) fn basic(client: &str, secret: &str) -> String {
    basic_raw(&format!(
        "{}:{}",
        form_encoded(client),
        form_encoded(secret)
    ))
}

/// The `Authorization` of exactly these user and password bytes.
pub(crate) fn basic_raw(pair: &str) -> String {
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    )
}

/// RFC 6749 appendix B.
pub(crate) fn form_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// Header and claims of a JWT, unverified.
pub(crate) fn decoded(token: &str) -> (Value, Value) {
    let part = |index| {
        let text: &str = token.split('.').nth(index).unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(text)
            .unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(0), part(1))
}

/// A catalog with one audience, a client `reader` that gets tokens and a client `api` that introspects them.
pub(crate) const CATALOG: &str = r#"
[[audience]]
id = "pricing"
scopes = ["read", "write"]
served_by = ["api"]

[[client]]
id = "reader"
auth = ["client_secret_basic", "client_secret_post"]
secret = "reader secret of 1"
  [[client.policy]]
  audience = "pricing"
  scopes = ["read", "write"]
  default_scopes = ["read"]

[[client]]
id = "api"
grants = []
auth = "client_secret_basic"
secret = "api secret of tests"
"#;
/// The secret of `reader`.
pub(crate) const READER: &str = "reader secret of 1";
/// The secret of `api`.
pub(crate) const API: &str = "api secret of tests";
