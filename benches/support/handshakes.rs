//! TLS handshakes by a client that trusts anybody and asks nothing.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use grantd::clock::Clock;
use grantd::crypto::certificates::made::{CertificateKey, ThrowAwayCa};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, crypto,
};

use crate::private;

/// Writes a server certificate for loopback and its key.
pub(crate) fn write_certificate(certificate: &Path, key: &Path) {
    let now = Clock::system().now();
    let ca = ThrowAwayCa::new(CertificateKey::generate().expect("a key"));
    let own = CertificateKey::generate().expect("a key");
    let text = ca.server(&own, &["127.0.0.1"], now).expect("a certificate");
    std::fs::write(certificate, text).expect("the certificate is written");
    private::write(key, own.to_pem().as_bytes());
}

/// Makes handshakes, each whole and from the beginning.
pub(crate) struct Handshakes(Arc<ClientConfig>);

impl Handshakes {
    pub(crate) fn new() -> Self {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let schemes = provider
            .signature_verification_algorithms
            .supported_schemes();
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(schemes)))
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        Self(Arc::new(config))
    }

    /// One, after which the connection is dropped.
    pub(crate) fn one(&self, address: SocketAddr) {
        let Ok(mut stream) = TcpStream::connect(address) else {
            return;
        };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let name = ServerName::from(address.ip());
        let mut tls = ClientConnection::new(Arc::clone(&self.0), name).expect("a connection");
        let mut wire = [0; 8192];
        while tls.is_handshaking() {
            let mut out = Vec::new();
            while tls.wants_write() {
                let _ = tls.write_tls(&mut out);
            }
            if stream.write_all(&out).is_err() {
                return;
            }
            let Ok(read @ 1..) = stream.read(&mut wire) else {
                return;
            };
            let _ = tls.read_tls(&mut &wire[..read]);
            if tls.process_new_packets().is_err() {
                return;
            }
        }
        let mut out = Vec::new();
        let _ = tls.write_tls(&mut out);
        let _ = stream.write_all(&out);
    }
}

/// Trusts anybody: what is measured is the server's work.
#[derive(Debug)]
struct Anybody(Vec<SignatureScheme>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
