//! A client with the same TLS library; the keys of `testdata` serve these tests only.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use super::super::bounds::Bounds;
use super::super::listener;
use super::super::room::Room;
use super::super::serve::{Listener, Stops, serve};
use super::super::shutdown::{Shutdown, Trigger};
use super::*;
use crate::clock::Clock;
use crate::http::sample;

const FIRST: [&str; 2] = [
    include_str!("testdata/first.certificate.pem"),
    include_str!("testdata/first.key.pem"),
];
const SECOND: [&str; 2] = [
    include_str!("testdata/second.certificate.pem"),
    include_str!("testdata/second.key.pem"),
];

fn write(directory: &Path, [certificate, key]: [&str; 2]) -> TlsFiles {
    let files = TlsFiles {
        certificate: directory.join("c.pem"),
        key: directory.join("k.pem"),
    };
    fs::write(&files.certificate, certificate).unwrap();
    fs::write(&files.key, key).unwrap();
    files
}

fn start(tls: Arc<Tls>, bounds: Bounds) -> (std::net::SocketAddr, Trigger) {
    let socket = listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, shutdown) = Shutdown::manual();
    let listener = Listener {
        name: "test",
        sockets: vec![socket],
        service: sample::router(Arc::default(), Arc::default()),
        tls: Some(tls),
        room: Room::new(bounds),
        traffic: Arc::default(),
        stops: Stops::First,
    };
    tokio::spawn(serve(listener, shutdown));
    (address, stop)
}

/// Sends a request over TLS to a server that must have the certificate.
async fn answer(address: std::net::SocketAddr, certificate: &str) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).await?;
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    stream
        .write_all(b"GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn requests_are_served_over_tls_and_a_new_certificate_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let tls = Tls::load(write(directory.path(), FIRST), Profile::Default).unwrap();
    let (address, _stop) = start(Arc::clone(&tls), Bounds::default());
    assert!(
        answer(address, FIRST[0])
            .await
            .unwrap()
            .starts_with("HTTP/1.1 200 ")
    );

    write(directory.path(), SECOND);
    tls.config.look(&Reloads::new(Clock::system()));
    assert!(
        answer(address, SECOND[0])
            .await
            .unwrap()
            .starts_with("HTTP/1.1 200 ")
    );
    assert!(answer(address, FIRST[0]).await.is_err());
}

/// Files that change bring no suite back.
#[test]
fn the_profile_outlives_a_change_of_files() {
    let directory = tempfile::tempdir().unwrap();
    let tls = Tls::load(write(directory.path(), FIRST), Profile::Fapi2).unwrap();
    let suites = || {
        tls.config
            .current()
            .config
            .crypto_provider()
            .cipher_suites
            .clone()
    };
    let before = (tls.config.current(), suites());
    write(directory.path(), SECOND);
    tls.config.look(&Reloads::new(Clock::system()));
    assert!(!Arc::ptr_eq(&before.0, &tls.config.current()));
    assert_eq!(before.1, suites());
}

#[tokio::test]
async fn bad_files_leave_the_last_good_ones_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let tls = Tls::load(write(directory.path(), FIRST), Profile::Default).unwrap();
    let (address, _stop) = start(Arc::clone(&tls), Bounds::default());
    for bad in [[FIRST[0], SECOND[1]], ["", FIRST[1]]] {
        write(directory.path(), bad);
        tls.config.look(&Reloads::new(Clock::system()));
        assert!(
            answer(address, FIRST[0])
                .await
                .unwrap()
                .starts_with("HTTP/1.1 200 ")
        );
    }
}

/// B-H04.
#[tokio::test]
async fn a_handshake_that_never_comes_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let tls = Tls::load(write(directory.path(), FIRST), Profile::Default).unwrap();
    let limits = Bounds {
        handshake_time: Duration::from_millis(100),
        ..Bounds::default()
    };
    let (address, _stop) = start(tls, limits);
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The beginning of a ClientHello.
    stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
    let _ = closed.await.expect("the server closes");
}

#[test]
fn bad_files_are_told_with_their_names() {
    let directory = tempfile::tempdir().unwrap();
    for (content, part) in [
        (["", FIRST[1]], "c.pem holds no certificate"),
        ([FIRST[0], ""], "k.pem holds no unencrypted private key"),
        ([FIRST[0], SECOND[1]], "cannot be used together"),
    ] {
        let error = Tls::load(write(directory.path(), content), Profile::Default)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(part), "{error}");
    }
    let files = TlsFiles {
        certificate: directory.path().join("no"),
        key: "no".into(),
    };
    let error = Tls::load(files, Profile::Default)
        .err()
        .unwrap()
        .to_string();
    assert!(error.starts_with("cannot read the TLS file "), "{error}");
}
