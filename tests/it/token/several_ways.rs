//! One way of client authentication per request, and the one that was registered (RFC 6749 section 2.3).

use super::*;

const ASSERTION_TYPE: &str =
    "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
/// An unsigned assertion, header and claims of which look right.
const UNSIGNED: &str =
    "client_assertion=eyJhbGciOiJub25lIn0.eyJzdWIiOiJrZXllZCIsImlzcyI6ImtleWVkIn0.";
const KEYED: &str = r#"
[[client]]
id = "keyed"
auth = "private_key_jwt"
jwks = '''{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}'''
[[client]]
id = "certified"
auth = "self_signed_tls_client_auth"
thumbprints = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
"#;

on_both! {
    /// 6749-11.
    async fn two_ways_at_once_are_refused_whichever_is_right(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let right = basic("reader", READER);
        let grant = "grant_type=client_credentials";
        for form in [
            FORM,
            &format!("{grant}&client_secret=x"),
            &format!("{grant}&{UNSIGNED}&{ASSERTION_TYPE}"),
            &format!("{grant}&{ASSERTION_TYPE}"),
        ] {
            replica.ask_with(&right, form).await.assert_error(400, "invalid_request");
            replica
                .ask_with(&basic("reader", "wrong"), form)
                .await
                .assert_error(400, "invalid_request");
        }
        let form = format!("{FORM}&{UNSIGNED}&{ASSERTION_TYPE}");
        replica.ask(&form).await.assert_error(400, "invalid_request");
        for second in ["Bearer abc", &right] {
            let headers = [("authorization", right.as_str()), ("authorization", second)];
            replica
                .post("/oauth2/token", &headers, grant)
                .await
                .assert_error(400, "invalid_request");
        }
        replica.ask_with("Bearer abc", FORM).await.assert_error(400, "invalid_request");
    }

    /// In a header it comes from a stranger here; on the connection is for the listeners' own tests.
    /// (6749-12).
    async fn a_certificate_beside_the_secret_is_no_second_way_and_binds_nothing(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let certificate = [
            ("client-cert", ":MIIB:"),
            ("x-forwarded-client-cert", "Hash=00;Subject=\"CN=api\""),
            ("ssl-client-cert", "x"),
        ];
        let answer = replica.post("/oauth2/token", &certificate, FORM).await;
        assert_eq!(claims(&answer).get("cnf"), None);
    }

    /// 6749-17.
    async fn a_client_id_beside_basic_must_be_the_same(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        assert_eq!(replica.token("reader", READER, "&client_id=reader").await.status, 200);
        for other in ["api", "Reader", "reader+"] {
            let more = format!("&client_id={other}");
            replica.token("reader", READER, &more).await.assert_error(400, "invalid_request");
        }
    }

    /// 6749-20.
    async fn no_credential_at_all_is_invalid_client(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let grant = "grant_type=client_credentials";
        for more in [
            "",
            "&client_id=reader",
            "&client_id=nobody",
            "&client_id=reader&client_secret=",
            "&client_secret=alone",
        ] {
            replica.ask(&format!("{grant}{more}")).await.assert_error(401, "invalid_client");
        }
    }

    /// 6749-22.
    async fn another_scheme_is_invalid_client_and_the_challenge_names_basic(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for scheme in [
            "Digest username=\"reader\"",
            "Negotiate abc",
            "Bearer abc",
            "Basicx abc",
            "",
            "DPoP x",
        ] {
            let answer = replica.ask_with(scheme, "grant_type=client_credentials").await;
            answer.assert_error(401, "invalid_client");
        }
    }

    /// B-C01.
    async fn a_client_of_keys_or_certificates_cannot_fall_back_to_a_secret(env) {
        env.apply(&format!("{}{KEYED}", pricing())).await;
        let replica = env.replica().await;
        let refused = replica.token("nobody", "any secret of sixteen", "").await.same();
        assert_eq!(refused.0, 401);
        for client in ["keyed", "certified"] {
            for secret in ["any secret of sixteen", "", "x", &generated_secret("abcdefghij", "A")] {
                assert_eq!(replica.token(client, secret, "").await.same(), refused);
                let form = format!(
                    "grant_type=client_credentials&client_id={client}&client_secret={secret}"
                );
                assert_eq!(replica.ask(&form).await.same(), refused);
            }
            let form = format!("grant_type=client_credentials&client_id={client}");
            assert_eq!(replica.ask(&form).await.same(), refused);
            let form = format!("{form}&{UNSIGNED}&{ASSERTION_TYPE}");
            assert_eq!(replica.ask(&form).await.same(), refused);
            let form = format!("{form}&client_secret=any");
            replica.ask(&form).await.assert_error(400, "invalid_request");
        }
    }

    /// B-C02.
    async fn only_the_registered_way_works(env) {
        let secret = "secret = \"one secret for all\"";
        env.apply(&with_clients(&[
            ("in-header", &format!("auth = \"client_secret_basic\"\n{secret}")),
            ("in-body", &format!("auth = \"client_secret_post\"\n{secret}")),
            (
                "in-both",
                &format!("auth = [\"client_secret_basic\", \"client_secret_post\"]\n{secret}"),
            ),
        ]))
        .await;
        let replica = env.replica().await;
        let refused = replica.token("in-header", "wrong", "").await.same();
        for (client, header, body) in
            [("in-header", 200, 401), ("in-body", 401, 200), ("in-both", 200, 200)]
        {
            // Twice: what was verified before changes nothing.
            for _ in 0..2 {
                let in_header = replica.token(client, "one secret for all", "").await;
                let form = format!(
                    "grant_type=client_credentials&client_id={client}&client_secret=one+secret+for+all"
                );
                let in_body = replica.ask(&form).await;
                assert_eq!(
                    (in_header.status.as_u16(), in_body.status.as_u16()),
                    (header, body),
                    "{client}"
                );
                for answer in [in_header, in_body] {
                    assert!(answer.status == 200 || answer.same() == refused);
                }
            }
        }
    }

    /// B-C11.
    async fn one_failed_try_in_the_header_does_not_spoil_the_body(env) {
        env.apply(&with_clients(&[(
            "go",
            "auth = \"client_secret_post\"\nsecret = \"secret of a go client\"",
        )]))
        .await;
        let replica = env.replica().await;
        for _ in 0..20 {
            replica
                .token("go", "secret of a go client", "")
                .await
                .assert_error(401, "invalid_client");
            let form =
                "grant_type=client_credentials&client_id=go&client_secret=secret+of+a+go+client";
            assert_eq!(replica.ask(form).await.status, 200);
        }
    }
}
