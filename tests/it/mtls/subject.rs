//! `tls_client_auth`, RFC 8705 section 2.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::SanType;

use super::*;

fn with_uri(uri: &str) -> CertificateParams {
    let mut params = leaf("job");
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params
}

const SPIFFE: &str = "spiffe://example.org/job";

/// URIs that some readers take for those of `spiffe://example.org`.
const ODD: [&str; 9] = [
    "spiffe://example.org",
    "spiffe://example.org/a/",
    "spiffe://example.org/a//b",
    "spiffe://example.org/a%20b",
    "spiffe://example.org/a?x=1",
    "spiffe://example.org:443/odd",
    "spiffe://me@example.org/odd",
    "SPIFFE://example.org/odd",
    "spiffe://EXAMPLE.org/odd",
];

/// The trust domain `example.org`, whose bundle has this CA.
fn mesh(bundled: &Ca) -> String {
    let pem = pem::parse(bundled.pem()).unwrap();
    let authority = serde_json::json!({
        "kty": "EC", "crv": "P-256", "x": "", "y": "", "use": "x509-svid", "x5c": [STANDARD.encode(pem.contents())],
    });
    let bundle = serde_json::json!({ "keys": [authority] });
    format!(
        "[[issuer]]\nid = \"mesh\"\nurl = \"spiffe://example.org\"\npreset = \"spiffe\"\nkeys = '''{bundle}'''\n"
    )
}

/// Whether the metadata name `tls_client_auth`, where no CAs stand in the settings.
async fn is_named(listening: &Listening) -> bool {
    let router = listening.replica.router_as(|settings| {
        let mtls = mutual_tls("https://m.example");
        settings.mtls = Some(MutualTls {
            client_ca_files: Vec::new(),
            ..mtls
        });
    });
    let document = metadata::document(&router).await;
    let methods = document["token_endpoint_auth_methods_supported"].as_array();
    methods.unwrap().contains(&"tls_client_auth".into())
}

