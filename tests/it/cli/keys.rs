//! `grantd credential add-key`: keys of a client come and go while replicas run.

use grantd::clock::Clock;
use grantd::config::catalog::public_material;
use grantd::crypto::rsa_weakness::check_rsa;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::credential::rules::CredentialFault;
use grantd::domain::identifier::ClientId;
use grantd::domain::profile::Profile;
use grantd::operations::manage_credentials::{CredentialError, NewCredential};
use grantd::operations::register_credentials::register_credentials;
use serde_json::{Map, Value, json};

use crate::assertion::signer::{Key, TYPE, token};
use crate::catalogs::{client, reads};
use crate::harness::{Env, ISSUER, Replica, by, on_both};
use crate::place::{Ended, Place, within_a_second};

/// `worker` and `spare` have no key yet, `reader` has a secret.
fn catalog() -> String {
    let client = |id: &str| client(id, "auth = \"private_key_jwt\"", &reads("pricing"));
    format!(
        "{}{}{}",
        crate::harness::CATALOG,
        client("worker"),
        client("spare")
    )
}

/// A replica, and a directory from which the commands work on its database.
struct Site {
    env: Env,
    replica: Replica,
    place: Place,
}

impl Site {
    async fn new(env: Env) -> Self {
        // As the commands have it.
        let env = env.with_clock(Clock::system());
        env.apply(&catalog()).await;
        Self {
            replica: env.replica().await,
            env,
            place: Place::new(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.place
            .run(&[arguments, &["--database-url", &self.env.database.url]].concat())
    }

    /// Registers `keys` for `client`; gives the ids.
    #[track_caller]
    fn add(&self, client: &str, keys: &Value, more: &[&str]) -> Vec<String> {
        self.place.write("keys.json", &keys.to_string());
        let command = [
            "credential",
            "add-key",
            client,
            "keys.json",
            "--output",
            "json",
        ];
        let ended = self.run(&[&command, more].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let added: Value = serde_json::from_str(&ended.stdout).unwrap();
        let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
        let ids: Vec<String> = added.as_array().unwrap().iter().map(id).collect();
        assert!(ids.iter().all(|id| ended.stderr.contains(id)), "{ended:?}");
        ids
    }

    /// Fails to register `text`; gives the reason.
    #[track_caller]
    fn refused(&self, client: &str, text: &str) -> String {
        self.place.write("keys.json", text);
        let ended = self.run(&["credential", "add-key", client, "keys.json"]);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(1), ""),
            "{ended:?}"
        );
        ended.stderr
    }

    fn listed(&self, client: &str) -> Vec<Value> {
        let ended = self.run(&["credential", "list", client, "--output", "json"]);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// One credential as it is listed.
    fn shown(&self, id: &str) -> Value {
        self.listed("worker")
            .into_iter()
            .find(|it| it["id"] == id)
            .unwrap()
    }

    /// The status of a token request with an assertion by `key`.
    async fn asks(&self, client: &str, key: &Key) -> u16 {
        self.replica.follow().await;
        token(&self.replica, &key.sign(&claims(client)))
            .await
            .status
            .as_u16()
    }
}

/// Claims of this moment, with a `jti` of their own.
fn claims(client: &str) -> Value {
    claims_for(client, ISSUER)
}

fn claims_for(client: &str, issuer: &str) -> Value {
    let now = Clock::system().now().unix();
    let jti = uuid::Uuid::new_v4().to_string();
    json!({ "iss": client, "sub": client, "aud": issuer, "iat": now, "exp": now + 60, "jti": jti })
}

fn key() -> Key {
    Key::new(SigningAlgorithm::Es256)
}

fn with(jwk: Map<String, Value>, name: &str, value: Value) -> String {
    let mut jwk = jwk;
    jwk.insert(name.to_owned(), value);
    Value::Object(jwk).to_string()
}

/// An RSA key whose modulus has this many bits. None that could be used, but one of the right size.
pub(super) fn rsa(bits: usize) -> Value {
    let mut n = vec![0xff_u8; bits.div_ceil(8)];
    n[0] >>= (8 - bits % 8) % 8;
    let jwk =
        |n: &[u8]| json!({ "kty": "RSA", "n": grantd::crypto::digest::base64url(n), "e": "AQAB" });
    while check_rsa(&n, &[1, 0, 1]).is_err() {
        let last = n.len() - 1;
        n[last] = n[last]
            .checked_sub(2)
            .expect("one without small divisors is near");
    }
    jwk(&n)
}

on_both! {
    async fn a_client_gets_tokens_with_a_key_that_a_command_registered_while_the_server_ran(env) {
        let site = Site::new(env).await;
        let (old, new) = (key(), key());
        assert_eq!(site.asks("worker", &old).await, 401);
        let label = ["--label", "2026-11"];
        let first = site.add("worker", &Value::Object(old.jwk()), &label).remove(0);
        assert_eq!(site.asks("worker", &old).await, 200);
        assert_eq!(site.replica.audit_events("key_added").await, 1);

        let span = ["--expires-in", "90d"];
        let second = site.add("worker", &Value::Object(new.jwk()), &span).remove(0);
        for key in [&old, &new] {
            assert_eq!(site.asks("worker", key).await, 200, "both live at once");
        }
        assert_eq!(site.shown(&first)["label"], "2026-11");
        assert!(site.shown(&second)["expires_at"].is_string());
        let retired = site.run(&["credential", "retire", &first]);
        assert_eq!(retired.code, Some(0), "{retired:?}");
        assert_eq!(site.asks("worker", &old).await, 401);
        assert_eq!(site.asks("worker", &new).await, 200);
        assert_eq!(site.asks("spare", &new).await, 401, "it is a key of one client");
    }

    async fn a_set_is_registered_whole_or_not_at_all(env) {
        let site = Site::new(env).await;
        let keys = [key(), Key::new(SigningAlgorithm::EdDsa)];
        let jwks: Vec<Value> = keys.iter().map(|key| Value::Object(key.jwk())).collect();
        let bad = json!({ "keys": [jwks[0], jwks[1], rsa(2047)] });
        let error = site.refused("worker", &bad.to_string());
        assert!(error.contains("fewer than 2048"), "{error}");
        let twice = json!({ "keys": [jwks[0], jwks[1], jwks[0]] });
        assert!(site.refused("worker", &twice.to_string()).contains("has this jwk already"));
        assert_eq!(site.listed("worker").len(), 0);
        assert_eq!(site.replica.audit_events("key_added").await, 0);
        let ids = site.add("worker", &json!({ "keys": jwks }), &["--label", "both"]);
        assert_eq!(ids.len(), 2);
        for key in &keys {
            assert_eq!(site.asks("worker", key).await, 200);
        }
        assert_eq!(site.replica.audit_events("key_added").await, 2);
    }

    /// B-J07 JOSE-10: the command refuses what a catalog refuses.
    async fn what_no_catalog_may_register_no_command_registers(env) {
        let site = Site::new(env).await;
        let jwk = key().jwk();
        for (text, why) in [
            (with(jwk.clone(), "d", json!("cHJpdmF0ZQ")), "private member `d`"),
            (r#"{"kty":"oct","k":"cHJpdmF0ZQ"}"#.to_owned(), "private member `k`"),
            (rsa(2047).to_string(), "fewer than 2048"),
            (with(jwk.clone(), "use", json!("enc")), "`use` is not sig"),
            (with(jwk.clone(), "key_ops", json!(["sign"])), "`key_ops` lacks verify"),
            (with(jwk.clone(), "alg", json!("RS256")), "`alg` is not ES256"),
            (with(jwk.clone(), "kid", json!(1)), "`kid` is not a text"),
            (with(jwk.clone(), "x", jwk["y"].clone()), "the key is not valid"),
            (r#"{"keys":[]}"#.to_owned(), "at least one key"),
            ("cHJpdmF0ZQ".to_owned(), "expected a JWK"),
            ("-----BEGIN PRIVATE KEY-----\ncHJpdmF0ZQ==\n-----END PRIVATE KEY-----".to_owned(), "openssl pkey"),
            ("-----BEGIN PUBLIC KEY-----\ncHJp\n".to_owned(), "expected a public key"),
            ("-----BEGIN PUBLIC KEY-----\ncHJp\n-----END PUBLIC KEY-----".to_owned(), "expected a public key"),
        ] {
            let error = site.refused("worker", &text);
            assert!(error.contains("keys.json") || error.starts_with("grantd: "), "{error}");
            assert!(error.contains(why) && !error.contains("cHJp"), "{why}: {error}");
        }
        assert_eq!(site.listed("worker").len(), 0);
        site.add("worker", &rsa(2048), &[]);
    }

    async fn a_kid_names_one_key_and_a_key_is_registered_once(env) {
        let site = Site::new(env).await;
        let (first, second) = (key(), key());
        let named = |key: &Key, kid: &str| with(key.jwk(), "kid", json!(kid));
        let id = site.add("worker", &serde_json::from_str(&named(&first, "a")).unwrap(), &[]).remove(0);
        let table = site.run(&["credential", "list", "worker"]).stdout;
        assert!(table.contains("NAME") && table.contains(" a "), "{table}");
        let error = site.refused("worker", &named(&second, "a"));
        assert!(error.contains("has the kid \"a\"") && error.contains("a kid of its own"), "{error}");
        let error = site.refused("worker", &named(&first, "b"));
        assert!(error.contains(&format!("already, as credential {id}")), "{error}");
        let set = json!({ "keys": [
            serde_json::from_str::<Value>(&named(&second, "b")).unwrap(),
            serde_json::from_str::<Value>(&named(&key(), "b")).unwrap(),
        ] });
        assert!(site.refused("worker", &set.to_string()).contains("has the kid \"b\""));

        // Retirement is for good, under any name, and its kid is not given again.
        site.run(&["credential", "retire", &id]);
        for kid in ["a", "b"] {
            let error = site.refused("worker", &named(&first, kid));
            assert!(error.contains(&id) && error.contains("was retired and stays so"), "{error}");
        }
        assert!(site.refused("worker", &named(&second, "a")).contains("has the kid \"a\""));
        assert_eq!(site.asks("worker", &first).await, 401);

        let stated = |key: &Key, kid: &str| {
            let jwks = format!("{{\"keys\": [{}]}}", named(key, kid));
            let method = "\"private_key_jwt\"";
            catalog().replacen(method, &format!("{method}\njwks = '''{jwks}'''"), 1)
        };
        // Nor by a catalog: what is exported then would have it twice.
        let error = site.env.try_apply(&stated(&second, "a"), false).await.unwrap_err();
        assert!(error.contains("has the kid \"a\"") && error.contains("--prune"), "{error}");
        let stated = stated(&first, "c");
        for prune in [false, true] {
            let error = site.env.try_apply(&stated, prune).await.unwrap_err();
            assert!(error.contains(&format!("as credential {id}, which was retired and stays so")), "{error}");
        }

        // Another client may have it, with a warning.
        site.place.write("keys.json", &named(&first, "a"));
        let ended = site.run(&["credential", "add-key", "spare", "keys.json"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stderr.contains("warning: worker has a key of these as well"), "{ended:?}");
    }

    async fn a_client_that_could_not_use_a_key_gets_none(env) {
        let site = Site::new(env).await;
        let jwk = Value::Object(key().jwk()).to_string();
        let error = site.refused("reader", &jwk);
        assert!(error.contains("no method that uses a jwk: add private_key_jwt to its auth"), "{error}");
        let error = site.refused("nobody", &jwk);
        assert!(error.contains("there is no client nobody; `grantd client list`"), "{error}");
        let ended = site.run(&["credential", "add-secret", "worker"]);
        assert!(ended.stderr.contains("add client_secret_basic to its auth"), "{ended:?}");

        // Nor does one that the server's profile forbids.
        let lax = catalog().replacen(
            "auth = \"private_key_jwt\"",
            "auth = \"private_key_jwt\"\nassertion_audience = \"issuer_or_token_endpoint\"",
            1,
        );
        site.env.apply(&lax).await;
        let add = async |profile| {
            let new =
                NewCredential { label: None, active_from: None, expiry: None, profile, by: by() };
            let keys = public_material::keys(&jwk).unwrap();
            let worker = ClientId::parse("worker").unwrap();
            register_credentials(&site.env.store, &worker, keys, &new).await
        };
        let error = add(Profile::Fapi2).await.unwrap_err();
        assert!(matches!(error, CredentialError::Fault(CredentialFault::Profile(_))), "{error}");
        assert!(add(Profile::Default).await.is_ok());
        site.env.prune(crate::harness::CATALOG).await;
        let error = add(Profile::Default).await.unwrap_err();
        assert!(matches!(error, CredentialError::NoClient(_)), "it was deleted: {error}");
    }

    async fn a_key_is_accepted_within_its_life_alone(env) {
        let site = Site::new(env).await;
        let early = key();
        let from = ["--active-from", "2100-01-01T00:00:00Z"];
        let id = site.add("worker", &Value::Object(early.jwk()), &from).remove(0);
        assert_eq!(site.asks("worker", &early).await, 401);
        assert_eq!(site.shown(&id)["active_from"], "2100-01-01T00:00:00Z");
        let end = ["--expires-at", "2099-01-01T00:00:00Z"];
        let id = site.add("worker", &Value::Object(key().jwk()), &end).remove(0);
        assert_eq!(site.shown(&id)["expires_at"], "2099-01-01T00:00:00Z");
        site.place.write("keys.json", &Value::Object(key().jwk()).to_string());
        for (more, code, why) in [
            (&["--active-from", "2100-01-01T00:00:00Z", "--expires-in", "1h"][..], 1, "before it becomes active"),
            (&["--expires-at", "1700000000"], 1, "is in the past"),
            (&["--active-from", "tomorrow"], 2, "RFC 3339"),
            (&["--expires-at", "1700000000", "--expires-in", "1h"], 2, "cannot be used with"),
            (&["--label", "two\nlines"], 2, "no control characters"),
        ] {
            let command = ["credential", "add-key", "worker", "keys.json"];
            let ended = site.run(&[&command, more].concat());
            assert_eq!(ended.code, Some(code), "{ended:?}");
            assert!(ended.stderr.contains(why), "{ended:?}");
        }
    }

    async fn what_a_command_registered_is_exported_and_applied_again(env) {
        let site = Site::new(env).await;
        let (first, second) = (key(), key());
        let id = site.add("worker", &Value::Object(first.jwk()), &["--label", "first"]).remove(0);
        site.add("worker", &Value::Object(second.jwk()), &[]);
        site.run(&["credential", "retire", &id]);
        let exported = site.run(&["export"]).stdout;
        let plan = site.env.try_apply(&exported, true).await.unwrap();
        assert_eq!(plan.changes(), 0, "{:?}", plan.steps);
        // A catalog that does not state them keeps them, and removes them when it is told to.
        site.env.apply(&catalog()).await;
        assert_eq!(site.listed("worker").len(), 2);
        assert_eq!(site.asks("worker", &second).await, 200);
        site.env.prune(&catalog()).await;
        assert_eq!(site.listed("worker").len(), 0);
        assert_eq!(site.asks("worker", &second).await, 401);
    }
}

/// One thumbprint in 64 begins with a hyphen.
#[test]
fn a_name_of_a_key_or_certificate_may_begin_with_a_hyphen() {
    let place = Place::new();
    let auth = "auth = [\"private_key_jwt\", \"self_signed_tls_client_auth\"]";
    let own = client("worker", auth, &[]);
    place.write("my.toml", &format!("{}{own}", super::data::CATALOG));
    let _dev = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    let mut jwk = Key::new(SigningAlgorithm::EdDsa).jwk();
    jwk.remove("kid");
    place.write("key.jwk", &Value::Object(jwk).to_string());
    let kid = "-m4x";
    let line = [
        "credential",
        "add-key",
        "worker",
        "key.jwk",
        "--kid",
        kid,
        "--data",
        "data",
    ];
    place.done(&line);
    let x5t = format!("-{}", "A".repeat(42));
    let line = [
        "credential",
        "add-certificate",
        "worker",
        "--thumbprint",
        &x5t,
        "--data",
        "data",
    ];
    place.done(&line);
    let listed = place.done(&["credential", "list", "worker", "--data", "data"]);
    assert!(listed.contains(kid) && listed.contains(&x5t), "{listed}");
}

#[test]
fn a_running_dev_server_takes_a_key_in_pem_form_within_a_second() {
    let place = Place::new();
    let own = client("worker", "auth = \"private_key_jwt\"", &reads("pricing"));
    place.write("my.toml", &format!("{}{own}", super::data::CATALOG));
    let dev = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    let key = Key::new(SigningAlgorithm::EdDsa);
    // SubjectPublicKeyInfo of Ed25519 (RFC 8410): twelve octets and the key.
    let x = grantd::crypto::digest::decode_base64url(key.jwk()["x"].as_str().unwrap()).unwrap();
    let der = [
        &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..],
        &x,
    ]
    .concat();
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    let command = [
        "credential",
        "add-key",
        "worker",
        "-",
        "--kid",
        key.kid(),
        "--data",
        "data",
    ];
    let ended = place.run_with_input(&command, &pem);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains(&format!("its kid is {}", key.kid())),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("live"), "{ended:?}");
    let address = dev.authority().parse().unwrap();
    within_a_second("a token by the new key", || {
        let assertion = key.sign(&claims_for("worker", dev.url("issuer")));
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}"
        );
        let answer = crate::process::request(address, "POST /oauth2/token", &form);
        (answer.unwrap().0 == 200).then_some(())
    });
    let jwk = Value::Object(key.jwk()).to_string();
    let ended = place.run_with_input(&command, &jwk);
    assert!(ended.stderr.contains("has this jwk already"), "{ended:?}");
    let command = [
        "credential",
        "add-key",
        "worker",
        "-",
        "--kid",
        "other",
        "--data",
        "data",
    ];
    let ended = place.run_with_input(&command, &jwk);
    assert!(
        ended.stderr.contains("a kid of its own: leave --kid out"),
        "{ended:?}"
    );

    // The catalog takes it over, in whatever order its members are written.
    let x = key.jwk()["x"].as_str().unwrap().to_owned();
    let jwk = format!(
        r#"{{"x":"{x}","kty":"OKP","kid":"{}","crv":"Ed25519"}}"#,
        key.kid()
    );
    let jwks = format!("\"private_key_jwt\"\njwks = ['{jwk}']");
    let catalog = format!("{}{own}", super::data::CATALOG).replace("\"private_key_jwt\"", &jwks);
    place.write("my.toml", &catalog);
    // The key that dev made beside it would go with --prune.
    let plan = place.done(&["apply", "my.toml", "--dry-run", "--data", "data"]);
    assert!(
        plan.lines().last().unwrap().starts_with("nothing to do"),
        "{plan}"
    );
}
