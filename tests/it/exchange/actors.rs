//! Who acts: `act`, `may_act`, and actor tokens.

use serde_json::json;

use super::*;

/// A chain of so many actors.
fn actors(ids: &[&str]) -> Value {
    let inside = |inner: Option<Value>, id: &&str| {
        let mut act = json!({ "sub": id });
        if let Some(inner) = inner {
            act["act"] = inner;
        }
        Some(act)
    };
    ids.iter().rev().fold(None, inside).unwrap()
}

fn actor(token: &str) -> String {
    format!("&actor_token={token}&actor_token_type={ACCESS_TOKEN}")
}

on_both! {
    /// EXC-06.
    async fn actors_nest_in_order_and_a_sixth_is_refused(env) {
        let holder = Keyholder::new(&env).await;
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let of_orders = replica.exchanged("orders", &of_web, "").await;
        let of_stock = replica.exchanged("stock", &of_orders, "").await;
        let (_, claims) = decoded(&of_stock);
        assert_eq!(claims["act"], actors(&["stock", "orders"]));
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("web"), &json!("stock")));
        assert_eq!(replica.told("ledger", &of_stock).await["act"], claims["act"]);
        let four = holder.with(&of_web, "act", actors(&["web", "stock", "web", "ledger"]));
        let five = replica.exchanged("orders", &four, "").await;
        let expected = actors(&["orders", "web", "stock", "web", "ledger"]);
        assert_eq!(decoded(&five).1["act"], expected);
        replica.give_for("stock", &five, "").await.assert_error(400, "invalid_request");
        let more = holder.with(&of_web, "act", actors(&["web", "web", "web", "web", "web", "web"]));
        replica.give_for("orders", &more, "").await.assert_error(400, "invalid_request");
    }

    /// EXC-06.
    async fn who_may_act_is_honoured(env) {
        let holder = Keyholder::new(&env).await;
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        for other in [json!({ "sub": "stock" }), json!({ "client_id": "orders" }), json!("orders"), json!({})] {
            let token = holder.with(&of_web, "may_act", other.clone());
            let answer = replica.give_for("orders", &token, "").await;
            assert_eq!(answer.error(), "invalid_request", "{other}");
        }
        let token = holder.with(&of_web, "may_act", json!({ "sub": "orders" }));
        let token = replica.exchanged("orders", &token, "").await;
        assert!(decoded(&token).1.get("may_act").is_none());
    }

    async fn an_actor_token_is_one_of_the_client_itself(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let own = replica.issued("orders", SECRET, "").await;
        let token = replica.exchanged("orders", &of_web, &actor(&own)).await;
        assert_eq!(decoded(&token).1["act"], json!({ "sub": "orders" }));
        let others = replica.issued("stock", SECRET, "").await;
        let delegated = replica.exchanged("orders", &of_web, "").await;
        for (case, token) in [("of another", &others), ("of web", &of_web), ("for web", &delegated)] {
            let answer = replica.give_for("orders", &of_web, &actor(token)).await;
            assert_eq!(answer.error(), "invalid_request", "{case}");
        }
        replica.give_for("orders", &of_web, &actor("garbage")).await.assert_error(400, "invalid_request");
        replica.revoke("orders", SECRET, &own).await;
        replica.give_for("orders", &of_web, &actor(&own)).await.assert_error(400, "invalid_request");
    }
}
