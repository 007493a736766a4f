//! Tests of the settings: the example file, overrides, and what errors say.

use std::path::PathBuf;

use super::*;
use crate::domain::proxy::AddressHeader;
use crate::domain::timestamp::Seconds;

const NONE: [(String, String); 0] = [];

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn parse(text: &str) -> Result<Settings, ConfigError> {
    Settings::parse(Some(("grantd.toml", text)), Path::new("/etc/grantd"), NONE)
}

fn with(text: &str) -> Result<Settings, ConfigError> {
    let minimal = "issuer = \"http://localhost:8080\"\ndatabase_url = \"sqlite://x.db\"\n";
    parse(&format!("{minimal}{text}"))
}

fn message(result: Result<Settings, ConfigError>) -> String {
    result.unwrap_err().to_string()
}

const LOOPBACK: &str = "[public]\nlisten = \"127.0.0.1:8080\"\n";

/// The file in the source tree.
const EXAMPLE_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/grantd.toml");

/// The declared keys but those at the top, with their tables.
fn keys_in_tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    let tables = keys::TABLES.iter().filter(|table| !table.name.is_empty());
    tables.flat_map(|table| table.keys.iter().map(|key| (table.name, *key)))
}

#[test]
fn the_example_file_is_what_the_declarations_make() {
    if std::env::var_os("WRITE_EXAMPLE").is_some() {
        std::fs::write(EXAMPLE_FILE, example()).unwrap();
    }
    assert!(
        std::fs::read_to_string(EXAMPLE_FILE).unwrap() == example(),
        "config/grantd.toml is another than the declarations make; \
         write it anew: WRITE_EXAMPLE=1 cargo test --lib the_example_file"
    );
}

/// OPERATING section 6.
#[test]
fn a_key_must_be_known_before_its_turn_comes() {
    let rotation = |rotation: &str| {
        let keys = format!("{LOOPBACK}[keys]\nrotation = {rotation}\njwks_max_age = \"1s\"\n");
        with(&format!("{keys}[feed]\nmax_staleness = \"2s\"\n"))
    };
    for (stated, read) in [
        ("0", None),
        ("\"0\"", None),
        ("\"0s\"", None),
        ("\"4s\"", Some(4)),
        ("\"30d\"", Some(30 * 86_400)),
    ] {
        let periods = rotation(stated).unwrap().key_periods();
        assert_eq!(periods.rotation.map(Seconds::get), read);
        assert_eq!(
            (periods.jwks_max_age.get(), periods.max_staleness.get()),
            (1, 2)
        );
    }
    let short = message(rotation("\"3s\""));
    assert!(
        short.contains("grantd.toml:6") && short.contains("keys.rotation"),
        "{short}"
    );
    assert!(
        short.contains("the shortest rotation is 4s (jwks_max_age + max_staleness + 1s)"),
        "{short}"
    );
}

#[test]
fn the_example_file_is_accepted() {
    let settings = with_example(NONE).unwrap();
    assert_eq!(settings.issuer.as_str(), "https://auth.internal.example");
}

