//! What `grantd serve` makes of `[proxy]`, and of `[mtls]` whose TLS ends at the proxy.

use grantd::clock::Clock;

use super::*;
use crate::catalogs::{audience, client, policy};
use crate::process::{
    Server, eventually, finished, free_port, grantd, printed, request, request_with,
};

/// Valid now, and for whom it is.
fn current() -> Identity {
    let now = OffsetDateTime::from_unix_timestamp(Clock::system().now().unix()).unwrap();
    let mut params = leaf("ledger");
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::hours(1);
    Identity::self_signed(&params)
}

#[test]
fn serve_trusts_the_proxy_of_its_settings_and_follows_the_client_cas() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let own = current();
    crate::place::write_private(&path("sealing.key"), &[7; 32]);
    std::fs::write(path("ca.pem"), Ca::new("ca").pem()).unwrap();
    std::fs::write(path("catalog.toml"), ledger(&own.thumbprint())).unwrap();
    let address = || SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (public, operations) = (address(), address());
    let command = |arguments: &[&str]| {
        let mut command = grantd();
        command
            .args(arguments)
            .env("GRANTD_ISSUER", "https://auth.example")
            .env(
                "GRANTD_DATABASE_URL",
                format!("sqlite://{}", path("grantd.db").display()),
            )
            .env("GRANTD_SEALING__KEY_FILE", path("sealing.key"))
            .env("GRANTD_PUBLIC__LISTEN", public.to_string())
            .env("GRANTD_OPERATIONS__LISTEN", operations.to_string())
            .env("GRANTD_MTLS__TERMINATION", "proxy")
            .env("GRANTD_MTLS__CLIENT_CA_FILES", path("ca.pem"))
            .env("GRANTD_PROXY__NETWORKS", "127.0.0.1/32")
            .env("GRANTD_PROXY__CLIENT_CERTIFICATE", "client-cert")
            .env("GRANTD_PROXY__CLIENT_ADDRESS", "x-forwarded-for");
        command
    };
    for arguments in [
        &["migrate"][..],
        &["apply", path("catalog.toml").to_str().unwrap()],
    ] {
        let output = finished(&mut command(arguments));
        assert!(output.status.success(), "{}", printed(&output));
    }
    let server = Server::start(&mut command(&["serve"]), &path("log"));
    let is_ready =
        || request(operations, "GET /readyz", "").is_some_and(|(status, _)| status == 200);
    eventually("it is ready", is_ready);

    let (_, document) = request(public, "GET /.well-known/openid-configuration", "").unwrap();
    for member in [
        r#""mtls_endpoint_aliases":{"token_endpoint":"https://auth.example/oauth2/token""#,
        r#""tls_client_auth""#,
        r#""tls_client_certificate_bound_access_tokens":true"#,
    ] {
        assert!(document.contains(member), "{document}");
    }
    let ask = |lines: &str| {
        let form = "grant_type=client_credentials&client_id=ledger";
        request_with(public, "POST /oauth2/token", lines, form).unwrap()
    };
    let certificate = format!("Client-Cert: {}\r\n", client_cert(&own));
    let (status, answer) = ask(&format!("{certificate}X-Forwarded-For: 203.0.113.7\r\n"));
    assert_eq!(status, 200, "{answer}");
    let (_, claims) = decoded(&crate::process::access_token(&answer));
    assert_eq!(claims["cnf"]["x5t#S256"], own.thumbprint());
    let (_, answer) = ask(&format!("{certificate}X-Forwarded-For: 198.51.100.1\r\n"));
    assert!(answer.contains("unauthorized_client"), "{answer}");
    let (status, answer) = ask(&certificate);
    assert!(
        status == 400 && answer.contains("invalid_request"),
        "{answer}"
    );

    std::fs::write(path("ca.pem"), Ca::new("other").pem()).unwrap();
    eventually("the CA file is read again", || {
        server.log().contains("reloaded the client CAs")
    });
    std::fs::write(path("ca.pem"), "").unwrap();
    eventually("its CA is gone", || {
        server.log().contains("hold no certificate any more")
    });
}

fn ledger(thumbprint: &str) -> String {
    let lines = format!("auth = \"self_signed_tls_client_auth\"\nthumbprints = [\"{thumbprint}\"]");
    let policy = policy("pricing", "read", "read") + "networks = [\"203.0.113.0/24\"]\n";
    audience("pricing", "read", "") + &client("ledger", &lines, &[policy])
}
