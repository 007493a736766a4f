//! Where its keys come from: discovery, a cache, rotation; and a real grantd as the issuer.

use serde_json::json;

use super::Api;
use super::issuer::Issuer;
use crate::catalogs::{audience, by_secret, policy};
use crate::forgery::{new_key, signed};
use crate::place::Place;
use crate::process::eventually;

/// Tokens that live for one second.
fn brief() -> String {
    let policies = [policy("archive-api", "archive:read", "archive:read")];
    let archivist = by_secret("archivist", "archivist-demo-secret", &policies);
    audience("archive-api", "archive:read", "token_lifetime = \"1s\"") + &archivist
}

/// The demo catalog's client of this audience.
const DEMO: (&str, &str) = ("archival-service", "archival-demo-secret");

#[test]
fn it_follows_a_rotation_of_keys() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    let old = issuer.token(|_| {});
    assert_eq!(api.bearer(&old).status, 200);
    let next = new_key();
    issuer.publish(&[&next, &issuer.key]);
    let header = json!({ "alg": "ES256", "kid": next.kid, "typ": "at+jwt" });
    let new = signed(&next, &header, &issuer.claims());
    assert_eq!(api.bearer(&new).status, 200);
    assert_eq!(api.bearer(&old).status, 200);
    // Once the old one is withdrawn, whatever makes the API read again ends it.
    issuer.publish(&[&next]);
    let header = json!({ "alg": "ES256", "kid": "made up", "typ": "at+jwt" });
    let unknown = signed(&next, &header, &issuer.claims());
    eventually("the old key is forgotten", || {
        assert_eq!(api.bearer(&unknown).status, 401);
        api.bearer(&old).status == 401
    });
    assert_eq!(api.bearer(&new).status, 200);
}

#[test]
fn made_up_key_ids_make_it_read_the_keys_seldom() {
    let issuer = Issuer::start();
    let api = Api::for_issuer(&issuer.url);
    assert_eq!(issuer.reads(), 1);
    for n in 0..100 {
        let header = json!({ "alg": "ES256", "kid": n.to_string(), "typ": "at+jwt" });
        let token = signed(&issuer.key, &header, &issuer.claims());
        assert_eq!(api.bearer(&token).status, 401);
    }
    // One for the first, and one more should the hundred take five seconds.
    assert!(issuer.reads() <= 3, "{}", issuer.reads());
}

#[test]
fn it_starts_without_the_issuer_and_says_503_until_it_has_keys() {
    let issuer = Issuer::start();
    let token = issuer.token(|_| {});
    let url = issuer.url.clone();
    drop(issuer);
    let api = Api::for_issuer(&url);
    let answer = api.bearer(&token);
    assert_eq!(
        (answer.status, answer.retry_after.as_deref()),
        (503, Some("5"))
    );
    assert!(answer.challenges.is_empty(), "{answer:?}");
    assert_eq!(api.call("GET /documents", &[], "").status, 401);
}

/// An error page may hold anything, and an endless answer is not read to its end.
#[test]
fn keys_that_come_in_another_answer_are_not_used() {
    for (status, padding) in [(500, 0), (302, 0), (404, 0), (200, 300 * 1024)] {
        let issuer = Issuer::start();
        issuer.answer_otherwise(status, padding);
        let api = Api::for_issuer(&issuer.url);
        assert_eq!(api.bearer(&issuer.token(|_| {})).status, 503, "{status}");
    }
}

/// Of what the issuer publishes, only what is for signatures that the API takes counts.
#[test]
fn a_key_of_another_algorithm_is_none_of_its_keys() {
    let issuer = Issuer::start();
    issuer.publish_as("ES384");
    let api = Api::for_issuer(&issuer.url);
    api.assert_invalid(
        &api.bearer(&issuer.token(|_| {})),
        "none of the issuer's keys",
    );
}

#[test]
fn metadata_that_speak_for_another_issuer_are_not_used() {
    let issuer = Issuer::start();
    // The same server by another name.
    let api = Api::for_issuer(&issuer.url.replace("127.0.0.1", "localhost"));
    assert_eq!(api.bearer(&issuer.token(|_| {})).status, 503);
    eventually("it says so", || {
        api.server.log().contains("speaks for another issuer")
    });
}

#[test]
fn it_serves_grantd_s_tokens_also_while_grantd_is_down() {
    let place = Place::new();
    let dev = place.dev(&[]);
    let api = Api::for_issuer(dev.url("issuer"));
    let token = dev.token(DEMO.0, DEMO.1);
    let answer = api.bearer(&token);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains(DEMO.0), "{answer:?}");
    assert!(dev.interrupt().success());
    assert_eq!(api.bearer(&token).status, 200);
    // A key that it does not know makes it ask, in vain, and disturbs nobody.
    let stranger = Issuer::start();
    assert_eq!(api.bearer(&stranger.token(|_| {})).status, 401);
    assert_eq!(api.bearer(&token).status, 200);
    assert!(
        api.server
            .log()
            .contains("the issuer's keys cannot be read")
    );
    api.assert_secret(&[&token]);
}

#[test]
fn a_token_of_a_staging_grantd_is_refused() {
    let (here, there) = (Place::new(), Place::new());
    let (production, staging) = (here.dev(&[]), there.dev(&[]));
    let api = Api::for_issuer(production.url("issuer"));
    assert_eq!(api.bearer(&production.token(DEMO.0, DEMO.1)).status, 200);
    let token = staging.token(DEMO.0, DEMO.1);
    api.assert_invalid(&api.bearer(&token), "none of the issuer's keys");
    api.assert_secret(&[&token]);
}

#[test]
fn a_token_of_grantd_ends_with_its_lifetime() {
    let place = Place::new();
    place.write("brief.toml", &brief());
    let dev = place.dev(&["--catalog", "brief.toml"]);
    let api = Api::for_issuer(dev.url("issuer"));
    let token = dev.token("archivist", "archivist-demo-secret");
    assert_eq!(api.bearer(&token).status, 200);
    // One second, and the leeway of five.
    eventually("it expires", || api.bearer(&token).status == 401);
    api.assert_invalid(&api.bearer(&token), "expired");
}
