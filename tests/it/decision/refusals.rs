//! What the log says of a refusal: what was found, in words of the request, and what to do.

use base64::Engine as _;
use grantd::domain::algorithm::SigningAlgorithm;

use super::Asker;
use crate::assertion::signer::{self, Key, TYPE};
use crate::catalogs::{audience, by_secret, policy};
use crate::harness::*;
use crate::token::generated_secret;

const GRANT: &str = "grant_type=client_credentials";

/// A second audience, which `reader` may not use, and one that it could use if its policy held.
fn more() -> String {
    let audiences = [
        audience("warehouse", "stock", ""),
        audience("https://orders.example/", "order", ""),
    ];
    let policies = [
        policy("pricing", "read", "") + "networks = [\"192.0.2.0/24\"]\n",
        policy("warehouse", "stock", "") + "enabled = false\n",
    ];
    audiences.concat() + &by_secret("elsewhere", "elsewhere secret 1", &policies)
}

fn catalog() -> String {
    format!("{CATALOG}{}", more()).replace(
        "  default_scopes = [\"read\"]\n",
        "  default_scopes = [\"read\"]\n  [[client.policy]]\n  audience = \"https://orders.example/\"\n  \
         scopes = [\"order\"]\n  methods = [\"client_secret_post\"]\n",
    )
}

#[track_caller]
fn assert_says(line: &str, check: &str, (found, remedy): (&str, &str)) {
    let wanted = [
        format!("check=\"{check}\""),
        format!("found=\"{found}\""),
        format!("remedy=\"{remedy}"),
    ];
    for text in wanted {
        assert!(line.contains(&text), "{text} is not in {line}");
    }
}

