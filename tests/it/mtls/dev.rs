//! The certificates of `grantd dev`, from its files and its screen to a token.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantd::clock::Clock;
use rustls::pki_types::pem::PemObject as _;

use super::*;
use crate::control::{JSON, request};
use crate::process::{Server, eventually, grantd};

/// `grantd dev` in a directory of its own, and what its ready file says.
struct Dev {
    ready: Value,
    directory: tempfile::TempDir,
    server: Server,
}

fn dev(more: impl FnOnce(&Path) -> Vec<String>) -> Dev {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(
        path("catalog.toml"),
        catalog(&[], "subject_dn = \"CN=job,O=Example\""),
    )
    .unwrap();
    let mut command = grantd();
    command
        .args(["dev", "--listen", "127.0.0.1:0", "--catalog"])
        .arg(path("catalog.toml"))
        .arg("--data")
        .arg(path("data"))
        .arg("--ready-file")
        .arg(path("ready.json"))
        .args(more(directory.path()));
    let server = Server::start(&mut command, &path("log"));
    eventually("grantd dev is ready", || path("ready.json").exists());
    let ready = serde_json::from_slice(&std::fs::read(path("ready.json")).unwrap()).unwrap();
    Dev {
        ready,
        directory,
        server,
    }
}

impl Dev {
    fn file(&self, member: &str) -> PathBuf {
        PathBuf::from(self.ready[member].as_str().unwrap())
    }

