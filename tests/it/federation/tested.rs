//! `grantd issuer test`: keys that are fetched while an operator looks on, and a token of theirs.

use grantd::domain::accepted_algorithm::AcceptedAlgorithm;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::{Value, json};

use super::{CI, Platform, asks, with_deploy, workload};
use crate::assertion::signer::Key;
use crate::harness::{CATALOG, ISSUER, Replica, on_both};
use crate::key_sources::publisher::Manner;
use crate::place::{Ended, ended};
use crate::site::Site;

const JSON: &str = "content-type: application/json\r\n";

/// `grantd issuer test` with these words, where the server's settings are known.
fn tested(site: &Site, words: &str) -> Ended {
    let words: Vec<&str> = words.split(' ').collect();
    let mut command = site
        .place
        .grantd(&[&["issuer", "test"][..], &words].concat());
    let url = &site.env.database.url;
    command.args(["--database-url", url]);
    ended(command.env("GRANTD_ISSUER", ISSUER))
}

/// As [`tested`], with its report.
#[track_caller]
fn report(site: &Site, words: &str, code: i32) -> Value {
    let ended = tested(site, &format!("{words} --output json"));
    let told = (ended.code, ended.stderr.as_str());
    assert_eq!(told, (Some(code), ""), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A token that is new, with these changes.
fn token_now(site: &Site, platform: &Platform, changes: &Value) -> String {
    let now = site.env.clock.now().unix();
    let mut claims = platform.claims(&json!({ "iat": now, "nbf": now, "exp": now + 300 }));
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    platform.key.sign(&claims)
}

async fn asks_later(replica: &Replica, token: &str) -> u16 {
    replica.follow().await;
    asks(replica, token, "").await.status.as_u16()
}

#[track_caller]
fn assert_told(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

on_both! {
    async fn keys_are_fetched_now_and_each_is_told(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let site = Site::new(env).await;
        let other = Key::new(AcceptedAlgorithm::Rs512);
        let mut of_rsa = other.jwk();
        of_rsa.insert("alg".to_owned(), json!("RS512"));
        let mut for_encryption = Key::new(SigningAlgorithm::Es256).jwk();
        for_encryption.insert("use".to_owned(), json!("enc"));
        for_encryption.insert("kid".to_owned(), json!("seals"));
        let set = json!({ "keys": [platform.key.jwk(), of_rsa, for_encryption] }).to_string();
        let says = |headers| platform.publisher.now(Manner::Says(headers, set.clone()));
        says("cache-control: public, max-age=600\r\n");
        let told = report(&site, "ci", 0);
        let url = json!(platform.publisher.url());
        assert_eq!((&told["issuer"], &told["place"], &told["found"]["url"]), (&json!("ci"), &url, &url));
        let took = told["took_milliseconds"].as_u64().unwrap();
        assert!(took < 20_000, "{told}");
        let nothing = ["stored_at", "age_seconds", "why", "remedy", "assertion"];
        assert!(nothing.iter().all(|it| told[*it].is_null()), "{told}");
        let found = &told["found"];
        let refresh = ["refresh_seconds", "refresh_stated_seconds", "refresh_by"].map(|it| found[it].clone());
        assert_eq!(refresh, [json!(600), json!(600), json!("Cache-Control")]);
        assert_eq!(found["keys"][0], json!({ "kid": platform.key.kid(), "algorithms": ["ES256"], "not_of_issuer": [] }));
        assert_eq!(found["keys"][1], json!({ "kid": other.kid(), "algorithms": [], "not_of_issuer": ["RS512"] }));
        assert_eq!(found["left_out"][0]["kid"], "seals");
        assert_told(found["left_out"][0]["why"].as_str().unwrap(), &["`use` is not sig"]);
        let screen = tested(&site, "ci");
        assert_eq!(screen.code, Some(0), "{screen:?}");
        assert_told(&screen.stdout, &[
            platform.key.kid(), "ES256", "seals", "`use` is not sig", "after 600 s, by its Cache-Control", " ms",
            "none that the issuer may sign with",
        ]);
        says("cache-control: max-age=5\r\n");
        assert_told(&tested(&site, "ci").stdout, &["after 60 s; its Cache-Control says 5 s, and it is from 1m to 1h"]);
        says("");
        assert_told(&tested(&site, "ci").stdout, &["after 300 s; it says nothing of its age"]);
        assert_eq!(platform.publisher.fetches(), 4, "each looks anew");
    }

    /// The sentence is that of the log and of `/readyz`.
    async fn a_fetch_that_fails_is_told_with_what_to_do(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let site = Site::new(env).await;
        let html = || "<html>".to_owned();
        let shared = || json!({ "keys": [platform.key.jwk(), platform.key.jwk()] }).to_string();
        for (manner, why, remedy) in [
            (Manner::Head("500 Internal Server Error"), "it answered 500", "try again later"),
            (Manner::Head("403 Forbidden"), "it answered 403", "bearer_token_file"),
            (Manner::Head("404 Not Found"), "it answered 404", "write their URL"),
            (Manner::Head("302 Found"), "redirects are not followed: name the URL", ""),
            (Manner::Says("content-type: text/html\r\n", html()), "not one JSON text", "URL of the JWK set itself"),
            (Manner::Says(JSON, shared()), "have the kid", "whoever publishes the set"),
            (Manner::set(&[]), "no key that verifies", "the keys that sign its tokens"),
            (Manner::Long(5 << 20), "larger than 1 MiB", "URL of the JWK set itself"),
            (Manner::HangsUp, "", "HTTPS_PROXY"),
        ] {
            platform.publisher.now(manner);
            let told = report(&site, "ci", 1);
            assert_told(told["why"].as_str().unwrap(), &["keys could not be fetched: ", why]);
            assert_told(told["remedy"].as_str().unwrap_or_default(), &[remedy]);
            assert!(told["found"].is_null(), "{told}");
            let screen = tested(&site, "ci");
            assert_eq!(screen.code, Some(1), "{screen:?}");
            let lines = if remedy.is_empty() { [why, ""] } else { [why, "what to do: "] };
            assert_told(&screen.stdout, &lines);
        }
        // A server's log and /readyz have the same words.
        platform.publisher.now(Manner::Head("500 Internal Server Error"));
        let replica = &site.replicas[0];
        assert_eq!(asks_later(replica, &token_now(&site, &platform, &json!({}))).await, 503);
        let why = report(&site, "ci", 1)["why"].as_str().unwrap().to_owned();
        let why = why.strip_prefix("keys could not be fetched: ").unwrap();
        assert_told(&replica.grantd.degraded()[0].message, &[&format!("issuer ci: {why}")]);
        // What the issuer signs by is none of what its keys are for.
        platform.publisher.now(Manner::keys(&[&Key::new(AcceptedAlgorithm::Es384)]));
        let told = report(&site, "ci", 1);
        assert_told(told["why"].as_str().unwrap(), &["none of the keys is for an algorithm that the issuer may sign with"]);
        assert_eq!(told["found"]["keys"][0]["not_of_issuer"], json!(["ES384"]));
    }

    /// Discovery, the CA of the catalog and the token of its file, as servers use them.
    async fn the_place_is_found_as_servers_find_it(env) {
        let platform = Platform::ci().await;
        let base = platform.publisher.url().replace("/jwks", "");
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("token");
        let issuer = |ca: &str| {
            let token = file.display();
            format!("[[issuer]]\nid = \"ci\"\nurl = \"{base}\"\n{ca}\nbearer_token_file = \"{token}\"\n")
        };
        let ca = format!("ca = '''{}'''", platform.publisher.ca);
        env.apply(&(CATALOG.to_owned() + &issuer(&ca))).await;
        let site = Site::new(env).await;
        let document = json!({ "issuer": base, "jwks_uri": format!("{base}/keys"), "keys": [platform.key.jwk()] });
        platform.publisher.now(Manner::Says(JSON, document.to_string()));
        let told = report(&site, "ci", 1);
        assert_told(told["why"].as_str().unwrap(), &["the token in bearer_token_file cannot be read"]);
        assert_told(told["remedy"].as_str().unwrap(), &["of this machine"]);
        assert_eq!(platform.publisher.fetches(), 0);
        std::fs::write(&file, "a-token-of-the-cluster\n").unwrap();
        let told = report(&site, "ci", 0);
        assert_eq!((&told["place"], &told["found"]["url"]), (&json!("discovery"), &json!(format!("{base}/keys"))));
        assert_eq!(platform.publisher.authorizations(), ["Bearer a-token-of-the-cluster"; 2]);
        let document = json!({ "issuer": CI, "jwks_uri": format!("{base}/keys") });
        platform.publisher.now(Manner::Says(JSON, document.to_string()));
        let told = report(&site, "ci", 1);
        assert_told(told["why"].as_str().unwrap(), &["its metadata is that of https://ci.example"]);
        site.env.apply(&(CATALOG.to_owned() + &issuer(""))).await;
        let told = report(&site, "ci", 1);
        assert_told(told["why"].as_str().unwrap(), &["certificate"]);
        assert_told(told["remedy"].as_str().unwrap(), &["ca_file"]);
    }

    async fn a_set_in_the_database_has_an_age(env) {
        let platform = Platform::ci().await;
        let issuer = |key: &Key, more: &str| {
            let symmetric = json!({ "kty": "oct", "kid": "of-others", "k": "c2VjcmV0IG9mIG90aGVycw" });
            let set = json!({ "keys": [symmetric, key.jwk()] });
            CATALOG.to_owned() + &format!("[[issuer]]\nid = \"ci\"\nurl = \"{CI}\"\nkeys = '''{set}'''\n{more}\n")
        };
        env.apply(&issuer(&Key::new(SigningAlgorithm::Es256), "")).await;
        let site = Site::new(env).await;
        site.env.apply(&issuer(&platform.key, "")).await;
        crate::raw_sql::execute(
            &site.env.database,
            "UPDATE audit_events SET at = at - 7200 WHERE action IN ('issuer_created', 'issuer_changed')",
        )
        .await;
        // What changed since then is not the keys.
        site.env.apply(&issuer(&platform.key, "max_lifetime = \"2h\"")).await;
        let told = report(&site, "ci", 0);
        let age = told["age_seconds"].as_i64().unwrap();
        assert!((7200..7260).contains(&age), "{told}");
        assert_eq!((&told["place"], &told["found"]["url"]), (&json!("here, 1 key"), &Value::Null));
        assert_eq!(told["found"]["keys"][0]["kid"], platform.key.kid());
        let left_out = json!([{ "kid": "of-others", "why": "`kty` is not EC, OKP or RSA" }]);
        assert_eq!(told["found"]["left_out"], left_out);
        assert!(told["found"]["refresh_seconds"].is_null(), "{told}");
        assert_told(&tested(&site, "ci").stdout, &["stored", " s ago", "ES256"]);
        // Nothing is said where the log no longer has it.
        crate::raw_sql::execute(&site.env.database, "DELETE FROM audit_events").await;
        assert!(report(&site, "ci", 0)["stored_at"].is_null());
    }

    async fn a_token_is_judged_by_what_was_fetched_and_is_as_good_as_before(env) {
        let platform = Platform::ci().await;
        let other = Platform::new("other", "https://other.example", SigningAlgorithm::Es256).await;
        env.apply(&(with_deploy(&platform) + &other.lines("") + &workload("guest", "other", "subject = \"**\""))).await;
        let site = Site::new(env).await;
        let given = |platform: &Platform, changes: &Value| {
            let token = token_now(&site, platform, changes);
            site.place.write("token", &format!("{token}\n"));
            token
        };
        let token = given(&platform, &json!({}));
        for _ in 0..2 {
            let told = report(&site, "ci --assertion token", 0);
            let judged = &told["assertion"];
            assert_eq!((&judged["outcome"], &judged["client"]), (&json!("accepted"), &json!("deploy")));
            assert_eq!(told["not_of_issuer"], Value::Null);
        }
        assert_eq!(platform.publisher.fetches(), 2, "one fetch serves both parts");
        assert_eq!(asks_later(&site.replicas[0], &token).await, 200);
        site.replicas[0].grantd.write_waiting().await;
        let used = report(&site, "ci --assertion token", 1);
        assert_eq!(used["why"], Value::Null);
        assert_told(&used["assertion"]["checks"].to_string(), &["one that was used before"]);

        given(&platform, &json!({ "ref": "refs/heads/try" }));
        let screen = tested(&site, "ci --assertion token");
        assert_eq!(screen.code, Some(1), "{screen:?}");
        assert_told(&screen.stdout, &[platform.key.kid(), "ref refs/heads/try, not refs/heads/main", "FAILED", "what to do"]);
        let line = screen.stdout.lines().find(|it| it.contains("differs"));
        assert_told(line.unwrap(), &["deploy", "ref", "refs/heads/main", "refs/heads/try"]);

        // It would be accepted, and says nothing of this issuer.
        let token = given(&other, &json!({ "iss": "https://other.example", "sub": "a" }));
        let told = report(&site, "ci --assertion token", 1);
        assert_eq!(told["assertion"]["outcome"], "accepted");
        assert_eq!(told["not_of_issuer"], "the assertion is not of ci, but of other");
        assert_eq!(report(&site, "other --assertion token", 0)["assertion"]["client"], "guest");
        given(&other, &json!({ "iss": "https://nobody.example" }));
        let screen = tested(&site, "ci --assertion token");
        assert_eq!(screen.code, Some(1), "{screen:?}");
        assert_told(&screen.stdout, &["the assertion is not of ci: its iss is not https://ci.example"]);
        assert!(!screen.stdout.contains(&token), "{screen:?}");
    }

    async fn a_token_is_judged_as_far_as_can_be_where_its_keys_are_not_to_be_had(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let site = Site::new(env).await;
        platform.publisher.now(Manner::Head("500 Internal Server Error"));
        let now = site.env.clock.now().unix();
        site.place.write("token", &token_now(&site, &platform, &json!({ "exp": now - 600 })));
        let told = report(&site, "ci --assertion token", 1);
        assert_told(told["why"].as_str().unwrap(), &["it answered 500"]);
        let checks = told["assertion"]["checks"].as_array().unwrap();
        let mut found = checks.iter().filter_map(|it| it["found"].as_str());
        let ago = found.find_map(|it| it.strip_prefix("exp ")?.strip_suffix(" s ago")?.parse::<u32>().ok());
        assert!(ago.is_some_and(|it| (600..660).contains(&it)), "{checks:?}");
        assert_eq!(told["assertion"]["outcome"], "temporarily_unavailable");
        assert_eq!(platform.publisher.fetches(), 1, "who waits for nothing asks once");
    }

    /// What the server's profile takes is less than what the issuer may sign by.
    async fn keys_are_told_for_the_profile_of_the_server(env) {
        let platform = Platform::new("ci", CI, SigningAlgorithm::Rs256).await;
        env.apply(&with_deploy(&platform)).await;
        let site = Site::new(env).await;
        let mut key = platform.key.jwk();
        key.insert("alg".to_owned(), json!("RS256"));
        platform.publisher.now(Manner::Says(JSON, json!({ "keys": [key] }).to_string()));
        assert_eq!(report(&site, "ci", 0)["found"]["keys"][0]["algorithms"], json!(["RS256"]));
        site.place.write("grantd.toml", &format!(
            "issuer = \"{ISSUER}\"\nprofile = \"fapi2\"\ndatabase_url = \"{}\"\n[public]\nallow_plain_http = true\n",
            site.env.database.url,
        ));
        let told = report(&site, "ci --config grantd.toml", 1);
        assert_eq!(told["found"]["keys"][0]["not_of_issuer"], json!(["RS256"]));
        assert_told(told["remedy"].as_str().unwrap(), &["the profile fapi2 takes ES256, EdDSA and PS256 alone"]);
        let shown = site.done("issuer show ci --config grantd.toml --output json").stdout;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["in_force"]["algorithms"], json!(["ES256", "PS256", "EdDSA"]));
    }

    /// Keys alone need no settings of a server; an id that is none is told as `issuer show` tells it.
    async fn what_is_not_there_is_told(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let site = Site::new(env).await;
        assert!(site.done("issuer test ci").stdout.contains(platform.key.kid()));
        assert_eq!(site.refused("issuer test cii", 1), site.refused("issuer show cii", 1));
        let refused = site.refused("issuer test ci --assertion nowhere", 1);
        assert!(refused.contains("nowhere cannot be read"), "{refused}");
        site.place.write("token", "token");
        let refused = site.refused("issuer test ci --assertion token", 1);
        assert!(refused.contains("GRANTD_ISSUER"), "{refused}");
    }
}
