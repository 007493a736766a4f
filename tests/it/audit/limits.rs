//! That no flood fills the audit log, or hides what known clients do.

use super::events;
use crate::harness::*;
use crate::raw_sql;
use crate::token::generated_secret;

on_both! {
    async fn a_flood_of_strangers_is_counted_and_known_clients_are_kept(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        // One that no budget counts.
        let wrong = generated_secret("aaaaaaaaaa", "Q");
        for _ in 0..200 {
            replica.token("nobody", &wrong, "").await.assert_error(401, "invalid_client");
        }
        for _ in 0..3 {
            replica.token("reader", &wrong, "").await.assert_error(401, "invalid_client");
            replica.token("reader", READER, "&scope=x").await.assert_error(400, "invalid_scope");
        }
        let kept = replica.audit_events("refused").await;
        let suppressed = events(&env, "suppressed").await;
        let [(_, _, details)] = suppressed.as_slice() else { panic!("{suppressed:?}") };
        assert_eq!(206, kept + details["count"].as_i64().unwrap());
        assert!(kept < 100, "{kept}");
        let of_reader = "SELECT details FROM audit_events WHERE actor = 'reader' ORDER BY id";
        let of_reader = raw_sql::texts(&env.database, of_reader).await;
        assert_eq!(of_reader.len(), 2, "one that names it and one that it proved: {of_reader:?}");
        assert!(of_reader[1].contains("invalid_scope"), "{of_reader:?}");

        // The next batch has room again.
        replica.token("nobody", &wrong, "").await;
        assert_eq!(replica.audit_events("refused").await, kept + 1);
    }
}
