//! `check-config`, `apply` and the commands judge a key, a certificate, a subject and a hash by the same code.

use serde_json::{Value, json};

use super::keys::rsa;
use crate::place::Place;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// JWKs, and whether they are registered.
fn keys() -> Vec<(Value, bool)> {
    let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": X });
    let good = rsa(2048);
    let with = |key: &Value, name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        key
    };
    let n = good["n"].as_str().unwrap().to_owned();
    vec![
        (okp.clone(), true),
        (with(&okp, "kid", json!("1")), true),
        (with(&okp, "kid", json!(1)), false),
        (with(&okp, "kid", json!("")), false),
        (with(&okp, "kid", json!("a\nb")), false),
        (with(&okp, "alg", json!("EdDSA")), true),
        (with(&okp, "alg", json!("Ed25519")), true),
        (with(&okp, "alg", json!("ES256")), false),
        (with(&okp, "use", json!("sig")), true),
        (with(&okp, "use", json!("enc")), false),
        (with(&okp, "key_ops", json!(["verify"])), true),
        (with(&okp, "key_ops", json!(["sign"])), false),
        (with(&okp, "crv", json!("X25519")), false),
        (with(&okp, "x", json!("AAAA")), false),
        (with(&okp, "x", json!(format!("{X}="))), false),
        (with(&okp, "d", json!(X)), false),
        (with(&okp, "unknown", json!({ "a": 1 })), true),
        (
            json!({ "kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA" }),
            false,
        ),
        (
            json!({ "kty": "EC", "crv": "P-256", "x": X, "y": X }),
            false,
        ),
        (json!({ "kty": "oct", "k": "AAAA" }), false),
        (json!({ "kty": "RSA", "e": "AQAB" }), false),
        (good.clone(), true),
        (with(&good, "alg", json!("RS384")), true),
        (with(&good, "alg", json!("ES384")), false),
        (with(&good, "alg", json!("RS512")), false),
        (with(&good, "alg", json!("PS256")), true),
        (with(&good, "n", json!(n.replace(['-', '_'], "+"))), false),
        (with(&good, "n", json!(format!("AA{n}"))), false),
        (with(&good, "e", json!("AQ")), false),
        (rsa(2047), false),
    ]
}

/// The catalog of one client, and the command that registers the same.
fn told(place: &Place, (catalog, command): (&str, Option<&[&str]>)) -> [Option<bool>; 3] {
    place.write("c.toml", catalog);
    let checked = place.run(&["check-config", "--catalog", "c.toml"]);
    let applied = place.run(&["apply", "c.toml", "--dry-run", "--database-url", URL]);
    let first = |text: &str| {
        text.lines()
            .find(|it| it.starts_with("grantd: "))
            .map(str::to_owned)
    };
    assert_eq!(first(&checked.stderr), first(&applied.stderr), "{catalog}");
    let by_command = command.map(|arguments| {
        let ended = place.run(&[arguments, &["--database-url", URL]].concat());
        if ended.code == Some(0) {
            let id = ended.stderr.split(' ').nth(1).unwrap().to_owned();
            assert!(ended.stderr.starts_with("credential "), "{ended:?}");
            place.done(&["apply", "bare.toml", "--prune", "--database-url", URL]);
            assert_eq!(id.len(), 10);
        }
        ended.code == Some(0)
    });
    [
        Some(checked.code == Some(0)),
        Some(applied.code == Some(0)),
        by_command,
    ]
}

const URL: &str = "sqlite://verdicts.db";

#[test]
fn a_catalog_that_check_config_calls_right_is_one_that_apply_takes() {
    let place = Place::new();
    place.done(&["migrate", "--database-url", URL]);
    let auth = "auth = [\"private_key_jwt\", \"tls_client_auth\", \"self_signed_tls_client_auth\", \"client_secret_basic\"]\n";
    let client = format!("[[client]]\nid = \"c\"\n{auth}");
    place.write("bare.toml", &client);
    place.done(&["apply", "bare.toml", "--database-url", URL]);
    for (key, is_right) in keys() {
        place.write("key.json", &key.to_string());
        let catalog = format!("{client}jwks_file = \"key.json\"\n");
        let command = ["credential", "add-key", "c", "key.json"];
        let verdicts = told(&place, (&catalog, Some(&command)));
        assert_eq!(verdicts, [Some(is_right); 3], "{key}");
    }
    for (name, is_right) in [
        ("CN=c,O=Example", true),
        ("CN=c+OU=x", true),
        ("CN=#0C0161", true),
        ("CN=#0C0261", false),
        ("c", false),
        ("CN=c,", false),
        ("XX=c", false),
        ("", false),
    ] {
        let catalog = format!("{client}subject_dn = '{name}'\n");
        let command = ["credential", "add-subject", "c", "--subject-dn", name];
        let verdicts = told(&place, (&catalog, Some(&command)));
        assert_eq!(verdicts, [Some(is_right); 3], "{name}");
    }
    for (print, is_right) in [
        ("A".repeat(43), true),
        ("A".repeat(42), false),
        ("=".repeat(43), false),
    ] {
        let catalog = format!("{client}thumbprints = [\"{print}\"]\n");
        let command = ["credential", "add-certificate", "c", "--thumbprint", &print];
        let verdicts = told(&place, (&catalog, Some(&command)));
        assert_eq!(verdicts, [Some(is_right); 3], "{print}");
    }
    let broken = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";
    for (pem, is_right) in [(broken, false), ("", false)] {
        place.write("c.pem", pem);
        let catalog = format!("{client}certificate_file = \"c.pem\"\n");
        let command = ["credential", "add-certificate", "c", "c.pem"];
        let verdicts = told(&place, (&catalog, Some(&command)));
        assert_eq!(verdicts, [Some(is_right); 3], "{pem}");
    }
    for (phc, is_right) in [
        (
            "$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            true,
        ),
        ("$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHQ$aGFzaA", false),
        (
            "$argon2id$v=16$m=256,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            false,
        ),
        (
            "$argon2id$v=19$m=1048576,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            false,
        ),
        (
            "$argon2i$v=19$m=256,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            false,
        ),
        ("$2b$12$abcdefghijklmnopqrstuu", false),
    ] {
        let catalog = format!("{client}secret = '{phc}'\n");
        let [checked, applied, _] = told(&place, (&catalog, None));
        assert_eq!(
            (checked, applied),
            (Some(is_right), Some(is_right)),
            "{phc}"
        );
    }
}
