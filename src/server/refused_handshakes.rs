//! Connections that end before any request: noise, unless a client certificate was refused, which nothing else would
//! show.

use std::io;
use std::net::SocketAddr;

use crate::telemetry::seldom::Seldom;

/// Logs a failed handshake, no more often than strangers may fill a log.
pub(super) fn tell(seldom: &Seldom, peer: SocketAddr, error: &io::Error) {
    let Some(reason) = refused_certificate(error) else {
        tracing::debug!(%peer, %error, "a TLS handshake failed");
        return;
    };
    if let Some(left_out) = seldom.now() {
        tracing::warn!(
            %peer,
            reason,
            left_out,
            "a client certificate was refused in the TLS handshake, before any request"
        );
    }
}

/// Why a client certificate was refused; `None` if something else was wrong.
fn refused_certificate(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let refused = match error {
        // The kind alone would be `Other`; the reason stands in its debug form only.
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => {
            match other.0.downcast_ref::<webpki::Error>() {
                Some(webpki::Error::UnsupportedCertVersion) => {
                    "it is not X.509 version 3: make a new one with openssl x509 -req -extfile"
                        .to_owned()
                }
                _ => other.to_string(),
            }
        }
        rustls::Error::InvalidCertificate(fault) => fault.to_string(),
        // What our own verifier says.
        rustls::Error::General(text) => text.clone(),
        _ => return None,
    };
    Some(refused)
}
