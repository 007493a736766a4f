//! A client with a key: what it registers, and its requests, each with an assertion of its own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::replica::ISSUER;

/// The client `worker`.
pub(crate) struct Worker {
    key: EcdsaKeyPair,
    count: AtomicU64,
}

impl Worker {
    pub(crate) fn new() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).expect("a key");
        Self {
            key,
            count: AtomicU64::new(0),
        }
    }

    /// The public key, an uncompressed point.
    pub(crate) fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    /// A catalog with this client.
    pub(crate) fn catalog(&self) -> String {
        let point = self.public_key();
        let [x, y] = [&point[1..33], &point[33..]].map(|half| URL_SAFE_NO_PAD.encode(half));
        format!(
            r#"
            [[audience]]
            id = "pricing"
            scopes = ["read"]

            [[client]]
            id = "worker"
            auth = "private_key_jwt"
            jwks = '''{{"keys":[{{"kty":"EC","crv":"P-256","kid":"1","x":"{x}","y":"{y}"}}]}}'''
              [[client.policy]]
              audience = "pricing"
              scopes = ["read"]
              default_scopes = ["read"]
            "#
        )
    }

    /// A token request with an assertion that was never used.
    pub(crate) fn request(&self, address: SocketAddr) -> Vec<u8> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let claims = format!(
            r#"{{"iss":"worker","sub":"worker","aud":"{ISSUER}","iat":{now},"exp":{},"jti":"{number}"}}"#,
            now + 60
        );
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"1"}"#);
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), input.as_bytes())
            .expect("a signature");
        let body = format!(
            "grant_type=client_credentials&client_assertion_type=\
             urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={input}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        );
        format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {address}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}
