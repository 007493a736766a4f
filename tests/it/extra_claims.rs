//! Extra claims of clients and of policies: in tokens, at introspection, and when they change.

use serde_json::{Value, json};

use crate::apply::keys;
use crate::harness::*;

/// [`CATALOG`] with a second audience; `client` are the claims of `reader`, `policy` those of its policy for `pricing`.
fn catalog(client: &str, policy: &str) -> String {
    let audience = "[[audience]]\nid = \"orders\"\nscopes = [\"list\"]\nserved_by = [\"api\"]\n";
    let second = "  [[client.policy]]\n  audience = \"orders\"\n  scopes = [\"list\"]\n  claims = { groups = [] }\n";
    let catalog = CATALOG
        .replace(
            "secret = \"reader",
            &format!("claims = {client}\nsecret = \"reader"),
        )
        .replace(
            "\n[[client]]\nid = \"api\"",
            &format!("  claims = {policy}\n{second}\n[[client]]\nid = \"api\""),
        );
    format!("{audience}{catalog}")
}

impl Replica {
    /// The claims of a token, which introspection tells as well.
    async fn told_claims(&self, more: &str) -> Value {
        let token = self.issued("reader", READER, more).await;
        let (_, claims) = decoded(&token);
        let told = self.introspect("api", API, &token).await.json();
        for (name, value) in claims.as_object().unwrap() {
            assert_eq!(&told[name], value, "{name}");
        }
        claims
    }
}

on_both! {
    /// 9068-09
    async fn a_policys_claims_are_laid_over_the_clients_for_its_audience(env) {
        let client = r#"{ region = "eu", level = 1, groups = ["night"], roles = ["a", "b"] }"#;
        let policy = r#"{ level = 2, roles = ["c"], entitlements = ["d"] }"#;
        env.apply(&catalog(client, policy)).await;
        let replica = env.replica().await;
        let of = |claims: &Value| {
            let names = ["region", "level", "groups", "roles", "entitlements"];
            names.map(|name| claims[name].clone())
        };
        let pricing = replica.told_claims("&audience=pricing").await;
        let expected = [json!("eu"), json!(2), json!(["night"]), json!(["c"]), json!(["d"])];
        assert_eq!(of(&pricing), expected);
        let orders = replica.told_claims("&scope=list").await;
        let expected = [json!("eu"), json!(1), json!([]), json!(["a", "b"]), Value::Null];
        assert_eq!(of(&orders), expected);
    }

    /// What is issued can be read: to introspection, as to revocation and exchange, a token is a stranger's text at first.
    async fn claims_of_every_size_and_shape_that_fit_are_read_again(env) {
        let wide = |count: usize| (0..count).map(|n| format!("m{n} = 0")).collect::<Vec<_>>().join(", ");
        let deep = |levels: usize| format!("{}1{}", "{ a = ".repeat(levels), " }".repeat(levels));
        // As claims of the client, of the policy, and of both.
        for (client, policy) in [
            (format!("{{ n = {{ {} }} }}", wide(198)), "{ }".to_owned()),
            ("{ }".to_owned(), format!("{{ n = {} }}", deep(11))),
            (format!("{{ {} }}", wide(120)), format!("{{ n = {{ {} }} }}", wide(79))),
        ] {
            env.apply(&catalog(&client, &policy)).await;
            env.replica().await.told_claims("&audience=pricing").await;
        }
        for (client, policy) in [
            (format!("{{ n = {{ {} }} }}", wide(200)), "{ }".to_owned()),
            ("{ }".to_owned(), format!("{{ n = {} }}", deep(12))),
            (format!("{{ {} }}", wide(120)), format!("{{ n = {{ {} }} }}", wide(80))),
        ] {
            let refused = env.try_apply(&catalog(&client, &policy), false).await.unwrap_err();
            assert!(refused.contains("claims") && refused.contains("200 members"), "{refused}");
        }
    }

    async fn changed_claims_of_a_policy_are_obeyed_and_named_in_the_plan(env) {
        env.apply(&catalog("{ }", r#"{ roles = ["a"] }"#)).await;
        let replica = env.replica().await;
        assert_eq!(replica.told_claims("&audience=pricing").await["roles"], json!(["a"]));
        let plan = env.apply(&catalog("{ }", r#"{ roles = ["b"] }"#)).await;
        let changed: Vec<_> = plan.steps.iter().filter(|step| !step.changes.is_empty()).collect();
        let [step] = &changed[..] else { panic!("{plan:?}") };
        assert_eq!((step.name.as_str(), &keys(step)[..]), ("reader pricing", &["claims"][..]));
        replica.follow().await;
        assert_eq!(replica.told_claims("&audience=pricing").await["roles"], json!(["b"]));
        let without = catalog("{ }", "{ }");
        env.apply(&without).await;
        replica.follow().await;
        assert!(replica.told_claims("&audience=pricing").await.get("roles").is_none());
    }

    /// A policy that the catalog does not state stays, and its claims with it.
    async fn claims_that_fit_no_token_beside_those_of_a_stored_policy_are_refused(env) {
        let large = |name: &str| format!("{{ {name} = {:?} }}", "x".repeat(3000));
        let with_policy = catalog("{ }", &large("x"));
        env.apply(&with_policy).await;
        let (start, rest) = CATALOG.split_once("  [[client.policy]]").unwrap();
        let (_, api) = rest.split_once("\n[[client]]").unwrap();
        let start = start.replace("secret = \"reader", &format!("claims = {}\nsecret = \"reader", large("y")));
        let without_policy = format!("{start}\n[[client]]{api}");
        let refusal = env.try_apply(&without_policy, false).await.unwrap_err();
        assert!(refusal.contains("the stored policy, which this catalog does not state: claims: tokens for pricing"), "{refusal}");
        assert!(refusal.starts_with("test.toml:7: "), "{refusal}");
        env.prune(&without_policy).await;
    }
}
