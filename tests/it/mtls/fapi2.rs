//! The FAPI 2.0 Security Profile over real TLS: its suites, and clients that prove and bind by certificate. Names of
//! modules are those of the `OpenID` conformance plan `fapi2-security-profile-final`, here in its variant `mtls`.

use grantd::domain::algorithm::SigningAlgorithm;
use rcgen::PKCS_RSA_SHA256;
use rustls::crypto::aws_lc_rs::cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
};
use rustls::{AlertDescription, CipherSuite, ProtocolVersion, SupportedCipherSuite};
use serde_json::json;

use super::handshake::{ECDHE_GCM, client_hello};
use super::metadata::document;
use super::*;
use crate::assertion::signer::{self, Key, TYPE};
use crate::catalogs::audience;
use crate::dpop::Prover;
use crate::process::{Server, eventually, free_port, grantd, request};

const ECDSA_GCM: [SupportedCipherSuite; 2] = [
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
];
const RSA_GCM: [SupportedCipherSuite; 2] = [
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];
const CHACHA20: [SupportedCipherSuite; 2] = [
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];
const TLS13: [SupportedCipherSuite; 3] = [
    TLS13_AES_128_GCM_SHA256,
    TLS13_AES_256_GCM_SHA384,
    TLS13_CHACHA20_POLY1305_SHA256,
];

/// What a client comes to that offers these suites alone.
async fn negotiated(
    address: SocketAddr,
    offered: &[SupportedCipherSuite],
) -> std::io::Result<(ProtocolVersion, CipherSuite)> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = offered.to_vec();
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(ALL_VERSIONS)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer))
        .with_no_client_auth();
    let connection = open(address, Arc::new(config), HOST).await?;
    let (_, session) = connection.stream.get_ref();
    let suite = session.negotiated_cipher_suite().unwrap().suite();
    Ok((session.protocol_version().unwrap(), suite))
}

/// The alert by which the server ends the handshake after this record; nothing where it goes on.
async fn alert(address: SocketAddr, hello: &[u8]) -> Option<AlertDescription> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(hello).await.unwrap();
    let mut record = [0; 7];
    stream.read_exact(&mut record).await.unwrap();
    (record[0] == 21).then(|| record[6].into())
}

/// Listeners of this profile with an empty database, one pair with a key of each kind.
async fn listeners(env: Env, profile: Profile) -> (Env, [Listening; 2]) {
    let env = Env { profile, ..env };
    let rsa = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let listening = [listen(&env).await, listen_with(&env, None, &rsa).await];
    (env, listening)
}

/// `ledger` by its own certificate, `job` by its subject, `worker` by a key; all of their tokens bound.
fn fapi2_catalog(ledger: &Identity, job: &str, worker: &Key) -> String {
    let thumbprints = format!("thumbprints = [\"{}\"]", ledger.thumbprint());
    let job = format!("san_dns = \"{job}\"");
    let jwks = json!({ "keys": [worker.jwk()] });
    let by_key = format!(
        "auth = \"private_key_jwt\"\njwks = '''{jwks}'''\ntls_client_certificate_bound_access_tokens = true"
    );
    [
        audience(
            "pricing",
            "read",
            "sender_constraint = \"any\"\nserved_by = [\"ledger\"]",
        ),
        by_certificate("ledger", "self_signed_tls_client_auth", &thumbprints),
        by_certificate("job", "tls_client_auth", &job),
        catalogs::client("worker", &by_key, &reads("pricing")),
    ]
    .concat()
}

/// The three clients of [`fapi2_catalog`] at the listeners of the profile.
struct Clients {
    listening: Listening,
    ledger: Identity,
    job: Identity,
    worker: Key,
}

async fn clients(env: Env) -> (Env, Clients) {
    let env = Env {
        profile: Profile::Fapi2,
        ..env
    };
    let (ledger, ca) = (Identity::named("ledger"), Ca::new("ca"));
    let mut params = leaf("job");
    params.subject_alt_names = vec![rcgen::SanType::DnsName("job.example".try_into().unwrap())];
    let (job, worker) = (ca.sign(&params), Key::new(SigningAlgorithm::Es256));
    env.apply(&fapi2_catalog(&ledger, "job.example", &worker))
        .await;
    let listening = listen(&env).await;
    listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
    (
        env,
        Clients {
            listening,
            ledger,
            job,
            worker,
        },
    )
}

impl Clients {
    /// What `worker` adds to a request, each time anew.
    fn assertion(&self, jti: &str) -> String {
        let assertion = self.worker.sign(&signer::claims("worker", jti));
        format!("&client_assertion_type={TYPE}&client_assertion={assertion}")
    }
}