fn with_example(
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, ConfigError> {
    Settings::parse(
        Some(("example", &example())),
        Path::new("/etc"),
        environment,
    )
}

/// A key without a text of its own is explained by the one before it.
#[test]
fn every_key_is_explained_and_has_a_value_in_the_example() {
    for table in &keys::TABLES {
        assert_eq!(table.doc.is_empty(), table.name.is_empty());
        let explained = (table.explained)();
        assert!(!explained[0].doc.is_empty(), "{}", table.name);
        for key in explained {
            assert_ne!(key.value, "", "{}", key.name);
        }
    }
}

#[test]
fn the_defaults_are_those_that_the_example_shows() {
    // Uncommenting every default must change nothing.
    let example = example();
    let uncommented = example.replace("\n# default: ", "\n");
    assert_ne!(uncommented, example);
    let settings = |text| {
        format!(
            "{:?}",
            Settings::parse(Some(("x", text)), Path::new(""), NONE).unwrap()
        )
    };
    assert_eq!(settings(&example), settings(&uncommented));
}

#[test]
fn settings_that_say_nothing_are_the_defaults() {
    let url = Secret::new("sqlite://x.db".to_owned());
    let issuer = Issuer::parse("http://localhost:8080", false).unwrap();
    let read = with(LOOPBACK).unwrap();
    let expected = Settings {
        public: PublicListener {
            listen: "127.0.0.1:8080".parse().unwrap(),
            ..PublicListener::default()
        },
        ..Settings::new(issuer, url)
    };
    assert_eq!(format!("{read:#?}"), format!("{expected:#?}"));
}

#[test]
fn a_range_that_the_example_shows_is_the_one_that_holds() {
    for table in &keys::TABLES {
        for key in (table.explained)() {
            let Some([least, most]) = key.range else {
                continue;
            };
            for end in [least, most] {
                let text = format!("{LOOPBACK}[{}]\n{} = {end}\n", table.name, key.name);
                assert!(with(&text).is_ok(), "{text}");
            }
            let beyond = format!("[{}]\n{} = 9999999999\n", table.name, key.name);
            assert!(with(&beyond).is_err(), "{beyond}");
        }
    }
}

#[test]
fn every_known_key_is_read_and_has_a_variable() {
    let variables: Vec<String> = keys::variables().map(|(name, ..)| name).collect();
    for (table, key) in keys_in_tables() {
        let wrong = if key == "extra" { "5" } else { "{ }" };
        let text = message(with(&format!("[{table}]\n{key} = {wrong}\n")));
        let fault = format!("{table}.{key}: expected ");
        assert!(text.contains(&fault), "{text}");
        let variable = format!("GRANTD_{}__{}", table.to_uppercase(), key.to_uppercase());
        assert!(variables.contains(&variable), "{variable}");
    }
    for key in keys::TABLES[0].keys {
        let text = message(parse(&format!("{key} = {{ }}\n")));
        assert!(text.contains(&format!("{key}: expected ")), "{text}");
        let variable = format!("GRANTD_{}", key.to_uppercase());
        assert!(variables.contains(&variable), "{variable}");
    }
}

#[test]
fn the_environment_overrides_the_file_and_replaces_it() {
    let pairs = env(&[
        ("GRANTD_ISSUER", "https://auth.example"),
        ("GRANTD_DATABASE_URL", "postgres://u:marked@h/d"),
        ("GRANTD_PUBLIC__LISTEN", "127.0.0.1:1"),
        ("GRANTD_PUBLIC__ALLOW_PLAIN_HTTP", "true"),
        ("GRANTD_CACHE__CLIENTS", "0"),
        ("GRANTD_LIMITS__IDLE_TIMEOUT", "5m"),
        ("GRANTD_SEALING__KEY_FILE", "k"),
        ("GRANTD_SEALING__OLD_KEY_FILES", "a.key, b.key"),
        ("GRANTD_CONFIG", "ignored"),
        ("GRANTD_BIN", "ignored"),
        ("GRANTD_CONTROL", "ignored"),
        ("GRANTD_DATA", "ignored"),
        ("GRANTD_LOG", "ignored"),
        ("PATH", "ignored"),
    ]);
    let check = |settings: Settings| {
        assert_eq!(settings.issuer.as_str(), "https://auth.example");
        assert_eq!(settings.public.listen.port(), 1);
        assert!(settings.public.allow_plain_http);
        assert_eq!(settings.cache.clients, 0);
        assert_eq!(settings.limits.idle_timeout, Seconds::new(300));
        assert_eq!(
            settings.sealing.old_key_files,
            ["a.key", "b.key"].map(PathBuf::from)
        );
        assert!(!format!("{settings:?}").contains("marked"));
    };
    check(Settings::parse(None, Path::new(""), pairs.clone()).unwrap());
    check(with_example(pairs).unwrap());
}

#[test]
fn paths_in_the_file_are_relative_to_it() {
    let settings = with(&format!(
        "{LOOPBACK}[sealing]\nkey_file = \"sealing.key\"\n"
    ))
    .unwrap();
    let expected = PathBuf::from("/etc/grantd/sealing.key");
    assert_eq!(settings.sealing.key_file, Some(expected));
}

#[test]
fn a_fault_names_place_key_and_the_nearest_known_key() {
    let text = "issuer = \"https://auth.example\"\n\
                database_ulr = \"postgres://h/d\"\n\
                [public]\n\
                lisen = \"127.0.0.1:1\"\n\
                allow_plain_http = true\n\
                [limts]\n\
                [log]\n\
                format = \"jsn\"\n";
    assert_eq!(
        message(parse(text)),
        "grantd.toml:1: database_url: this key is required and missing; \
         write postgres://… or sqlite://…, or use database_url_file\n\
         grantd.toml:2: database_ulr: unknown key; the nearest known one is `database_url`\n\
         grantd.toml:4: public.lisen: unknown key; the nearest known one is `listen`\n\
         grantd.toml:6: limts: unknown key; the nearest known one is `limits`\n\
         grantd.toml:8: log.format: \"jsn\" is not one of text, json; the nearest is \"json\""
    );
}

#[test]
fn an_unknown_variable_names_the_nearest() {
    let pairs = env(&[("GRANTD_PUBLIC_LISTEN", "127.0.0.1:1")]);
    let text = message(with_example(pairs));
    assert_eq!(
        text,
        "environment variable GRANTD_PUBLIC_LISTEN: unknown setting; the nearest known variable \
         is GRANTD_PUBLIC__LISTEN"
    );
}

#[test]
fn the_profile_fapi2_wants_an_https_issuer() {
    let text = message(with(&format!("profile = \"fapi2\"\n{LOOPBACK}")));
    assert!(text.contains("issuer") && text.contains("https"), "{text}");
    let https = format!(
        "issuer = \"https://auth.example\"\ndatabase_url = \"sqlite://x.db\"\nprofile = \"fapi2\"\n{LOOPBACK}"
    );
    assert_eq!(parse(&https).unwrap().profile, Profile::Fapi2);
    let text = message(with(&format!("profile = \"fapi\"\n{LOOPBACK}")));
    assert!(text.contains("fapi2"), "{text}");
}

#[test]
fn the_mutual_listener_takes_the_tls_files_of_public_unless_it_has_its_own() {
    let tls = "tls_certificate_file = \"c.pem\"\ntls_key_file = \"k.pem\"\n";
    let mtls = |text: &str| {
        with(text)
            .unwrap()
            .mtls
            .and_then(|it| it.tls())
            .map(|it| it.certificate)
    };
    assert_eq!(mtls(LOOPBACK), None);
    let shared = mtls(&format!("{LOOPBACK}{tls}[mtls]\n"));
    assert_eq!(shared, Some("/etc/grantd/c.pem".into()));
    let own = mtls(&format!(
        "{LOOPBACK}[mtls]\n{}",
        tls.replace("c.pem", "m.pem")
    ));
    assert_eq!(own, Some("/etc/grantd/m.pem".into()));
}

#[test]
fn proxies_beyond_loopback_need_a_second_proof() {
    let proxy = |lines: &str| {
        with(&format!(
            "{LOOPBACK}[proxy]\nclient_address = \"x-forwarded-for\"\n{lines}"
        ))
    };
    for networks in ["[\"127.0.0.1/32\"]", "[\"127.0.0.0/8\", \"::1/128\"]"] {
        assert!(
            proxy(&format!("networks = {networks}\n")).is_ok(),
            "{networks}"
        );
    }
    for networks in [
        "[\"10.0.0.5/32\"]",
        "[\"127.0.0.1/32\", \"10.0.0.0/8\"]",
        "[\"126.0.0.0/7\"]",
        "[\"::/0\"]",
    ] {
        let text = message(proxy(&format!("networks = {networks}\n")));
        assert!(
            text.contains("off loopback the address of a proxy is no proof"),
            "{text}"
        );
    }
    let secret = "secret_header = \"X-Proxy\"\nsecret = \"0123456789abcdef\"\n";
    let settings = proxy(&format!("networks = [\"10.0.0.0/8\"]\n{secret}")).unwrap();
    assert!(!format!("{settings:?}").contains("0123456789abcdef"));
    let trusted = settings.proxy.unwrap();
    assert_eq!(trusted.secret.unwrap().header, "x-proxy");
    assert_eq!(trusted.address_header, AddressHeader::XForwardedFor);
}

#[test]
fn mutual_tls_may_end_at_a_proxy_alone() {
    let text = "issuer = \"https://auth.example\"\ndatabase_url = \"sqlite://x.db\"\n\
                [public]\nlisten = \"127.0.0.1:8080\"\n\
                [mtls]\ntermination = \"proxy\"\nclient_ca_files = [\"ca.pem\"]\n\
                [proxy]\nnetworks = [\"127.0.0.1/32\"]\nclient_certificate = \"client-cert\"\n";
    let mtls = parse(text).unwrap().mtls.unwrap();
    assert_eq!((mtls.listen(), mtls.tls(), mtls.url), (None, None, None));
    assert_eq!(mtls.client_ca_files, [PathBuf::from("/etc/grantd/ca.pem")]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn contradictions_are_refused() {
    for (text, sentence) in [
        (
            "[public]\nlisten = \"127.0.0.1:1\"\n[mtls]\n",
            "tls_certificate_file",
        ),
        (
            "[public]\nlisten = \"127.0.0.1:8444\"\n[mtls]\nlisten = \"127.0.0.1:8444\"\n",
            "give each listener a different one",
        ),
        (
            "[mtls]\nlisten = \"127.0.0.1:7\"\ntls_certificate_file = \"c\"\ntls_key_file = \"k\"\n\
             [operations]\nlisten = \"127.0.0.1:7\"\n",
            "operations.listen: another listener uses this address",
        ),
        (
            "[public]\nlisten = \"127.0.0.1:1\"\n[mtls]\nurl = \"https://a.example/t1\"\n",
            "https://, a host and a port",
        ),
        (
            "[public]\nlisten = \"127.0.0.1:1\"\n[mtls]\nurl = \"http://localhost\"\n",
            "https://, a host and a port",
        ),
        (
            "[public]\nlisten = \"0.0.0.0:1\"\n",
            "reachable from other machines",
        ),
        (
            "[public]\nlisten = \"127.0.0.1:1\"\ntls_key_file = \"k\"\n",
            "`tls_certificate_file`",
        ),
        (
            "[public]\nlisten = \"127.0.0.1:9090\"\n",
            "give each listener a different one",
        ),
        (
            "[sealing]\nkey_file = \"k\"\nkey = \"0123456789012345678901234567890123456789012\"\n",
            "`key_file` is given as well",
        ),
        (
            "[sealing]\nold_key_files = [\"k\"]\n",
            "`key_file` is required",
        ),
        (
            "database_url_file = \"f\"\n",
            "`database_url` is given as well",
        ),
        (
            "[feed]\npoll_interval_ms = 501\n",
            "a number from 10 to 500",
        ),
        (
            "[tokens]\nmax_lifetime = \"25h\"\n",
            "a duration from 1s to 24h",
        ),
        (
            "[tokens]\nmax_lifetime = 60\n",
            "expected a duration as text",
        ),
        (
            "[metadata]\nfor_strict_readers = 1\n",
            "expected true or false",
        ),
        (
            "[metadata]\nextra = { a = [] }\n",
            "metadata.extra.a: the list is empty",
        ),
        (
            "[metadata]\nextra = { a = 2026-01-01 }\n",
            "metadata.extra.a: expected text, a whole number",
        ),
        (
            "[metadata]\nextra = { a = { b = nan } }\n",
            "metadata.extra.a.b: expected text, a whole number",
        ),
        (
            "[metadata.extra]\na = 1\nissuer = \"x\"\n",
            "grantd.toml:5: metadata.extra: `issuer` is a member",
        ),
        (
            "[proxy]\nclient_address = \"forwarded\"\n",
            "name the networks of the proxies",
        ),
        (
            "[proxy]\nnetworks = []\n",
            "name the networks of the proxies",
        ),
        ("[proxy]\nnetworks = [\"10.0.0.5\"]\n", "expected a network"),
        (
            "[proxy]\nnetworks = [\"::ffff:10.0.0.5/128\"]\n",
            "expected a network",
        ),
        (
            "[proxy]\nnetworks = [\"0.0.0.0/0\"]\n",
            "only the proxies' networks",
        ),
        (
            "[proxy]\nnetworks = [\"127.0.0.1/32\", \"::/0\"]\n",
            "only the proxies' networks",
        ),
        (
            "[proxy]\nsecret_header = \"Client-Cert\"\n",
            "a header that has no other use",
        ),
        (
            "[proxy]\nsecret_header = \"authorization\"\n",
            "a header that has no other use",
        ),
        (
            "[proxy]\nsecret_file = \"tests\"\n",
            "proxy.secret_file: `secret_header` is required",
        ),
        (
            "[proxy]\nnetworks = [\"127.0.0.1/32\"]\n",
            "name the header to read with client_certificate or client_address",
        ),
        (
            "[proxy]\nsecret_header = \"x y\"\n",
            "expected the name of a header",
        ),
        (
            "[proxy]\nsecret_header = \"x\"\n",
            "`secret_file` is required",
        ),
        (
            "[proxy]\nsecret = \"0123456789abcdef\"\n",
            "`secret_header` is required",
        ),
        (
            "[proxy]\nsecret = \"0123456789abcde\"\n",
            "16 to 1024 printable ASCII",
        ),
        (
            "[proxy]\nclient_certificate = \"client-cert\"\n",
            "`[mtls] (with termination = \"proxy\"",
        ),
        (
            "[proxy]\nthumbprints = [\"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0\"]\n",
            "`[mtls] with a listener` is required",
        ),
        (
            "[mtls]\ntermination = \"proxy\"\n",
            "`client_certificate in [proxy]` is required",
        ),
        (
            "[mtls]\ntermination = \"proxy\"\n",
            "write the https URL at which the proxies ask",
        ),
        (
            "[mtls]\ntermination = \"proxy\"\nlisten = \"127.0.0.1:1\"\n",
            "remove it",
        ),
    ] {
        let text = message(with(text));
        assert!(text.contains(sentence), "{text}");
    }
}

#[test]
fn a_member_of_the_metadata_that_is_ours_cannot_be_added() {
    for name in crate::domain::discovery::MEMBERS {
        let text = message(with(&format!(
            "[metadata]\nextra = {{ x = 1, {name} = [\"x\"] }}\n"
        )));
        assert!(
            text.contains(&format!("`{name}` is a member that grantd writes itself")),
            "{text}"
        );
    }
}

#[test]
fn members_of_the_metadata_are_read_from_file_and_environment() {
    let expected = serde_json::json!({ "a": "b", "c": [1, { "d": true }] });
    let table = "{ a = \"b\", c = [1, { d = true }] }";
    let file = with(&format!(
        "{LOOPBACK}[metadata]\nfor_strict_readers = false\nextra = {table}\n"
    ));
    let metadata = file.unwrap().metadata;
    assert!(!metadata.for_strict_readers);
    assert_eq!(serde_json::Value::Object(metadata.extra), expected);
    let variable = |text: &str| {
        let pairs = env(&[("GRANTD_METADATA__EXTRA", text)]);
        with_example(pairs)
    };
    let metadata = variable(table).unwrap().metadata;
    assert!(metadata.for_strict_readers);
    assert_eq!(serde_json::Value::Object(metadata.extra), expected);
    for wrong in ["b", "5", "{ a = 1", "{}\nb = 1", "{ issuer = 1 }"] {
        let text = message(variable(wrong));
        assert!(
            text.starts_with("environment variable GRANTD_METADATA__EXTRA: "),
            "{text}"
        );
    }
}

#[test]
fn a_value_in_a_variable_is_judged_as_one_in_the_file() {
    for (name, value, told) in [
        (
            "CACHE__CLIENTS",
            "-1",
            "expected a number from 0 to 10000000",
        ),
        ("CACHE__CLIENTS", "x", "expected a whole number, found text"),
        (
            "LIMITS__BODY_BYTES",
            "99999999999999999999",
            "expected a whole number",
        ),
        (
            "DPOP__REQUIRE_NONCE",
            "yes",
            "expected true or false, found text",
        ),
        ("DPOP__REQUIRE_NONCE", "1", "found a whole number"),
        ("PROXY__NETWORKS", "10.0.0.0/8, x", "expected a network"),
        ("LOG__LEVEL", "warning", "the nearest is \"warn\""),
    ] {
        let text = message(with_example(env(&[(&format!("GRANTD_{name}"), value)])));
        let place = format!("environment variable GRANTD_{name}: ");
        assert!(text.starts_with(&place) && text.contains(told), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn no_error_shows_a_secret() {
    for text in [
        "database_url = \"mysql://u:marked@h/d\"\n[sealing]\nkey = \"marked\"\n",
        "database_url = \"mysql://u:marked@h/d\n",
        "database_url = [\"marked\"]\nsealing = \"marked\"\n",
        "issuer = \"https://u:marked@h\"\ndatabase_url = 'postgres://marked' x\n",
    ] {
        let error = parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("marked"), "{error}");
    }
}

#[test]
fn a_database_url_names_one_host_or_several_that_can_write() {
    let with = |url: &str| {
        let minimal = "issuer = \"http://localhost:8080\"";
        parse(&format!("{minimal}\n{LOOPBACK}").replacen(
            '\n',
            &format!("\ndatabase_url = \"{url}\"\n"),
            1,
        ))
    };
    let both = "postgres://u:p@a:5432,b:5432/db?target_session_attrs=read-write";
    assert_eq!(with(both).unwrap().database_url.expose(), both);
    for (url, told) in [
        (
            "postgres://u:marked@a,b/db?target_session_attrs=any",
            "target_session_attrs must be read-write",
        ),
        ("postgres://u:marked@a,,b/db", "each host has a name"),
        (
            "postgres://u:marked@a/db?gssencmode=require",
            "unknown parameter gssencmode",
        ),
    ] {
        let fault = message(with(url));
        assert!(fault.contains(told) && !fault.contains("marked"), "{fault}");
    }
}

#[test]
fn a_missing_file_is_a_fault_with_its_name() {
    let text = message(Settings::read(Some(Path::new("/no/such.toml")), NONE, None));
    assert!(
        text.starts_with("/no/such.toml:1: cannot read the file: "),
        "{text}"
    );
}

#[test]
fn a_secret_in_the_place_of_a_variable_key_or_value_is_not_repeated() {
    const SECRET: &str = "kJ8vQ2mZx7Lw4Rt9Yb3N6sFd1Ga5";
    let name = format!("GRANTD_{SECRET}");
    let text = message(with_example(env(&[
        (&name, "x"),
        ("GRANTD_PUBLIC__LISTEN_2026_A", "x"),
    ])));
    assert!(
        text.contains("environment variable GRAN… (35 characters): unknown setting"),
        "{text}"
    );
    assert!(
        text.contains("environment variable GRANTD_PUBLIC__LISTEN_2026_A"),
        "{text}"
    );
    for line in [format!("profile = \"{SECRET}\""), format!("{SECRET} = 1")] {
        let text = message(with(&line));
        assert!(
            text.contains("kJ8v… (28 characters)") && !text.contains(SECRET),
            "{text}"
        );
    }
}
