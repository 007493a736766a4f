//! That a published key verifies each token, by our own verifier and by another library (RFC 7515, RFC 7518).

use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use grantd::crypto::digest::decode_base64url;
use grantd::crypto::jws::Verifier;
use grantd::crypto::public_jwk::PublicJwk;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::Value;

use super::*;
use crate::catalogs::{audience, by_secret, policy};

const ALGORITHMS: [SigningAlgorithm; 4] = SigningAlgorithm::ALL;

fn catalog() -> String {
    let names = ALGORITHMS.map(SigningAlgorithm::as_str);
    let audiences = names.map(|name| audience(name, "s", &format!("algorithm = \"{name}\"")));
    let policies = names.map(|name| policy(name, "s", "s"));
    audiences.concat() + &by_secret("reader", READER, &policies)
}

/// By aws-lc-rs, from nothing but the JWK: ours is made by josekit over OpenSSL.
fn verifies_elsewhere(
    algorithm: SigningAlgorithm,
    jwk: &Value,
    message: &str,
    signed: &[u8],
) -> bool {
    let part = |name: &str| decode_base64url(jwk[name].as_str().unwrap()).unwrap();
    let rsa = |parameters| {
        RsaPublicKeyComponents {
            n: part("n"),
            e: part("e"),
        }
        .verify(parameters, message.as_bytes(), signed)
    };
    match algorithm {
        SigningAlgorithm::Es256 => {
            let point = [vec![4], part("x"), part("y")].concat();
            UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                .verify(message.as_bytes(), signed)
        }
        SigningAlgorithm::EdDsa => UnparsedPublicKey::new(&signature::ED25519, part("x"))
            .verify(message.as_bytes(), signed),
        SigningAlgorithm::Rs256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        SigningAlgorithm::Ps256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
    }
    .is_ok()
}

on_both! {
    /// 9068-01: RS256 can be chosen.
    async fn each_algorithm_signs_what_its_published_key_verifies(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let jwks = replica.get("/oauth2/jwks").await.json();
        let keys = jwks["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 4);
        for algorithm in ALGORITHMS {
            let token = replica.issued("reader", READER, &format!("&audience={algorithm}")).await;
            let header = decoded(&token).0;
            assert_eq!(header["alg"], algorithm.as_str());
            let jwk = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
            assert_eq!(jwk["alg"], algorithm.as_str());
            let (message, signed) = token.rsplit_once('.').unwrap();
            let signed = decode_base64url(signed).unwrap();
            let verifier =
                Verifier::new(algorithm, &PublicJwk::parse(&jwk.to_string()).unwrap()).unwrap();
            assert!(verifier.verify(message.as_bytes(), &signed), "{algorithm}");
            assert!(verifies_elsewhere(algorithm, jwk, message, &signed), "{algorithm}");
            let other = message.replacen('.', ".A", 1);
            assert!(!verifier.verify(other.as_bytes(), &signed), "{algorithm}");
            assert!(!verifies_elsewhere(algorithm, jwk, &other, &signed), "{algorithm}");
        }
    }
}
