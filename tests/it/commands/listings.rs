//! The review questions: who a client is, what it may get, and who may call an API.

use serde_json::json;

use super::make;
use crate::harness::*;
use crate::site::Site;

on_both! {
    async fn one_screen_tells_all_of_a_client(env) {
        let site = Site::new(env).await;
        let secret = make(&site);
        site.replicas[0].follow().await;
        site.replicas[0].issued("reports", &secret, "").await;
        site.replicas[0].grantd.write_waiting().await;
        let shown = site.done("client show reports").stdout;
        let id = &secret[7..17];
        for told in [
            "team-reports", "prod", "acme", "client_secret_basic client_secret_post", "created_at", "rotated_at",
            id, "live", "MADE", "LAST USED", "0.0.0.0", "stock-api", "stock:read", "TOKENS LIVE", "2m",
        ] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
        assert!(!shown.contains(&secret) && !shown.contains("argon2"), "{shown}");
        let listed = site.json("client show reports");
        assert_eq!(listed["token_lifetimes"], json!({ "stock-api": "2m" }));
        assert_eq!(listed["credentials"][0]["last_used_from"], "0.0.0.0");
        assert_eq!(listed["policy"][0]["audience"], "stock-api");
        let numbers = (&listed["issued_in_hour"], &listed["issued_in_day"]);
        assert_eq!(numbers, (&json!(1), &json!(1)), "{listed}");
        let rows: Vec<String> = shown.lines().map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for row in ["tokens in the last hour 1", "tokens in the last day 1"] {
            assert!(rows.iter().any(|it| it == row), "{row} is not in {shown}");
        }
        let api = site.json("client show api");
        assert_eq!(api["serves"], json!(["pricing", "stock-api"]));
        assert!(site.done("client show api").stdout.contains("no policies: it gets no tokens"));
    }

    async fn a_bound_on_tokens_is_shown_as_that_of_one_replica(env) {
        let limited = format!("secret = \"{READER}\"\nmax_tokens_per_minute = 60");
        let site = Site::new(env).await;
        site.env.apply(&CATALOG.replace(&format!("secret = \"{READER}\""), &limited)).await;
        let row = |client: &str| {
            let shown = site.done(&format!("client show {client}")).stdout;
            let rows = shown.lines().map(str::trim).collect::<Vec<_>>();
            let bound = rows.iter().find_map(|it| it.strip_prefix("max_tokens_per_minute"));
            bound.map(|it| it.trim().to_owned())
        };
        let told = "60, counted by each replica; the tokens below are those of all";
        assert_eq!(row("reader").as_deref(), Some(told));
        assert_eq!(row("api"), None);
        assert_eq!(site.json("client show reader")["max_tokens_per_minute"], 60);
    }

    async fn who_may_call_an_api_is_one_question(env) {
        let site = Site::new(env).await;
        make(&site);
        let callers = site.json("policy list --audience stock-api");
        let [caller] = &callers.as_array().unwrap()[..] else { panic!("{callers}") };
        assert_eq!(caller["client"], "reports");
        assert_eq!((&caller["owner"], &caller["client_status"]), (&json!("team-reports"), &json!("active")));
        assert_eq!((&caller["scopes"], &caller["tokens_live"]), (&json!(["stock:read"]), &json!("2m")));
        let table = site.done("policy list --audience pricing").stdout;
        assert!(table.contains("reader") && !table.contains("reports"), "{table}");
        assert_eq!(site.json("policy list --client reports").as_array().unwrap().len(), 1);
        assert_eq!(site.json("policy list --client reports --audience pricing"), json!([]));
        assert_eq!(site.json("policy list").as_array().unwrap().len(), 2);
        site.done("client disable reports");
        assert_eq!(site.json("policy list --audience stock-api")[0]["client_status"], "disabled");
    }

    async fn audiences_are_listed_and_shown_in_the_catalogs_shape(env) {
        let site = Site::new(env).await;
        make(&site);
        let all = site.json("audience list");
        assert_eq!(all[1]["id"], "stock-api");
        assert_eq!(all[1], site.json("audience show stock-api"));
        assert_eq!(all[1]["token_lifetime"], "2m");
        let read: grantd::domain::audience::Audience = serde_json::from_value(all[1].clone()).unwrap();
        assert_eq!(read.id.as_str(), "stock-api");
        let shown = site.done("audience show stock-api").stdout;
        assert!(shown.contains("stock:read stock:write") && shown.contains("reports"), "{shown}");
        assert!(site.done("audience list").stdout.contains("stock-api"));
    }
}
