//! `self_signed_tls_client_auth`, RFC 8705 section 2.2.

use grantd::domain::timestamp::Seconds;

use super::*;

on_both! {
    /// 8705-01: the client is chosen by its id, never by its certificate (8705-04).
    async fn a_registered_certificate_proves_its_client(env) {
        let (own, other) = (Identity::named("ledger"), Identity::named("other"));
        let thumbprints = format!("thumbprints = [\"{}\"]", other.thumbprint());
        let second = by_certificate("second", "self_signed_tls_client_auth", &thumbprints);
        env.apply(&format!("{}{second}", catalog(&[own.thumbprint()], NOBODY))).await;
        let listening = listen(&env).await;
        assert_eq!(listening.token(Some(&own), "ledger").await.claims()["sub"], "ledger");
        for (identity, client) in
            [(Some(&own), "second"), (Some(&other), "ledger"), (None, "ledger"), (Some(&own), "nobody")]
        {
            listening.token(identity, client).await.assert_error(401, "invalid_client");
        }
        let mut connection = listening.connect(Some(&own)).await.unwrap();
        let form = "grant_type=client_credentials";
        let answer = connection.post("/oauth2/token", "", form).await.unwrap();
        answer.assert_error(401, "invalid_client");
    }

    /// B-M04: the same names with another key, and the registered certificate behind the attacker's.
    /// (8705-04).
    async fn only_the_leaf_itself_counts(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let mut attacker = Identity::named("ledger");
        listening.token(Some(&attacker), "ledger").await.assert_error(401, "invalid_client");
        attacker.chain.push(own.chain[0].clone());
        listening.token(Some(&attacker), "ledger").await.assert_error(401, "invalid_client");
        // The same key in another certificate is another certificate.
        let again = leaf("ledger").self_signed(&*own.key).unwrap().der().clone();
        let again = Identity { chain: vec![again], key: Arc::clone(&own.key) };
        assert_ne!(again.thumbprint(), own.thumbprint());
        listening.token(Some(&again), "ledger").await.assert_error(401, "invalid_client");
    }

    /// B-M05: dates are judged though the certificate is registered; B-M05 also allows it to say that it is a CA.
    /// (8705-05).
    async fn dates_count_and_two_certificates_overlap(env) {
        let mut late = leaf("ledger");
        late.not_before = OffsetDateTime::from_unix_timestamp(START + 10).unwrap();
        late.not_after = OffsetDateTime::from_unix_timestamp(START + 7200).unwrap();
        late.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let (first, second) = (Identity::named("ledger"), Identity::self_signed(&late));
        env.apply(&catalog(&[first.thumbprint(), second.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        assert_eq!(listening.token(Some(&first), "ledger").await.status, 200);
        listening.token(Some(&second), "ledger").await.assert_error(401, "invalid_client");
        env.clock.advance(Seconds::new(10));
        listening.replica.follow().await;
        assert_eq!(listening.token(Some(&first), "ledger").await.status, 200);
        assert_eq!(listening.token(Some(&second), "ledger").await.status, 200);
        env.clock.advance(Seconds::new(3600));
        listening.replica.follow().await;
        listening.token(Some(&first), "ledger").await.assert_error(401, "invalid_client");
        assert_eq!(listening.token(Some(&second), "ledger").await.status, 200);
    }

    async fn each_refusal_gives_the_same_answer_and_its_own_reason(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let unknown = listening.token(Some(&own), "nobody").await;
        let other = listening.token(Some(&Identity::named("x")), "ledger").await;
        let none = listening.token(None, "ledger").await;
        assert_eq!((unknown.status, &unknown.body), (other.status, &other.body));
        assert_eq!((unknown.status, &unknown.body), (none.status, &none.body));
        assert_eq!(listening.replica.audit_events("refused").await, 3);
    }

    async fn the_use_of_a_retired_certificate_is_refused_and_told(env) {
        let own = Identity::named("ledger");
        let print = own.thumbprint();
        let retired = format!("thumbprints = [{{ value = \"{print}\", retired_at = {START} }}]");
        let catalog = catalog(std::slice::from_ref(&print), NOBODY);
        env.apply(&catalog.replace(&format!("thumbprints = [\"{print}\"]"), &retired)).await;
        let listening = listen(&env).await;
        listening.token(Some(&own), "ledger").await.assert_error(401, "invalid_client");
        assert_eq!(listening.replica.audit_events("retired_credential_used").await, 1);
    }

    /// 6749-12: beside a secret a certificate is no second method, and where none is registered it proves nothing.
    async fn a_certificate_beside_a_secret_is_no_second_method(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let mut connection = listening.connect(Some(&own)).await.unwrap();
        let form = format!("&client_secret={}", form_encoded(READER));
        assert_eq!(connection.token("reader", &form).await.unwrap().status, 200);
        connection.token("reader", "").await.unwrap().assert_error(401, "invalid_client");
        let wrong = "&client_secret=wrong+wrong+wrong+wrong";
        connection.token("ledger", wrong).await.unwrap().assert_error(401, "invalid_client");
    }

    async fn introspection_and_revocation_take_certificates_too(env) {
        let own = Identity::named("ledger");
        let served = "served_by = [\"api\", \"ledger\"]";
        let catalog = catalog(&[own.thumbprint()], NOBODY);
        env.apply(&catalog.replace("served_by = [\"api\"]", served)).await;
        let listening = listen(&env).await;
        let mut connection = listening.connect(Some(&own)).await.unwrap();
        let token = connection.token("ledger", "").await.unwrap();
        let token = token.body["access_token"].as_str().unwrap().to_owned();
        let form = format!("client_id=ledger&token={token}");
        let seen = connection.post("/oauth2/introspect", "", &form).await.unwrap();
        assert_eq!(seen.body["active"], true, "{seen:?}");
        assert_eq!(seen.body["cnf"]["x5t#S256"], own.thumbprint());
        assert_eq!(connection.post("/oauth2/revoke", "", &form).await.unwrap().status, 200);
        let seen = connection.post("/oauth2/introspect", "", &form).await.unwrap();
        assert_eq!(seen.body, serde_json::json!({ "active": false }));
    }
}
