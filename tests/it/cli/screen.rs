//! The screen of `grantd dev` and the commands that its lines use: what it prints works as printed.

use grantd::crypto::compact::CompactJws;
use grantd::crypto::digest::{base64url, sha256};
use grantd::crypto::jws::private_key::ClientPrivateKey;
use serde_json::{Value, json};

use super::data::CATALOG;
use crate::catalogs::{audience, by_key, by_secret, client, policy};
use crate::place::{Place, ended, eventually, post, write_private};

/// A client of each kind, and those for which no line can work.
fn kinds() -> String {
    const JWKS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let by = |method: &str, more: &str| format!("auth = \"{method}\"\n{more}");
    let post = "auth = [\"client_secret_basic\", \"client_secret_post\"]\n";
    let plain = [policy("plain", "read", "")];
    [
        audience("plain", "read", ""),
        audience("bound", "read", "sender_constraint = \"dpop\""),
        client("by key", &by("private_key_jwt", ""), &plain),
        client(
            "by-key-bound",
            &by("private_key_jwt", ""),
            &[policy("bound", "read", "")],
        ),
        client(
            "by-secret-bound",
            &format!("{post}secret = \"SECRET\"\ndpop_bound_access_tokens = true"),
            &plain,
        ),
        client(
            "by-certificate",
            &by("self_signed_tls_client_auth", ""),
            &plain,
        ),
        client(
            "by-subject",
            &by("tls_client_auth", "subject_dn = \"CN=job,O=Example\""),
            &plain,
        ),
        by_key("with-own-key", JWKS, &plain),
        client("api", "grants = []\nsecret = \"api-secret\"", &[]),
        client("off", "status = \"disabled\"\nsecret = \"off-secret\"", &[]),
        by_secret("without-policy", "without-secret", &[]),
    ]
    .concat()
}

fn screen(place: &Place) -> String {
    eventually("the whole screen", || {
        let text = std::fs::read_to_string(place.path("dev.out")).unwrap();
        text.contains("Ctrl-C").then_some(text)
    })
}

/// The lines that get tokens.
fn lines(screen: &str) -> Vec<&str> {
    screen
        .lines()
        .filter(|line| line.contains("curl -s"))
        .collect()
}

#[track_caller]
fn gets_a_token(place: &Place, line: &str) {
    let ended = ended(place.command("sh").args(["-c", line]));
    assert!(
        ended.stdout.contains("\"access_token\""),
        "{line}: {ended:?}"
    );
}

#[test]
fn there_is_a_line_for_each_kind_of_client_or_a_reason_why_not() {
    let place = Place::new();
    if place.command("curl").arg("--version").output().is_err() {
        eprintln!("not run, for there is no curl");
        return;
    }
    place.write("kinds.toml", &kinds());
    // A second start on the same data has the same keys, also without the catalog.
    for arguments in [
        &["--data", "data", "--catalog", "kinds.toml"][..],
        &["--data", "data", "--catalog", "kinds.toml"],
        &["--data", "data"],
    ] {
        let dev = place.dev(arguments);
        let screen = screen(&place);
        let lines = lines(&screen);
        assert_eq!(lines.len(), 5, "{screen}");
        for line in lines {
            gets_a_token(&place, line);
        }
        for why in [
            "# with-own-key authenticates with a key that is not here",
            "# api gets no tokens, it only introspects",
            "# off is disabled",
            "# without-policy has no policy",
        ] {
            assert!(screen.contains(why), "{why}: {screen}");
        }
        assert!(dev.interrupt().success());
    }
}

#[test]
fn on_a_folder_with_another_catalog_its_clients_are_shown_and_not_the_demo() {
    let place = Place::new();
    place.write("my.toml", CATALOG);
    let first = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    assert!(first.interrupt().success());
    let _second = place.dev(&["--data", "data"]);
    let screen = screen(&place);
    assert!(
        screen.contains("# reader (put its secret in place of SECRET: only the hash"),
        "{screen}"
    );
    assert!(!screen.contains("archival-service"), "{screen}");
}