on_both! {
    /// Certificates come and go without an admin call (8705-02).
    async fn a_subject_of_a_client_ca_proves_its_client(env) {
        env.apply(&catalog(&[], &format!("san_uri = \"{SPIFFE}\""))).await;
        let listening = listen(&env).await;
        let (ca, other_ca) = (Ca::new("ca"), Ca::new("ca"));
        let good = ca.sign(&with_uri(SPIFFE));
        // Without any CA there is no such method.
        listening.token(Some(&good), "job").await.assert_error(401, "invalid_client");
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        for _ in 0..2 {
            assert_eq!(listening.token(Some(&ca.sign(&with_uri(SPIFFE))), "job").await.status, 200);
        }
        let mut server_only = with_uri(SPIFFE);
        server_only.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        for identity in [
            ca.sign(&with_uri("spiffe://example.org/job2")),
            ca.sign(&leaf("job")),
            ca.sign(&server_only),
            other_ca.sign(&with_uri(SPIFFE)),
            Identity::self_signed(&with_uri(SPIFFE)),
        ] {
            listening.token(Some(&identity), "job").await.assert_error(401, "invalid_client");
        }
        // B-M04: the good certificate behind a leaf of the attacker's.
        let mut behind = other_ca.sign(&with_uri(SPIFFE));
        behind.chain.extend(good.chain.clone());
        listening.token(Some(&behind), "job").await.assert_error(401, "invalid_client");
    }

    /// FED-16: the bundle of a trust domain has the CAs of its IDs; no other CA vouches for these, and they for nothing else.
    async fn the_bundle_of_a_trust_domain_vouches_for_its_ids_alone(env) {
        let (ca, bundled) = (Ca::new("ca"), Ca::new("bundled"));
        let catalog = catalog(&[], &format!("san_uri = \"{SPIFFE}\"")) + &mesh(&bundled)
            + &catalogs::client("named", "auth = \"tls_client_auth\"\nsubject_dn = \"CN=job\"", &reads("pricing"));
        env.apply(&catalog).await;
        let listening = listen(&env).await;
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        let uri = with_uri(SPIFFE);
        assert_eq!(listening.token(Some(&bundled.sign(&uri)), "job").await.status, 200);
        listening.token(Some(&ca.sign(&uri)), "job").await.assert_error(401, "invalid_client");
        listening.token(Some(&Identity::self_signed(&uri)), "job").await.assert_error(401, "invalid_client");
        assert_eq!(listening.token(Some(&ca.sign(&leaf("job"))), "named").await.status, 200);
        listening.token(Some(&bundled.sign(&leaf("job"))), "named").await.assert_error(401, "invalid_client");
    }

    /// FED-16, SPIFFE X.509-SVID section 2: such a certificate would be two workloads at once.
    async fn an_svid_has_one_uri(env) {
        let bundled = Ca::new("bundled");
        env.apply(&(catalog(&[], &format!("san_uri = \"{SPIFFE}\"")) + &mesh(&bundled))).await;
        let listening = listen(&env).await;
        let with = |names: &[SanType]| {
            let mut params = with_uri(SPIFFE);
            params.subject_alt_names.extend_from_slice(names);
            bundled.sign(&params)
        };
        let uri = |it: &str| SanType::URI(it.try_into().unwrap());
        let dns = SanType::DnsName("job.example".try_into().unwrap());
        assert_eq!(listening.token(Some(&with(&[dns])), "job").await.status, 200);
        for more in ["spiffe://example.org/other", "spiffe://other.example/job", "https://job.example/"] {
            listening.token(Some(&with(&[uri(more)])), "job").await.assert_error(401, "invalid_client");
        }
    }

    /// FED-16: a URI that only looks like one of a trust domain cannot be registered; where one is stored all the same, no CA
    /// vouches for it.
    async fn no_ca_vouches_for_what_is_no_spiffe_id(env) {
        let ca = Ca::new("ca");
        let name = |at: usize| format!("odd-{at}");
        let mut catalog = catalog(&[], NOBODY) + &mesh(&Ca::new("bundled"));
        for at in 0..ODD.len() {
            let lines = format!("auth = \"tls_client_auth\"\nsan_uri = \"spiffe://example.org/{}\"", name(at));
            catalog += &catalogs::client(&name(at), &lines, &reads("pricing"));
        }
        env.apply(&catalog).await;
        for (at, odd) in ODD.iter().enumerate() {
            let stated = catalog.replace(&format!("spiffe://example.org/{}\"", name(at)), &format!("{odd}\""));
            let error = env.try_apply(&stated, false).await.unwrap_err();
            assert!(error.contains("the SPIFFE ID of a workload"), "{odd}: {error}");
            let sql = format!("UPDATE credentials SET material = '{odd}' WHERE client_id = '{}'", name(at));
            assert_eq!(crate::raw_sql::execute(&env.database, &sql).await, 1);
        }
        let listening = listen(&env).await;
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        for (at, odd) in ODD.iter().enumerate() {
            let identity = ca.sign(&with_uri(odd));
            let answer = listening.token(Some(&identity), &name(at)).await;
            assert_eq!(answer.status, 401, "{odd}: {answer:?}");
        }
    }

    /// FED-16: one whose tokens are no clients' vouches for no client either, and nobody in its place.
    async fn a_trust_domain_that_is_not_for_clients_vouches_for_none(env) {
        let (ca, bundled) = (Ca::new("ca"), Ca::new("bundled"));
        let san_uri = catalog(&[], &format!("san_uri = \"{SPIFFE}\""));
        let exchanged = mesh(&bundled).replace("preset", "use = [\"exchange\"]\npreset");
        env.apply(&(san_uri + &exchanged)).await;
        let listening = listen(&env).await;
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        for ca in [&bundled, &ca] {
            let identity = ca.sign(&with_uri(SPIFFE));
            listening.token(Some(&identity), "job").await.assert_error(401, "invalid_client");
        }
        assert!(!is_named(&listening).await);
        env.apply(&mesh(&bundled)).await;
        listening.replica.follow().await;
        assert_eq!(listening.token(Some(&bundled.sign(&with_uri(SPIFFE))), "job").await.status, 200);
        assert!(is_named(&listening).await);
    }

    /// 8705-03.
    async fn names_are_compared_as_structures(env) {
        env.apply(&catalog(&[], "subject_dn = \"cn=job, O=Example\"")).await;
        let listening = listen(&env).await;
        let ca = Ca::new("ca");
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        let mut name = leaf("job");
        name.distinguished_name = rcgen::DistinguishedName::new();
        name.distinguished_name.push(DnType::OrganizationName, "Example");
        name.distinguished_name.push(DnType::CommonName, "job");
        assert_eq!(listening.token(Some(&ca.sign(&name)), "job").await.status, 200);
        name.distinguished_name.push(DnType::OrganizationalUnitName, "Evil");
        let more = ca.sign(&name);
        listening.token(Some(&more), "job").await.assert_error(401, "invalid_client");
        let less = ca.sign(&leaf("job"));
        listening.token(Some(&less), "job").await.assert_error(401, "invalid_client");
    }

    /// One subject, as OpenSSL, Python, Java, Go and .NET print it (8705-03).
    async fn a_name_is_taken_in_every_form_that_tools_print(env) {
        let ca = Ca::new("ca");
        let mut name = leaf("job");
        name.distinguished_name = rcgen::DistinguishedName::new();
        name.distinguished_name.push(DnType::CountryName, "GB");
        name.distinguished_name.push(DnType::OrganizationName, "OpenBanking");
        name.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "PSDGB-123");
        name.distinguished_name.push(DnType::CommonName, "abc");
        let identity = ca.sign(&name);
        for form in [
            "CN=abc,organizationIdentifier=PSDGB-123,O=OpenBanking,C=GB",
            "CN=abc,2.5.4.97=PSDGB-123,O=OpenBanking,C=GB",
            "CN=abc,2.5.4.97=#0c0950534447422d313233,O=OpenBanking,C=GB",
            "CN=abc,2.5.4.97=#130950534447422D313233,O=OpenBanking,C=GB",
            "CN=abc, OID.2.5.4.97=PSDGB-123, O=OpenBanking, C=GB",
            "CN=ABC,2.5.4.97=PSDGB-123,O=OPENBANKING,C=GB",
        ] {
            env.prune(&catalog(&[], &format!("subject_dn = \"{form}\""))).await;
            let listening = listen(&env).await;
            listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
            assert_eq!(listening.token(Some(&identity), "job").await.status, 200, "{form}");
        }
        // The order of OpenSSL's default output is another name, and whoever registers it is told.
        let reversed = "C=GB, O=OpenBanking, organizationIdentifier=PSDGB-123, CN=abc";
        let plan = env.prune(&catalog(&[], &format!("subject_dn = \"{reversed}\""))).await;
        assert!(plan.warnings.iter().any(|it| it.contains("-nameopt RFC2253")), "{plan:?}");
        let listening = listen(&env).await;
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        listening.token(Some(&identity), "job").await.assert_error(401, "invalid_client");
    }

    /// 8705-02.
    async fn two_subjects_are_refused_where_they_are_registered(env) {
        let two = catalog(&[], "san_uri = \"spiffe://a/b\"\nsan_dns = \"a.example\"");
        assert!(env.try_apply(&two, false).await.is_err());
    }

    /// A client with another method cannot use a certificate of the CA.
    async fn a_subject_proves_nothing_to_a_client_of_another_method(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let ca = Ca::new("ca");
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        let identity = ca.sign(&leaf("ledger"));
        for client in ["ledger", "reader", "job"] {
            listening.token(Some(&identity), client).await.assert_error(401, "invalid_client");
        }
    }
}