/// What `serve` makes of its settings, in its handshakes and in its metadata.
#[tokio::test]
async fn serve_gives_the_profile_to_both_listeners() {
    let directory = tempfile::tempdir().unwrap();
    crate::place::write_private(&directory.path().join("sealing.key"), &[7; 32]);
    let files = crate::source_tree::root().join("src/server/tls/testdata");
    let address = || SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (public, mutual, operations) = (address(), address(), address());
    let mut command = grantd();
    let database = format!("sqlite://{}", directory.path().join("grantd.db").display());
    command
        .args(["serve", "--migrate"])
        .env("GRANTD_ISSUER", "https://auth.example")
        .env("GRANTD_DATABASE_URL", database)
        .env("GRANTD_PROFILE", "fapi2")
        .env(
            "GRANTD_SEALING__KEY_FILE",
            directory.path().join("sealing.key"),
        )
        .env("GRANTD_PUBLIC__LISTEN", public.to_string())
        .env(
            "GRANTD_PUBLIC__TLS_CERTIFICATE_FILE",
            files.join("first.certificate.pem"),
        )
        .env("GRANTD_PUBLIC__TLS_KEY_FILE", files.join("first.key.pem"))
        .env("GRANTD_MTLS__LISTEN", mutual.to_string())
        .env("GRANTD_OPERATIONS__LISTEN", operations.to_string());
    let server = Server::start(&mut command, &directory.path().join("log"));
    eventually("it is ready", || {
        request(operations, "GET /readyz", "").is_some_and(|(status, _)| status == 200)
    });
    for address in [public, mutual] {
        assert!(
            negotiated(address, &ECDSA_GCM).await.is_ok(),
            "{}",
            server.log()
        );
        assert!(negotiated(address, &CHACHA20).await.is_err());
    }
    let config = Arc::new(client(None, ALL_VERSIONS));
    let mut connection = open(public, config, "auth.example").await.unwrap();
    let line = "GET /.well-known/oauth-authorization-server";
    let document = connection.send(line, "", "").await.unwrap().body;
    let methods = json!(["private_key_jwt", "self_signed_tls_client_auth"]);
    assert_eq!(document["token_endpoint_auth_methods_supported"], methods);
    let algorithms = json!(["ES256", "EdDSA", "Ed25519", "PS256"]);
    assert_eq!(document["dpop_signing_alg_values_supported"], algorithms);
}

