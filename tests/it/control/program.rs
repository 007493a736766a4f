//! The listener as `grantd dev` has it: its flags, who may come in, and that no other command has one.

use serde_json::json;

use super::*;
use crate::harness::Database;
use crate::place::{Place, ended, eventually};
use crate::process::free_port;
use crate::serve::Platform;

#[test]
fn it_is_on_a_free_loopback_port_and_shows_the_clients_with_their_secrets() {
    let place = Place::new();
    let dev = place.dev(&[]);
    let control = dev.url("control").to_owned();
    assert!(control.starts_with("http://127.0.0.1:"), "{control}");
    let (status, head, index) = request(&control, "GET /_test", "", "");
    assert_eq!(status, 200, "{index}");
    assert!(!head.to_lowercase().contains("access-control"), "{head}");
    assert_eq!(
        (&index["control"], &index["issuer"]),
        (&json!(control), &json!(dev.url("issuer")))
    );
    assert_eq!(index["operations"], dev.url("operations"));
    let of = |id: &str| {
        let clients = index["clients"].as_array().unwrap();
        clients.iter().find(|it| it["client_id"] == id).unwrap()
    };
    assert_eq!(
        of("archival-service")["client_secret"],
        "archival-demo-secret"
    );
    let curl = of("archival-service")["curl"].as_str().unwrap();
    assert!(
        curl.contains("archival-service:archival-demo-secret"),
        "{curl}"
    );
    // The other address of loopback has it, too.
    let port = control.rsplit(':').next().unwrap();
    let (status, ..) = request(&format!("http://[::1]:{port}"), "GET /_test/clock", "", "");
    assert_eq!(status, 200);
    eventually("the screen names it", || {
        let screen = std::fs::read_to_string(place.path("dev.out")).unwrap();
        screen.contains(&format!("{control}/_test")).then_some(())
    });
}

#[test]
fn keys_and_certificates_of_clients_are_shown_and_a_secret_of_ones_own_too() {
    let place = Place::new();
    let read = "\n[[client.policy]]\naudience = \"api\"\nscopes = [\"read\"]\ndefault_scopes = [\"read\"]\n";
    let catalog = [
        "[[audience]]\nid = \"api\"\nscopes = [\"read\"]\n",
        "[[client]]\nid = \"by-key\"\nauth = \"private_key_jwt\"\n",
        read,
        "[[client]]\nid = \"by-certificate\"\nauth = \"self_signed_tls_client_auth\"\n",
        read,
        "[[client]]\nid = \"by-secret\"\nsecret = \"a secret of my own\"\n",
        read,
    ];
    place.write("my.toml", &catalog.concat());
    let dev = place.dev(&["--catalog", "my.toml"]);
    let (_, _, index) = request(dev.url("control"), "GET /_test", "", "");
    let clients = index["clients"].as_array().unwrap();
    let [by_certificate, by_key, by_secret] = clients.as_slice() else {
        panic!("{index}")
    };
    assert!(by_key["private_jwk"]["d"].is_string(), "{by_key}");
    let pem = |name: &str| by_certificate[name].as_str().unwrap().to_owned();
    assert!(pem("certificate_pem").contains("BEGIN CERTIFICATE"));
    assert!(pem("private_key_pem").contains("PRIVATE KEY"));
    assert_eq!(
        by_certificate["token_endpoint"],
        dev.url("mtls_token_endpoint")
    );
    assert_eq!(by_secret["client_secret"], "a secret of my own");
    let curl = by_secret["curl"].as_str().unwrap();
    assert!(curl.contains("a%20secret%20of%20my%20own"), "{curl}");
    assert!(!dev.log().contains("a secret of my own"));
}

/// In bash, which makes files of certificates that are in memory alone.
#[test]
fn a_client_of_ones_own_gets_a_token_by_its_line_as_it_stands() {
    let place = Place::new();
    let dev = place.dev(&[]);
    for (wanted, scheme) in [
        (json!({}), "Bearer"),
        (json!({ "auth": "private_key_jwt" }), "Bearer"),
        (json!({ "auth": "tls_client_auth" }), "Bearer"),
        (json!({ "auth": "self_signed_tls_client_auth" }), "Bearer"),
        (json!({ "dpop_bound_access_tokens": true }), "DPoP"),
    ] {
        let body = wanted.to_string();
        let (status, _, card) = request(dev.url("control"), "POST /_test/clients", JSON, &body);
        assert_eq!(status, 200, "{card}");
        let line = card["curl"].as_str().unwrap();
        let ended = ended(place.command("bash").args(["-c", line]));
        let answer: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
        assert_eq!(answer["token_type"], scheme, "{line}: {answer}");
    }
    assert!(!dev.log().contains("PRIVATE KEY"));
}

