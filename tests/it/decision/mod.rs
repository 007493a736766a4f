//! The record of each request: that there is exactly one, and what it says.

mod abandoned;
mod checks;
mod records;
mod refusals;
mod witness;

use std::net::{Ipv6Addr, SocketAddr};

use axum::body::Body;
use axum::http::{Request, header};
use grantd::http::connection::Connection;

use crate::captured_log::{Watch, watch};
use crate::harness::*;

/// Somebody who asks `replica` from an address that nobody else has, so that the log tells which lines are theirs.
struct Asker<'r> {
    replica: &'r Replica,
    peer: SocketAddr,
    log: Watch,
}

impl<'r> Asker<'r> {
    fn new(replica: &'r Replica) -> Self {
        let address = Ipv6Addr::from(uuid::Uuid::new_v4().as_u128());
        Self {
            replica,
            peer: (address, 4711).into(),
            log: watch(&format!("source={address}")),
        }
    }

    /// The answer, and the one line that was written for it.
    async fn send(&self, mut request: Request<Body>) -> (Answer, String) {
        let before = self.log.lines().len();
        request.extensions_mut().insert(Connection::new(self.peer));
        let answer = self.replica.send(request).await;
        let lines = self.log.lines().split_off(before);
        let [line] = lines.as_slice() else {
            panic!("not one line: {lines:?} for {answer:?}");
        };
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert!(line.contains(&format!("request_id={id}")), "{line}");
        (answer, line.clone())
    }

    /// Posts a form; headers given stand in the place of the usual ones.
    async fn post(&self, path: &str, headers: &[(&str, &str)], form: &str) -> (Answer, String) {
        let mut request = Request::post(path)
            .header(header::HOST, "auth.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        self.send(request).await
    }

    async fn ask(
        &self,
        path: &str,
        (client, secret): (&str, &str),
        form: &str,
    ) -> (Answer, String) {
        let authorization = basic(client, secret);
        self.post(path, &[("authorization", &authorization)], form)
            .await
    }

    async fn token(&self, more: &str) -> (Answer, String) {
        let form = format!("grant_type=client_credentials{more}");
        self.ask("/oauth2/token", ("reader", READER), &form).await
    }
}
