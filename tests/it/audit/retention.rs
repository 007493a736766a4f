//! How long events are kept, and how many.

use grantd::domain::timestamp::Seconds;

use crate::harness::*;

const DAY: u32 = 24 * 3600;
const WRONG: &str = "another secret of 1";

async fn refused(replica: &Replica, times: usize) -> i64 {
    for _ in 0..times {
        replica
            .token("reader", WRONG, "")
            .await
            .assert_error(401, "invalid_client");
    }
    replica.audit_events("refused").await
}

on_both! {
    async fn refusals_go_after_a_week_changes_and_alerts_stay_for_more_than_a_year(env) {
        env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nmax_tokens_per_minute = 1")).await;
        let replica = env.replica().await;
        let applied = replica.audit_events("client_created").await;
        assert!(applied > 0);
        assert_eq!(refused(&replica, 3).await, 3);
        replica.issued("reader", READER, "").await;
        assert_eq!(replica.token("reader", READER, "").await.status, 429);
        assert_eq!(replica.audit_events("over_budget").await, 1);
        let all = refused(&replica, 0).await;
        // A margin for clocks that differ, beyond what is set.
        for (days, refusals, kept) in [(6, all, true), (2, 0, true), (391, 0, true), (2, 0, false)] {
            env.clock.advance(Seconds::new(days * DAY));
            replica.follow().await;
            replica.grantd.sweep().await;
            let kept = i64::from(kept);
            assert_eq!(replica.audit_events("refused").await, refusals, "{days}");
            assert_eq!(replica.audit_events("client_created").await, kept * applied, "{days}");
            assert_eq!(replica.audit_events("over_budget").await, kept, "{days}");
        }
    }

    async fn of_too_many_refusals_the_newest_are_kept(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.audit.most_refusals = 5).await;
        refused(&replica, 4).await;
        env.clock.advance(Seconds::new(1));
        assert_eq!(refused(&replica, 3).await, 7);
        replica.grantd.sweep().await;
        assert_eq!(replica.audit_events("refused").await, 5);
        let sql = format!("SELECT id FROM audit_events WHERE kind = 'refusal' AND at > {START}");
        assert_eq!(crate::raw_sql::texts(&env.database, &sql).await.len(), 3, "the newest are kept");
        assert!(replica.audit_events("client_created").await > 0);
        // More than one step removes.
        let many = "INSERT INTO audit_events (id, at, kind, count, actor, action, target, details) \
                    SELECT 'old' || a.n || '.' || b.n, 1, 'refusal', 1, '', 'refused', '', '{}' FROM \
                    (SELECT n FROM numbers) a, (SELECT n FROM numbers) b";
        let numbers: Vec<String> = (0..50).map(|n| format!("SELECT {n} AS n")).collect();
        let many = many.replace("SELECT n FROM numbers", &numbers.join(" UNION ALL "));
        assert_eq!(crate::raw_sql::execute(&env.database, &many).await, 2500);
        replica.grantd.sweep().await;
        assert_eq!(replica.audit_events("refused").await, 5);
    }
}
