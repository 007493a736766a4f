//! Requests for whose answer nobody waits any more: they leave a record, too, which says what is written all the same.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::Request;
use futures_util::stream;
use grantd::config::settings::Limits;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::http::connection::Connection;
use grantd::server::bounds::Bounds;
use grantd::server::listener::bind;
use grantd::server::room::Room;
use grantd::server::serve::{Listener, Stops, serve};
use grantd::server::shutdown::Shutdown;
use grantd::store::DatabaseOptions;
use tokio::io::AsyncWriteExt as _;

use super::Asker;
use crate::assertion::signer::{self, Key, TYPE};
use crate::captured_log::watch;
use crate::harness::*;
use crate::raw_sql;
use crate::store::env::{Sql, eventually};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

impl Asker<'_> {
    fn request(&self, path: &str, authorization: Option<&str>, body: Body) -> Request<Body> {
        let mut request = Request::post(path)
            .header("host", "auth.example")
            .header(FORM.0, FORM.1)
            .body(body)
            .unwrap();
        if let Some(authorization) = authorization {
            let value = authorization.parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        request.extensions_mut().insert(Connection::new(self.peer));
        request
    }

    /// Sends a request and goes away once it is held; gives the one line that is left of it.
    async fn abandon(&self, request: Request<Body>, is_held: impl Fn() -> bool) -> String {
        let before = self.log.lines().len();
        tokio::select! {
            biased;
            answer = self.replica.send(request) => panic!("it is not held: {answer:?}"),
            () = eventually("it is held", async || is_held()) => {}
        }
        let lines = self.log.lines().split_off(before);
        let [line] = lines.as_slice() else {
            panic!("not one line: {lines:?}");
        };
        assert!(line.contains("outcome=\"abandoned\""), "{line}");
        line.clone()
    }
}

on_both! {
    async fn a_client_that_goes_away_while_it_sends_its_form_leaves_a_record_at_each_endpoint(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        for (path, endpoint) in [
            ("/oauth2/token", "token"),
            ("/oauth2/introspect", "introspection"),
            ("/oauth2/revoke", "revocation"),
        ] {
            let never = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
            let request = asker.request(path, Some(&basic("reader", READER)), never);
            let line = asker.abandon(request, || true).await;
            assert!(line.contains(&format!("endpoint=\"{endpoint}\"")), "{line}");
            assert!(line.contains("passed=\"proxy, request\"") && !line.contains("pending"), "{line}");
        }
        assert_eq!(replica.audit_events("abandoned").await, 3);
    }

    /// It is revoked all the same, and the record does not hide it.
    async fn a_revocation_whose_client_went_away_is_told_with_its_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let token = replica.issued("reader", READER, "").await;
        let jti = decoded(&token).1["jti"].as_str().unwrap().to_owned();
        let held = Sql::of(&env.database).await.hold_writers().await;
        let form = Body::from(format!("token={token}"));
        let request = asker.request("/oauth2/revoke", Some(&basic("reader", READER)), form);
        let is_held = || replica.grantd.revoker().unwritten() == 1;
        let line = asker.abandon(request, is_held).await;
        held.release().await;
        for text in ["pending=\"the revocation\"", &format!("jti=\"{jti}\""), "client=\"reader\"", "credential="] {
            assert!(line.contains(text), "{text} is not in {line}");
        }
        eventually("it is revoked", async || {
            replica.introspect("api", API, &token).await.json()["active"] == false
        })
        .await;
    }

    /// The client may wonder why the same assertion is a replay later.
    async fn a_token_request_whose_client_went_away_tells_that_its_jti_may_be_spent(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        env.apply(&signer::catalog(&[&key], "")).await;
        let database = DatabaseOptions::new(&env.database.url);
        let replica = env.replica_that_spends_nothing(env.clock.clone(), database, |_| {});
        replica.follow().await;
        let asker = Asker::new(&replica);
        let assertion = key.sign(&signer::claims("worker", "a jti"));
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}"
        );
        let request = asker.request("/oauth2/token", None, Body::from(form));
        let is_held = || replica.grantd.replay_cache().unwritten() == 1;
        let line = asker.abandon(request, is_held).await;
        assert!(line.contains("pending=\"the use of a jti\"") && !line.contains(" jti="), "{line}");
        replica.grantd.write_waiting().await;
        let kept = raw_sql::texts(
            &env.database,
            "SELECT details FROM audit_events WHERE action = 'abandoned'",
        )
        .await;
        let [details] = kept.as_slice() else { panic!("not one event: {kept:?}") };
        let details: serde_json::Value = serde_json::from_str(details).unwrap();
        assert_eq!(details["pending"], "the use of a jti");
        assert_eq!(details["checks"]["failed"], serde_json::Value::Null);
    }

    async fn a_client_that_hangs_up_on_its_connection_leaves_a_record(env) {
        let name = format!("hangs-up-{}", uuid::Uuid::new_v4().simple());
        env.apply(&CATALOG.replace("\"reader\"", &format!("\"{name}\""))).await;
        let replica = env.replica().await;
        let token = replica.issued(&name, READER, "").await;
        let log = watch(&name);
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let (_stop, shutdown) = Shutdown::manual();
        let listener = Listener {
            name: "test",
            sockets: vec![socket],
            service: replica.router.clone(),
            tls: None,
            room: Room::new(Bounds::of(&Limits::default())),
            traffic: std::sync::Arc::default(),
            stops: Stops::First,
        };
        tokio::spawn(serve(listener, shutdown));
        let held = Sql::of(&env.database).await.hold_writers().await;
        let form = format!("token={token}");
        let request = format!(
            "POST /oauth2/revoke HTTP/1.1\r\nhost: {address}\r\nauthorization: {}\r\n{}: {}\r\ncontent-length: {}\r\n\r\n{form}",
            basic(&name, READER),
            FORM.0,
            FORM.1,
            form.len()
        );
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        eventually("the revocation waits", async || replica.grantd.revoker().unwritten() == 1).await;
        drop(connection);
        eventually("it is written down", async || {
            log.lines().iter().any(|line| line.contains("outcome=\"abandoned\""))
        })
        .await;
        held.release().await;
        assert_eq!(log.lines().iter().filter(|line| line.contains("request_id=")).count(), 1);
    }
}
