//! Headers in which proxies forward certificates: nobody is trusted to, so they mean nothing (9700-02).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// Every way in which the certificate could be said in a header.
pub(super) fn forged(own: &Identity) -> Vec<String> {
    let der = STANDARD.encode(&own.chain[0]);
    let pem = format!("-----BEGIN CERTIFICATE-----%0A{der}%0A-----END CERTIFICATE-----%0A");
    let print: String = own.thumbprint();
    let mut lines = Vec::new();
    for name in [
        "X-SSL-Client-Cert",
        "X-Client-Cert",
        "X-Forwarded-Client-Cert",
        "X-Forwarded-Tls-Client-Cert",
        "Ssl-Client-Cert",
        "Client-Cert",
        "Client-Cert-Chain",
        "X-ARR-ClientCert",
        "X_SSL_CLIENT_CERT",
        "client_cert",
        "CLIENT-CERT",
        "X-SSL-Client-Verify",
        "X-Client-Certificate-Thumbprint",
    ] {
        for value in [
            format!(":{der}:"),
            der.clone(),
            pem.clone(),
            format!("Hash={print};Cert=\"{pem}\""),
            print.clone(),
        ] {
            lines.push(format!("{name}: {value}\r\n"));
            lines.push(format!("{name}: {value}\r\n{name}: {value}\r\n"));
            lines.push(format!("{name}: {value}\r\nConnection: {name}\r\n"));
        }
    }
    lines
}

on_both! {
    /// B-M01, 9700-02: there is no trusted proxy, so not even from loopback.
    async fn a_certificate_in_a_header_is_none(env) {
        let (own, other) = (Identity::named("ledger"), Identity::named("other"));
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let form = "grant_type=client_credentials&client_id=ledger";
        for lines in forged(&own) {
            for identity in [None, Some(&other)] {
                // A `Connection: close` of ours is none of these lines, so each gets a connection of its own.
                let mut connection = listening.connect(identity).await.unwrap();
                let answer = connection.post("/oauth2/token", &lines, form).await.unwrap();
                answer.assert_error(401, "invalid_client");
            }
        }
        // Nor do they take anything from the certificate of the handshake.
        let lines = &forged(&other)[0];
        let mut connection = listening.connect(Some(&own)).await.unwrap();
        let answer = connection.post("/oauth2/token", lines, form).await.unwrap();
        assert_eq!(answer.claims()["cnf"]["x5t#S256"], own.thumbprint());
    }
}