on_both! {
    /// ensure-holder-of-key-required (its conditions `EnsureTLS12RequireBCP195Ciphers` and
    /// `RequireOnlyBCP195RecommendedCiphersForTLS12`), 8705-10.
    async fn tls12_is_offered_with_the_recommended_suites_alone(env) {
        let (_env, [ecdsa, rsa]) = listeners(env, Profile::Fapi2).await;
        for (listening, suites) in [(&ecdsa, ECDSA_GCM), (&rsa, RSA_GCM)] {
            for address in [listening.main, listening.mutual] {
                for suite in suites {
                    let expected = (ProtocolVersion::TLSv1_2, suite.suite());
                    assert_eq!(negotiated(address, &[suite]).await.unwrap(), expected);
                }
                assert!(negotiated(address, &CHACHA20).await.is_err());
                let wide = [&CHACHA20[..], &suites[..]].concat();
                let (_, chosen) = negotiated(address, &wide).await.unwrap();
                assert!(suites.iter().any(|suite| suite.suite() == chosen), "{chosen:?}");
            }
        }
    }

    /// In the other profile the choice is the client's: ChaCha20-Poly1305 is as sound.
    async fn the_default_profile_has_chacha20_too(env) {
        let (_env, [ecdsa, rsa]) = listeners(env, Profile::Default).await;
        for (listening, gcm, chacha20) in
            [(&ecdsa, ECDSA_GCM, CHACHA20[0]), (&rsa, RSA_GCM, CHACHA20[1])]
        {
            for address in [listening.main, listening.mutual] {
                for suite in [gcm[0], gcm[1], chacha20] {
                    let expected = (ProtocolVersion::TLSv1_2, suite.suite());
                    assert_eq!(negotiated(address, &[suite]).await.unwrap(), expected);
                }
            }
        }
    }

    /// ensure-holder-of-key-required (its condition `EnsureTLS13PreferredOverTLS12`).
    async fn tls13_is_preferred_and_has_all_of_its_suites(env) {
        let (_env, [ecdsa, _]) = listeners(env, Profile::Fapi2).await;
        for address in [ecdsa.main, ecdsa.mutual] {
            for suite in TLS13 {
                // The older version's suites come first.
                let both = [&ECDSA_GCM[..], &[suite]].concat();
                let expected = (ProtocolVersion::TLSv1_3, suite.suite());
                assert_eq!(negotiated(address, &both).await.unwrap(), expected);
            }
        }
    }

    /// ensure-holder-of-key-required (its conditions `DisallowTLS10`, `DisallowTLS11` and the alerts that
    /// `RequireOnlyBCP195RecommendedCiphersForTLS12` waits for), B-H06.
    async fn old_versions_and_other_suites_end_with_the_alert_for_it(env) {
        use AlertDescription::{HandshakeFailure, ProtocolVersion};
        let (_env, [ecdsa, _]) = listeners(env, Profile::Fapi2).await;
        for address in [ecdsa.main, ecdsa.mutual] {
            assert_eq!(alert(address, &client_hello([3, 3], ECDHE_GCM)).await, None);
            for version in [[3, 0], [3, 1], [3, 2]] {
                let told = alert(address, &client_hello(version, ECDHE_GCM)).await;
                assert_eq!(told, Some(ProtocolVersion), "{version:?}");
            }
            // ChaCha20, CCM, CBC, DHE with GCM, static RSA.
            for suite in [[0xcc, 0xa9], [0xc0, 0xac], [0xc0, 0x23], [0, 0x9e], [0, 0x9c]] {
                let told = alert(address, &client_hello([3, 3], suite)).await;
                assert_eq!(told, Some(HandshakeFailure), "{suite:?}");
            }
        }
    }

    /// happy-flow: each method proves its client, and the token is bound to the certificate.
    async fn a_client_s_token_is_bound_to_its_certificate(env) {
        let (_env, clients) = clients(env).await;
        let side = Identity::named("worker's");
        let more = clients.assertion("1");
        for (client, identity, more) in
            [("ledger", &clients.ledger, ""), ("job", &clients.job, ""), ("worker", &side, &more)]
        {
            let mut connection = clients.listening.connect(Some(identity)).await.unwrap();
            let answer = connection.token(client, more).await.unwrap();
            assert_eq!(answer.body["token_type"], "Bearer", "{client}: {answer:?}");
            let claims = answer.claims();
            assert_eq!(claims["sub"], client);
            assert_eq!(claims["cnf"], json!({ "x5t#S256": identity.thumbprint() }));
            let token = answer.body["access_token"].as_str().unwrap();
            let form = format!("client_id=ledger&token={token}");
            let mut ledger = clients.listening.connect(Some(&clients.ledger)).await.unwrap();
            let seen = ledger.post("/oauth2/introspect", "", &form).await.unwrap();
            assert_eq!(seen.body["cnf"], claims["cnf"], "{seen:?}");
        }
    }

    /// ensure-holder-of-key-required
    async fn without_its_certificate_a_client_gets_no_token(env) {
        let (_env, clients) = clients(env).await;
        for client in ["ledger", "job"] {
            clients.listening.token(None, client).await.assert_error(401, "invalid_client");
        }
        let mut without = clients.listening.connect(None).await.unwrap();
        let more = clients.assertion("1");
        let answer = without.token("worker", &more).await.unwrap();
        answer.assert_error(400, "invalid_request");
        // The main listener asks for no certificate, so it can bind to none.
        for (client, identity, more, refusal) in [
            ("ledger", &clients.ledger, String::new(), (401, "invalid_client")),
            ("job", &clients.job, String::new(), (401, "invalid_client")),
            ("worker", &clients.ledger, clients.assertion("2"), (400, "invalid_request")),
        ] {
            let config = Arc::new(client_with(identity));
            let mut main = open(clients.listening.main, config, HOST).await.unwrap();
            let answer = main.token(client, &more).await.unwrap();
            answer.assert_error(refusal.0, refusal.1);
        }
    }

    /// ensure-client-id-in-token-endpoint: one client's certificate with another's `client_id`.
    async fn a_certificate_is_no_proof_for_another_client(env) {
        let (_env, clients) = clients(env).await;
        for (identity, client) in [
            (&clients.ledger, "job"),
            (&clients.job, "ledger"),
            (&clients.ledger, "worker"),
            (&clients.ledger, "nobody"),
        ] {
            let answer = clients.listening.token(Some(identity), client).await;
            answer.assert_error(401, "invalid_client");
        }
    }

    /// A proof of a key binds the token in the certificate's place, which then merely authenticates.
    async fn a_client_with_a_certificate_may_bind_by_dpop(env) {
        let (_env, clients) = clients(env).await;
        for (client, identity) in [("ledger", &clients.ledger), ("job", &clients.job)] {
            let mut connection = clients.listening.connect(Some(identity)).await.unwrap();
            let proof = format!("DPoP: {}\r\n", Prover::new().right());
            let form = format!("grant_type=client_credentials&client_id={client}");
            let answer = connection.post("/oauth2/token", &proof, &form).await.unwrap();
            assert_eq!(answer.body["token_type"], "DPoP", "{answer:?}");
            assert!(answer.claims()["cnf"]["jkt"].is_string());
        }
    }

    /// discovery-end-point-verification
    async fn the_metadata_name_what_the_profile_takes_and_nothing_else(env) {
        let (_env, clients) = clients(env).await;
        let document = document(&clients.listening.router).await;
        let methods = json!(["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"]);
        let algorithms = json!(["ES256", "EdDSA", "Ed25519", "PS256"]);
        for (endpoint, path) in
            [("token", "token"), ("introspection", "introspect"), ("revocation", "revoke")]
        {
            let member = format!("{endpoint}_endpoint");
            assert_eq!(document[format!("{member}_auth_methods_supported")], methods);
            assert_eq!(document[format!("{member}_auth_signing_alg_values_supported")], algorithms);
            let alias = &document["mtls_endpoint_aliases"][&member];
            assert_eq!(*alias, format!("https://{HOST}:8444/oauth2/{path}"));
        }
        assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
        assert_eq!(document["dpop_signing_alg_values_supported"], algorithms);
    }
}

fn client_with(identity: &Identity) -> ClientConfig {
    client(Some(identity.certified()), ALL_VERSIONS)
}
