//! `grantd credential add-certificate` and `add-subject`, on the database of a listener that runs.

use super::*;
use crate::place::{Ended, Place};

/// `ledger` has no certificate yet, and `job` no subject.
fn bare() -> String {
    let ledger = by_certificate("ledger", "self_signed_tls_client_auth", "");
    let job = by_certificate("job", "tls_client_auth", "");
    format!("{CATALOG}{ledger}{job}")
}

/// The commands on one database.
struct Commands<'a> {
    env: &'a Env,
    place: Place,
}

impl Commands<'_> {
    fn run(&self, arguments: &[&str]) -> Ended {
        self.place
            .run(&[arguments, &["--database-url", &self.env.database.url]].concat())
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], (code, why): (i32, &str)) {
        let ended = self.run(arguments);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(code), ""),
            "{ended:?}"
        );
        assert!(ended.stderr.contains(why), "{why}: {ended:?}");
    }

    /// Registers one credential, which is shown.
    #[track_caller]
    fn added(&self, arguments: &[&str]) -> Value {
        let text = self.done(&[arguments, &["--output", "json"]].concat());
        let mut list: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(list.len(), 1);
        list.remove(0)
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

on_both! {
    async fn a_certificate_that_a_command_registered_proves_its_client(env) {
        env.apply(&bare()).await;
        let listening = listen(&env).await;
        let commands = Commands { env: &env, place: Place::new() };
        let (first, second) = (Identity::named("ledger"), Identity::named("ledger"));
        listening.token(Some(&first), "ledger").await.assert_error(401, "invalid_client");
        // Of a chain the first counts, and a key beside it is not looked at.
        let chain = pem("PRIVATE KEY", b"x")
            + &pem("CERTIFICATE", &first.chain[0])
            + &pem("CERTIFICATE", &second.chain[0]);
        commands.place.write("chain.pem", &chain);
        commands.done(&["credential", "add-certificate", "ledger", "chain.pem"]);
        listening.replica.follow().await;
        assert_eq!(listening.token(Some(&first), "ledger").await.status, 200);
        listening.token(Some(&second), "ledger").await.assert_error(401, "invalid_client");
        let print = second.thumbprint();
        let by_print = ["credential", "add-certificate", "ledger", "--thumbprint", &print];
        let shown = commands.added(&by_print);
        assert_eq!((&shown["key"], &shown["value"]), (&"thumbprints".into(), &print.clone().into()));
        listening.replica.follow().await;
        for identity in [&first, &second] {
            assert_eq!(listening.token(Some(identity), "ledger").await.status, 200, "two overlap");
        }
        assert_eq!(listening.replica.audit_events("certificate_added").await, 2);

        commands.refused(&by_print, (1, "has this certificate already"));
        commands.done(&["credential", "retire", shown["id"].as_str().unwrap()]);
        commands.refused(&by_print, (1, "was retired and stays so"));
        let plan = env.try_apply(&commands.done(&["export"]), true).await.unwrap();
        assert_eq!(plan.changes(), 0, "{:?}", plan.steps);
    }

    async fn a_certificate_is_given_in_one_way_and_to_a_client_that_uses_it(env) {
        env.apply(&bare()).await;
        let commands = Commands { env: &env, place: Place::new() };
        let print = Identity::named("ledger").thumbprint();
        let add = |client, more: &[&str], expected| {
            commands.refused(&[&["credential", "add-certificate", client], more].concat(), expected);
        };
        add("ledger", &["a.pem", "--thumbprint", &print], (2, "cannot be used with"));
        add("ledger", &[], (2, "required"));
        add("ledger", &["--thumbprint", "abc"], (1, "x5t#S256 thumbprint: 43 characters"));
        add("ledger", &["a.pem"], (1, "cannot read a.pem"));
        for broken in ["-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "x"] {
            commands.place.write("a.pem", broken);
            add("ledger", &["a.pem"], (1, "a.pem: expected a certificate in PEM form"));
        }
        let by_print = ["--thumbprint", &print];
        add("job", &by_print, (1, "add self_signed_tls_client_auth to its auth"));
        add("nobody", &by_print, (1, "there is no client nobody"));
        let ended = commands.run(&["credential", "list", "ledger", "--output", "json"]);
        assert_eq!(ended.stdout, "[]\n");
    }

    /// 8705-02: a second subject is refused as in a catalog.
    async fn one_subject_is_registered_by_command(env) {
        env.apply(&bare()).await;
        let listening = listen(&env).await;
        let ca = Ca::new("ca");
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        let commands = Commands { env: &env, place: Place::new() };
        let add = |more: &[&'static str]| [&["credential", "add-subject", "job"], more].concat();
        let named = |name: &str| {
            let mut params = leaf("job");
            params.subject_alt_names =
                vec![rcgen::SanType::DnsName(name.to_owned().try_into().unwrap())];
            ca.sign(&params)
        };
        let (old, new) = (named("old.example"), named("new.example"));
        listening.token(Some(&old), "job").await.assert_error(401, "invalid_client");
        let shown = commands.added(&add(&["--san-dns", "old.example"]));
        let id = shown["id"].as_str().unwrap();
        listening.replica.follow().await;
        assert_eq!(listening.token(Some(&old), "job").await.status, 200);
        listening.token(Some(&new), "job").await.assert_error(401, "invalid_client");
        assert_eq!(listening.replica.audit_events("subject_added").await, 1);

        let advice = format!("san_email may be (RFC 8705 section 2.1.2): retire it by `grantd credential retire {id}`");
        for more in [&["--san-dns", "new.example"], &["--subject-dn", "CN=job"]] {
            commands.refused(&add(more), (1, &advice));
        }
        commands.refused(&add(&["--san-dns", "old.example"]), (1, "has this subject already"));
        // A catalog beside it is refused as well, until it is pruned or the other one is retired.
        let stated = bare().replace("\"tls_client_auth\"", "\"tls_client_auth\"\nsan_dns = \"stated.example\"");
        let error = env.try_apply(&stated, false).await.unwrap_err();
        assert!(error.contains("another subject in force") && error.contains(id), "{error}");
        commands.done(&["credential", "retire", id]);
        commands.refused(&add(&["--san-dns", "old.example"]), (1, "was retired and stays so"));
        commands.done(&add(&["--san-dns", "new.example"]));
        listening.replica.follow().await;
        assert_eq!(listening.token(Some(&new), "job").await.status, 200);
        let plan = env.try_apply(&commands.done(&["export"]), true).await.unwrap();
        assert_eq!(plan.changes(), 0, "{:?}", plan.steps);

        // The catalog that states the retired one goes on as before, and revives nothing.
        let lagging = stated.replace("stated.example", "old.example");
        let plan = env.try_apply(&lagging, false).await.unwrap();
        assert_eq!(plan.changes(), 0, "{:?}", plan.steps);
    }

    /// Names are compared as structures, so another spelling is the same subject.
    async fn a_retired_subject_comes_back_in_no_other_spelling(env) {
        env.apply(&bare()).await;
        let commands = Commands { env: &env, place: Place::new() };
        let add = |kind, value| ["credential", "add-subject", "job", kind, value];
        for (kind, value, other) in [
            ("--subject-dn", "CN=job,O=Example", "cn=job, o=Example"),
            ("--subject-dn", "CN=hex,2.5.4.97=#0C0161", "CN=HEX, OID.2.5.4.97=a"),
            ("--san-dns", "job.example", "Job.Example"),
            ("--san-ip", "2001:db8::1", "2001:DB8:0::1"),
            ("--san-email", "job@a.example", "job@A.example"),
        ] {
            let shown = commands.added(&add(kind, value));
            commands.refused(&add(kind, other), (1, "has this subject already"));
            commands.done(&["credential", "retire", shown["id"].as_str().unwrap()]);
            commands.refused(&add(kind, other), (1, "was retired and stays so"));
            let key = kind.trim_start_matches("--").replace('-', "_");
            let catalog = format!(
                "[[client]]\nid = \"job\"\nauth = \"tls_client_auth\"\n{key} = \"{other}\"\n"
            );
            commands.place.write("job.toml", &catalog);
            commands.refused(&["apply", "job.toml"], (1, "which was retired and stays so"));
        }
    }

    async fn a_subject_is_of_one_kind_and_well_formed(env) {
        env.apply(&bare()).await;
        let commands = Commands { env: &env, place: Place::new() };
        let add = |client, more: &[&str], expected| {
            commands.refused(&[&["credential", "add-subject", client], more].concat(), expected);
        };
        add("job", &["--san-dns", "a.example", "--subject-dn", "CN=a"], (2, "cannot be used with"));
        add("job", &[], (2, "required"));
        add("job", &["--subject-dn", "job"], (1, "--subject-dn: expected a distinguished name"));
        add("job", &["--san-dns", "*.example"], (1, "--san-dns: expected a DNS name without wildcard"));
        add("job", &["--san-uri", "job"], (1, "--san-uri: expected an absolute URI"));
        add("job", &["--san-uri", "spiffe://example.org:443/job"], (1, "--san-uri: expected the SPIFFE ID of a workload"));
        add("job", &["--san-ip", "10.0.0.0/8"], (1, "--san-ip: expected an IP address"));
        add("job", &["--san-email", "job"], (1, "--san-email: expected an e-mail address"));
        add("ledger", &["--san-dns", "a.example"], (1, "add tls_client_auth to its auth"));
        for (kind, value) in [
            ("--subject-dn", "CN=job,O=Example"), ("--san-uri", "spiffe://example.org/job"),
            ("--san-ip", "10.0.0.1"), ("--san-email", "job@a.example"),
        ] {
            let shown = commands.added(&["credential", "add-subject", "job", kind, value]);
            assert_eq!(shown["key"], kind.trim_start_matches('-').replace('-', "_"));
            assert_eq!(shown["value"], value);
            commands.done(&["credential", "retire", shown["id"].as_str().unwrap()]);
        }
    }

    /// What `openssl x509 -req` makes without `-extfile`: rustls would end each handshake with it.
    async fn a_certificate_of_version_1_is_refused_where_it_is_registered(env) {
        env.apply(&bare()).await;
        let commands = Commands { env: &env, place: Place::new() };
        let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
        let key = openssl::ec::EcKey::generate(&group).unwrap();
        let key = openssl::pkey::PKey::from_ec_key(key).unwrap();
        let mut builder = openssl::x509::X509::builder().unwrap();
        builder.set_version(0).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&openssl::asn1::Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&openssl::asn1::Asn1Time::days_from_now(9).unwrap()).unwrap();
        builder.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
        let pem = builder.build().to_pem().unwrap();
        commands.place.write("v1.pem", std::str::from_utf8(&pem).unwrap());
        let advice = "make it v3; with `openssl x509 -req` by -extfile";
        commands.refused(&["credential", "add-certificate", "ledger", "v1.pem"], (1, advice));
        let stated = "[[client]]\nid = \"ledger\"\nauth = \"self_signed_tls_client_auth\"\ncertificate_file = \"v1.pem\"\n";
        commands.place.write("ledger.toml", stated);
        let why = "ledger.toml:4: client \"ledger\": certificate_file: this certificate is X.509 v1";
        commands.refused(&["apply", "ledger.toml"], (1, why));
    }
}