    /// A connection with the certificate in this file and the key beside it, to a server that the CA file vouches
    /// for.
    async fn connect(&self, certified: CertifiedKey) -> Connected {
        let url = self.ready["mtls_token_endpoint"].as_str().unwrap();
        let port = url
            .strip_prefix("https://localhost:")
            .unwrap()
            .split('/')
            .next()
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(self.file("ca_file")).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::new(Presents(Some(Arc::new(certified)))));
        let address = format!("127.0.0.1:{port}").parse().unwrap();
        open(address, Arc::new(config), "localhost").await.unwrap()
    }

    fn made_for(&self, client: &str) -> CertifiedKey {
        let file = |ending| {
            self.directory
                .path()
                .join(format!("data/client-{client}.{ending}"))
        };
        let chain = vec![CertificateDer::from_pem_file(file("pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(file("key")).unwrap();
        CertifiedKey::new(chain, aws_lc_rs::sign::any_supported_type(&key).unwrap())
    }
}

/// A certificate of a CA of one's own, valid now.
fn signed_now(ca: &Ca) -> CertifiedKey {
    let mut params = leaf("job");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CommonName, "job");
    valid_now(&mut params);
    ca.sign(&params).certified()
}

fn ca_now(name: &str) -> Ca {
    let mut ca = Ca::new(name);
    valid_now(&mut ca.params);
    ca
}

fn valid_now(params: &mut CertificateParams) {
    let now = OffsetDateTime::from_unix_timestamp(Clock::system().now().unix()).unwrap();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::hours(1);
}

#[tokio::test]
async fn each_client_of_mutual_tls_has_a_certificate_that_works() {
    let dev = dev(|_| Vec::new());
    for client in ["ledger", "job"] {
        let certified = dev.made_for(client);
        let print = grantd::crypto::digest::certificate_thumbprint(&certified.cert[0]);
        let answer = dev
            .connect(certified)
            .await
            .token(client, "")
            .await
            .unwrap();
        assert_eq!(answer.claims()["cnf"]["x5t#S256"], print);
        let log = dev.server.log();
        let line = log
            .lines()
            .find(|line| line.contains(&format!("client_id={client}")))
            .unwrap();
        let certificate = dev
            .directory
            .path()
            .join(format!("data/client-{client}.pem"));
        assert!(
            line.contains(&format!("--cert '{}'", certificate.display())),
            "{line}"
        );
        let endpoint = dev.ready["mtls_token_endpoint"].as_str().unwrap();
        assert!(line.ends_with(endpoint), "{line}");
    }
    let (ca, client_ca) = (dev.file("ca_file"), dev.file("client_ca_file"));
    assert_eq!(ca, client_ca);
    assert!(
        std::fs::read_to_string(dev.file("client_ca_key_file"))
            .unwrap()
            .contains("PRIVATE")
    );
}

/// For verifiers that refuse plain http: the CA that vouches for the mutual listener vouches for this one, too.
#[tokio::test]
async fn with_tls_the_public_listener_has_a_certificate_of_the_throw_away_ca() {
    let dev = dev(|_| vec!["--tls".to_owned()]);
    let issuer = dev.ready["issuer"].as_str().unwrap();
    let authority = issuer.strip_prefix("https://").unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(dev.file("ca_file")).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    for host in ["127.0.0.1", "localhost"] {
        let address = authority.parse().unwrap();
        let mut connection = open(address, Arc::clone(&config), host).await.unwrap();
        let metadata = connection
            .send("GET /.well-known/oauth-authorization-server", "", "")
            .await
            .unwrap();
        assert_eq!(metadata.body["issuer"], issuer);
        assert_eq!(
            metadata.body["token_endpoint"],
            format!("{issuer}/oauth2/token")
        );
    }
    let mut answer = dev.connect(dev.made_for("job")).await;
    assert_eq!(
        answer.token("job", "").await.unwrap().claims()["iss"],
        issuer
    );
    // Another name of the machine is in the certificate where the issuer has it.
    let other = self::dev(|_| {
        let issuer = "https://grantd.test:8443";
        vec!["--tls".to_owned(), "--issuer".to_owned(), issuer.to_owned()]
    });
    let certificate = std::fs::read(other.directory.path().join("data/server.pem")).unwrap();
    let certificate = openssl::x509::X509::from_pem(&certificate).unwrap();
    let names = certificate.subject_alt_names().unwrap();
    let names: Vec<_> = names.iter().filter_map(|it| it.dnsname()).collect();
    assert_eq!(names, ["localhost", "grantd.test"]);
}

/// It lasts for years: those of the machine's clock do not count.
#[tokio::test]
async fn a_client_certificate_ends_by_the_clock_that_tests_move() {
    let dev = dev(|_| Vec::new());
    let set = |year: u16| {
        let body = format!(r#"{{"set":"{year}-01-01T00:00:00Z"}}"#);
        let control = dev.ready["control"].as_str().unwrap();
        let (status, ..) = request(control, "PUT /_test/clock", JSON, &body);
        assert_eq!(status, 200);
    };
    let mut connections = Vec::new();
    for client in ["ledger", "job"] {
        connections.push((client, dev.connect(dev.made_for(client)).await));
    }
    for (year, status) in [(2090, 401), (2020, 401)] {
        set(year);
        for (client, connection) in &mut connections {
            let answer = connection.token(client, "").await.unwrap();
            assert_eq!(answer.status, status, "{client} in {year}: {answer:?}");
        }
    }
    let reset = r#"{"reset":true}"#;
    request(
        dev.ready["control"].as_str().unwrap(),
        "PUT /_test/clock",
        JSON,
        reset,
    );
    for (client, connection) in &mut connections {
        assert_eq!(
            connection.token(client, "").await.unwrap().status,
            200,
            "{client}"
        );
    }
}

/// What stands in a file that changed is taken without a restart, on connections that are open, too.
#[tokio::test]
async fn a_client_ca_of_ones_own_is_read_again_when_its_file_changes() {
    let (first, second) = (ca_now("first"), ca_now("second"));
    let dev = dev(|directory| {
        let file = directory.join("own.pem");
        std::fs::write(&file, first.pem()).unwrap();
        vec!["--client-ca".to_owned(), file.display().to_string()]
    });
    assert!(dev.ready.get("client_ca_key_file").is_none());
    assert_eq!(
        dev.file("client_ca_file"),
        dev.directory.path().join("own.pem")
    );
    let mut old = dev.connect(signed_now(&first)).await;
    assert_eq!(old.token("job", "").await.unwrap().status, 200);
    let mut new = dev.connect(signed_now(&second)).await;
    new.token("job", "")
        .await
        .unwrap()
        .assert_error(401, "invalid_client");
    // A bad file changes nothing.
    std::fs::write(dev.file("client_ca_file"), "nothing").unwrap();
    eventually("the bad file is told", || {
        dev.server
            .log()
            .contains("keeping the previous client CAs: ")
    });
    assert_eq!(old.token("job", "").await.unwrap().status, 200);
    std::fs::write(dev.file("client_ca_file"), second.pem()).unwrap();
    eventually("the new file is read", || {
        dev.server.log().contains("reloaded the client CAs")
    });
    old.token("job", "")
        .await
        .unwrap()
        .assert_error(401, "invalid_client");
    assert_eq!(new.token("job", "").await.unwrap().status, 200);
}

/// A certificate of version 1, as `openssl x509 -req` makes it without extensions, with its key.
fn of_version_1() -> CertifiedKey {
    use openssl::asn1::Asn1Time;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use openssl::x509::{X509Builder, X509Name};
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "job").unwrap();
    let name = name.build();
    let mut certificate = X509Builder::new().unwrap();
    certificate.set_version(0).unwrap();
    certificate.set_subject_name(&name).unwrap();
    certificate.set_issuer_name(&name).unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    certificate
        .set_not_after(&Asn1Time::days_from_now(9).unwrap())
        .unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    let chain = vec![certificate.build().to_der().unwrap().into()];
    let key = PrivateKeyDer::try_from(key.private_key_to_pkcs8().unwrap()).unwrap();
    CertifiedKey::new(chain, aws_lc_rs::sign::any_supported_type(&key).unwrap())
}

/// Such a connection never has a request, so nothing else tells of it. Its line is at the level that is the default,
/// and nobody fills the log with it.
#[tokio::test]
async fn a_client_certificate_that_the_handshake_refuses_is_told_in_the_log_now_and_then() {
    let dev = dev(|_| Vec::new());
    for _ in 0..50 {
        let mut connection = dev.connect(of_version_1()).await;
        // In TLS 1.3 a client learns of it when it reads.
        assert!(connection.token("job", "").await.is_err());
    }
    eventually("it is told", || {
        dev.server.log().contains("not X.509 version 3")
    });
    let log = dev.server.log();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("X.509 version 3"))
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| line.contains(" WARN ") && line.contains("peer=127.0.0.1:"))
    );
    assert!(lines.len() < 50, "{log}");
}
