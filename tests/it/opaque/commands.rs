//! `grantd dev`, `grantd token inspect`, `grantd audience create` and `grantd explain --token` with opaque tokens.

use serde_json::Value;

use super::OPAQUE_PREFIX;
use crate::place::{Dev, Place};

fn running() -> (Place, Dev) {
    let place = Place::new();
    let catalog = crate::cli::data::CATALOG;
    place.write(
        "my.toml",
        &catalog.replacen("served_by", "format = \"opaque\"\nserved_by", 1),
    );
    let dev = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    (place, dev)
}

#[test]
fn a_token_of_dev_is_active_and_opens_with_its_data_alone() {
    let (place, dev) = running();
    let token = dev.token("reader", "reader-secret");
    assert!(token.starts_with(OPAQUE_PREFIX));
    assert!(dev.is_active(("api", "api-secret"), &token));

    let ended = place.run_with_input(&["token", "inspect"], &token);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.is_empty() && ended.stderr.contains("--data"),
        "{ended:?}"
    );

    let inspect =
        |token: &str| place.run_with_input(&["token", "inspect", "--data", "data"], token);
    let ended = inspect(&token);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("seal: right, by the sealing key "),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("accepted"), "{ended:?}");
    let shown: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(shown["claims"]["client_id"], "reader");
    assert_eq!(shown["sealing_key"].as_str().unwrap().len(), 16);

    let ended = inspect(&format!("{token}AAAA"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.is_empty(), "{ended:?}");
    assert!(
        ended.stderr.contains("a seal that does not open"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains(&token[..20]), "{ended:?}");
}

#[test]
fn why_it_is_inactive_is_explained() {
    let (place, dev) = running();
    let token = dev.token("reader", "reader-secret");
    let explain = |token: &str| {
        place.write("token", token);
        place.run(&["explain", "--token", "token", "--data", "data"])
    };
    let ended = explain(&token);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("reader"), "{ended:?}");
    let ended = explain(&format!("{token}AAAA"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains("a seal that does not open"),
        "{ended:?}"
    );
    assert!(!ended.stdout.contains(&token[..20]), "{ended:?}");
}

#[test]
fn what_a_client_would_get_is_explained() {
    let (place, _dev) = running();
    let arguments = [
        "explain", "--client", "reader", "--data", "data", "--output", "json",
    ];
    let explained = place.json(&arguments);
    assert_eq!(
        explained["would_issue"]["header"],
        Value::Null,
        "{explained}"
    );
    assert_eq!(
        explained["would_issue"]["claims"]["sub"], "reader",
        "{explained}"
    );
}

#[test]
fn an_audience_of_opaque_tokens_is_made_listed_and_exported() {
    let (place, _dev) = running();
    let create = [
        "audience",
        "create",
        "stock",
        "--scope",
        "read",
        "--served-by",
        "api",
        "--format",
        "opaque",
    ];
    place.done(&[&create[..], &["--data", "data"]].concat());
    let list = place.json(&["audience", "list", "--data", "data", "--output", "json"]);
    let of_stock = list
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["id"] == "stock");
    assert_eq!(of_stock.unwrap()["format"], "opaque");
    let export = place.done(&["export", "--data", "data"]);
    assert_eq!(export.matches("format = \"opaque\"").count(), 2, "{export}");
    let ended = place.run(&[
        "audience", "create", "x", "--scope", "y", "--format", "jws", "--data", "data",
    ]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}
