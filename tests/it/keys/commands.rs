//! `grantd key` as an operator calls it, on the data of a `grantd dev` that runs.

use grantd::domain::timestamp::Timestamp;
use serde_json::Value;

use crate::harness::decoded;
use crate::place::{Dev, Place, ended, eventually, within_a_second};

const CLIENT: (&str, &str) = ("archival-service", "archival-demo-secret");

/// A server that has announced the next key.
fn running() -> (Place, Dev) {
    let place = Place::new();
    let dev = place.dev(&["--data", "data"]);
    eventually("the next key is announced", || {
        (keys(&place).len() == 2).then_some(())
    });
    (place, dev)
}

fn keys(place: &Place) -> Vec<Value> {
    let listed = place.json(&["key", "list", "--output", "json", "--data", "data"]);
    listed.as_array().unwrap().clone()
}

fn in_state(place: &Place, state: &str) -> Value {
    let mut keys = keys(place).into_iter().filter(|key| key["state"] == state);
    let found = keys.next().unwrap();
    assert!(keys.next().is_none(), "one key is {state}");
    found
}

fn kid(dev: &Dev) -> String {
    decoded(&dev.token(CLIENT.0, CLIENT.1)).0["kid"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Unix seconds.
fn instant(value: &Value) -> i64 {
    value.as_str().unwrap().parse::<Timestamp>().unwrap().unix()
}

fn text<'v>(key: &'v Value, member: &str) -> &'v str {
    key[member].as_str().unwrap()
}

#[test]
fn keys_are_listed_with_state_instants_and_sealing_key() {
    let (place, dev) = running();
    let (active, next) = (in_state(&place, "active"), in_state(&place, "announced"));
    assert_eq!(text(&active, "kid"), kid(&dev));
    assert_eq!(text(&active, "algorithm"), "ES256");
    assert_eq!(text(&active, "sealed_with").len(), 16);
    assert_eq!(active["retires_at"], Value::Null);
    // 30 days after the one that signs began, unless somebody says otherwise.
    assert_eq!(
        instant(&next["activates_at"]),
        instant(&active["activates_at"]) + 30 * 86_400
    );
    let table = place.done(&["key", "list", "--data", "data"]);
    let head = table.lines().next().unwrap();
    for column in [
        "KID",
        "ALGORITHM",
        "STATE",
        "ANNOUNCED",
        "ACTIVATES",
        "RETIRES",
        "EXPIRES",
        "SEALED WITH",
    ] {
        assert!(head.contains(column), "{table}");
    }
    assert!(
        table.contains(text(&next, "kid")) && table.contains("announced"),
        "{table}"
    );
    // The database alone tells no schedule.
    let url = format!("sqlite://{}", place.path("data/grantd.db").display());
    let listed = place.json(&["key", "list", "--output", "json", "--database-url", &url]);
    let unplanned = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["state"] == "announced");
    assert_eq!(unplanned.unwrap()["activates_at"], Value::Null);
}

#[test]
fn now_is_said_and_asked_for_and_the_next_key_signs_in_two_seconds() {
    let (place, dev) = running();
    let (old, next) = (
        kid(&dev),
        text(&in_state(&place, "announced"), "kid").to_owned(),
    );
    let rotate = ["key", "rotate", "--now", "--data", "data"];
    let ended = place.run(&rotate);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("jwks_max_age (5m)") && ended.stderr.contains("add --yes"),
        "{ended:?}"
    );
    assert_eq!(keys(&place).len(), 2, "nothing was done");
    let done = place.done(&[&rotate[..], &["--yes", "--algorithm", "ES256"]].concat());
    assert!(
        done.starts_with(&format!("ES256: {next} signs from 20")),
        "{done}"
    );
    assert!(done.contains(&format!("{old} signs until 20")), "{done}");
    eventually("the next key signs", || (kid(&dev) == next).then_some(()));
    assert_eq!(text(&in_state(&place, "retired"), "kid"), old);
    assert_eq!(keys(&place).len(), 3);
}

#[test]
fn without_now_the_next_key_waits_and_nobody_is_asked() {
    let (place, dev) = running();
    let next = in_state(&place, "announced");
    let turns = place.json(&["key", "rotate", "--output", "json", "--data", "data"]);
    let current = &turns[0]["current"];
    assert_eq!(
        (&turns[0]["algorithm"], &current["kid"]),
        (&Value::from("ES256"), &next["kid"])
    );
    assert_eq!(text(&turns[0]["ended"], "kid"), kid(&dev));
    assert_eq!(turns[0]["ended"]["retires_at"], current["activates_at"]);
    let wait = instant(&current["activates_at"]) - instant(&current["announced_at"]);
    assert_eq!(wait, 300 + 30 + 1);
}

