//! Moving the clock: what is told, and that every rule goes by it.

use std::fmt::Write as _;

use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use super::*;
use crate::assertion::signer::{self, Key};
use crate::dpop::Prover;
use crate::raw_sql;

/// The claims of a token.
fn claims(token: &str) -> Value {
    decoded(token).1
}

/// [`CATALOG`] with a client `worker` that has this key.
fn with_worker(key: &Key) -> String {
    signer::catalog(&[key], "")
}

/// An assertion of `worker` that was made `after` seconds after the start, for a minute.
fn assertion(key: &Key, jti: &str, after: i64) -> String {
    let mut claims = signer::claims("worker", jti);
    claims["iat"] = json!(START + after);
    claims["exp"] = json!(START + after + 60);
    key.sign(&claims)
}

impl Lab {
    async fn token(&self) -> String {
        self.replica.issued("reader", READER, "").await
    }

    async fn is_active(&self, token: &str) -> bool {
        let answer = self.replica.introspect("api", API, token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["active"] == true
    }

    async fn rows(&self, table: &str) -> usize {
        let sql = format!("SELECT 'x' FROM {table}");
        raw_sql::texts(&self.env.database, &sql).await.len()
    }
}

on_both! {
    async fn each_move_is_told(env) {
        let lab = Lab::new(env, CATALOG).await;
        let shown = lab.ask("GET /_test/clock", "").await;
        let expected = json!({ "now": "2026-01-01T00:00:00Z", "unix": START, "frozen": true });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&shown.1[name], value, "{shown:?}");
        }
        assert_eq!(shown.1.as_object().unwrap().len(), 4, "{shown:?}");
        assert_eq!(lab.advance("61m").await["now"], "2026-01-01T01:01:00Z");
        assert_eq!(lab.advance("250ms").await["unix"], START + 3660);
        assert_eq!(lab.advance("750ms").await["unix"], START + 3661);
        let set = lab.put_clock(r#"{"set":"2026-12-31T23:59:50Z"}"#).await;
        assert_eq!((&set["now"], &set["frozen"]), (&json!("2026-12-31T23:59:50Z"), &json!(true)));
        assert!(set.get("note").is_none(), "{set}");
        let on = lab.put_clock(r#"{"freeze":false}"#).await;
        assert_eq!(on["frozen"], false);
        assert!((0..60).contains(&(on["unix"].as_i64().unwrap() - set["unix"].as_i64().unwrap())), "{on}");
        let reset = lab.put_clock(r#"{"reset":true}"#).await;
        assert_eq!((&reset["offset_seconds"], &reset["frozen"]), (&json!(0), &json!(false)));
        let frozen = lab.put_clock(r#"{"freeze":true}"#).await;
        assert_eq!(lab.put_clock(r#"{"freeze":true}"#).await["now"], frozen["now"]);
        let hour = lab.advance("1h").await;
        assert!((3590..=3600).contains(&hour["offset_seconds"].as_i64().unwrap()), "{hour}");
    }

    async fn what_is_no_move_is_refused_with_its_place_and_moves_nothing(env) {
        let lab = Lab::new(env, CATALOG).await;
        for (body, at, nearest) in [
            ("{}", "", None),
            (r#"{"advance":"1h","set":1}"#, "set", None),
            (r#"{"freeze":true,"reset":true}"#, "reset", None),
            (r#"{"advanse":"1h"}"#, "advanse", Some("advance")),
            (r#"{"advance":"-5m"}"#, "advance", None),
            (r#"{"advance":3600}"#, "advance", None),
            (r#"{"advance":"1 hour"}"#, "advance", None),
            (r#"{"set":"tomorrow"}"#, "set", None),
            (r#"{"set":"1969-12-31T23:59:59Z"}"#, "set", None),
            (r#"{"set":0}"#, "set", None),
            (r#"{"set":99999999999999}"#, "set", None),
            (r#"{"set":1.5}"#, "set", None),
            (r#"{"freeze":"yes"}"#, "freeze", None),
            (r#"{"reset":false}"#, "reset", None),
            (r#"{"reset":1}"#, "reset", None),
        ] {
            let (status, told) = lab.ask("PUT /_test/clock", body).await;
            assert_eq!((status, &told["error"]), (400, &json!("invalid_request")), "{body}: {told}");
            assert_eq!(told["at"].as_str().unwrap_or_default(), at, "{body}: {told}");
            assert_eq!(told["nearest"].as_str(), nearest, "{body}: {told}");
            assert_eq!(lab.after(), 0, "{body}");
        }
        lab.put_clock(r#"{"set":"8999-12-31T23:59:59Z"}"#).await;
        let (status, told) = lab.ask("PUT /_test/clock", r#"{"advance":"2s"}"#).await;
        assert_eq!((status, &told["at"]), (400, &json!("advance")), "{told}");
        lab.token().await;
    }

    async fn tokens_live_and_die_by_it(env) {
        let lab = Lab::new(env, CATALOG).await;
        let token = lab.token().await;
        assert_eq!(claims(&token)["iat"], START);
        assert!(lab.is_active(&token).await);
        // Longer than the feed may be unread, and than clocks may be apart.
        lab.advance("299s").await;
        assert!(lab.is_active(&token).await);
        lab.advance("1s").await;
        assert!(!lab.is_active(&token).await, "it has expired");
        let later = lab.token().await;
        assert_eq!(claims(&later)["iat"], START + 300);
        lab.set(0).await;
        assert!(lab.is_active(&token).await, "it has not yet expired");
        assert!(!lab.is_active(&later).await, "it is not yet issued");
        lab.set(300).await;
        assert!(lab.is_active(&later).await);
    }

    async fn a_clock_that_stands_still_makes_equal_requests_equal(env) {
        let lab = Lab::new(env, CATALOG).await;
        let first = claims(&lab.token().await);
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let second = claims(&lab.token().await);
        for name in ["iat", "exp"] {
            assert_eq!(first[name], second[name]);
        }
        assert_ne!(first["jti"], second["jti"]);
    }

    /// A mark that tokens must be younger than lies in a second that does not pass.
    async fn nothing_waits_for_a_clock_that_stands_still(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nstatus = \"disabled\"")).await;
        lab.replica.follow().await;
        assert_eq!(lab.replica.token("reader", READER, "").await.status, 401);
        lab.env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nstatus = \"active\"")).await;
        lab.replica.follow().await;
        let asked = lab.replica.token("reader", READER, "");
        let answer = tokio::time::timeout(std::time::Duration::from_secs(20), asked).await;
        assert_eq!(answer.expect("it is answered").status, 503);
        lab.advance("2s").await;
        assert_eq!(lab.replica.token("reader", READER, "").await.status, 200);
    }

    async fn assertions_and_their_replay_window_go_by_it(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let lab = Lab::new(env, &with_worker(&key)).await;
        let present = async |assertion: &str| signer::token(&lab.replica, assertion).await.status.as_u16();
        let first = assertion(&key, "1", 0);
        assert_eq!((present(&first).await, present(&first).await), (200, 401));
        assert_eq!(present(&assertion(&key, "2", 3600)).await, 401, "it is of the future");
        lab.advance("1h").await;
        assert_eq!(present(&assertion(&key, "3", 0)).await, 401, "it has expired");
        assert_eq!(present(&assertion(&key, "2", 3600)).await, 200);
        assert_eq!(lab.rows("used_assertions").await, 1, "that of the first went");
        // What was swept is no lost past: whoever was not spent is taken.
        let back = lab.set(10).await;
        assert!(back["note"].as_str().unwrap().contains("jti"), "{back}");
        lab.replica.follow().await;
        assert_eq!(present(&assertion(&key, "4", 10)).await, 200);
        assert_eq!(present(&assertion(&key, "2", 3600)).await, 401);
    }

    async fn proofs_go_by_it(env) {
        let lab = Lab::new(env, CATALOG).await;
        let prover = Prover::new();
        assert_eq!(lab.replica.prove(&[&prover.right()], "").await.status, 200);
        lab.advance("1h").await;
        let old = lab.replica.prove(&[&prover.right()], "").await;
        assert_eq!((old.status.as_u16(), old.error().as_str()), (400, "invalid_dpop_proof"));
        let now = prover.proof(&json!({ "iat": START + 3600 }));
        assert_eq!(lab.replica.prove(&[&now], "").await.status, 200);
        lab.set(0).await;
        let future = lab.replica.prove(&[&prover.proof(&json!({ "iat": START + 3600 }))], "").await;
        assert_eq!(future.status, 400);
    }

    async fn secrets_begin_and_end_by_it(env) {
        let mut secrets = String::from("secrets = [");
        write!(secrets, "{{ value = \"the first secret of all\", expires_at = {} }}, ", START + 3600).unwrap();
        write!(secrets, "{{ value = \"the second secret of all\", active_from = {} }}]", START + 1800).unwrap();
        let catalog = CATALOG.replace("secret = \"reader secret of 1\"", &secrets);
        let lab = Lab::new(env, &catalog).await;
        let works = async |secret: &str| lab.replica.token("reader", secret, "").await.status == 200;
        let (first, second) = ("the first secret of all", "the second secret of all");
        for (after, expected) in [(0, (true, false)), (1800, (true, true)), (3600, (false, true)), (5, (true, false))] {
            lab.set(after).await;
            assert_eq!((works(first).await, works(second).await), expected, "{after}");
        }
    }

    async fn revocations_are_kept_as_long_as_their_tokens_and_then_swept(env) {
        let lab = Lab::new(env, CATALOG).await;
        let token = lab.token().await;
        assert_eq!(lab.replica.revoke("reader", READER, &token).await.status, 200);
        assert!(!lab.is_active(&token).await);
        lab.advance("10m").await;
        assert_eq!(lab.rows("revoked_tokens").await, 1);
        lab.set(0).await;
        assert!(!lab.is_active(&token).await, "it stays revoked");
        lab.advance("20m").await;
        assert_eq!(lab.rows("revoked_tokens").await, 0, "the token has long expired");
    }

    async fn budgets_are_paid_back_by_it(env) {
        let catalog = CATALOG.replace("id = \"reader\"", "id = \"reader\"\nmax_tokens_per_minute = 2");
        let lab = Lab::new(env, &catalog).await;
        let ask = async || lab.replica.token("reader", READER, "").await.status.as_u16();
        assert_eq!((ask().await, ask().await, ask().await), (200, 200, 429));
        lab.set(-3600).await;
        assert_eq!(ask().await, 429, "no time has passed");
        lab.advance("30s").await;
        assert_eq!((ask().await, ask().await), (200, 429));
        lab.set(0).await;
        assert_eq!((ask().await, ask().await, ask().await), (200, 200, 429));
    }

    /// In production a row that is missing means that the database was set back.
    async fn rows_that_grew_old_at_once_are_no_lost_past(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let lab = Lab::new(env, &with_worker(&key)).await;
        for days in [3, 0, 90, 1] {
            let (from, to) = (lab.after(), days * 86_400);
            lab.set(to).await;
            // A change that nobody has read yet, and a sweep before it is read.
            let token = lab.token().await;
            assert_eq!(lab.replica.revoke("reader", READER, &token).await.status, 200);
            lab.replica.grantd.sweep().await;
            lab.replica.follow().await;
            let answer = signer::token(&lab.replica, &assertion(&key, &format!("{days}"), to)).await;
            assert_eq!(answer.status, 200, "from {from} to {to}: {answer:?}");
            assert!(!lab.is_active(&token).await);
        }
    }
}
