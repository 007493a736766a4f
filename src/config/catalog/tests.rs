//! Tests of the catalog: the demo, what is accepted, what is refused and what errors say.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::config::shaped::keys_of;
use crate::crypto::certificates::CertificateChain;
use crate::crypto::certificates::made::CertificateKey;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::JwtTyp;
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::credential::{CredentialMaterial, CredentialShape, StatedSecret};
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::domain::trusted_issuer::TrustedIssuer;

const CLIENT: &str = "[[client]]\nid = \"orders\"\n";
const PHC: &str = "$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";

fn nothing(_: &str) -> Option<String> {
    None
}

fn dev(text: &str) -> Result<Catalog, ConfigError> {
    Catalog::parse("c.toml", text, &CatalogOptions::dev(&nothing))
}

fn strict(text: &str) -> Result<Catalog, ConfigError> {
    let environment = |name: &str| match name {
        "SECRET" => Some("a secret of the environment".to_owned()),
        "SHORT" => Some("short".to_owned()),
        "HASH" => Some(PHC.to_owned()),
        _ => None,
    };
    Catalog::parse("c.toml", text, &CatalogOptions::strict(&environment))
}

fn message(result: Result<Catalog, ConfigError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn every_demo_client_needs_nothing_but_its_secret_or_a_certificate() {
    let catalog = Catalog::parse(DEMO_NAME, DEMO, &CatalogOptions::dev(&nothing)).unwrap();
    assert!(
        catalog
            .clients
            .iter()
            .any(|it| it.client.id.as_str() == "archival-service")
    );
    assert!(catalog.audiences.iter().any(|it| it.jwt_typ == JwtTyp::Jwt));
    for audience in &catalog.audiences {
        assert!(
            !matches!(
                audience.algorithm,
                SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256
            ),
            "an RSA key takes longer than the whole start"
        );
    }
    for client in &catalog.clients {
        let both = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];
        let [credential] = &client.credentials[..] else {
            panic!("{}", client.client.id)
        };
        match &credential.material {
            CredentialMaterial::Secret(StatedSecret::Clear(secret)) => {
                assert_eq!(client.client.auth_methods, both, "{}", client.client.id);
                assert!(secret.expose().len() >= MIN_IMPORTED_LENGTH);
            }
            // `grantd dev` makes its certificate.
            CredentialMaterial::Subject(_) => {
                assert_eq!(client.client.auth_methods, [AuthMethod::TlsClientAuth]);
            }
            _ => panic!("{}", client.client.id),
        }
        if client.client.grants.is_empty() {
            let serves = |it: &Placed<Audience>| it.served_by.contains(&client.client.id);
            assert!(client.policies.is_empty() && catalog.audiences.iter().any(serves));
        } else {
            let [policy] = &client.policies[..] else {
                panic!("{}", client.client.id)
            };
            assert!(!policy.default_scopes.is_empty(), "{}", client.client.id);
        }
    }
    assert!(!format!("{catalog:?}").contains("-secret"));
}

#[test]
fn the_demo_catalog_explains_every_key() {
    let shows = |key: &&&str| {
        let start = format!("{key} =");
        DEMO.lines()
            .any(|line| line.trim_start_matches(['#', ' ']).starts_with(&start))
            || DEMO.contains(&format!("{key}]"))
    };
    // These stand beside the example of the key that they are an alternative to.
    let beside = [
        "certificate_files",
        "thumbprints",
        "jwks",
        "subject_dn",
        "san_dns",
        "san_ip",
        "san_email",
        "ca",
    ];
    let (audience, issuer) = (keys_of::<Audience>(), keys_of::<TrustedIssuer>());
    for key in [audience, issuer, CatalogClient::keys(), keys_of::<Policy>()].concat() {
        assert!(
            shows(&&key) || beside.contains(&key) && DEMO.contains(key),
            "{key}"
        );
    }
    let at = Some(Timestamp::EPOCH);
    let full = CredentialShape {
        id: CredentialId::parse("k3v9x0q2ma").ok(),
        value: Some(String::new()),
        ca: Some(String::new()),
        label: Some(String::new()),
        active_from: at,
        expires_at: at,
        retired_at: at,
    };
    for (key, _) in write::members(&full) {
        assert!(DEMO.contains(&format!("{key} = ")), "{key}");
    }
}