#[test]
fn a_compromised_key_and_its_tokens_end_within_a_second() {
    let (place, dev) = running();
    let token = dev.token("orders-service", "orders-demo-secret");
    let api = ("pricing-api", "pricing-demo-secret");
    assert!(dev.is_active(api, &token));
    let leaked = kid(&dev);
    let retire = ["key", "retire", &leaked, "--compromised", "--data", "data"];
    let ended = place.run(&retire);
    assert!(
        ended.code == Some(1) && ended.stderr.contains("add --yes"),
        "{ended:?}"
    );
    let done = place.done(&[&retire[..], &["--yes", "--reason", "found in a backup"]].concat());
    assert!(
        done.contains(&format!("{leaked} and its tokens are dead")),
        "{done}"
    );
    within_a_second("the end of the token", || {
        (!dev.is_active(api, &token)).then_some(())
    });
    assert_ne!(kid(&dev), leaked);
    let gone = in_state(&place, "expired");
    assert!(
        gone["kid"] == leaked.as_str() && gone["compromised_at"].is_string(),
        "{gone}"
    );
    assert!(
        place
            .done(&["key", "list", "--data", "data"])
            .contains(&leaked)
    );
}

#[test]
fn what_cannot_be_retired_or_rotated_is_told_with_what_to_do() {
    let (place, dev) = running();
    let (old, next) = (
        kid(&dev),
        text(&in_state(&place, "announced"), "kid").to_owned(),
    );
    let done = place.done(&["key", "retire", &next, "--yes", "--data", "data"]);
    assert!(
        done.contains(&format!("{next} never signed, and has left the JWKS")),
        "{done}"
    );
    place.done(&["key", "retire", &old, "--yes", "--data", "data"]);
    for (arguments, remedy) in [
        (
            &["key", "retire", "nothing", "--yes"][..],
            "grantd key list",
        ),
        (&["key", "retire", &old, "--yes"], "add --compromised"),
        (&["key", "rotate", "--algorithm", "RS256"], "grantd apply"),
    ] {
        let ended = place.run(&[arguments, &["--data", "data"]].concat());
        assert!(
            ended.code == Some(1) && ended.stderr.contains(remedy),
            "{ended:?}"
        );
    }
    let ended = place.run(&["key", "rotate", "--algorithm", "HS256", "--data", "data"]);
    assert!(
        ended.code == Some(2) && ended.stderr.contains("ES256, EdDSA, RS256, PS256"),
        "{ended:?}"
    );
}

/// Where there is no settings file, the servers' variables tell the command what it must know.
#[test]
fn beside_a_mere_url_the_variables_of_the_servers_count() {
    let (place, _dev) = running();
    let url = format!("sqlite://{}", place.path("data/grantd.db").display());
    let rotate = ["key", "rotate", "--output", "json", "--database-url", &url];
    let mut command = place.grantd(&rotate);
    command.env("GRANTD_SEALING__KEY_FILE", "data/sealing.key");
    command.env("GRANTD_KEYS__JWKS_MAX_AGE", "1h");
    let turns: Value = serde_json::from_str(&ended(&mut command).stdout).unwrap();
    let current = &turns[0]["current"];
    assert_eq!(
        instant(&current["activates_at"]) - instant(&current["announced_at"]),
        3600 + 30 + 1
    );
    command.env("GRANTD_KEYS__JWKS_MAX_AGE", "an hour");
    let refused = ended(&mut command);
    assert!(
        refused.code == Some(1) && refused.stderr.contains("GRANTD_KEYS__JWKS_MAX_AGE"),
        "{refused:?}"
    );
}

#[test]
fn sealing_anew_says_what_it_did() {
    let (place, dev) = running();
    let before = text(&in_state(&place, "active"), "sealed_with").to_owned();
    let done = place.done(&["key", "reseal", "--data", "data"]);
    assert_eq!(
        done,
        format!("0 signing keys resealed with {before}, 2 unchanged\n")
    );
    let json = place.json(&["key", "reseal", "--output", "json", "--data", "data"]);
    assert_eq!(
        (&json["sealed_with"], &json["unchanged"]),
        (&Value::from(before), &Value::from(2))
    );
    kid(&dev);
}
