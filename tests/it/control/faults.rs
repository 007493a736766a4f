//! Faults: where they strike, what they do, and that the engine behind them stays what it is.

use std::net::Shutdown as Half;

use grantd::clock::Clock;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::signing_key::lineup::TakeOver;
use grantd::operations::rotate_keys::KeyRotation;
use serde_json::json;

use super::*;
use crate::assertion::signer::{self, Key};
use crate::catalogs::{by_secret, reads};
use crate::place::{Dev, Place};

impl Lab {
    /// Makes a fault; gives its id.
    pub(super) async fn fault(&self, members: Value) -> u64 {
        let (status, made) = self.ask("POST /_test/faults", &members.to_string()).await;
        assert_eq!(status, 200, "{members}: {made}");
        made["id"].as_u64().unwrap()
    }

    /// How often the fault struck.
    async fn struck(&self, id: u64) -> u64 {
        let (_, faults) = self.ask("GET /_test/faults", "").await;
        let mut faults = faults.as_array().unwrap().iter();
        faults.find(|it| it["id"] == id).unwrap()["struck"]
            .as_u64()
            .unwrap()
    }

    async fn refused(&self, members: &Value) -> (u16, Value) {
        let (status, told) = self.ask("POST /_test/faults", &members.to_string()).await;
        (status, told["at"].clone())
    }
}

/// The outcomes that usage counts, with how often each.
async fn counted(lab: &Lab) -> Value {
    lab.replica.grantd.write_waiting().await;
    let since = lab
        .env
        .clock
        .now()
        .minus(grantd::domain::timestamp::Seconds::new(3600));
    let usage = lab.env.store.token_usage(since, None).await.unwrap();
    let mut counts = serde_json::Map::new();
    for (key, count) in usage {
        let before = counts
            .get(&key.outcome)
            .and_then(Value::as_i64)
            .unwrap_or(0);
        counts.insert(key.outcome, json!(before + count.count));
    }
    Value::Object(counts)
}

