//! A database that can be read but not written.

use super::env::{Sql, assert_unavailable, impatient};
use crate::harness::*;

on_both! {
    async fn a_database_that_can_be_read_but_not_written_is_degraded_and_no_outage(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_over(impatient(&env), |_| {});
        replica.follow().await;
        let token = replica.issued("reader", READER, "").await;
        replica.grantd.feed().judge_writes().await;
        assert!(replica.grantd.degraded().is_empty());

        let held = Sql::of(&env.database).await.hold_writers().await;
        assert_unavailable(&replica.revoke("reader", READER, &token).await);
        replica.grantd.feed().judge_writes().await;
        replica.follow().await;
        let degraded = replica.grantd.degraded();
        assert_eq!(degraded.len(), 1, "{degraded:?}");
        assert_eq!(degraded[0].what.as_str(), "database_writes");
        assert!(degraded[0].message.contains("can be read but not written: "), "{degraded:?}");
        assert!(replica.grantd.is_ready());
        assert_eq!(replica.token("reader", READER, "").await.status, 200);

        held.release().await;
        replica.grantd.feed().judge_writes().await;
        assert!(replica.grantd.degraded().is_empty());
        assert_eq!(replica.revoke("reader", READER, &token).await.status, 200);
    }
}
