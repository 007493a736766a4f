//! Bound tokens by the client's certificate: RFC 8705 section 3.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use grantd::crypto::digest::{base64url, sha256};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use serde_json::json;

use super::issuer::Issuer;
use super::{Answer, Api, exchange};
use crate::mtls::client;
use crate::source_tree::root;

/// The throw-away certificates of the server's own tests: `first` is the API's here.
fn file(name: &str) -> String {
    root()
        .join("src/server/tls/testdata")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file(&format!("{name}.certificate.pem"))).unwrap()
}

fn start(issuer: &Issuer) -> Api {
    let (certificate, key) = (file("first.certificate.pem"), file("first.key.pem"));
    Api::with_options(
        &issuer.url,
        &["--tls-certificate", &certificate, "--tls-key", &key],
    )
}

/// Reads with a token, showing the client certificate `shown`.
fn read(api: &Api, token: &str, shown: Option<&str>) -> Answer {
    let mut roots = RootCertStore::empty();
    roots.add(certificate("first")).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        None => config.with_no_client_auth(),
        Some(name) => {
            let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key.pem"))).unwrap();
            config
                .with_client_auth_cert(vec![certificate(name)], key)
                .unwrap()
        }
    };
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(api.address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let bearer = format!("Bearer {token}");
    let mut stream = StreamOwned::new(connection, socket);
    exchange(
        &mut stream,
        "GET /documents",
        &[("Authorization", &bearer)],
        "",
    )
}

/// 6750-04
#[test]
fn a_token_bound_to_a_certificate_needs_that_certificate() {
    let issuer = Issuer::start();
    let api = start(&issuer);
    let hash = base64url(&sha256(&certificate("second")));
    let token = issuer.token(|claims| claims["cnf"] = json!({ "x5t#S256": hash }));
    assert_eq!(read(&api, &token, Some("second")).status, 200);
    let other = read(&api, &token, Some("first"));
    api.assert_invalid(&other, "bound to another certificate");
    api.assert_invalid(
        &read(&api, &token, None),
        "bound to a certificate, and none was shown",
    );
    // Both bindings in one token: both must hold.
    let token =
        issuer.token(|claims| claims["cnf"] = json!({ "x5t#S256": hash, "jkt": "a thumbprint" }));
    let answer = read(&api, &token, Some("second"));
    api.assert_invalid(&answer, "bound to a key, and shown without a DPoP proof");
    api.assert_secret(&[&token]);
}

/// A client that shows the certificates `chain` with the key of `key`, be it theirs or not.
fn showing(chain: &[&str], key: &str, version: &'static SupportedProtocolVersion) -> ClientConfig {
    let key = PrivateKeyDer::from_pem_file(file(&format!("{key}.key.pem"))).unwrap();
    let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let chain = chain.iter().map(|name| certificate(name)).collect();
    client(Some(CertifiedKey::new(chain, key)), &[version])
}

/// The status of an answer to `token`, with the kind of handshake; nothing where the connection ends without one.
fn status(api: &Api, token: &str, config: &Arc<ClientConfig>) -> Option<(String, HandshakeKind)> {
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    let socket = TcpStream::connect(api.address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    let request = format!(
        "GET /documents HTTP/1.1\r\nHost: api\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some((
        answer.split(' ').nth(1)?.to_owned(),
        stream.conn.handshake_kind()?,
    ))
}

/// Whoever has a token and the certificate that it is bound to, but not the certificate's key; and whoever puts that
/// certificate behind one of their own.
#[test]
fn only_the_certificate_whose_key_is_held_counts() {
    let issuer = Issuer::start();
    let api = start(&issuer);
    let hash = base64url(&sha256(&certificate("second")));
    let token = issuer.token(|claims| claims["cnf"] = json!({ "x5t#S256": hash }));
    for version in [&TLS12, &TLS13] {
        let status = |chain: &[&str], key: &str| {
            status(&api, &token, &Arc::new(showing(chain, key, version))).map(|(status, _)| status)
        };
        assert_eq!(status(&["second"], "second").as_deref(), Some("200"));
        assert_eq!(status(&["second"], "first"), None);
        assert_eq!(
            status(&["first", "second"], "first").as_deref(),
            Some("401")
        );
    }
}

/// A session that comes back would bring a certificate without a proof of its key.
#[test]
fn no_session_comes_back() {
    let issuer = Issuer::start();
    let api = start(&issuer);
    let token = issuer.token(|_| {});
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(showing(&["second"], "second", version));
        for _ in 0..2 {
            let answer = status(&api, &token, &config);
            assert_eq!(answer, Some(("200".to_owned(), HandshakeKind::Full)));
        }
    }
}

#[test]
fn a_certificate_is_no_hindrance_to_a_token_that_is_not_bound() {
    let issuer = Issuer::start();
    let api = start(&issuer);
    let token = issuer.token(|_| {});
    assert_eq!(read(&api, &token, Some("second")).status, 200);
    assert_eq!(read(&api, &token, None).status, 200);
}
