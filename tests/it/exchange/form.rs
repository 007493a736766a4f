//! The parameters of an exchange (RFC 8693 section 2.1).

use super::*;

const KIND: &str = "urn:ietf:params:oauth:token-type";

on_both! {
    /// EXC-07.
    async fn only_an_access_token_can_be_requested(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        for kind in ["refresh_token", "id_token", "jwt", "saml2", "access_token2"] {
            let more = format!("&requested_token_type={KIND}:{kind}");
            let answer = replica.give_for("orders", &of_web, &more).await;
            assert_eq!(answer.status, 400, "{kind}: {answer:?}");
            answer.assert_error(400, "invalid_request");
        }
        for kind in ["", &format!("{KIND}:access_token")] {
            let more = format!("&requested_token_type={kind}");
            let answer = replica.give_for("orders", &of_web, &more).await;
            assert_eq!(answer.json()["issued_token_type"], ACCESS_TOKEN);
        }
    }

    /// EXC-07.
    async fn each_token_has_a_type_and_each_parameter_stands_once(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let own = replica.issued("orders", SECRET, "").await;
        let (subject, actor) = (format!("subject_token={of_web}"), format!("actor_token={own}"));
        let kind = |of: &str, kind: &str| format!("{of}_token_type={KIND}:{kind}");
        let right = format!("{subject}&{}", kind("subject", "jwt"));
        for form in [
            String::new(),
            subject.clone(),
            kind("subject", "access_token"),
            format!("subject_token=&{}", kind("subject", "access_token")),
            format!("{subject}&subject_token_type="),
            format!("{subject}&{}", kind("subject", "refresh_token")),
            format!("{subject}&subject_token_type=access_token"),
            format!("{right}&{actor}"),
            format!("{right}&{}", kind("actor", "access_token")),
            format!("{right}&{actor}&{}", kind("actor", "saml1")),
            format!("{right}&{subject}"),
            format!("{right}&{}", kind("subject", "jwt")),
            format!("{right}&{actor}&{actor}&{}", kind("actor", "jwt")),
            format!("{right}&requested_token_type=&requested_token_type="),
        ] {
            let form = format!("grant_type={EXCHANGE}&{form}");
            let authorization = basic("orders", SECRET);
            let answer = replica.post("/oauth2/token", &[("authorization", &authorization)], &form).await;
            assert_eq!(answer.error(), "invalid_request", "{}", form.replace(&of_web, "TOKEN"));
        }
        let form = format!("grant_type={EXCHANGE}&{right}&{actor}&{}", kind("actor", "jwt"));
        let authorization = basic("orders", SECRET);
        access_token(&replica.post("/oauth2/token", &[("authorization", &authorization)], &form).await);
    }

    /// The short name is for catalogs.
    async fn a_request_names_the_grant_by_its_urn(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let form = format!("grant_type=token-exchange&subject_token=x&subject_token_type={ACCESS_TOKEN}");
        let authorization = basic("orders", SECRET);
        let answer = replica.post("/oauth2/token", &[("authorization", &authorization)], &form).await;
        answer.assert_error(400, "unsupported_grant_type");
        let metadata = replica.get("/.well-known/oauth-authorization-server").await.json();
        let grants = metadata["grant_types_supported"].as_array().unwrap();
        assert!(grants.contains(&EXCHANGE.into()), "{grants:?}");
    }

    /// What is no client's own business is not told before it has proved itself.
    async fn a_client_proves_itself_as_always(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let form = format!("grant_type={EXCHANGE}&subject_token={of_web}&subject_token_type={ACCESS_TOKEN}");
        for authorization in [basic("orders", "another secret 1"), basic("nobody", SECRET)] {
            let answer = replica.post("/oauth2/token", &[("authorization", &authorization)], &form).await;
            answer.assert_error(401, "invalid_client");
        }
        let answer = replica.post("/oauth2/token", &[], &format!("{form}&client_id=orders")).await;
        answer.assert_error(401, "invalid_client");
    }
}
