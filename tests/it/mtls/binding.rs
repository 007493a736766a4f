//! Tokens bound to certificates, RFC 8705 section 3.

use super::*;

on_both! {
    /// B-M08: whoever receives the token can compare; the value is that of RFC 8705, and another's differs.
    /// (8705-06).
    async fn a_token_is_bound_to_the_certificate_that_authenticated(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let answer = listening.token(Some(&own), "ledger").await;
        assert_eq!(answer.body["token_type"], "Bearer");
        let claims = answer.claims();
        assert_eq!(claims["cnf"], serde_json::json!({ "x5t#S256": own.thumbprint() }));
        assert_eq!(own.thumbprint().len(), 43);
        assert_ne!(claims["cnf"]["x5t#S256"], Identity::named("ledger").thumbprint());
        let token = answer.body["access_token"].as_str().unwrap();
        let seen = listening.replica.introspect("api", API, token).await.json();
        assert_eq!(seen["cnf"], claims["cnf"]);
    }

    async fn a_certificate_that_merely_is_there_binds_nothing(env) {
        env.apply(CATALOG).await;
        let listening = listen(&env).await;
        let mut connection = listening.connect(Some(&Identity::named("sidecar"))).await.unwrap();
        let form = format!("&client_secret={}", form_encoded(READER));
        let claims = connection.token("reader", &form).await.unwrap().claims();
        assert_eq!(claims.get("cnf"), None);
    }

    /// 8705-07.
    async fn what_is_demanded_must_be_there(env) {
        let secret = format!("&client_secret={}", form_encoded(READER));
        for (line, at) in [
            ("tls_client_certificate_bound_access_tokens = true", "auth = [\"client_secret_basic\""),
            ("sender_constraint = \"mtls\"", "scopes = [\"read\", \"write\"]\nserved_by"),
            ("sender_constraint = \"any\"", "scopes = [\"read\", \"write\"]\nserved_by"),
        ] {
            env.apply(&CATALOG.replacen(at, &format!("{line}\n{at}"), 1)).await;
            let listening = listen(&env).await;
            let identity = Identity::named("any certificate whose key is held");
            let mut with = listening.connect(Some(&identity)).await.unwrap();
            let claims = with.token("reader", &secret).await.unwrap().claims();
            assert_eq!(claims["cnf"]["x5t#S256"], identity.thumbprint(), "{line}");
            let mut without = listening.connect(None).await.unwrap();
            without.token("reader", &secret).await.unwrap().assert_error(400, "invalid_request");
            env.prune("").await;
        }
    }
}