on_both! {
    async fn an_audience_that_is_almost_right_is_told_with_the_right_one(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let (answer, line) = asker.token("&audience=pricing/").await;
        answer.assert_error(400, "invalid_target");
        assert_says(&line, "audience", ("pricing/", "let the client ask for pricing: "));
        let unknown = answer.same();

        for (audience, found, remedy) in [
            ("nothing-like-it", "nothing-like-it", "compare it with the audiences of the catalog"),
            ("https://orders.example/", "https://orders.example/, whose policy is not for client_secret_basic", "look at"),
        ] {
            let (answer, line) = asker.token(&format!("&audience={}", form_encoded(audience))).await;
            assert_says(&line, "audience", (found, remedy));
            assert_eq!(answer.same(), unknown, "{audience}: the client is told no difference");
        }
    }

    /// The operator's log may name what the client may not know of.
    async fn an_audience_of_others_is_named_in_the_log_alone(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        // So that this replica has heard of it.
        let form = format!("{GRANT}&audience=warehouse");
        asker.ask("/oauth2/token", ("elsewhere", "elsewhere secret 1"), &form).await;
        let (unknown, _) = asker.token("&audience=nobody").await;
        let audience = grantd::domain::identifier::AudienceId::parse("warehouse").unwrap();
        replica.grantd.directory().audience(&audience).await.unwrap();
        for (audience, found, remedy) in [
            ("warehouse", "warehouse, without a policy", "give the client a policy"),
            ("warehouses", "warehouses", "if warehouse is meant, give the client a policy"),
        ] {
            let (answer, line) = asker.token(&format!("&audience={audience}")).await;
            assert_says(&line, "audience", (found, remedy));
            assert_eq!(answer.same(), unknown.same(), "{audience}");
        }
    }

    async fn each_policy_that_does_not_hold_is_told_with_the_reason(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let (answer, line) = asker.ask("/oauth2/token", ("elsewhere", "elsewhere secret 1"), GRANT).await;
        answer.assert_error(400, "unauthorized_client");
        let found = format!(
            "pricing, whose policy is not for the network of {}, warehouse, whose policy is disabled",
            asker.peer.ip()
        );
        assert_says(&line, "policy", (&found, "give the client a policy"));
    }

    async fn a_request_is_told_in_its_own_words(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let json = [("content-type", "application/json")];
        let (_, line) = asker.post("/oauth2/token", &json, "{}").await;
        assert_says(&line, "request", ("application/json", "let the client send its parameters as a form"));
        for (form, found, remedy) in [
            ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer", "none", "let the client send the token of the trusted issuer as assertion"),
            ("grant_type=urn:ietf:params:oauth:grant-type:saml2-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer", "let the client send grant_type"),
            ("scope=read", "no grant_type", "let the client send grant_type=client_credentials"),
            ("grant_type=client_credentials&scope=a&scope=b", "scope more than once", "let the client send it once"),
            ("grant_type=client_credentials&client_id=job", "job in the body, reader in the header", "let the client leave client_id out"),
            ("grant_type=client_credentials&client_secret=a", "Authorization and client_secret", "let the client send one of them"),
        ] {
            let (_, line) = asker.ask("/oauth2/token", ("reader", READER), form).await;
            assert_says(&line, "request", (found, remedy));
        }
        for (form, check, found, remedy) in [
            ("&scope=read,write", "scope", "read,write, in none of its audiences", "add the scope"),
            ("&scope=read++write", "scope", "read  write", "let the client send scope names separated by single spaces"),
            ("&resource=pricing", "audience", "pricing", "let the client send a name that is no URI as audience"),
            ("&resource=urn:a&audience=b", "audience", "urn:a and b", "let the client ask for a token for each"),
        ] {
            let (_, line) = asker.token(form).await;
            assert_says(&line, check, (found, remedy));
        }
    }

    async fn credentials_are_told_by_their_form(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let base64 = base64::engine::general_purpose::STANDARD;
        let header = |text: &str| format!("Basic {}", base64.encode(text));
        let generated = generated_secret("aaaaaaaaaa", "Q");
        for (authorization, check, found, remedy) in [
            (header(&format!("reader:{READER}\n")), "secret", "one with a line break at its beginning or end", "let the client cut it off"),
            (header(&format!("reader:{READER}+")), "secret", "another, one with a space or tab at its beginning or end", "let the client cut the blanks off"),
            (header(&format!("reader:{generated}+")), "secret", "a wrong one, one with a space or tab at its beginning or end", "let the client cut the blanks off"),
            (header("reader:another secret"), "secret", "another", "give the client its secret again"),
            (header("reader:50%Qbar"), "request", "a % that begins no escape, or bytes that are no UTF-8", "let the client form-encode"),
            (header("reader"), "request", "no colon between id and secret", "let the client form-encode"),
            ("Basic reader:secret".to_owned(), "request", "no base64 with padding", "let the client form-encode"),
            ("Bearer x".to_owned(), "credentials", "the scheme Bearer", "let the client send its secret with the scheme Basic"),
            (READER.replace(' ', "-"), "credentials", "the scheme another one", "let the client send its secret"),
        ] {
            let (_, line) = asker.post("/oauth2/token", &[("authorization", &authorization)], GRANT).await;
            assert_says(&line, check, (found, remedy));
        }
    }

    async fn an_assertion_is_told_by_what_it_says(env) {
        let (key, other) = (Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256));
        env.apply(&signer::catalog(&[&key], "")).await;
        let replica = env.replica().await;
        let asker = Asker::new(&replica);
        let with = |name: &str, value: serde_json::Value| {
            let mut claims = signer::claims("worker", "a jti");
            claims[name] = value;
            claims
        };
        let claims = signer::claims("worker", "a jti").to_string();
        let header = |kid: &str| format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"JWT"}}"#);
        let cut = format!("{}… (43 characters)", &other.kid()[..4]);
        for (assertion, found, remedy) in [
            (key.sign_raw(&header("key-1"), &claims), "key-1", "register the client's public key"),
            (other.sign(&signer::claims("worker", "a jti")), cut.as_str(), "register the client's public key"),
            (key.sign(&with("aud", serde_json::json!([ISSUER, "https://b.example"]))), "the list [https://auth.example,https://b.example]", "let the client write only the issuer into aud, as a text"),
            (key.sign(&with("exp", (START - 60).into())), "exp 60 s ago", "look at the client's clock"),
            (key.sign(&with("iat", (START + 90).into())), "iat 90 s ahead", "look at the client's clock"),
            (key.sign(&with("iss", "wörker".into())), "iss w\\\\u{f6}rker", "let the client write its id"),
        ] {
            let form = format!("{GRANT}&client_assertion_type={TYPE}&client_assertion={assertion}");
            let (answer, line) = asker.post("/oauth2/token", &[], &form).await;
            answer.assert_error(401, "invalid_client");
            assert_says(&line, "assertion", (found, remedy));
        }
    }
}
