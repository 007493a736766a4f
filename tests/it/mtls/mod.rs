//! Mutual TLS (RFC 8705): a real TLS client against the real listener, in this process and over loopback.

mod binding;
mod commands;
mod connection;
mod dev;
mod fapi2;
mod handshake;
mod headers;
mod metadata;
mod proxy;
mod self_signed;
mod subject;

use std::net::SocketAddr;
use std::sync::Arc;

use grantd::config::settings::{Limits, MutualTls, TlsFiles};
use grantd::crypto::certificates::authorities::ClientCas;
use grantd::domain::issuer::Issuer;
use grantd::domain::profile::Profile;
use grantd::domain::proxy::TrustedProxies;
use grantd::server::bounds::Bounds;
use grantd::server::listener::bind;
use grantd::server::room::Room;
use grantd::server::serve::{Listener, Stops, serve};
use grantd::server::shutdown::{Shutdown, Trigger};
use grantd::server::tls::Tls;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer as Signer,
    KeyPair, KeyUsagePurpose,
};
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::catalogs::{self, reads};
use crate::harness::*;

/// The host by which tests reach the listener.
const HOST: &str = "mtls.auth.example";

/// A certificate and its key.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: Arc<KeyPair>,
}

impl Identity {
    fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let chain = vec![params.self_signed(&key).unwrap().der().clone()];
        Self {
            chain,
            key: Arc::new(key),
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        Self::self_signed(&leaf(name))
    }

    /// The `x5t#S256` of the leaf.
    pub(crate) fn thumbprint(&self) -> String {
        grantd::crypto::digest::certificate_thumbprint(&self.chain[0])
    }

    fn certified(&self) -> CertifiedKey {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        CertifiedKey::new(self.chain.clone(), key)
    }
}

/// A CA that signs what it is given.
pub(crate) struct Ca {
    params: CertificateParams,
    key: KeyPair,
}

/// The certificate of a CA of its own, in PEM.
pub(crate) fn ca_pem(name: &str) -> String {
    Ca::new(name).pem()
}

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self {
            params,
            key: KeyPair::generate().unwrap(),
        }
    }

    pub(crate) fn pem(&self) -> String {
        self.params.self_signed(&self.key).unwrap().pem()
    }

    /// What this CA says of the one below it.
    fn certificate_of(&self, below: &Self) -> CertificateDer<'static> {
        let issuer = Signer::from_params(&self.params, &self.key);
        below
            .params
            .signed_by(&below.key, &issuer)
            .unwrap()
            .der()
            .clone()
    }

    pub(crate) fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let issuer = Signer::from_params(&self.params, &self.key);
        let chain = vec![params.signed_by(&key, &issuer).unwrap().der().clone()];
        Identity {
            chain,
            key: Arc::new(key),
        }
    }
}

/// Valid from an hour before the start of every test to an hour after.
fn params(name: &str) -> CertificateParams {
    let start = OffsetDateTime::from_unix_timestamp(START).unwrap();
    let mut params = CertificateParams::default();
    params.not_before = start - Duration::hours(1);
    params.not_after = start + Duration::hours(1);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

pub(crate) fn leaf(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A mutual-TLS listener in front of a replica, and a plain TLS listener beside it.
struct Listening {
    replica: Replica,
    mutual: SocketAddr,
    main: SocketAddr,
    router: axum::Router,
    _stop: [Trigger; 2],
    _files: tempfile::TempDir,
}

async fn listen(env: &Env) -> Listening {
    listen_with(env, None, &KeyPair::generate().unwrap()).await
}

/// As [`listen`], behind trusted proxies.
async fn listen_behind(env: &Env, proxies: TrustedProxies) -> Listening {
    listen_with(env, Some(proxies), &KeyPair::generate().unwrap()).await
}

/// How clients find such a listener; the CAs come from the test, not from a file.
fn mutual_tls(origin: &str) -> MutualTls {
    MutualTls::at_proxies(vec!["ca.pem".into()], Some(origin.to_owned()))
}

/// With trusted proxies, and with this key of the server's.
async fn listen_with(env: &Env, proxies: Option<TrustedProxies>, key: &KeyPair) -> Listening {
    let replica = env.replica().await;
    let router = replica.router_as(|settings| {
        settings.mtls = Some(mutual_tls(&format!("https://{HOST}:8444")));
        settings.proxy = proxies;
    });
    let directory = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        certificate: directory.path().join("server.pem"),
        key: directory.path().join("server.key"),
    };
    let certificate = params("server").self_signed(key).unwrap();
    std::fs::write(&files.certificate, certificate.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    let (mutual, stop_mutual) = start(
        Tls::load_mutual(files.clone(), env.profile).unwrap(),
        &router,
    );
    let (main, stop_main) = start(Tls::load(files, env.profile).unwrap(), &router);
    let stop = [stop_mutual, stop_main];
    Listening {
        replica,
        mutual,
        main,
        router,
        _stop: stop,
        _files: directory,
    }
}

fn start(tls: Arc<Tls>, router: &axum::Router) -> (SocketAddr, Trigger) {
    let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, shutdown) = Shutdown::manual();
    let listener = Listener {
        name: "test",
        sockets: vec![socket],
        service: router.clone(),
        tls: Some(tls),
        room: Room::new(Bounds::of(&Limits::default())),
        traffic: Arc::default(),
        stops: Stops::First,
    };
    tokio::spawn(serve(listener, shutdown));
    (address, stop)
}

/// The CAs of one PEM text.
pub(crate) fn cas(pem: &str) -> ClientCas {
    let mut cas = ClientCas::none();
    cas.add_pem(pem.as_bytes()).unwrap();
    cas
}

impl Listening {
    async fn connect(&self, identity: Option<&Identity>) -> std::io::Result<Connected> {
        let config = client(identity.map(Identity::certified), ALL_VERSIONS);
        open(self.mutual, Arc::new(config), HOST).await
    }

    /// Asks for a token on a connection of its own.
    async fn token(&self, identity: Option<&Identity>, client: &str) -> Answered {
        let mut connection = self.connect(identity).await.unwrap();
        connection.token(client, "").await.unwrap()
    }
}

const ALL_VERSIONS: &[&SupportedProtocolVersion] = rustls::ALL_VERSIONS;

/// A client that trusts any server, and presents this certificate with this key, be it its own or not.
pub(crate) fn client(
    certified: Option<CertifiedKey>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer))
        .with_client_cert_resolver(Arc::new(Presents(certified.map(Arc::new))))
}

