//! The crate `openidconnect` reads the metadata, and `jsonwebtoken` verifies a token of each algorithm with the JWKS.

use std::env;
use std::error::Error;

use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::JwkSet;
use oauth2::reqwest::blocking::Client as HttpClient;
use openidconnect::core::{CoreJwsSigningAlgorithm, CoreProviderMetadata};
use openidconnect::{IssuerUrl, JsonWebKeySetUrl};
use serde_json::Value;

use crate::verify::verify;

const AUDIENCES: [(&str, Algorithm); 4] = [
    ("pricing-api", Algorithm::ES256),
    ("https://api.example/eddsa", Algorithm::EdDSA),
    ("https://api.example/rs256", Algorithm::RS256),
    ("https://api.example/ps256", Algorithm::PS256),
];

pub fn read(http: &HttpClient) -> Result<(), Box<dyn Error>> {
    let issuer = env::var("ISSUER")?;
    let jwks_uri = discover(http, &issuer)?;
    let keys: JwkSet = serde_json::from_slice(&http.get(jwks_uri.as_str()).send()?.bytes()?)?;
    for (audience, algorithm) in AUDIENCES {
        let token = auditor_token(http, &issuer, audience)?;
        let caller = verify(&token, &keys, (&issuer, audience, algorithm))?;
        assert_eq!(caller.client_id, env::var("AUDITOR_ID")?);
        assert!(caller.scope.ends_with(":read"), "{caller:?}");
        let forged = format!("{}AAAAAAAA", &token[..token.len() - 8]);
        assert!(verify(&forged, &keys, (&issuer, audience, algorithm)).is_err());
        assert!(verify(&token, &keys, (&issuer, "another-api", algorithm)).is_err());
        println!("jsonwebtoken: verified {algorithm:?}");
    }
    Ok(())
}

/// openidconnect compares the issuer, and reads the JWKS, too.
fn discover(http: &HttpClient, issuer: &str) -> Result<JsonWebKeySetUrl, Box<dyn Error>> {
    let metadata = CoreProviderMetadata::discover(&IssuerUrl::new(issuer.to_owned())?, http)?;
    assert_eq!(
        metadata.token_endpoint().ok_or("no token endpoint")?.as_str(),
        format!("{issuer}/oauth2/token")
    );
    let algorithms = metadata.id_token_signing_alg_values_supported();
    assert_eq!(algorithms[0], CoreJwsSigningAlgorithm::EcdsaP256Sha256, "the default stands first");
    assert_eq!(algorithms.len(), AUDIENCES.len(), "{algorithms:?}");
    println!("openidconnect: read the metadata and {} keys", metadata.jwks().keys().len());
    Ok(metadata.jwks_uri().clone())
}

fn auditor_token(
    http: &HttpClient,
    issuer: &str,
    audience: &str,
) -> Result<String, Box<dyn Error>> {
    let answer = http
        .post(format!("{issuer}/oauth2/token"))
        .basic_auth(env::var("AUDITOR_ID")?, Some(env::var("AUDITOR_SECRET")?))
        .form(&[("grant_type", "client_credentials"), ("audience", audience)])
        .send()?;
    let answer: Value = serde_json::from_slice(&answer.bytes()?)?;
    Ok(answer["access_token"].as_str().ok_or("no token")?.to_owned())
}
