//! `GET /_test/tokens`: the battery, judged by introspection, by a library that is not ours, and by its own words.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde_json::json;

use super::*;
use crate::catalogs::{audience, by_secret, client, reads};

fn catalog() -> String {
    let other = by_secret("other", "other secret of 1", &reads("pricing"));
    let spring = audience("spring", "read", "jwt_typ = \"JWT\"\nalgorithm = \"EdDSA\"");
    let solo = by_secret("solo", "solo secret of tests", &reads("spring"));
    format!("{CATALOG}{other}{spring}{solo}")
}

impl Lab {
    async fn battery(&self, query: &str) -> (Vec<Value>, Vec<Value>) {
        let (status, battery) = self.ask(&format!("GET /_test/tokens?{query}"), "").await;
        assert_eq!(status, 200, "{query}: {battery}");
        let list = |name: &str| battery[name].as_array().unwrap().clone();
        (list("accept"), list("refuse"))
    }
}

fn names(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect()
}

fn token(entry: &Value) -> &str {
    entry["access_token"].as_str().unwrap()
}

fn named<'e>(entries: &'e [Value], name: &str) -> &'e Value {
    entries.iter().find(|it| it["name"] == name).unwrap()
}

const ACCEPT: [&str; 7] = [
    "good",
    "other_client",
    "audience_as_array",
    "unknown_claim",
    "next_key",
    "typ_full_media_type",
    "exp_as_fraction",
];
const REFUSE: [&str; 38] = [
    "expired",
    "expired_an_hour_ago",
    "not_yet_valid",
    "issued_in_the_future",
    "exp_missing",
    "exp_as_text",
    "wrong_issuer",
    "issuer_with_slash",
    "issuer_missing",
    "staging_issuer",
    "wrong_audience",
    "audience_prefix",
    "audience_other_case",
    "audience_missing",
    "scope_missing",
    "scope_other",
    "scope_prefix",
    "alg_none",
    "alg_none_mixed_case",
    "hs256_with_public_key",
    "signature_missing",
    "signature_changed",
    "payload_changed",
    "signature_as_der",
    "signature_all_zero",
    "unknown_kid",
    "foreign_key_same_kid",
    "retired_key",
    "embedded_jwk",
    "jku_header",
    "x5u_header",
    "crit_unknown",
    "typ_of_another_token",
    "client_assertion_as_token",
    "duplicate_claim",
    "two_tokens",
    "no_jwt",
    "huge",
];

