//! The `scope` parameter (RFC 6749 section 3.3): its grammar, what is granted, and that it is always echoed.

use super::*;
use crate::catalogs::{audience, by_secret, policy};

fn two() -> String {
    let pricing = audience("pricing", "read write Read admin", "");
    let reader = policy("pricing", "read write Read", "write read");
    let reader = by_secret("reader", READER, &[reader]);
    let explicit = policy("pricing", "read write", "");
    let explicit = by_secret("explicit", "explicit secret of 1", &[explicit]);
    pricing + &reader + &explicit
}

/// The granted scopes as the body and as the token have them, which must be the same.
fn granted(answer: &Answer) -> String {
    let echoed = answer.json()["scope"].as_str().unwrap().to_owned();
    assert_eq!(claims(answer)["scope"], echoed.as_str());
    echoed
}

on_both! {
    /// 6749-26.
    async fn a_scope_outside_the_grammar_is_refused(env) {
        env.apply(&two()).await;
        let replica = env.replica().await;
        let long = "x".repeat(256);
        for wrong in [
            "\"read\"",
            "re\\ad",
            "read\twrite",
            "read\nwrite",
            "réad",
            "\u{7f}",
            "\0",
            " ",
            " read",
            "read ",
            "read  write",
            "read\u{a0}write",
            &long,
        ] {
            let more = format!("&scope={}", form_encoded(wrong));
            replica.token("reader", READER, &more).await.assert_error(400, "invalid_scope");
        }
    }

    /// 6749-27.
    async fn a_scope_beyond_the_policy_is_refused_and_never_left_out(env) {
        env.apply(&two()).await;
        let replica = env.replica().await;
        for scope in [
            "admin",
            "nothing",
            "read+admin",
            "read+nothing",
            "*",
            "openid",
            "offline_access",
            "rea",
        ] {
            for more in [format!("&scope={scope}"), format!("&scope={scope}&audience=pricing")] {
                let answer = replica.token("reader", READER, &more).await;
                answer.assert_error(400, "invalid_scope");
                assert_eq!(answer.json().get("access_token"), None);
            }
        }
    }

    /// 6749-28.
    async fn the_scope_is_echoed_as_a_set_in_which_case_counts(env) {
        env.apply(&two()).await;
        let replica = env.replica().await;
        let mut answers = Vec::new();
        for scope in ["read+write", "write+read", "write+read+write", "read+read+write"] {
            let answer = replica.token("reader", READER, &format!("&scope={scope}")).await;
            answers.push(granted(&answer));
        }
        assert_eq!(answers, ["read write"; 4]);
        let upper = replica.token("reader", READER, "&scope=Read").await;
        assert_eq!(granted(&upper), "Read");
        replica
            .token("explicit", "explicit secret of 1", "&scope=Read")
            .await
            .assert_error(400, "invalid_scope");
    }

    /// 6749-29.
    async fn without_scope_the_default_scopes_are_given_or_none_at_all(env) {
        env.apply(&two()).await;
        let replica = env.replica().await;
        for more in ["", "&scope=", "&audience=pricing"] {
            assert_eq!(granted(&replica.token("reader", READER, more).await), "read write");
            replica
                .token("explicit", "explicit secret of 1", more)
                .await
                .assert_error(400, "invalid_scope");
        }
        let answer = replica.token("explicit", "explicit secret of 1", "&scope=write").await;
        assert_eq!(granted(&answer), "write");
    }
}
