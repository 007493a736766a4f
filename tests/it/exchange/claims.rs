//! What is carried over from a subject token, and what never is.

use serde_json::json;

use super::*;

on_both! {
    async fn what_the_policy_keeps_is_carried_over(env) {
        let keep = "exchange = { from = [\"orders-api\"], keep = [\"tenant\", \"region\", \"env\", \"lacking\"] }\n\
                    claims = { team = \"x\" }";
        let own = "tenant = \"of orders\"\nenvironment = \"prod\"\nclaims = { region = \"us\", lacking = 1, zone = 2 }";
        let catalog = |of_orders: &str| {
            catalog(of_orders).replacen("id = \"orders\"\n", &format!("id = \"orders\"\n{own}\n"), 1)
        };
        env.apply(&catalog(keep)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let (_, claims) = decoded(&replica.exchanged("orders", &of_web, "").await);
        assert_eq!((&claims["tenant"], &claims["region"]), (&json!("acme"), &json!("eu")));
        assert_eq!((&claims["team"], &claims["zone"]), (&json!("x"), &json!(2)));
        // What the subject lacks is not told of the client in its place.
        assert!(claims.get("env").is_none() && claims.get("lacking").is_none(), "{claims}");
        env.apply(&catalog(FROM_ORDERS)).await;
        replica.follow().await;
        let (_, claims) = decoded(&replica.exchanged("orders", &of_web, "").await);
        assert_eq!((&claims["tenant"], &claims["region"]), (&json!("of orders"), &json!("us")));
        assert_eq!((&claims["env"], &claims["lacking"]), (&json!("prod"), &json!(1)));
    }

    /// EXC-06.
    async fn act_sub_and_client_id_are_never_set_by_claims(env) {
        for claim in ["act", "sub", "client_id", "azp", "may_act", "cnf", "scope"] {
            let kept = format!("exchange = {{ from = [\"orders-api\"], keep = [\"{claim}\"] }}");
            let fault = env.try_apply(&catalog(&kept), false).await.unwrap_err();
            assert!(fault.contains("registered claim"), "{claim}: {fault}");
            let set = format!("{FROM_ORDERS}\nclaims = {{ {claim} = \"x\" }}");
            let fault = env.try_apply(&catalog(&set), false).await.unwrap_err();
            assert!(fault.contains("registered claim"), "{claim}: {fault}");
        }
    }

    async fn a_claim_that_no_token_may_carry_is_refused(env) {
        let holder = Keyholder::new(&env).await;
        env.apply(&catalog("exchange = { from = [\"orders-api\"], keep = [\"tenant\", \"roles\", \"region\"] }")).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        for (claim, value) in [("roles", json!("admin")), ("region", json!("x".repeat(4096)))] {
            let token = holder.with(&of_web, claim, value);
            replica.give_for("orders", &token, "").await.assert_error(400, "invalid_request");
        }
        let token = holder.with(&of_web, "roles", json!(["reader"]));
        let token = replica.exchanged("orders", &token, "").await;
        assert_eq!(decoded(&token).1["roles"], json!(["reader"]));
    }
}
