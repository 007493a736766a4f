//! What the log, the audit log and metrics tell of exchanges: for whom and who acts, never a token.

use serde_json::json;

use super::*;
use crate::captured_log::watch;
use crate::raw_sql;

on_both! {
    async fn subject_and_actors_are_in_the_record_and_tokens_are_not(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let of_orders = replica.exchanged("orders", &of_web, "").await;
        let source = std::net::Ipv6Addr::from(uuid::Uuid::new_v4().as_u128()).to_string();
        let log = watch(&format!("source={source}"));
        let refused = replica.at(&source).give_for("stock", &of_orders, "&scope=fly").await;
        refused.assert_error(400, "invalid_scope");
        let request_id = refused.headers["x-request-id"].to_str().unwrap().to_owned();
        let line = log.lines().into_iter().find(|it| it.contains(&request_id)).unwrap();
        for part in ["grant=\"token-exchange\"", "subject=\"web\"", "actors=\"stock, orders\"", "from=\"stock-api\""] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(!line.contains(&of_orders), "{line}");
        replica.grantd.write_waiting().await;
        let all = raw_sql::texts(&env.database, "SELECT details FROM audit_events").await;
        let event = all.iter().find(|it| it.contains(&request_id)).unwrap();
        let details: Value = serde_json::from_str(event).unwrap();
        assert_eq!(
            (&details["subject"], &details["actors"], &details["from"], &details["holder"]),
            (&json!("web"), &json!(["stock", "orders"]), &json!("stock-api"), &json!("orders"))
        );
    }

    async fn exchanges_are_counted_by_their_grant(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        replica.exchanged("orders", &of_web, "").await;
        replica.give_for("orders", "garbage", "").await.assert_error(400, "invalid_request");
        let metrics = crate::metrics::text(&replica).await;
        let of_exchanges = |outcome: &str| {
            let parts = ["grant=\"token-exchange\"", "client=\"orders\"", &format!("outcome=\"{outcome}\"")].map(str::to_owned);
            let line = metrics.lines().find(|line| parts.iter().all(|part| line.contains(part)));
            line.and_then(|it| it.rsplit_once(' ')).map(|(_, count)| count.to_owned())
        };
        for outcome in ["issued", "invalid_request"] {
            assert_eq!(of_exchanges(outcome).as_deref(), Some("1"), "{outcome}: {metrics}");
        }
    }
}
