//! An issuer whose keys and tokens a test makes as it likes: discovery and JWKS over loopback.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use grantd::clock::Clock;
use grantd::crypto::jws::NewKey;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::{Value, json};

use super::AUDIENCE;
use crate::forgery::{new_key, signed};

/// Seconds since 1970, by the clock that the API under test has, too.
pub(super) fn now() -> i64 {
    Clock::system().now().unix()
}

/// Serves until it is dropped.
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) key: NewKey,
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// Status and body of the JWKS.
    jwks: Mutex<(u16, String)>,
    /// How often the keys were read.
    reads: AtomicU32,
    /// Status and body of an introspection.
    introspection: Mutex<(u16, &'static str)>,
    /// The last request for one.
    asked: Mutex<String>,
    ended: AtomicBool,
}

impl Issuer {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let key = new_key();
        let shared = Arc::new(Shared {
            jwks: Mutex::new((200, jwks(&[&key]))),
            reads: AtomicU32::new(0),
            introspection: Mutex::new((200, r#"{"active":true}"#)),
            asked: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let thread = std::thread::spawn({
            let (shared, url) = (Arc::clone(&shared), url.clone());
            move || serve(&listener, &shared, &url)
        });
        Self {
            url,
            key,
            shared,
            address,
            thread: Some(thread),
        }
    }

    /// From now on the JWKS has these keys alone.
    pub(super) fn publish(&self, keys: &[&NewKey]) {
        *self.shared.jwks.lock().unwrap() = (200, jwks(keys));
    }

    /// From now on the JWKS comes with this status, and so many spaces behind it.
    pub(super) fn answer_otherwise(&self, status: u16, padding: usize) {
        let mut answer = self.shared.jwks.lock().unwrap();
        answer.0 = status;
        answer.1.extend(std::iter::repeat_n(' ', padding));
    }

    /// From now on the JWKS says that its key is for this algorithm.
    pub(super) fn publish_as(&self, algorithm: &str) {
        let mut answer = self.shared.jwks.lock().unwrap();
        answer.1 = answer.1.replace("ES256", algorithm);
    }

    /// From now on no token is active.
    pub(super) fn call_inactive(&self) {
        *self.shared.introspection.lock().unwrap() = (200, r#"{"active":false}"#);
    }

    /// From now on introspection fails.
    pub(super) fn fail_to_introspect(&self) {
        *self.shared.introspection.lock().unwrap() = (503, "");
    }

    /// The last request for introspection, as it came.
    pub(super) fn last_introspection(&self) -> String {
        self.shared.asked.lock().unwrap().clone()
    }

    pub(super) fn reads(&self) -> u32 {
        self.shared.reads.load(Ordering::SeqCst)
    }

    /// The claims of a good token; a test changes one thing.
    pub(super) fn claims(&self) -> Value {
        let now = now();
        json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "archivist", "client_id": "archivist",
            "scope": "archive:list archive:read", "iat": now, "exp": now + 300, "jti": "token-1",
        })
    }

    /// The header of a good token.
    pub(super) fn header(&self) -> Value {
        json!({ "alg": "ES256", "kid": self.key.kid, "typ": "at+jwt" })
    }

    /// A good token but for `change` to its claims.
    pub(super) fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims();
        change(&mut claims);
        signed(&self.key, &self.header(), &claims)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread, which then sees that it has ended.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn jwks(keys: &[&NewKey]) -> String {
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| key.public_jwk.to_json(&key.kid, SigningAlgorithm::Es256))
        .collect();
    json!({ "keys": keys }).to_string()
}

fn serve(listener: &TcpListener, shared: &Shared, url: &str) {
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        // One that broke off is none of ours.
        let _ = stream.and_then(|stream| answer(stream, shared, url));
    }
}

fn answer(mut stream: TcpStream, shared: &Shared, url: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let length = content_length(&head);
    let mut posted = vec![0; length];
    stream.read_exact(&mut posted)?;
    let (status, body) = if head.starts_with(b"GET /.well-known/oauth-authorization-server ") {
        (
            200,
            json!({
                "issuer": url,
                "jwks_uri": format!("{url}/keys"),
                "introspection_endpoint": format!("{url}/introspect"),
            })
            .to_string(),
        )
    } else if head.starts_with(b"POST /introspect ") {
        let asked = String::from_utf8_lossy(&[head, posted].concat()).into_owned();
        *shared.asked.lock().unwrap() = asked;
        let (status, body) = *shared.introspection.lock().unwrap();
        (status, body.to_owned())
    } else if head.starts_with(b"GET /keys ") {
        shared.reads.fetch_add(1, Ordering::SeqCst);
        shared.jwks.lock().unwrap().clone()
    } else {
        (404, String::new())
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let value = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    value.map_or(0, |value| value.parse().unwrap())
}
