//! A server of the tests' own that publishes a JWK set over TLS, and misbehaves as it is told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::assertion::signer::Key;
use crate::catalogs::{client, reads};
use crate::harness::CATALOG;

/// What it answers.
#[derive(Clone)]
pub(crate) enum Manner {
    /// 200 with these headers and this body.
    Says(&'static str, String),
    /// This head, and nothing behind it.
    Head(&'static str),
    /// 200 with a body of so many bytes.
    Long(usize),
    /// Nothing, until it has another manner.
    Hangs,
    /// The end of the connection.
    HangsUp,
}

impl Manner {
    /// A set of these keys, without a word on its age.
    pub(crate) fn keys(keys: &[&Key]) -> Self {
        Self::set(
            &keys
                .iter()
                .map(|key| Value::Object(key.jwk()))
                .collect::<Vec<_>>(),
        )
    }

    pub(crate) fn set(keys: &[Value]) -> Self {
        Self::Says(
            "content-type: application/json\r\n",
            json!({ "keys": keys }).to_string(),
        )
    }
}

/// A running publisher.
pub(crate) struct Publisher {
    address: SocketAddr,
    /// The CA of its certificate, as PEM.
    pub(crate) ca: String,
    shared: Arc<Shared>,
}

struct Shared {
    manner: watch::Sender<Manner>,
    /// The first lines of the requests.
    asked: Mutex<Vec<String>>,
    /// The `Authorization` of those that had one.
    authorizations: Mutex<Vec<String>>,
    open: AtomicUsize,
}

impl Publisher {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shared) = (
            listener.local_addr().unwrap(),
            Arc::new(Shared {
                manner: watch::Sender::new(manner),
                asked: Mutex::default(),
                authorizations: Mutex::default(),
                open: AtomicUsize::new(0),
            }),
        );
        let (ca, acceptor) = certified();
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, serving) = (acceptor.clone(), Arc::clone(&serving));
                tokio::spawn(async move {
                    serving.open.fetch_add(1, Ordering::SeqCst);
                    // Who breaks off is of no interest.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = serving.answer(stream).await;
                    }
                });
            }
        });
        Self {
            address,
            ca,
            shared,
        }
    }

    pub(crate) fn now(&self, manner: Manner) {
        self.shared.manner.send_replace(manner);
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}/jwks", self.address)
    }

    /// How many requests it got.
    pub(crate) fn fetches(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    /// The first lines of the requests that it got.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// The `Authorization` of the requests that had one.
    pub(crate) fn authorizations(&self) -> Vec<String> {
        self.shared.authorizations.lock().unwrap().clone()
    }

    /// The lines of a client whose keys are here.
    pub(crate) fn lines(&self) -> String {
        format!(
            "auth = \"private_key_jwt\"\njwks_url = {{ value = \"{}\", ca = '''{}''' }}",
            self.url(),
            self.ca
        )
    }

    /// The catalog of the harness with a client `worker` whose keys are here.
    pub(crate) fn catalog(&self) -> String {
        CATALOG.to_owned() + &client("worker", &self.lines(), &reads("pricing"))
    }
}

impl Shared {
    async fn answer(
        &self,
        mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    ) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        self.asked
            .lock()
            .unwrap()
            .push(head.lines().next().unwrap().to_owned());
        let sent = head
            .lines()
            .filter_map(|line| line.strip_prefix("authorization: "));
        self.authorizations
            .lock()
            .unwrap()
            .extend(sent.map(str::to_owned));
        let mut manners = self.manner.subscribe();
        let manner = manners.wait_for(|it| !matches!(it, Manner::Hangs)).await;
        let Ok(manner) = manner.map(|it| it.clone()) else {
            return Ok(());
        };
        let answer = match manner {
            Manner::Hangs | Manner::HangsUp => return Ok(()),
            Manner::Head(head) => format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n"),
            Manner::Says(headers, body) => {
                format!(
                    "HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
            Manner::Long(length) => {
                format!(
                    "HTTP/1.1 200 OK\r\n\r\n{{\"keys\":[\"{}\"]}}",
                    "x".repeat(length)
                )
            }
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    }
}

/// A new CA, and what serves with a certificate of it for this machine.
fn certified() -> (String, TlsAcceptor) {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = ca.self_signed(&ca_key).unwrap().pem();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf
        .signed_by(&key, &Issuer::from_params(&ca, &ca_key))
        .unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}