on_both! {
    async fn a_status_takes_the_place_of_the_answer_and_nothing_is_issued(env) {
        let lab = Lab::new(env, CATALOG).await;
        let body = json!({ "error": "temporarily_unavailable" });
        let id = lab.fault(json!({
            "endpoint": "token", "client_id": "reader", "after": 1, "times": 2,
            "status": 503, "headers": { "Retry-After": "7" }, "body": body,
        })).await;
        lab.replica.issued("reader", READER, "").await;
        for _ in 0..2 {
            let answer = lab.replica.token("reader", READER, "").await;
            assert_eq!((answer.status.as_u16(), answer.json()), (503, body.clone()));
            assert_eq!((&answer.headers["retry-after"], &answer.headers["content-type"]), (&"7".parse().unwrap(), &"application/json".parse().unwrap()));
            assert!(answer.headers.contains_key("x-request-id") && !answer.headers.contains_key("dpop-nonce"));
        }
        lab.replica.issued("reader", READER, "").await;
        assert_eq!(lab.struck(id).await, 2);
        assert_eq!(counted(&lab).await, json!({ "issued": 2, "fault": 2 }));
        let (_, requests) = lab.ask("GET /_test/requests?outcome=fault", "").await;
        let requests = requests.as_array().unwrap();
        assert_eq!(requests.len(), 2);
        for request in requests {
            assert_eq!((&request["judged"], &request["fault"]), (&json!("issued"), &json!(id)));
            assert_eq!((&request["client_id"], &request["token"]), (&json!("reader"), &Value::Null));
        }
    }

    async fn a_jti_that_was_presented_is_spent_all_the_same(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let lab = Lab::new(env, &signer::catalog(&[&key], "")).await;
        lab.fault(json!({ "endpoint": "token", "times": 1, "status": 500 })).await;
        let assertion = key.sign(&signer::claims("worker", "once"));
        let answer = signer::token(&lab.replica, &assertion).await;
        assert_eq!((answer.status.as_u16(), answer.body), (500, vec![]), "without a body it has none");
        signer::token(&lab.replica, &assertion).await.assert_error(401, "invalid_client");
    }

    async fn it_strikes_where_it_should_and_the_rest_is_as_ever(env) {
        let more = by_secret("other", "the secret of other", &reads("pricing"));
        let lab = Lab::new(env, &format!("{CATALOG}{more}")).await;
        let token = lab.replica.issued("reader", READER, "").await;
        for (endpoint, struck) in [("introspection", 1), ("revocation", 1), ("jwks", 2), ("metadata", 1), ("any", 5), ("token", 0)] {
            let id = lab.fault(json!({ "endpoint": endpoint, "status": 418 })).await;
            let statuses = [
                lab.replica.introspect("api", API, &token).await.status,
                lab.replica.revoke("other", "the secret of other", "none").await.status,
                lab.replica.get("/oauth2/jwks").await.status,
                lab.replica.get("/.well-known/jwks.json").await.status,
                lab.replica.get("/.well-known/openid-configuration").await.status,
            ];
            let spoiled = statuses.iter().filter(|it| it.as_u16() == 418).count();
            assert_eq!((spoiled, lab.struck(id).await), (struck, struck as u64), "{endpoint}: {statuses:?}");
            assert_eq!(lab.ask(&format!("DELETE /_test/faults/{id}"), "").await.0, 204);
        }
        lab.fault(json!({ "client_id": "other", "status": 418 })).await;
        lab.replica.issued("reader", READER, "").await;
        assert_eq!(lab.replica.token("other", "the secret of other", "").await.status, 418);
        assert_eq!(lab.ask("DELETE /_test/faults", "").await.0, 204);
        lab.replica.issued("other", "the secret of other", "").await;
        assert_eq!(lab.ask("DELETE /_test/faults/1", "").await.0, 404);
        assert_eq!(lab.ask("GET /_test/faults", "").await.1, json!([]));
    }

    async fn a_revocation_holds_although_the_answer_says_otherwise(env) {
        let lab = Lab::new(env, CATALOG).await;
        let token = lab.replica.issued("reader", READER, "").await;
        lab.fault(json!({ "endpoint": "revocation", "status": 503 })).await;
        assert_eq!(lab.replica.revoke("reader", READER, &token).await.status, 503);
        assert_eq!(lab.replica.introspect("api", API, &token).await.json(), json!({ "active": false }));
        let (_, requests) = lab.ask("GET /_test/requests?endpoint=revocation", "").await;
        assert_eq!((&requests[0]["outcome"], &requests[0]["judged"]), (&json!("fault"), &json!("revoked")));
    }

    async fn a_lie_changes_one_thing_of_a_true_answer(env) {
        let lab = Lab::new(env, CATALOG).await;
        let lie = async |members: Value| {
            let id = lab.fault(members).await;
            let answer = lab.replica.token("reader", READER, "").await;
            lab.ask(&format!("DELETE /_test/faults/{id}"), "").await;
            assert!(answer.status.is_success(), "{answer:?}");
            answer
        };
        let of = |name: &str| json!({ "endpoint": "token", "lie": name });
        assert_eq!(lie(of("expires_in_as_text")).await.json()["expires_in"], "300");
        for (name, member) in [("expires_in_missing", "expires_in"), ("token_type_missing", "token_type"), ("scope_missing", "scope")] {
            let answer = lie(of(name)).await.json();
            assert!(answer.get(member).is_none() && answer.as_object().unwrap().len() == 3, "{answer}");
        }
        let html = lie(of("html_body")).await;
        assert!(html.body.starts_with(b"<!DOCTYPE html>"));
        assert_eq!(html.headers["content-type"], "text/html; charset=utf-8");
        let bare = lie(of("no_cache_headers")).await;
        assert!(!bare.headers.contains_key("cache-control") && !bare.headers.contains_key("pragma"));
        let changed = lie(json!({ "status": 201, "headers": { "X-Odd": "1" } })).await;
        assert_eq!((changed.status.as_u16(), &changed.headers["x-odd"]), (201, &"1".parse().unwrap()));
        // Whoever got a page got no token; a refusal has none to lie about, and uses nothing up.
        assert_eq!(counted(&lab).await, json!({ "issued": 6, "fault": 1 }));
        let id = lab.fault(json!({ "lie": "scope_missing", "times": 1 })).await;
        lab.replica.token("reader", "a wrong secret of 1", "").await.assert_error(401, "invalid_client");
        assert_eq!(lab.struck(id).await, 0);
    }

    async fn old_keys_lack_the_one_that_signs_now(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.replica.grantd.rotate_keys().await.unwrap();
        lab.replica.follow().await;
        let actor = &lab.env.actor;
        let periods = lab.replica.settings.key_periods();
        let rotation = KeyRotation { store: &lab.env.store, sealing: &lab.env.sealing, periods, by: actor };
        rotation.rotate(None, TakeOver::Now).await.unwrap();
        lab.advance("3s").await;
        let kids = async || {
            let jwks = lab.replica.get("/oauth2/jwks").await.json();
            let keys = jwks["keys"].as_array().unwrap().iter();
            keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let all = kids().await;
        lab.fault(json!({ "endpoint": "jwks", "lie": "old_jwks" })).await;
        let token = lab.replica.issued("reader", READER, "").await;
        let signer = decoded(&token).0["kid"].as_str().unwrap().to_owned();
        let old = kids().await;
        assert!(all.contains(&signer) && !old.contains(&signer), "{all:?} {old:?}");
        assert_eq!(old.len(), all.len() - 1);
    }

    async fn what_makes_no_sense_is_refused_with_its_place(env) {
        let lab = Lab::new(env, CATALOG).await;
        for (members, at) in [
            (json!({}), json!(null)),
            (json!({ "endpoint": "token" }), json!(null)),
            (json!({ "endpoint": "tokens", "close": true }), json!("endpoint")),
            (json!({ "status": 199 }), json!("status")),
            (json!({ "status": 600 }), json!("status")),
            (json!({ "status": "503" }), json!("status")),
            (json!({ "status": 503, "statuss": 1 }), json!("statuss")),
            (json!({ "headers": { "a b": "c" } }), json!("headers.a b")),
            (json!({ "headers": { "Content-Length": "1" } }), json!("headers.Content-Length")),
            (json!({ "headers": { "x": "\n" } }), json!("headers.x")),
            (json!({ "delay": "11m" }), json!("delay")),
            (json!({ "delay": 250 }), json!("delay")),
            (json!({ "bytes_per_second": 0 }), json!("bytes_per_second")),
            (json!({ "close": true, "status": 503 }), json!("close")),
            (json!({ "close": true, "truncate": 1 }), json!("close")),
            (json!({ "lie": "html_body", "status": 503 }), json!("lie")),
            (json!({ "lie": "old_jwks", "endpoint": "token" }), json!("lie")),
            (json!({ "lie": "truth" }), json!("lie")),
            (json!({ "endpoint": "jwks", "client_id": "reader", "close": true }), json!("client_id")),
            (json!({ "close": true, "times": 0 }), json!("times")),
            (json!({ "close": true, "probability": 1.5 }), json!("probability")),
            (json!({ "close": true, "after": -1 }), json!("after")),
        ] {
            assert_eq!(lab.refused(&members).await, (400, at), "{members}");
        }
        assert_eq!(lab.ask("GET /_test/faults", "").await.1, json!([]));
        let (_, index) = lab.ask("GET /_test", "").await;
        assert_eq!(index["faults"], json!([]));
    }

    async fn at_most_a_thousand_strike_at_once(env) {
        let lab = Lab::new(env, CATALOG).await;
        for _ in 0..1000 {
            lab.fault(json!({ "endpoint": "jwks", "status": 500, "times": 1 })).await;
        }
        let (status, told) = lab.ask("POST /_test/faults", r#"{"close":true}"#).await;
        assert_eq!((status, &told["error"]), (409, &json!("conflict")), "{told}");
        assert_eq!(lab.replica.get("/oauth2/jwks").await.status, 500);
        lab.fault(json!({ "close": true })).await;
    }

    async fn who_is_delayed_is_let_go_when_the_process_ends(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.fault(json!({ "delay": "10m" })).await;
        let asking = lab.replica.token("reader", READER, "");
        let ending = async {
            let body = r#"{"endpoint":"token","outcome":"issued"}"#;
            let (status, told) = lab.ask("POST /_test/requests/await", body).await;
            assert_eq!(status, 200, "what was judged is shown before its answer is late: {told}");
            lab.stop.stop();
        };
        let (answer, ()) = tokio::join!(asking, ending);
        assert_eq!(answer.status, 200);
    }
}

/// Sends a token request of the demo catalog, and reads what comes until the other side is done.
fn raw(dev: &Dev) -> Vec<u8> {
    let authority = dev.authority();
    let mut stream = TcpStream::connect(authority).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let form = "grant_type=client_credentials&client_id=archival-service&client_secret=archival-demo-secret";
    let request = format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A connection that is cut may end in an error.
    let _ = stream.read_to_end(&mut answer);
    let _ = stream.shutdown(Half::Both);
    answer
}

fn fault(dev: &Dev, members: &Value) {
    let (status, _, told) = request(
        dev.url("control"),
        "POST /_test/faults",
        JSON,
        &members.to_string(),
    );
    assert_eq!(status, 200, "{told}");
}

#[test]
fn answers_break_off_crawl_and_do_not_come() {
    let place = Place::new();
    let dev = place.dev(&[]);
    let once = |mut members: Value| {
        members["times"] = json!(1);
        fault(&dev, &members);
        let clock = Clock::system();
        (String::from_utf8(raw(&dev)).unwrap(), clock.monotonic())
    };
    let (whole, _) = once(json!({ "headers": { "X-Odd": "1" } }));
    let (_, body) = whole.split_once("\r\n\r\n").unwrap();
    assert!(body.contains("access_token"), "{whole}");

    let (nothing, _) = once(json!({ "close": true }));
    assert_eq!(nothing, "");

    let (cut, _) = once(json!({ "truncate": 40 }));
    let (head, rest) = cut.split_once("\r\n\r\n").unwrap();
    assert_eq!(
        (head.split(' ').nth(1).unwrap(), rest),
        ("200", &body[..40]),
        "{cut}"
    );
    let announced = head
        .to_lowercase()
        .split_once("content-length: ")
        .unwrap()
        .1
        .to_owned();
    assert!(
        announced
            .split_whitespace()
            .next()
            .unwrap()
            .parse::<usize>()
            .unwrap()
            > 40,
        "{head}"
    );

    let (head_alone, _) = once(json!({ "truncate": 0 }));
    assert!(head_alone.ends_with("\r\n\r\n"), "{head_alone}");

    let rate = u32::try_from(body.len()).unwrap();
    let (slow, took) = once(json!({ "bytes_per_second": rate }));
    assert!(
        slow.ends_with('}') && took >= Duration::from_millis(800),
        "{took:?}"
    );

    let (late, took) = once(json!({ "delay": "300ms" }));
    assert!(
        late.contains("access_token") && took >= Duration::from_millis(300),
        "{took:?}"
    );

    let (as_ever, ()) = (String::from_utf8(raw(&dev)).unwrap(), ());
    assert!(as_ever.contains("access_token"), "{as_ever}");
    assert!(!dev.log().contains("ERROR"), "{}", dev.log());
}

/// Whoever waits, for an answer that is late, one that crawls, or a request that does not come.
#[test]
fn the_process_ends_within_five_seconds_whoever_waits() {
    let place = Place::new();
    let dev = place.dev(&[]);
    fault(
        &dev,
        &json!({ "endpoint": "token", "times": 1, "delay": "10m" }),
    );
    fault(
        &dev,
        &json!({ "endpoint": "token", "times": 1, "bytes_per_second": 1 }),
    );
    let control = dev.url("control").to_owned();
    let asks = || {
        let address = dev.authority().parse().unwrap();
        std::thread::spawn(move || {
            drop(crate::process::token(
                address,
                "archival-service",
                "archival-demo-secret",
            ));
        })
    };
    let waits = [
        asks(),
        asks(),
        std::thread::spawn(move || {
            let body = r#"{"endpoint":"revocation","within":"10m"}"#;
            let mut stream = TcpStream::connect(control.strip_prefix("http://").unwrap()).unwrap();
            let head = format!(
                "POST /_test/requests/await HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }),
    ];
    let awaited = r#"{"endpoint":"token","count":2}"#;
    let (status, ..) = request(
        dev.url("control"),
        "POST /_test/requests/await",
        JSON,
        awaited,
    );
    assert_eq!(status, 200);
    let clock = Clock::system();
    assert!(dev.end_by("TERM").success());
    assert!(
        clock.monotonic() < Duration::from_secs(5),
        "{:?}",
        clock.monotonic()
    );
    for wait in waits {
        wait.join().unwrap();
    }
}