#[test]
fn what_is_not_stated_has_its_default() {
    let catalog = strict("[[audience]]\nid = \"a\"\n[[client]]\nid = \"c\"\n").unwrap();
    let audience = &catalog.audiences[0];
    assert_eq!(audience.token_lifetime, Seconds::new(300));
    assert_eq!(audience.max_token_lifetime, Seconds::new(900));
    assert_eq!(audience.algorithm, SigningAlgorithm::Es256);
    let client = &catalog.clients[0];
    assert!(!client.states_status);
    assert_eq!(client.client.grants, [GrantType::ClientCredentials]);
    assert_eq!(client.client.auth_methods, [AuthMethod::ClientSecretBasic]);
    assert_eq!(client.place.to_string(), "c.toml:3");
}

#[test]
fn secrets_come_from_variables_files_and_hashes() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("s"), "the secret of a file\r\n").unwrap();
    let environment = |name: &str| (name == "SECRET").then(|| "from the environment".to_owned());
    let options = CatalogOptions {
        base: directory.path().to_owned(),
        ..CatalogOptions::strict(&environment)
    };
    let text = format!(
        "{CLIENT}secrets = [\"env:SECRET\", {{ value = \"file:s\", label = \"old\", \
         active_from = 2026-01-01T00:00:00Z, expires_at = \"2027-01-01T00:00:00Z\", \
         retired_at = 1767225600 }}, {{ id = \"k3v9x0q2ma\", value = \"{PHC}\" }}]\n"
    );
    let catalog = Catalog::parse("c.toml", &text, &options).unwrap();
    let [first, second, third] = &catalog.clients[0].credentials[..] else {
        panic!()
    };
    let clear = |it: &Placed<StatedCredential>| match &it.material {
        CredentialMaterial::Secret(StatedSecret::Clear(secret)) => secret.expose().to_owned(),
        _ => panic!("no secret in clear"),
    };
    assert_eq!(clear(first), "from the environment");
    assert_eq!(clear(second), "the secret of a file");
    assert_eq!(second.label.as_deref(), Some("old"));
    assert_eq!(
        second.active_from,
        Some(Timestamp::from_unix(1_767_225_600))
    );
    assert_eq!(second.active_from, second.retired_at);
    assert_eq!(
        third.id.as_ref().map(CredentialId::as_str),
        Some("k3v9x0q2ma")
    );
    assert!(matches!(
        third.material,
        CredentialMaterial::Secret(StatedSecret::Phc(_))
    ));
}

#[test]
fn a_secret_in_clear_is_for_dev_alone() {
    let text = format!("{CLIENT}secret = \"marked\"\n");
    assert_eq!(
        message(strict(&text)),
        "c.toml:3: client \"orders\": secret: only `grantd dev` accepts a secret in clear text here; write env:NAME, file:PATH or an argon2id PHC string"
    );
    for (text, clear) in [
        ("x", "x"),
        ("literal:env:X", "env:X"),
        ("literal:$2b$x", "$2b$x"),
    ] {
        let catalog = dev(&format!("{CLIENT}secret = \"{text}\"\n")).unwrap();
        let CredentialMaterial::Secret(StatedSecret::Clear(secret)) =
            &catalog.clients[0].credentials[0].material
        else {
            panic!()
        };
        assert_eq!(secret.expose(), clear);
    }
}

#[test]
fn a_generated_secret_keeps_its_id_and_a_mistyped_one_is_refused() {
    use base64::Engine as _;
    let body = format!("grantd_k3v9x0q2ma_{}", "A".repeat(43));
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    let sum = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash);
    let secret = format!("{body}{}", &sum[..6]);
    let catalog = dev(&format!("{CLIENT}secret = \"{secret}\"\n")).unwrap();
    let id = catalog.clients[0].credentials[0].id.as_ref();
    assert_eq!(id.map(CredentialId::as_str), Some("k3v9x0q2ma"));
    let typo = message(dev(&format!(
        "{CLIENT}secret = \"{}\"\n",
        secret.replacen('A', "B", 1)
    )));
    assert!(
        typo.contains("its checksum is wrong") && !typo.contains("grantd_k3v"),
        "{typo}"
    );
    let other = format!("{CLIENT}secrets = [{{ id = \"aaaaaaaaaa\", value = \"{secret}\" }}]\n");
    assert!(message(dev(&other)).contains("must equal the id in it"));
}