async fn open(
    address: SocketAddr,
    config: Arc<ClientConfig>,
    host: &str,
) -> std::io::Result<Connected> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    Ok(Connected {
        stream,
        host: host.to_owned(),
    })
}

/// A TLS connection that stays open between requests.
struct Connected {
    stream: TlsStream<TcpStream>,
    host: String,
}

#[derive(Debug)]
struct Answered {
    status: u16,
    body: Value,
}

impl Answered {
    #[track_caller]
    fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["error"], code, "{self:?}");
    }

    /// The claims of the token, which must have been issued.
    #[track_caller]
    fn claims(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        decoded(self.body["access_token"].as_str().unwrap()).1
    }
}

impl Connected {
    async fn token(&mut self, client: &str, more: &str) -> std::io::Result<Answered> {
        let form = format!("grant_type=client_credentials&client_id={client}{more}");
        self.post("/oauth2/token", "", &form).await
    }

    /// Posts a form with further header lines, each with its end.
    async fn post(&mut self, path: &str, lines: &str, form: &str) -> std::io::Result<Answered> {
        self.send(&format!("POST {path}"), lines, form).await
    }

    /// The same of any method.
    async fn send(&mut self, line: &str, lines: &str, form: &str) -> std::io::Result<Answered> {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             {lines}Content-Length: {}\r\n\r\n{form}",
            self.host,
            form.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.stream.flush().await?;
        let mut bytes = Vec::new();
        loop {
            if let Some(answer) = whole(&bytes) {
                return Ok(answer);
            }
            if self.stream.read_buf(&mut bytes).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// The answer, once all of it is there.
fn whole(bytes: &[u8]) -> Option<Answered> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    let length: usize = length.parse().unwrap();
    if body.len() < length {
        return None;
    }
    let status = head.split(' ').nth(1)?.parse().unwrap();
    Some(Answered {
        status,
        body: serde_json::from_str(body).unwrap_or_default(),
    })
}

#[derive(Debug)]
struct Presents(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Presents {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// The server's certificate is not what these tests are about.
#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A client by its certificate, with the policy of most.
fn by_certificate(id: &str, method: &str, lines: &str) -> String {
    let lines = format!("auth = \"{method}\"\n{lines}");
    catalogs::client(id, &lines, &reads("pricing"))
}

/// The usual catalog, and clients of both methods: `ledger` with the thumbprints given, `job` with the subject given.
fn catalog(thumbprints: &[String], subject: &str) -> String {
    let thumbprints = format!("thumbprints = {thumbprints:?}");
    let ledger = by_certificate("ledger", "self_signed_tls_client_auth", &thumbprints);
    let job = by_certificate("job", "tls_client_auth", subject);
    format!("{CATALOG}{ledger}{job}")
}

/// A subject that no test presents.
const NOBODY: &str = "subject_dn = \"CN=nobody\"";
