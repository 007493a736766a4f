//! Assertions made to cost a lot (RFC 8725 section 2.4): each is refused, and others are served.

use grantd::crypto::digest::base64url;

use super::signer::{Key, assert_refused, claims, token, worker};
use crate::harness::{READER, on_both};

/// Claims with `member` besides.
fn with_member(member: &str) -> String {
    let text = claims("worker", "1").to_string();
    format!("{},{member}}}", &text[..text.len() - 1])
}

/// `{"a":[[…]]}` as deep as that.
fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("\"a\":{}1{}", open.repeat(depth), close.repeat(depth))
}

fn signed(key: &Key, member: &str) -> String {
    key.sign_raw(&key.header(""), &with_member(member))
}

on_both! {
    /// B-J10: what fits into a body is refused in bounded work (CVE-2025-30204, CVE-2025-27144, CVE-2025-61920).
    async fn shapes_that_cost_other_servers_dear_are_refused(env) {
        let (replica, key) = worker(&env).await;
        let header = base64url(key.header("").as_bytes());
        let members: Vec<String> = (0..1000).map(|number| format!("\"a{number}\":1")).collect();
        assert_refused(&replica, &[
            ".".repeat(8000),
            ".".repeat(16_000),
            format!("{header}{}", ".".repeat(12_000)),
            "a.".repeat(6000),
            base64url(&[b' '; 9000]),
            format!("{header}.{}.{}", base64url(&[b'{'; 8000]), base64url(&[0; 64])),
            format!("{}.e30.{}", base64url(&[b'['; 8000]), base64url(&[0; 64])),
            signed(&key, &nested("[", "]", 5000)),
            signed(&key, &nested("[", "]", 127)),
            signed(&key, &nested("{\"a\":", "}", 1000)),
            signed(&key, &nested("{\"a\":", "}", 17)),
            signed(&key, &members.join(",")),
            key.sign_raw(&key.header(&format!(",{}", nested("[", "]", 5000))), &with_member("\"b\":1")),
            key.sign_raw(&key.header(&format!(",{}", members[..500].join(","))), &with_member("\"b\":1")),
            signed(&key, &format!("\"a\":{}", "9".repeat(11_000))),
            signed(&key, &format!("\"a\":1e{}", "9".repeat(11_000))),
            signed(&key, &format!("\"a\":\"{}", "\\".repeat(9_000))),
        ]).await;
        // A number with many digits after the point is a double like any other.
        let harmless = signed(&key, &format!("\"a\":0.{}", "9".repeat(8_000)));
        assert_eq!(token(&replica, &harmless).await.status, 200);
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
    }

    /// B-J10: what does not fit is not even read.
    async fn an_assertion_longer_than_a_body_is_413(env) {
        let (replica, key) = worker(&env).await;
        let mebibyte = 1024 * 1024;
        for assertion in [
            ".".repeat(mebibyte),
            base64url(&vec![b'a'; mebibyte]),
            signed(&key, &nested("[", "]", 100_000)),
            signed(&key, &format!("\"a\":{}", "9".repeat(mebibyte))),
            key.sign_raw(&key.header(&format!(r#","a":"{}""#, "a".repeat(mebibyte))), "{}"),
        ] {
            assert_eq!(token(&replica, &assertion).await.status, 413);
        }
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
    }
}