#[test]
fn a_credential_id_stands_once_in_the_whole_catalog() {
    let secrets = format!("secrets = [{{ id = \"k3v9x0q2ma\", value = \"{PHC}\" }}]\n");
    let text = message(strict(&format!(
        "{CLIENT}{secrets}[[client]]\nid = \"b\"\n{secrets}"
    )));
    assert!(
        text.starts_with(
            "c.toml:6: credential \"k3v9x0q2ma\": the one at c.toml:3 already has this name"
        ),
        "{text}"
    );
}

#[test]
fn faults_are_reported_together_in_the_order_of_their_lines() {
    let text = "[[audience]]\n\
                id = \"pricing-api\"\n\
                scopes = [\"read\"]\n\
                algorithm = \"ES255\"\n\
                token_lifetme = \"5m\"\n\
                [[client]]\n\
                id = \"orders\"\n\
                secret = \"env:ABSENT\"\n\
                [[client.policy]]\n\
                audience = \"pricing-api\"\n\
                scopes = [\"read\", \"write\"]\n\
                default_scopes = [\"admin\"]\n\
                token_lifetime = \"1h\"\n\
                [[clients]]\n";
    assert_eq!(
        message(strict(text)),
        "c.toml:4: audience \"pricing-api\": algorithm: \"ES255\" is not one of ES256, EdDSA, \
         RS256, PS256; the nearest is \"ES256\"\n\
         c.toml:5: audience \"pricing-api\": token_lifetme: unknown key; the nearest known one is \
         `token_lifetime`\n\
         c.toml:8: client \"orders\": secret: the environment variable ABSENT is not set\n\
         c.toml:11: client \"orders\": policy: scopes: write is not a scope of pricing-api; it has \
         read\n\
         c.toml:12: client \"orders\": policy: default_scopes: admin is not among the policy's \
         `scopes`; add it there or remove it here\n\
         c.toml:13: client \"orders\": policy: token_lifetime: 1h is more than the audience's \
         max_token_lifetime of 15m\n\
         c.toml:14: clients: unknown key; the nearest known one is `client`"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn wrong_clients_are_refused() {
    let policy = "[[client.policy]]\naudience = \"a\"\nscopes = [\"s\"]\n";
    let (half, large) = ("x".repeat(2048), "x".repeat(4096));
    for (text, sentence) in [
        ("name = 5", "expected text, found a whole number"),
        ("name = \"\"", "1 to 255 characters"),
        ("status = \"deleted\"", "is not one of active, disabled"),
        ("claims = { sub = \"x\" }", "`sub` is a registered claim"),
        (
            "claims = { groups = \"a\" }",
            "claims.groups: RFC 9068 makes this claim a list of texts",
        ),
        (
            "claims = { roles = [1] }",
            "claims.roles: RFC 9068 makes this claim a list of texts",
        ),
        (
            "claims = { entitlements = { } }",
            "claims.entitlements: RFC 9068 makes this claim a list",
        ),
        (
            "claims = { x = nan }",
            "claims.x: expected text, a whole number",
        ),
        (
            "claims = { x = 2026-01-01 }",
            "claims.x: expected text, a whole number",
        ),
        (
            &format!("{policy}claims = {{ aud = \"x\" }}"),
            "policy: claims: `aud` is a registered claim",
        ),
        (
            &format!("{policy}claims = {{ roles = [[]] }}"),
            "policy: claims.roles: RFC 9068 makes",
        ),
        (
            &format!("{policy}claims = {{ x = {large:?} }}"),
            "policy: claims: extra claims may have at most 4096",
        ),
        (
            &format!("claims = {{ x = {half:?} }}\n{policy}claims = {{ y = {half:?} }}"),
            "policy: claims: tokens for a get the client's claims and these",
        ),
        (
            "grants = [\"password\"]",
            "is not one of client_credentials",
        ),
        (
            "auth = \"client_secret_jwt\"",
            "is not one of client_secret_basic",
        ),
        ("auth = []", "name at least one"),
        (
            "auth = \"private_key_jwt\"\nsecret = \"env:SECRET\"",
            "no method that uses a secret",
        ),
        (
            "thumbprints = [\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"]",
            "no method that uses a certificate",
        ),
        ("secret = \"env:SHORT\"", "16 to 1024 printable ASCII"),
        (
            "secret = \"env:no name\"",
            "the name of an environment variable",
        ),
        (
            "secret = \"file:/no/such\"",
            "cannot read the file /no/such",
        ),
        ("secret = \"$2b$12$x\"", "only argon2id"),
        (
            "secret = \"env:SECRET\"\nsecrets = []",
            "`secret` is given as well",
        ),
        (
            "secrets = [{ id = \"k3v9x0q2ma\", value = \"env:SECRET\" }]",
            "an id belongs only",
        ),
        (
            "secrets = [{ vale = \"env:SECRET\" }]",
            "the nearest known one is `value`",
        ),
        (
            "secrets = [{ value = \"env:SECRET\", active_from = 5, expires_at = 5 }]",
            "would expire before it becomes active",
        ),
        ("max_assertion_lifetime = \"2h\"", "from 1s to 1h"),
        ("policy = 5", "expected a list"),
        (
            "[[client.policy]]\nscopes = [\"s\"]",
            "audience: this key is required",
        ),
        (
            "[[client.policy]]\naudience = \"a\"",
            "name at least one scope",
        ),
        (
            "[[client.policy]]\naudience = \"a\"\nscopes = [\"a b\"]",
            "a scope is visible ASCII",
        ),
        (
            "[[client.policy]]\naudience = \"a\"\nscopes = [\"s\"]\nnetworks = [\"10.0.0.0\"]",
            "expected a network",
        ),
        (
            "[[client.policy]]\naudience = \"a\"\nscopes = [\"s\"]\ntoken_lifetime = \"0s\"",
            "from 1s to 24h",
        ),
        (
            &format!("{policy}{policy}"),
            "the one at c.toml:3 already has this name",
        ),
        (
            "[[client]]\nid = \"orders\"",
            "client \"orders\": the one at c.toml:1 already has this name",
        ),
        ("[[client]]", "client: id: this key is required"),
    ] {
        let text = message(strict(&format!("{CLIENT}{text}\n")));
        assert!(text.contains(sentence), "{sentence:?} is not in {text}");
    }
}

#[test]
fn a_claim_of_the_policy_takes_the_room_of_the_clients() {
    let half = "x".repeat(2048);
    let text = format!(
        "{CLIENT}claims = {{ x = {half:?}, roles = [\"a\"] }}\n\
         [[client.policy]]\naudience = \"a\"\nscopes = [\"s\"]\n\
         claims = {{ x = {half:?}, groups = [], entitlements = [\"b\", \"\"] }}\n"
    );
    let catalog = strict(&text).unwrap();
    let claims = &catalog.clients[0].policies[0].claims;
    assert_eq!(claims["groups"], serde_json::json!([]));
    assert_eq!(claims["entitlements"], serde_json::json!(["b", ""]));
    assert_eq!(
        catalog.clients[0].client.claims["roles"],
        serde_json::json!(["a"])
    );
}

/// 9068-04.
#[test]
fn an_audience_is_never_its_client() {
    let text = format!("{CLIENT}[[client.policy]]\naudience = \"orders\"\nscopes = [\"s\"]\n");
    assert!(message(strict(&text)).contains("aud would equal client_id"));
}

#[test]
fn wrong_audiences_are_refused() {
    for (text, sentence) in [
        ("id = \"a b\"", "an audience is 1 to 255 visible"),
        (
            "token_lifetime = \"20m\"\nmax_token_lifetime = \"15m\"",
            "20m is more than",
        ),
        ("max_token_lifetime = \"25h\"", "from 1s to 24h"),
        ("token_lifetime = \"0s\"", "from 1s to 24h"),
        ("jwt_typ = \"jwt\"", "the nearest is \"JWT\""),
        ("scopes = \"read\"", "expected a list of scopes or a table"),
        ("scopes = { \"a b\" = \"\" }", "a scope is visible ASCII"),
        ("scopes = { a = 1 }", "expected text"),
        ("served_by = [\"\"]", "a client id is 1 to 255"),
        (
            "[[audience]]\nid = \"a\"\n[[audience]]\nid = \"a\"",
            "already has this name",
        ),
    ] {
        let id = if text.starts_with("id") {
            ""
        } else {
            "id = \"x\"\n"
        };
        let text = message(strict(&format!("[[audience]]\n{id}{text}\n")));
        assert!(text.contains(sentence), "{sentence:?} is not in {text}");
    }
}

#[test]
fn registered_keys_are_public_and_have_one_name_each() {
    // RFC 7515 appendix A.3.
    let jwk = r#"{"kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","crv":"P-256","kid":"1"}"#;
    let client = format!("{CLIENT}auth = \"private_key_jwt\"\n");
    let set = |keys: &str| strict(&format!("{client}jwks = '''{{\"keys\":[{keys}]}}'''\n"));
    assert_eq!(set(jwk).unwrap().clients[0].credentials.len(), 1);
    let list = strict(&format!(
        "{client}jwks = [{{ value = '{jwk}', label = \"x\" }}]\n"
    ))
    .unwrap();
    assert_eq!(list.clients[0].credentials[0].label.as_deref(), Some("x"));
    let CredentialMaterial::Jwk(read) = &list.clients[0].credentials[0].material else {
        panic!()
    };
    let sorted = r#"{"crv":"P-256","kid":"1","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    assert_eq!(read, sorted);
    for (keys, sentence) in [
        (
            format!("{jwk},{jwk}"),
            "has this jwk already, stated beside it",
        ),
        (
            format!(
                r#"{jwk},{{"kid":"1","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#
            ),
            "has the kid \"1\", stated beside it",
        ),
        (String::new(), "expected a JWK set"),
        ("5".to_owned(), "the key is"),
        (
            r#"{"kty":"oct","k":"marked"}"#.to_owned(),
            "the private member `k`",
        ),
        (jwk.replace("\"x\"", "\"d\""), "the private member `d`"),
        (r#"{"kty":"RSA","n":"bg"}"#.to_owned(), "`e` is absent"),
        (r#"{"kty":"XYZ"}"#.to_owned(), "`kty` is not EC"),
        (
            jwk.replace("\"kid\":\"1\"", "\"use\":\"enc\""),
            "`use` is not sig",
        ),
        // What `apply` would not register.
        (
            jwk.replace("\"kid\":\"1\"", "\"alg\":\"RS384\""),
            "`alg` is not ES256",
        ),
        (
            jwk.replace("\"kid\":\"1\"", "\"kid\":1"),
            "`kid` is not a text",
        ),
        (
            jwk.replace("\"kid\":\"1\"", "\"kid\":\"\""),
            "`kid` is not a text",
        ),
        (jwk.replace("P-256", "secp256k1"), "`crv` is not P-256"),
        (
            jwk.replace("RVEU", "RVE="),
            "`x` is absent or not base64url",
        ),
        (jwk.replace("f83O", "A83O"), "the key is not valid"),
    ] {
        let text = message(set(&keys));
        assert!(
            text.contains(sentence) && !text.contains("marked"),
            "{text}"
        );
    }
}

#[test]
fn certificates_and_subject_names_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let key = CertificateKey::generate().unwrap();
    let pem = key
        .self_signed("ledger", Timestamp::from_unix(1_767_225_600))
        .unwrap();
    std::fs::write(directory.path().join("ledger.pem"), &pem).unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";
    std::fs::write(directory.path().join("broken.pem"), broken).unwrap();
    let options = CatalogOptions {
        base: directory.path().to_owned(),
        ..CatalogOptions::strict(&nothing)
    };
    let text = format!(
        "{CLIENT}auth = [\"self_signed_tls_client_auth\", \"tls_client_auth\"]\n\
         certificate_file = \"ledger.pem\"\nsan_uri = \"spiffe://example.org/job\"\n"
    );
    let catalog = Catalog::parse("c.toml", &text, &options).unwrap();
    let [certificate, subject] = &catalog.clients[0].credentials[..] else {
        panic!()
    };
    let CredentialMaterial::Certificate(print) = &certificate.material else {
        panic!()
    };
    assert_eq!(
        print,
        CertificateChain::from_pem(pem.as_bytes())
            .unwrap()
            .thumbprint()
    );
    let broken = text.replace("ledger.pem", "broken.pem");
    let error = Catalog::parse("c.toml", &broken, &options)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("TLS cannot read this as an X.509 certificate"),
        "{error}"
    );
    assert!(matches!(&subject.material, CredentialMaterial::Subject(it) if it.value.len() == 24));
    let two = format!("{text}san_dns = \"a.example\"\n");
    let error = Catalog::parse("c.toml", &two, &options)
        .unwrap_err()
        .to_string();
    assert!(error.contains("exactly one of subject_dn"), "{error}");
    let retired = format!("{text}san_dns = {{ value = \"a.example\", retired_at = 5 }}\n");
    assert!(
        Catalog::parse("c.toml", &retired, &options).is_ok(),
        "it is kept for its history"
    );
}

#[test]
fn no_error_shows_a_secret() {
    for text in [
        "secret = \"marked",
        "secret = \"marked\" x",
        "secret = { value = \"marked\" }",
        "secrets = { x = \"marked\" }",
        "secret = [[\"marked\"]]",
        "secrets = [{ id = \"x\", value = \"grantd_marked\" }]",
        "secret = \"\\u00e9marked\"",
        "claims = { x = \"marked\", sub = 1 }",
    ] {
        let error = strict(&format!("{CLIENT}{text}\n")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("marked"), "{error}");
    }
}

#[test]
fn deep_nesting_is_refused_and_never_overflows() {
    for text in [
        format!("x = {}", "[".repeat(100_000)),
        format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("x = {}", "{a=".repeat(100_000)),
        format!("{}x = 1", "a.".repeat(100_000)),
        format!("[{}x]", "a.".repeat(100_000)),
    ] {
        assert!(dev(&text).is_err());
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        let _ = dev(&text);
    }

    #[test]
    fn no_almost_right_catalog_makes_the_parser_panic(
        keys in prop::collection::vec((0..CatalogClient::keys().len(), "[\\[\\]{}\"'=,:$a-z0-9.\\- ]{0,24}"), 0..6),
    ) {
        let mut text = CLIENT.to_owned();
        for (key, value) in keys {
            writeln!(text, "{} = {value}", CatalogClient::keys()[key]).unwrap();
        }
        let _ = dev(&text);
    }
}

/// What no certificate can bear, and what no client of this catalog could meet.
#[test]
fn what_could_never_work_is_refused_where_it_is_written() {
    let mutual = format!("{CLIENT}auth = \"tls_client_auth\"\n");
    for (line, sentence) in [
        ("san_dns = \"job.example.\"", "without a dot at its end"),
        ("san_dns = \"job..example\"", "a DNS name"),
        ("san_dns = \".job.example\"", "a DNS name"),
        ("san_uri = \"https://example.org/jöb\"", "an absolute URI"),
        (
            "san_uri = \"spiffe://example.org/jöb\"",
            "the SPIFFE ID of a workload",
        ),
        (
            "san_uri = \"spiffe://example.org\"",
            "no CA vouches for another URI of this scheme",
        ),
        (
            "san_uri = \"Spiffe://example.org/job\"",
            "the SPIFFE ID of a workload",
        ),
        ("san_ip = \"fe80::1%eth0\"", "an IP address"),
        ("san_email = \"@a.example\"", "an e-mail address"),
        ("san_email = \"job@\"", "an e-mail address"),
        ("san_email = \"jöb@a.example\"", "an e-mail address"),
        ("san_email = \"a job@a.example\"", "an e-mail address"),
        ("subject_dn = \"CN=#0C0261\"", "a distinguished name"),
    ] {
        let text = message(strict(&format!("{mutual}{line}\n")));
        assert!(text.contains(sentence), "{sentence:?} is not in {text}");
    }
    for line in [
        "san_dns = \"_job.a-b.example\"",
        "san_ip = \"::ffff:10.0.0.1\"",
    ] {
        assert!(strict(&format!("{mutual}{line}\n")).is_ok(), "{line}");
    }
    let policy = |methods: &str| {
        let text = "[[audience]]\nid = \"a\"\nscopes = [\"s\"]\n";
        strict(&format!(
            "{text}{CLIENT}auth = \"private_key_jwt\"\n[[client.policy]]\naudience = \"a\"\n\
             scopes = [\"s\"]\nmethods = [{methods}]\n"
        ))
    };
    let text = message(policy("\"client_secret_basic\", \"tls_client_auth\""));
    assert!(
        text.contains("methods: the client's `auth` has none of these"),
        "{text}"
    );
    assert!(policy("\"client_secret_basic\", \"private_key_jwt\"").is_ok());
    // A hash of four bytes.
    let text = message(strict(&format!(
        "{CLIENT}secret = \"$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHQ$aGFzaA\"\n"
    )));
    assert!(text.contains("a hash has 16 to 64 bytes"), "{text}");
    let text = message(strict("[[audience]]\nid = \"https://api.example/#v1\"\n"));
    assert!(text.contains("has no fragment"), "{text}");
}

/// A secret that stands by mistake where a name belongs is not repeated; a typing error is.
#[test]
fn a_word_that_may_be_a_secret_is_not_repeated() {
    const SECRET: &str = "kJ8vQ2mZx7Lw4Rt9Yb3N6sFd1Ga5";
    const SHOWN: &str = "kJ8v… (28 characters)";
    let audience = "[[audience]]\nid = \"a\"\nscopes = [\"s\"]\n";
    let policy = "[[client.policy]]\naudience = \"a\"\n";
    for text in [
        format!("{CLIENT}{SECRET} = 1\n"),
        format!("{CLIENT}auth = \"{SECRET}\"\n"),
        format!("{CLIENT}grants = [\"{SECRET}\"]\n"),
        format!("{CLIENT}secret = \"env:{SECRET}\"\n"),
        format!("{CLIENT}claims = {{ {SECRET} = 2026-01-01 }}\n"),
        format!("[{SECRET}]\n"),
        format!("{audience}algorithm = \"{SECRET}\"\n"),
        format!("{audience}{CLIENT}{policy}scopes = [\"{SECRET}\"]\n"),
        format!("{audience}{CLIENT}{policy}scopes = [\"s\"]\ndefault_scopes = [\"{SECRET}\"]\n"),
        format!("{audience}{CLIENT}{policy}scopes = [\"s\"]\nmethods = [\"{SECRET}\"]\n"),
    ] {
        let text = message(strict(&text));
        assert!(
            text.contains(SHOWN) && !text.contains(&SECRET[4..]),
            "{text}"
        );
    }
    for (line, shown) in [
        (
            "tls_client_certificate_bound_access_token5 = 1",
            "tls_client_certificate_bound_access_token5",
        ),
        (
            "auth = \"self_signed_tls_client_auth2\"",
            "self_signed_tls_client_auth2",
        ),
        (
            "secret = \"env:ORDERS_SECRET_2026_Q4\"",
            "ORDERS_SECRET_2026_Q4",
        ),
    ] {
        let text = message(strict(&format!("{CLIENT}{line}\n")));
        assert!(text.contains(shown), "{text}");
    }
}

/// Only `grantd dev` fetches keys without TLS.
#[test]
fn keys_are_fetched_by_http_in_dev_alone() {
    let text =
        format!("{CLIENT}auth = \"private_key_jwt\"\njwks_url = \"http://localhost:8080/jwks\"\n");
    assert!(message(strict(&text)).contains("begins with https://"));
    let dev = Catalog::parse("c.toml", &text, &CatalogOptions::dev(&nothing)).unwrap();
    assert_eq!(dev.clients[0].credentials.len(), 1);
}
