//! The address of the client behind a trusted proxy, which policies and the log see.

use super::*;

/// The usual catalog, its policy for one network only.
fn catalog() -> String {
    let policy = "audience = \"pricing\"";
    CATALOG.replacen(
        policy,
        &format!("{policy}\n  networks = [\"203.0.113.0/24\"]"),
        1,
    )
}

fn addressed(header: AddressHeader) -> TrustedProxies {
    TrustedProxies {
        address_header: header,
        ..proxies(CertificateHeader::None)
    }
}

impl Behind {
    async fn read(&self, from: &From<'_>) -> Answer {
        let form = format!(
            "grant_type=client_credentials&client_id=reader&client_secret={}",
            form_encoded(READER)
        );
        self.post(from, "/oauth2/token", &form).await
    }
}

on_both! {
    async fn a_policy_sees_the_last_address_that_is_none_of_a_proxy(env) {
        env.apply(&catalog()).await;
        let behind = Behind::new(&env, addressed(AddressHeader::XForwardedFor)).await;
        for (line, granted) in [
            ("203.0.113.7", true),
            ("198.51.100.1, 203.0.113.7, 10.1.0.9", true),
            // What a stranger writes before it means nothing.
            ("203.0.113.7, 198.51.100.1", false),
            ("203.0.113.7, 198.51.100.1, 10.1.0.9", false),
            ("10.1.0.9", false),
        ] {
            let answer = behind.read(&proxied(&[("x-forwarded-for", line)])).await;
            if granted {
                assert_eq!(answer.status, 200, "{line}");
            } else {
                answer.assert_error(400, "unauthorized_client");
            }
        }
        // Two lines are one list.
        let lines = [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-for", "198.51.100.1")];
        behind.read(&proxied(&lines)).await.assert_error(400, "unauthorized_client");
        // The other header, and this one from a stranger, mean nothing.
        let other = proxied(&[("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=203.0.113.7")]);
        behind.read(&other).await.assert_error(400, "unauthorized_client");
        let mut stranger = proxied(&[("x-forwarded-for", "203.0.113.7")]);
        stranger.peer = "198.51.100.1";
        behind.read(&stranger).await.assert_error(400, "unauthorized_client");
        // In the network of the proxies, and none by the secret: whatever the policy's networks are.
        let neighbour = From { headers: stranger.headers.split_off(1), ..proxied(&[]) };
        behind.read(&neighbour).await.assert_error(400, "invalid_request");
        let silent = From { headers: Vec::new(), ..proxied(&[]) };
        behind.read(&silent).await.assert_error(400, "invalid_request");
        let direct = From { peer: "203.0.113.7", own: None, headers: Vec::new() };
        assert_eq!(behind.read(&direct).await.status, 200);
    }

    /// RFC 7239
    async fn a_policy_sees_the_for_of_forwarded(env) {
        env.apply(&catalog()).await;
        let behind = Behind::new(&env, addressed(AddressHeader::Forwarded)).await;
        let line = "for=198.51.100.1, for=203.0.113.7;proto=https, for=10.1.0.9";
        assert_eq!(behind.read(&proxied(&[("forwarded", line)])).await.status, 200);
        let line = "for=203.0.113.7, for=\"198.51.100.1:80\"";
        let answer = behind.read(&proxied(&[("forwarded", line)])).await;
        answer.assert_error(400, "unauthorized_client");
    }

    /// A proxy's own address might be one that a policy trusts, so it never stands for a client's that was lost.
    /// (B-M02).
    async fn an_address_that_is_lost_or_unclear_is_refused(env) {
        let trusting = catalog().replace("203.0.113.0/24", NETWORK);
        env.apply(&trusting).await;
        for (header, lines) in [
            (
                AddressHeader::XForwardedFor,
                ["", "unknown", "203.0.113.7, nonsense", "203.0.113.7, unix:"],
            ),
            (
                AddressHeader::Forwarded,
                ["", "for=unknown", "for=_hidden, proto=https", "for=10.1.0.9;for=10.1.0.9"],
            ),
        ] {
            let behind = Behind::new(&env, addressed(header)).await;
            let name = header.as_str();
            behind.read(&proxied(&[])).await.assert_error(400, "invalid_request");
            for line in lines {
                let answer = behind.read(&proxied(&[(name, line)])).await;
                answer.assert_error(400, "invalid_request");
            }
            let good = match header {
                AddressHeader::Forwarded => "for=10.1.0.9",
                _ => "10.1.0.9",
            };
            assert_eq!(behind.read(&proxied(&[(name, good)])).await.status, 200);
            let dropped = proxied(&[(name, good), ("connection", name)]);
            behind.read(&dropped).await.assert_error(400, "invalid_request");
        }
    }

    /// A client whose header stands beside the secret that a proxy adds must not get the address of the proxy.
    /// (B-M02).
    async fn a_secret_that_a_client_spoils_gives_no_address(env) {
        env.apply(&catalog().replace("203.0.113.0/24", NETWORK)).await;
        let behind = Behind::new(&env, addressed(AddressHeader::XForwardedFor)).await;
        let mut from = proxied(&[("x-forwarded-for", "203.0.113.7")]);
        behind.read(&from).await.assert_error(400, "unauthorized_client");
        from.headers.insert(0, (SECRET_HEADER, "spoiled".to_owned()));
        behind.read(&from).await.assert_error(400, "invalid_request");
    }

    async fn the_log_names_source_and_proxy(env) {
        env.apply(CATALOG).await;
        let watch = crate::captured_log::watch("source=203.0.113.199");
        let behind = Behind::new(&env, addressed(AddressHeader::XForwardedFor)).await;
        let from = proxied(&[("x-forwarded-for", "203.0.113.199")]);
        behind.token(&from, "reader").await.assert_error(401, "invalid_client");
        let lines = watch.lines();
        assert!(lines.iter().any(|line| line.contains("proxy=10.1.0.5")), "{lines:?}");
    }

    /// Documents that are the same for all ask nothing of a proxy.
    async fn jwks_and_metadata_need_no_address(env) {
        env.apply(CATALOG).await;
        let behind = Behind::new(&env, addressed(AddressHeader::XForwardedFor)).await;
        for path in ["/oauth2/jwks", "/.well-known/oauth-authorization-server"] {
            let connection = Connection::new(SocketAddr::new(PROXY.parse().unwrap(), 1));
            let request = Request::get(path).extension(connection).header("host", "auth.example");
            let request = request.body(Body::empty()).unwrap();
            let answer = Answer::of(&behind.router, request).await;
            assert_eq!(answer.status, 200, "{path}");
        }
    }
}
