//! Who counts as a proxy: an address and a second proof (B-M02).

use super::super::headers::forged;
use super::*;

on_both! {
    /// B-M02: the network alone proves nothing, and neither does the second proof alone.
    async fn a_header_counts_from_a_proven_proxy_only(env) {
        let (own, proxy, other) =
            (Identity::named("ledger"), Identity::named("proxy"), Identity::named("other"));
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        for (kind, value) in KINDS {
            let mut proxies = proxies(kind);
            proxies.thumbprints = vec![proxy.thumbprint()];
            let behind = Behind::new(&env, proxies).await;
            let ask = async |peer, identity, secrets: &[&str]| {
                let mut headers: Vec<_> =
                    secrets.iter().map(|secret| (SECRET_HEADER, (*secret).to_owned())).collect();
                headers.push((kind.as_str(), value(&own)));
                let from = From { peer, own: identity, headers };
                behind.token(&from, "ledger").await.status.as_u16()
            };
            // Inside, with one of both proofs, or on loopback.
            assert_eq!(ask(PROXY, None, &[SECRET]).await, 200);
            assert_eq!(ask("::ffff:10.1.0.5", None, &[SECRET]).await, 200);
            assert_eq!(ask(PROXY, Some(&proxy), &[]).await, 200);
            assert_eq!(ask("127.0.0.1", None, &[]).await, 200);
            // Inside without either: no stranger, whose address it would have.
            assert_eq!(ask(PROXY, None, &[]).await, 400);
            assert_eq!(ask(PROXY, Some(&other), &[]).await, 400);
            // Something else than the secret.
            let both = format!("{SECRET}, {SECRET}");
            for wrong in [&["proxy-secret-of-these-testz"] as &[_], &[""], &[SECRET, SECRET], &[&both]] {
                assert_eq!(ask(PROXY, None, wrong).await, 400, "{wrong:?}");
            }
            // Outside with both; the loopback of another family was not named.
            assert_eq!(ask("10.2.0.5", Some(&proxy), &[SECRET]).await, 401);
            assert_eq!(ask("203.0.113.7", Some(&proxy), &[SECRET]).await, 401);
            assert_eq!(ask("::1", None, &[SECRET]).await, 401);
        }
    }

    /// The client's certificate lives on. Nor is the proxy a stranger then, whose address its clients would have.
    /// (B-M02).
    async fn an_expired_certificate_of_a_proxy_proves_nothing(env) {
        let proxy = Identity::named("proxy");
        let mut long = leaf("ledger");
        long.not_after += Duration::hours(5);
        let own = Identity::self_signed(&long);
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let mut proxies = proxies(CertificateHeader::ClientCert);
        proxies.thumbprints = vec![proxy.thumbprint()];
        let behind = Behind::new(&env, proxies).await;
        let headers = vec![("client-cert", client_cert(&own))];
        let mut from = From { peer: PROXY, own: Some(&proxy), headers };
        assert_eq!(behind.token(&from, "ledger").await.status, 200);
        env.clock.advance(Seconds::new(3601));
        behind.replica.follow().await;
        behind.token(&from, "ledger").await.assert_error(400, "invalid_request");
        let form = format!("client_id=reader&client_secret={}", form_encoded(READER));
        let form = format!("grant_type=client_credentials&{form}");
        behind.post(&from, "/oauth2/token", &form).await.assert_error(400, "invalid_request");
        from.headers.push((SECRET_HEADER, SECRET.to_owned()));
        assert_eq!(behind.token(&from, "ledger").await.status, 200);
    }

    /// B-M01, B-M02: every other header in which a certificate could be said means nothing, from inside too; the
    /// other kind as well, which a proxy that sets one passes on as strangers send it (B-M01).
    async fn only_the_configured_header_counts(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        for (kind, _) in KINDS {
            let behind = Behind::new(&env, proxies(kind)).await;
            for (peer, secret) in [(PROXY, SECRET), ("203.0.113.7", SECRET)] {
                for lines in forged(&own) {
                    let mut headers = vec![(SECRET_HEADER, secret.to_owned())];
                    headers.extend(lines.lines().filter_map(|line| {
                        let (name, value) = line.split_once(": ")?;
                        Some((name, value.to_owned()))
                    }));
                    let names = |(name, value): &(&str, String)| {
                        let name = name.to_ascii_lowercase();
                        // Its chain without it is a contradiction, and so is a wish to have it dropped.
                        name == kind.as_str()
                            || name.starts_with(kind.as_str())
                            || (name == "connection"
                                && value.eq_ignore_ascii_case(kind.as_str()))
                    };
                    let configured = headers.iter().any(names);
                    let from = From { peer, own: None, headers };
                    let answer = behind.token(&from, "ledger").await;
                    if peer == PROXY && configured {
                        assert_ne!(answer.status, 503, "{lines}");
                    } else {
                        answer.assert_error(401, "invalid_client");
                    }
                }
            }
        }
    }

    /// A proxy may stand before clients, but is none (B-M02).
    async fn the_certificate_of_a_proxy_authenticates_nobody(env) {
        let proxy = Identity::named("proxy");
        env.apply(&catalog(&[proxy.thumbprint()], NOBODY)).await;
        let mut proxies = proxies(CertificateHeader::ClientCert);
        proxies.thumbprints = vec![proxy.thumbprint()];
        let behind = Behind::new(&env, proxies).await;
        let from = From { peer: PROXY, own: Some(&proxy), headers: Vec::new() };
        behind.token(&from, "ledger").await.assert_error(401, "invalid_client");
        // From elsewhere it is a certificate as any other.
        let from = From { peer: "10.2.0.5", own: Some(&proxy), headers: Vec::new() };
        assert_eq!(behind.token(&from, "ledger").await.status, 200);
    }

    /// Who sends the secret is a proxy: a certificate on its connection is its own and nobody's behind it, also where
    /// no thumbprint names it (B-M02).
    async fn a_certificate_beside_the_secret_authenticates_nobody(env) {
        let proxy = Identity::named("proxy");
        env.apply(&catalog(&[proxy.thumbprint()], NOBODY)).await;
        for (kind, _) in KINDS {
            let behind = Behind::new(&env, proxies(kind)).await;
            let mut from = proxied(&[]);
            from.own = Some(&proxy);
            behind.token(&from, "ledger").await.assert_error(401, "invalid_client");
            // On loopback without the secret it may be a client's.
            let beside = From { peer: "127.0.0.1", own: Some(&proxy), headers: Vec::new() };
            assert_eq!(behind.token(&beside, "ledger").await.status, 200);
        }
    }

    /// B-H08: neither what a proxy proves itself by, nor what it should have been.
    async fn the_secret_of_a_proxy_reaches_no_log(env) {
        env.apply(CATALOG).await;
        let watch = crate::captured_log::watch("proxy-secret-of-these-test");
        let behind = Behind::new(&env, proxies(CertificateHeader::ClientCert)).await;
        for secret in [SECRET, "proxy-secret-of-these-testz"] {
            let headers = vec![(SECRET_HEADER, secret.to_owned())];
            let from = From { peer: PROXY, own: None, headers };
            assert_ne!(behind.token(&from, "reader").await.status, 200);
        }
        assert_eq!(watch.lines(), Vec::<String>::new());
    }
}