#[test]
fn its_address_and_its_url_can_be_given_and_it_can_be_left_out() {
    let place = Place::new();
    let without = place.dev(&["--no-control"]);
    assert!(without.member("control").is_null());
    drop(without);
    let address = format!("127.0.0.1:{}", free_port());
    let arguments = [
        "--control",
        &address,
        "--control-url",
        "http://grantd.test:9000/",
    ];
    let dev = place.dev(&arguments);
    assert_eq!(dev.url("control"), "http://grantd.test:9000");
    let origin = format!("http://{address}");
    for host in ["grantd.test:9000", &address] {
        let (status, _, index) = request(&origin, "GET /_test", &format!("Host: {host}\r\n"), "");
        assert_eq!(
            (status, &index["control"]),
            (200, &json!("http://grantd.test:9000")),
            "{host}"
        );
    }
    let (status, ..) = request(&origin, "GET /_test", "Host: other.test\r\n", "");
    assert_eq!(status, 421);
}

#[test]
fn what_cannot_be_meant_is_told() {
    let place = Place::new();
    for (arguments, code, told) in [
        (
            &["--control", "nowhere"][..],
            2,
            "write an IP address and a port",
        ),
        (
            &["--no-control", "--control", "127.0.0.1:0"],
            2,
            "cannot be used with",
        ),
        (
            &["--no-control", "--control-url", "http://a"],
            2,
            "cannot be used with",
        ),
        (
            &["--control-url", "grantd:9000"],
            1,
            "--control-url grantd:9000",
        ),
    ] {
        let arguments = [&["dev", "--listen", "127.0.0.1:0"], arguments].concat();
        let ended = place.run(&arguments);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(told), "{ended:?}");
    }
    let dev = place.dev(&[]);
    let taken = dev.url("control").strip_prefix("http://").unwrap();
    let ended = place.run(&["dev", "--listen", "127.0.0.1:0", "--control", taken]);
    assert!(
        ended.code == Some(1) && ended.stderr.contains("cannot listen on"),
        "{ended:?}"
    );
}

#[test]
fn no_web_page_and_no_other_host_comes_in() {
    let place = Place::new();
    let dev = place.dev(&[]);
    let control = dev.url("control");
    for (lines, status, error) in [
        ("Origin: https://evil.example\r\n", 403, "forbidden"),
        ("Origin: null\r\n", 403, "forbidden"),
        ("Sec-Fetch-Site: cross-site\r\n", 403, "forbidden"),
        ("Sec-Fetch-Site: same-site\r\n", 403, "forbidden"),
        ("Host: evil.example\r\n", 421, "misdirected_request"),
        ("Host: 10.0.0.1\r\n", 421, "misdirected_request"),
    ] {
        for line in [
            "GET /_test",
            "GET /_test/clock",
            "PUT /_test/clock",
            "GET /nowhere",
        ] {
            let lines = format!("{lines}{JSON}");
            let (found, head, told) = request(control, line, &lines, r#"{"advance":"1h"}"#);
            assert_eq!(
                (found, &told["error"]),
                (status, &json!(error)),
                "{line} {lines}: {head}"
            );
        }
    }
    let (status, _, clock) = request(control, "GET /_test/clock", "Sec-Fetch-Site: none\r\n", "");
    assert_eq!(
        (status, &clock["offset_seconds"]),
        (200, &json!(0)),
        "nothing was moved"
    );
}

/// All that listens, in the real program.
#[test]
fn serve_has_no_such_path() {
    let platform = Platform::over(Database::sqlite());
    platform.done(&["migrate"]);
    platform.apply();
    let replica = platform.ready_replica("a.log");
    let place = Place::new();
    let dev = place.dev(&[]);
    let (_, _, index) = request(dev.url("control"), "GET /_test", "", "");
    let paths = index["paths"].as_array().unwrap();
    assert!(paths.len() > 3, "{index}");
    for path in paths {
        let line = format!(
            "{} {}",
            path["method"].as_str().unwrap(),
            path["path"].as_str().unwrap()
        );
        for address in [replica.public, replica.operations] {
            let (status, ..) = request(&format!("http://{address}"), &line, JSON, "{}");
            assert_eq!(status, 404, "{line} at {address}");
        }
        // Nor have the listeners of `dev` that others reach.
        for name in ["issuer", "operations"] {
            let (status, ..) = request(dev.url(name), &line, JSON, "{}");
            assert_eq!(status, 404, "{line} at {name}");
        }
    }
    let flags = platform
        .command(&["serve", "--control", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(flags.status.code(), Some(2));
}
