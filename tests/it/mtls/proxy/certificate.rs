//! Client certificates that a trusted proxy passes on: RFC 9440, and Envoy's header.

use rcgen::SanType;

use super::*;

on_both! {
    /// 8705-01, 8705-06: as on a listener of our own, introspection included.
    async fn a_forwarded_certificate_proves_its_client_and_binds_its_token(env) {
        let (own, other) = (Identity::named("ledger"), Identity::named("ledger"));
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        for (kind, value) in KINDS {
            let behind = Behind::new(&env, proxies(kind)).await;
            let from = proxied(&[(kind.as_str(), &value(&own))]);
            let answer = behind.token(&from, "ledger").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let token = answer.json()["access_token"].as_str().unwrap().to_owned();
            let cnf = serde_json::json!({ "x5t#S256": own.thumbprint() });
            assert_eq!(decoded(&token).1["cnf"], cnf);
            assert_eq!(behind.replica.introspect("api", API, &token).await.json()["cnf"], cnf);
            let from_other = proxied(&[(kind.as_str(), &value(&other))]);
            behind.token(&from_other, "ledger").await.assert_error(401, "invalid_client");
            behind.token(&from, "reader").await.assert_error(401, "invalid_client");
        }
    }

    /// B-M05.
    async fn dates_of_a_forwarded_certificate_are_judged_at_each_request(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let behind = Behind::new(&env, proxies(CertificateHeader::ClientCert)).await;
        let value = client_cert(&own);
        let from = proxied(&[("client-cert", &value)]);
        assert_eq!(behind.token(&from, "ledger").await.status, 200);
        env.clock.advance(Seconds::new(3601));
        behind.replica.follow().await;
        behind.token(&from, "ledger").await.assert_error(401, "invalid_client");
    }

    /// 8705-02.
    async fn a_forwarded_chain_leads_to_a_client_ca(env) {
        let uri = "spiffe://example.org/job";
        env.apply(&catalog(&[], &format!("san_uri = \"{uri}\""))).await;
        let (root, between) = (Ca::new("root"), Ca::new("between"));
        let mut params = leaf("job");
        params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        let mut job = between.sign(&params);
        job.chain.push(root.certificate_of(&between));
        for (kind, value) in KINDS {
            let behind = Behind::new(&env, proxies(kind)).await;
            behind.replica.grantd.client_cas().trust(cas(&root.pem()));
            let whole = proxied(&[(kind.as_str(), &value(&job))]);
            let mut leaf_alone = job.clone();
            leaf_alone.chain.truncate(1);
            let leaf_alone = proxied(&[(kind.as_str(), &value(&leaf_alone))]);
            behind.token(&leaf_alone, "job").await.assert_error(401, "invalid_client");
            let with_chain = match kind {
                CertificateHeader::ClientCert => {
                    let chain = format!(":{}:", STANDARD.encode(&job.chain[1]));
                    proxied(&[(kind.as_str(), &value(&job)), ("client-cert-chain", &chain)])
                }
                _ => whole,
            };
            assert_eq!(behind.token(&with_chain, "job").await.status, 200, "{kind}");
            // B-M06: its CA goes, and nothing of the connection keeps it.
            behind.replica.grantd.client_cas().trust(cas(&Ca::new("another").pem()));
            behind.token(&with_chain, "job").await.assert_error(401, "invalid_client");
        }
    }

    /// B-M02: what is not exactly one value is refused, not taken for none.
    async fn anything_but_one_clear_value_is_refused(env) {
        let (own, other) = (Identity::named("ledger"), Identity::named("other"));
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let secret = format!("grant_type=client_credentials&client_id=reader&client_secret={}", form_encoded(READER));
        for (kind, value) in KINDS {
            let behind = Behind::new(&env, proxies(kind)).await;
            let (name, good, bad) = (kind.as_str(), &*value(&own), &*value(&other));
            let joined = format!("{good}, {bad}");
            let cut = &good[..good.len() - 20];
            let garbage = match kind {
                CertificateHeader::ClientCert => ":Z2FyYmFnZQ==:",
                _ => "Cert=\"garbage\"",
            };
            for headers in [
                &[(name, good), (name, good)] as &[_],
                &[(name, good), (name, bad)],
                &[(name, &joined)],
                &[(name, cut)],
                &[(name, garbage)],
                &[(name, "")],
                &[(name, "::")],
                &[(name, "Hash=00;By=a")],
                &[(name, good), ("connection", name)],
                &[(name, good), ("connection", "close, X-Forwarded-Client-Cert, client-cert")],
                &[("connection", name)],
            ] {
                let from = proxied(headers);
                behind.token(&from, "ledger").await.assert_error(400, "invalid_request");
                // Nor is it a request without a certificate, for those who need none.
                let answer = behind.post(&from, "/oauth2/token", &secret).await;
                answer.assert_error(400, "invalid_request");
            }
            // The connection's own certificate is that of somebody else.
            let mut from = proxied(&[(name, good)]);
            from.own = Some(&other);
            behind.token(&from, "ledger").await.assert_error(400, "invalid_request");
        }
        let behind = Behind::new(&env, proxies(CertificateHeader::ClientCert)).await;
        let one = &*client_cert(&own);
        for headers in [
            &[("client-cert-chain", one)] as &[_],
            &[("client-cert", one), ("connection", "Client-Cert-Chain")],
        ] {
            behind.token(&proxied(headers), "ledger").await.assert_error(400, "invalid_request");
        }
    }

    /// B-M02: a header that was lost on the way (CVE-2024-45410) leaves a request without a certificate: it neither
    /// authenticates, nor gets a token that should be bound (B-M02).
    async fn a_lost_header_is_no_certificate(env) {
        let own = Identity::named("ledger");
        let demanding = catalog(&[own.thumbprint()], NOBODY).replacen(
            "auth = [\"client_secret_basic\"",
            "tls_client_certificate_bound_access_tokens = true\nauth = [\"client_secret_basic\"",
            1,
        );
        env.apply(&demanding).await;
        for (kind, value) in KINDS {
            let behind = Behind::new(&env, proxies(kind)).await;
            behind.token(&proxied(&[]), "ledger").await.assert_error(401, "invalid_client");
            let form = format!(
                "grant_type=client_credentials&client_id=reader&client_secret={}",
                form_encoded(READER)
            );
            let lost = behind.post(&proxied(&[]), "/oauth2/token", &form).await;
            lost.assert_error(400, "invalid_request");
            let from = proxied(&[(kind.as_str(), &value(&own))]);
            let bound = behind.post(&from, "/oauth2/token", &form).await;
            let token = bound.json()["access_token"].as_str().unwrap().to_owned();
            assert_eq!(decoded(&token).1["cnf"]["x5t#S256"], own.thumbprint());
        }
    }

    /// All three endpoints take it, and refuse alike.
    async fn every_endpoint_reads_the_same_headers(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let behind = Behind::new(&env, proxies(CertificateHeader::ClientCert)).await;
        let value = client_cert(&own);
        let from = proxied(&[("client-cert", &value)]);
        let token = behind.token(&from, "ledger").await.json()["access_token"].clone();
        let form = format!("client_id=ledger&token={}", token.as_str().unwrap());
        let seen = behind.post(&from, "/oauth2/introspect", &form).await;
        assert_eq!(seen.json(), serde_json::json!({ "active": false }));
        assert_eq!(behind.post(&from, "/oauth2/revoke", &form).await.status, 200);
        let twice = proxied(&[("client-cert", &value), ("client-cert", &value)]);
        for path in ["/oauth2/introspect", "/oauth2/revoke"] {
            behind.post(&proxied(&[]), path, &form).await.assert_error(401, "invalid_client");
            behind.post(&twice, path, &form).await.assert_error(400, "invalid_request");
        }
    }
}