on_both! {
    async fn it_has_the_entries_that_the_contract_names_each_with_what_is_due(env) {
        let lab = Lab::new(env, &catalog()).await;
        let (accept, refuse) = lab.battery("audience=pricing&scope=read").await;
        assert_eq!(names(&accept), ACCEPT);
        assert_eq!(names(&refuse), REFUSE);
        for entry in accept.iter().chain(&refuse) {
            let is_scope = entry["name"].as_str().unwrap().starts_with("scope_");
            let status = &entry["status"];
            match entry["name"].as_str().unwrap() {
                "two_tokens" => assert_eq!(*status, json!([400, 401])),
                "huge" => assert_eq!(status.as_array().unwrap().len(), 100),
                name if ACCEPT.contains(&name) => assert_eq!(*status, 200),
                _ if is_scope => assert_eq!(*status, 403),
                name => assert_eq!(*status, 401, "{name}"),
            }
            let verdict = match entry["name"].as_str().unwrap() {
                "good" => "fault",
                "issued_in_the_future" => "note",
                name if ACCEPT.contains(&name) => "note",
                _ => "hole",
            };
            assert_eq!(entry["verdict"], verdict, "{entry}");
            assert!(entry["why"].as_str().unwrap().ends_with('.') && entry["standard"].is_string());
            assert!(entry["certificate_pem"].is_null() && entry["private_key_pem"].is_null());
            if entry["name"] != "two_tokens" {
                let authorization = format!("Bearer {}", token(entry));
                assert_eq!(entry["headers"], json!({ "Authorization": authorization }));
            }
        }
        let tokens: std::collections::BTreeSet<_> = accept.iter().chain(&refuse).map(token).collect();
        assert_eq!(tokens.len(), accept.len() + refuse.len(), "each has a token of its own");
        assert!(token(named(&refuse, "huge")).len() >= 64 * 1024);
        let two = named(&refuse, "two_tokens")["headers"]["Authorization"].as_str().unwrap();
        assert_eq!(two.matches("Bearer ").count(), 2, "{two}");
        // One client alone, `JWT` and EdDSA have no such entries.
        let (accept, refuse) = lab.battery("audience=spring").await;
        let less = |all: &[&'static str], none: &[&str]| -> Vec<&'static str> {
            all.iter().copied().filter(|name| !none.contains(name)).collect()
        };
        assert_eq!(names(&accept), less(&ACCEPT, &["other_client", "typ_full_media_type"]));
        assert_eq!(names(&refuse), less(&REFUSE, &["signature_as_der"]));
    }

    /// RFC 7662: also an API that asks for each token and checks nothing itself is right about them.
    async fn introspection_takes_what_is_good_and_nothing_else(env) {
        let lab = Lab::new(env, &catalog()).await;
        let (accept, refuse) = lab.battery("audience=pricing&introspects=true").await;
        for entry in &accept {
            assert!(lab.replica.is_active(token(entry)).await, "{}", entry["name"]);
        }
        assert_eq!(names(&refuse)[REFUSE.len()..], ["revoked", "client_disabled"]);
        for entry in &refuse {
            let name = entry["name"].as_str().unwrap();
            if name == "huge" {
                assert_eq!(lab.replica.introspect("api", API, token(entry)).await.status, 413);
                continue;
            }
            // What scopes are for, and what is sent beside a token, an API sees alone.
            let is_for_the_api = name.starts_with("scope_") || name == "two_tokens";
            assert_eq!(lab.replica.is_active(token(entry)).await, is_for_the_api, "{name}");
        }
        // Once more, for whoever asks often.
        lab.battery("audience=pricing&introspects=true").await;
    }

    /// As an API would use it, on its usual settings.
    async fn another_library_takes_what_is_good_and_says_what_is_wrong_with_the_rest(env) {
        let lab = Lab::new(env, &catalog()).await;
        // Its clock is the machine's.
        lab.put_clock(r#"{"reset":true}"#).await;
        let (accept, refuse) = lab.battery("audience=pricing").await;
        let judge = async |entry: &Value| -> Result<Value, ErrorKind> {
            let header = decode_header(token(entry)).map_err(|error| error.kind().clone())?;
            let key = lab.published_key(&header.kid.unwrap_or_default()).await;
            let key = key.ok_or(ErrorKind::InvalidKeyFormat)?;
            let mut rules = Validation::new(Algorithm::ES256);
            rules.set_issuer(&[ISSUER]);
            rules.set_audience(&["pricing"]);
            rules.set_required_spec_claims(&["iss", "aud", "exp"]);
            rules.validate_nbf = true;
            let read = decode::<Value>(token(entry), &key, &rules);
            read.map(|it| it.claims).map_err(|error| error.kind().clone())
        };
        for entry in &accept {
            assert!(judge(entry).await.is_ok(), "{}", entry["name"]);
        }
        for (name, expected) in [
            ("expired", ErrorKind::ExpiredSignature),
            ("expired_an_hour_ago", ErrorKind::ExpiredSignature),
            ("not_yet_valid", ErrorKind::ImmatureSignature),
            ("exp_missing", ErrorKind::MissingRequiredClaim("exp".to_owned())),
            ("wrong_issuer", ErrorKind::InvalidIssuer),
            ("issuer_with_slash", ErrorKind::InvalidIssuer),
            ("issuer_missing", ErrorKind::MissingRequiredClaim("iss".to_owned())),
            ("staging_issuer", ErrorKind::InvalidKeyFormat),
            ("wrong_audience", ErrorKind::InvalidAudience),
            ("audience_prefix", ErrorKind::InvalidAudience),
            ("audience_other_case", ErrorKind::InvalidAudience),
            ("audience_missing", ErrorKind::MissingRequiredClaim("aud".to_owned())),
            ("hs256_with_public_key", ErrorKind::InvalidAlgorithm),
            ("signature_changed", ErrorKind::InvalidSignature),
            ("payload_changed", ErrorKind::InvalidSignature),
            ("signature_as_der", ErrorKind::InvalidSignature),
            ("signature_all_zero", ErrorKind::InvalidSignature),
            ("foreign_key_same_kid", ErrorKind::InvalidSignature),
            ("unknown_kid", ErrorKind::InvalidKeyFormat),
            ("retired_key", ErrorKind::InvalidKeyFormat),
            ("embedded_jwk", ErrorKind::InvalidKeyFormat),
            ("jku_header", ErrorKind::InvalidKeyFormat),
            ("x5u_header", ErrorKind::InvalidKeyFormat),
            ("huge", ErrorKind::InvalidSignature),
        ] {
            assert_eq!(judge(named(&refuse, name)).await, Err(expected), "{name}");
        }
        for name in ["exp_as_text", "alg_none", "alg_none_mixed_case", "signature_missing", "no_jwt"] {
            assert!(judge(named(&refuse, name)).await.is_err(), "{name}");
        }
        // It looks neither at `typ`, `crit`, `iat` nor scopes: those are right but for that.
        for name in ["issued_in_the_future", "typ_of_another_token", "crit_unknown", "scope_other", "two_tokens"] {
            assert!(judge(named(&refuse, name)).await.is_ok(), "{name}");
        }
    }

    async fn strangers_publish_the_keys_that_tokens_lead_to(env) {
        let lab = Lab::new(env, &catalog()).await;
        let (_, refuse) = lab.battery("audience=pricing").await;
        let header = |name: &str| decoded(token(named(&refuse, name))).0;
        let path = |url: &Value| url.as_str().unwrap().split_once("/_test").unwrap().1.to_owned();
        let jku = header("jku_header");
        let (status, jwks) = lab.ask(&format!("GET /_test{}", path(&jku["jku"])), "").await;
        assert_eq!(status, 200);
        let stranger = jwks["keys"].as_array().unwrap().iter().find(|it| it["kid"] == jku["kid"]).unwrap();
        assert_eq!(header("embedded_jwk")["jwk"]["x"], stranger["x"]);
        let x5u = path(&header("x5u_header")["x5u"]);
        assert!(x5u.ends_with("/certificates/ES256"), "{x5u}");
        assert_eq!(lab.ask("GET /_test/stranger/certificates/ES265", "").await.0, 404);
    }

    async fn a_bound_battery_has_proofs_that_differ_in_one_point(env) {
        let catalog = catalog();
        let lab = Lab::new(env, &catalog).await;
        let query = "audience=pricing&binding=dpop&method=GET&url=http%3A%2F%2Flocalhost%3A8090%2Fdocuments%3Fa%3Db";
        let (accept, refuse) = lab.battery(query).await;
        let good = &accept[0];
        let proof = |entry: &Value| decoded(entry["headers"]["DPoP"].as_str().unwrap());
        let (proof_header, proof_claims) = proof(good);
        assert_eq!(proof_claims["htu"], "http://localhost:8090/documents");
        assert!(good["headers"]["Authorization"].as_str().unwrap().starts_with("DPoP "));
        assert!(good["private_key_pem"].as_str().unwrap().contains("PRIVATE KEY"));
        let differing = |name: &str| {
            let entry = named(&refuse, name);
            let (header, claims) = proof(entry);
            assert_eq!(header, proof_header, "one key for all");
            let mut differing: Vec<String> = claims.as_object().unwrap().iter()
                .filter(|(name, value)| proof_claims[name.as_str()] != **value)
                .map(|(name, _)| name.clone())
                .collect();
            differing.sort();
            differing
        };
        for (name, expected) in [
            ("proof_of_another_method", ["ath", "htm", "jti"].as_slice()),
            ("proof_of_another_url", &["ath", "htu", "jti"]),
            ("proof_of_another_token", &["ath", "jti"]),
            ("proof_expired", &["ath", "iat", "jti"]),
            ("bound_to_another_key", &["ath", "jti"]),
            ("proof_replayed", &[]),
            ("expired", &["ath", "jti"]),
        ] {
            assert_eq!(differing(name), expected, "{name}");
        }
        let replayed = named(&refuse, "proof_replayed");
        assert_eq!((&replayed["headers"], &replayed["after"]), (&good["headers"], &json!("good")));
        assert!(named(&refuse, "bound_without_proof")["headers"]["DPoP"].is_null());
        let bearer = &named(&refuse, "bound_as_bearer")["headers"];
        assert!(bearer["Authorization"].as_str().unwrap().starts_with("Bearer ") && bearer["DPoP"].is_null());
        let jkt = |entry: &Value| decoded(token(entry)).1["cnf"]["jkt"].clone();
        assert_eq!(jkt(named(&refuse, "expired")), jkt(good));
        assert_ne!(jkt(named(&refuse, "bound_to_another_key")), jkt(good));

        let (accept, refuse) = lab.battery("audience=pricing&binding=mtls").await;
        let shown = |entry: &Value| {
            let pem = entry["certificate_pem"].as_str()?.to_owned();
            let certificate = openssl::x509::X509::from_pem(pem.as_bytes()).unwrap();
            let key = openssl::pkey::PKey::private_key_from_pem(entry["private_key_pem"].as_str()?.as_bytes());
            assert!(certificate.public_key().unwrap().public_eq(&key.unwrap()), "its own key");
            Some(grantd::crypto::digest::base64url(&openssl::sha::sha256(&certificate.to_der().unwrap())))
        };
        let bound = |entry: &Value| decoded(token(entry)).1["cnf"]["x5t#S256"].as_str().map(str::to_owned);
        assert_eq!(shown(&accept[0]), bound(&accept[0]));
        let other = named(&refuse, "bound_to_another_certificate");
        assert_eq!(shown(other), shown(&accept[0]));
        assert!(bound(other).is_some() && bound(other) != shown(other));
        let without = named(&refuse, "bound_without_proof");
        assert_eq!((shown(without), bound(without)), (None, bound(&accept[0])));
        assert!(!names(&refuse).iter().any(|name| name.starts_with("proof_")), "{:?}", names(&refuse));
    }

    async fn an_audience_that_demands_bound_tokens_gets_them_unasked(env) {
        let bound = audience("bound", "read", "sender_constraint = \"dpop\"");
        let shop = client("shop", "secret = \"a secret of a shop\"", &reads("bound"));
        let lab = Lab::new(env, &format!("{CATALOG}{bound}{shop}")).await;
        let (accept, _) = lab.battery("audience=bound&url=http%3A%2F%2Flocalhost%2F").await;
        assert!(accept[0]["headers"]["DPoP"].is_string(), "{}", accept[0]);
        for (query, status, at) in [
            ("", 400, "audience"),
            ("audience=bound", 400, "url"),
            ("audience=bund", 404, "audience"),
            ("audience=pricing&client_id=raeder", 404, "client_id"),
            ("audience=pricing&binding=dpopp", 400, "binding"),
            ("audience=pricing&binding=dpop&url=documents", 400, "url"),
            ("audience=pricing&scope=a%20%20b", 400, "scope"),
            ("audience=pricing&introspects=yes", 400, "introspects"),
            ("audience=pricing&scopes=read", 400, "scopes"),
        ] {
            let (found, told) = lab.ask(&format!("GET /_test/tokens?{query}"), "").await;
            assert_eq!((found, &told["at"]), (status, &json!(at)), "{query}: {told}");
        }
    }
}