/// Its secrets are public, so that they are still shown.
#[test]
fn a_folder_with_the_demo_shows_lines_that_work_again() {
    let place = Place::new();
    let first = place.dev(&["--data", "data"]);
    let shown = lines(&screen(&place)).len();
    assert!(first.interrupt().success());
    let second = place.dev(&["--data", "data"]);
    let screen = screen(&place);
    assert_eq!(lines(&screen).len(), shown);
    assert!(
        screen.contains("-u 'archival-service:archival-demo-secret'"),
        "{screen}"
    );
    second.token("archival-service", "archival-demo-secret");
}

#[test]
fn an_assertion_from_a_key_in_a_file_gets_a_token() {
    let place = Place::new();
    let jwk: Value = serde_json::from_str(&ClientPrivateKey::generate().unwrap()).unwrap();
    let pair = openssl::pkey::PKey::generate_ed25519().unwrap();
    write_private(
        &place.path("job.pem"),
        &pair.private_key_to_pem_pkcs8().unwrap(),
    );
    write_private(&place.path("job.jwk.json"), jwk.to_string().as_bytes());
    let public = |members: [&str; 4]| {
        let members = members.map(|it| (it.to_owned(), jwk[it].clone()));
        Value::Object(members.into_iter().collect())
    };
    let ec = public(["kty", "crv", "x", "y"]);
    let mut ec = ec;
    ec["kid"] = jwk["kid"].clone();
    let x = base64url(&pair.raw_public_key().unwrap());
    let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "mine"});
    place.write("jwks.json", &json!({"keys": [ec, ed]}).to_string());
    let lines = "auth = \"private_key_jwt\"\njwks_file = \"jwks.json\"";
    let catalog = audience("a", "s", "") + &client("job", lines, &[policy("a", "s", "")]);
    place.write("my.toml", &catalog);
    let dev = place.dev(&["--catalog", "my.toml"]);
    let issuer = dev.url("issuer");
    for (key, kid) in [("job.jwk.json", &[][..]), ("job.pem", &["--kid", "mine"])] {
        let command = [
            "token",
            "assertion",
            "job",
            "--key",
            key,
            "--audience",
            issuer,
        ];
        let made = place.done(&[&command[..], kid].concat());
        let form = format!(
            "grant_type=client_credentials&scope=s&client_assertion={}&client_assertion_type=\
             urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            made.trim_end()
        );
        let (status, body) = without_basic(dev.url("token_endpoint"), &form);
        assert_eq!(status, 200, "{key}: {body}");
    }
    let (status, _) = post(
        dev.url("token_endpoint"),
        ("job", "x"),
        "grant_type=client_credentials",
    );
    assert_eq!(status, 401);
}

fn without_basic(url: &str, form: &str) -> (u16, String) {
    let (authority, _) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let address = authority.parse().unwrap();
    crate::process::request(address, "POST /oauth2/token", form).unwrap()
}

#[test]
fn a_proof_says_what_it_was_asked_to_and_nothing_private() {
    let place = Place::new();
    let key = ClientPrivateKey::generate().unwrap();
    write_private(&place.path("key.json"), key.as_bytes());
    let made = place.done(&[
        "token",
        "proof",
        "--key",
        "key.json",
        "--url",
        "HTTP://api.example:80/a?b#c",
        "--method",
        "GET",
        "--nonce",
        "n1",
        "--access-token",
        "abc",
    ]);
    let jws = CompactJws::parse(made.trim_end()).unwrap();
    assert_eq!(jws.typ(), Some("dpop+jwt"));
    assert!(jws.header()["jwk"].get("d").is_none() && jws.header()["jwk"]["x"].is_string());
    let claims = jws.claims();
    assert_eq!(claims["htu"], "http://api.example/a");
    assert_eq!(claims["htm"], "GET");
    assert_eq!(claims["nonce"], "n1");
    assert_eq!(claims["ath"], base64url(&sha256(b"abc")));
}

#[test]
fn a_key_that_cannot_sign_is_told_with_its_file_and_never_repeated() {
    let place = Place::new();
    place.write(
        "public.json",
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    );
    place.write("text", "a-secret-text");
    for (file, why) in [
        ("public.json", "signing needs the private one"),
        ("text", "expected a private key"),
        ("nowhere", "cannot be read"),
    ] {
        let ended = place.run(&[
            "token",
            "assertion",
            "job",
            "--key",
            file,
            "--audience",
            "http://a",
        ]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.stderr.contains(file) && ended.stderr.contains(why),
            "{ended:?}"
        );
        assert!(!ended.stderr.contains("a-secret-text"), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
}
