//! A workload whose platform signs its tokens: what the catalog says of both, and its requests.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::replica::ISSUER;

/// The key of a platform.
enum Key {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

/// A platform with one workload.
pub(crate) struct Workload {
    key: Key,
    /// What the issuer's `jti` says.
    jti: &'static str,
    count: AtomicU64,
}

impl Workload {
    /// Signed with ES256; `jti` is the issuer's rule.
    pub(crate) fn es256(jti: &'static str) -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).expect("a key");
        Self::of(Key::Es256(key), jti)
    }

    /// Signed with RS256 by a key of 2048 bits.
    pub(crate) fn rs256(jti: &'static str) -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        Self::of(Key::Rs256(key), jti)
    }

    fn of(key: Key, jti: &'static str) -> Self {
        let count = AtomicU64::new(0);
        Self { key, jti, count }
    }

    /// The header's `alg`.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self.key {
            Key::Es256(_) => "ES256",
            Key::Rs256(_) => "RS256",
        }
    }

    /// An uncompressed point, or an `RSAPublicKey` (RFC 8017 appendix A.1.1).
    pub(crate) fn public_key(&self) -> &[u8] {
        match &self.key {
            Key::Es256(key) => key.public_key().as_ref(),
            Key::Rs256(key) => key.public_key().as_ref(),
        }
    }

    /// A catalog with the platform, its keys, and the workload as a client.
    pub(crate) fn catalog(&self) -> String {
        let (jwk, jti) = (self.jwk(), self.jti);
        format!(
            r#"
            [[issuer]]
            id = "platform"
            url = "https://platform.example"
            keys = '''{{"keys":[{jwk}]}}'''
            jti = "{jti}"

            [[audience]]
            id = "pricing"
            scopes = ["read"]

            [[client]]
            id = "worker"
            auth = "private_key_jwt"
              [[client.identity]]
              issuer = "platform"
              subject = "system:serviceaccount:shop:worker"
              claims = {{ "kubernetes.io" = {{ namespace = "shop" }} }}
              [[client.policy]]
              audience = "pricing"
              scopes = ["read"]
              default_scopes = ["read"]
            "#
        )
    }

    fn jwk(&self) -> String {
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let public = self.public_key();
        match self.key {
            Key::Es256(_) => {
                let [x, y] = [&public[1..33], &public[33..]].map(encoded);
                format!(
                    r#"{{"kty":"EC","crv":"P-256","kid":"1","alg":"ES256","x":"{x}","y":"{y}"}}"#
                )
            }
            Key::Rs256(_) => {
                // Before the modulus are the heads of the sequence and of the integer and a zero, after it 65537.
                let n = encoded(&public[9..265]);
                format!(r#"{{"kty":"RSA","kid":"1","alg":"RS256","n":"{n}","e":"AQAB"}}"#)
            }
        }
    }

    /// A token request with a token that nobody had before.
    pub(crate) fn request(&self, address: SocketAddr) -> Vec<u8> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let claims = format!(
            r#"{{"iss":"https://platform.example","sub":"system:serviceaccount:shop:worker","aud":["{ISSUER}"],
            "iat":{now},"nbf":{now},"exp":{},"jti":"{number}","kubernetes.io":{{"namespace":"shop",
            "pod":{{"name":"worker-1","uid":"7c4b5b0c-0a43-4a0e-9c0e-6a6d7a3b2f10"}},
            "serviceaccount":{{"name":"worker","uid":"0b1f9f7e-63b7-4a6b-8b39-8f2e6f1c7a55"}}}}}}"#,
            now + 3600
        );
        let header = format!(r#"{{"alg":"{}","kid":"1"}}"#, self.algorithm());
        let input = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".");
        let body = format!(
            "grant_type=client_credentials&client_assertion_type=\
             urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={input}.{}",
            URL_SAFE_NO_PAD.encode(self.sign(&input))
        );
        format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {address}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    fn sign(&self, input: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Es256(key) => {
                let signature = key.sign(&random, input.as_bytes()).expect("a signature");
                signature.as_ref().to_vec()
            }
            Key::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature)
                    .expect("a signature");
                signature
            }
        }
    }
}

/// What verifies the tokens of a platform with this algorithm and public key.
pub(crate) fn verifier(algorithm: &str, public_key: Vec<u8>) -> UnparsedPublicKey<Vec<u8>> {
    match algorithm {
        "ES256" => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public_key),
        "RS256" => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key),
        other => panic!("no platform signs with {other}"),
    }
}
