//! Behind a proxy: whose request it passes on, in headers of RFC 9440, of Envoy, and of addresses (B-M01, B-M02).

mod address;
mod certificate;
mod listener;
mod serve;
mod trust;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantd::domain::proxy::{AddressHeader, CertificateHeader, ProxySecret, TrustedProxies};
use grantd::domain::secret_format::Secret;
use grantd::http::connection::Connection;
use grantd::operations::caller::ClientCertificate;

use grantd::domain::timestamp::Seconds;

use super::*;

/// The network of the proxies, and a proxy in it.
const NETWORK: &str = "10.1.0.0/16";
const PROXY: &str = "10.1.0.5";
/// The header and the secret by which a proxy proves itself.
const SECRET_HEADER: &str = "x-proxy-secret";
const SECRET: &str = "proxy-secret-of-these-tests";

/// Proxies that send certificates in `header`, and no addresses.
fn proxies(header: CertificateHeader) -> TrustedProxies {
    TrustedProxies {
        networks: vec![NETWORK.parse().unwrap(), "127.0.0.0/8".parse().unwrap()],
        thumbprints: Vec::new(),
        secret: Some(ProxySecret {
            header: SECRET_HEADER.to_owned(),
            value: Secret::new(SECRET.to_owned()),
        }),
        certificate_header: header,
        address_header: AddressHeader::None,
    }
}

/// A replica that trusts proxies.
struct Behind {
    replica: Replica,
    router: axum::Router,
}

/// What one connection and one request on it have.
struct From<'a> {
    peer: &'a str,
    own: Option<&'a Identity>,
    headers: Vec<(&'a str, String)>,
}

/// A request of the proxy with its secret.
fn proxied<'a>(headers: &[(&'a str, &str)]) -> From<'a> {
    let mut all = vec![(SECRET_HEADER, SECRET.to_owned())];
    all.extend(
        headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    From {
        peer: PROXY,
        own: None,
        headers: all,
    }
}

impl Behind {
    async fn new(env: &Env, proxies: TrustedProxies) -> Self {
        let replica = env.replica().await;
        let router = replica.router_as(|settings| {
            settings.mtls = Some(mutual_tls(&format!("https://{HOST}")));
            settings.proxy = Some(proxies);
        });
        Self { replica, router }
    }

    async fn post(&self, from: &From<'_>, path: &str, form: &str) -> Answer {
        let mut connection = Connection::new(SocketAddr::new(from.peer.parse().unwrap(), 4711));
        connection.certificate = from.own.map(|own| ClientCertificate {
            chain: grantd::crypto::certificates::CertificateChain::new(&own.chain).unwrap(),
        });
        let mut request = Request::post(path)
            .extension(connection)
            .header("host", "auth.example")
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in &from.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(form.to_owned())).unwrap();
        Answer::of(&self.router, request).await
    }

    /// A token for the client with this id and nothing else in the form.
    async fn token(&self, from: &From<'_>, client: &str) -> Answer {
        let form = format!("grant_type=client_credentials&client_id={client}");
        self.post(from, "/oauth2/token", &form).await
    }
}

/// The value of `Client-Cert`.
fn client_cert(identity: &Identity) -> String {
    format!(":{}:", STANDARD.encode(&identity.chain[0]))
}

/// The value of `X-Forwarded-Client-Cert` as Envoy writes it.
fn xfcc(identity: &Identity) -> String {
    let pem = |der: &CertificateDer<'_>| {
        let text = STANDARD
            .encode(der)
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        format!("-----BEGIN%20CERTIFICATE-----%0A{text}%0A-----END%20CERTIFICATE-----%0A")
    };
    let chain: String = identity.chain.iter().map(pem).collect();
    format!(
        "By=spiffe://mesh/proxy;Cert=\"{}\";Chain=\"{chain}\"",
        pem(&identity.chain[0])
    )
}

/// What a header says of an identity.
type Says = fn(&Identity) -> String;

/// Both kinds of headers.
const KINDS: [(CertificateHeader, Says); 2] = [
    (CertificateHeader::ClientCert, client_cert),
    (CertificateHeader::XForwardedClientCert, xfcc),
];
