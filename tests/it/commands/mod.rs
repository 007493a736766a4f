//! The commands on clients, audiences, policies and credentials (OPERATING section 7), while replicas serve.

mod credentials;
mod faults;
mod listings;

use serde_json::json;

use crate::catalogs::CI;
use crate::harness::*;
use crate::raw_sql::texts;
use crate::site::Site;

/// As a catalog states what [`make`] makes.
const STATED: &str = r#"
[[audience]]
id = "stock-api"
scopes = ["stock:read", "stock:write"]
token_lifetime = "2m"
served_by = ["api"]

[[client]]
id = "reports"
name = "Reports"
owner = "team-reports"
environment = "prod"
tenant = "acme"
auth = ["client_secret_basic", "client_secret_post"]
  [[client.policy]]
  audience = "stock-api"
  scopes = ["stock:read"]
  default_scopes = ["stock:read"]

[[client]]
id = "stock-api"
grants = []
"#;

/// Makes a client, an audience, a policy and a secret, which it gives.
fn make(site: &Site) -> String {
    site.done("audience create stock-api --scope stock:write --scope stock:read --token-lifetime 2m --served-by api");
    site.done(
        "client create reports --name Reports --owner team-reports --environment prod --tenant acme \
         --auth client_secret_post --auth client_secret_basic",
    );
    site.done("client create stock-api --no-grants");
    site.done("policy allow reports stock-api --scope stock:read --default-scope stock:read");
    let secret = site.done("credential add-secret reports").stdout;
    secret.trim_end().to_owned()
}

on_both! {
    async fn what_commands_make_is_what_a_catalog_states(env) {
        let site = Site::new(env).await;
        let secret = make(&site);
        for replica in &site.replicas {
            replica.follow().await;
            let token = replica.issued("reports", &secret, "").await;
            let claims = decoded(&token).1;
            assert_eq!((&claims["env"], &claims["tenant"]), (&json!("prod"), &json!("acme")));
            assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
            assert_eq!(replica.introspect("api", API, &token).await.json()["scope"], "stock:read");
        }
        let plan = site.env.apply(STATED).await;
        assert_eq!(plan.changes(), 0, "{plan:?}");
    }

    async fn scopes_come_to_those_that_are_allowed_already(env) {
        let site = Site::new(env).await;
        make(&site);
        let policy = site.json("policy allow reports stock-api --scope stock:write");
        assert_eq!(policy["scopes"], json!(["stock:read", "stock:write"]));
        assert_eq!(policy["default_scopes"], json!(["stock:read"]));
        assert_eq!(policy["client"], "reports");
        let left = site.json("policy deny reports stock-api --scope stock:read");
        assert_eq!((&left["scopes"], &left["default_scopes"]), (&json!(["stock:write"]), &json!([])));
        let all = site.json("policy allow api stock-api");
        assert_eq!(all["scopes"], json!(["stock:read", "stock:write"]));
    }

    /// As `apply` warns of it.
    async fn a_policy_that_allows_less_or_more_than_it_says_is_told(env) {
        let site = Site::new(env).await;
        let issuer = CI.replace("id = \"ci\"\n", "id = \"ci\"\nuse = [\"grant\", \"exchange\"]\n");
        site.env.apply(&(CATALOG.to_owned() + &issuer)).await;
        make(&site);
        let no_grant = "and the client's `grants` lack";
        for (line, told) in [
            ("--exchange-from issuer:ci", &[no_grant, "token-exchange"][..]),
            ("--issuer ci", &["there is no --subject"]),
            ("--issuer ci --subject a", &[no_grant, "jwt-bearer"]),
        ] {
            let said = site.done(&format!("policy allow reports stock-api {line}")).stderr;
            assert!(told.iter().all(|it| said.contains(it)), "{line}: {said}");
        }
        site.done("client create job --grant jwt-bearer --grant client_credentials");
        let said = site.done("policy allow job stock-api --issuer ci --subject a --grant client_credentials").stderr;
        assert!(said.contains("its own `grants` lack \"jwt-bearer\""), "{said}");
        let said = site.done("policy allow job stock-api --issuer ci --subject a --grant jwt-bearer").stderr;
        assert!(!said.contains("warning") && !said.contains("--subject"), "{said}");
    }

    /// What bounds an exchange stays where a further source is allowed.
    async fn sources_of_an_exchange_come_to_those_that_are_allowed_already(env) {
        let site = Site::new(env).await;
        let issuer = CI.replace("id = \"ci\"\n", "id = \"ci\"\nuse = [\"grant\", \"exchange\"]\n");
        site.env.apply(&(CATALOG.to_owned() + &issuer)).await;
        make(&site);
        site.done("policy allow reports stock-api --exchange-from pricing --exchange-subject web-* --exchange-keep tenant \
             --exchange-lifetime 2m --scopes-from-subject --issuer ci --subject ref:*");
        let allowed = |more: &str| {
            let policy = site.json(&format!("policy allow reports stock-api {more}"));
            (policy["exchange"].clone(), policy["subjects"].clone())
        };
        let (exchange, subjects) = allowed("--exchange-from issuer:ci --rebind --issuer ci");
        assert_eq!(exchange, json!({
            "from": ["pricing", "issuer:ci"], "subjects": ["web-*"], "keep": ["tenant"], "lifetime": "2m",
            "scopes_from_subject": true, "rebind": true,
        }));
        assert_eq!(subjects, json!(["ref:*"]));
        let (exchange, subjects) = allowed("--exchange-from pricing --exchange-subject api --exchange-lifetime 1m");
        assert_eq!((&exchange["subjects"], &exchange["keep"]), (&json!(["api"]), &json!(["tenant"])));
        assert_eq!((&exchange["lifetime"], &subjects), (&json!("1m"), &json!(["ref:*"])));
    }

    async fn an_audience_is_deleted_with_its_policies_when_that_is_confirmed(env) {
        let site = Site::new(env).await;
        let token = site.token().await;
        let asked = site.refused("audience delete pricing", 1);
        assert!(asked.contains("the policies of 1 client"), "{asked}");
        site.done("audience delete pricing --yes");
        site.assert_stopped(&token, Some((400, "unauthorized_client"))).await;
        assert_eq!(site.json("client show reader")["policy"], json!([]));
    }

    /// The actor is whom the flag names, or else the variable, or else who runs the process.
    async fn every_change_is_recorded_with_who_made_it(env) {
        let site = Site::new(env).await;
        site.done("client create a --actor ada");
        let mut command = site.place.grantd(&["client", "create", "b", "--database-url", &site.env.database.url]);
        let ended = crate::place::ended(command.env("GRANTD_ACTOR", "pipeline 7"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let mut command = site.place.grantd(&["client", "create", "c", "--database-url", &site.env.database.url]);
        let ended = crate::place::ended(command.env("USER", "grace"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let sql = "SELECT actor FROM audit_events WHERE action = 'client_created' \
             AND target IN ('a', 'b', 'c') ORDER BY target";
        let actors = texts(&site.env.database, sql).await;
        assert_eq!(actors[..2], ["ada", "pipeline 7"]);
        assert!(actors[2].starts_with("command:grace@"), "{actors:?}");
        for actor in ["", "a\u{7}b"] {
            let ended = site.place.run(&["client", "create", "d", "--actor", actor]);
            assert_eq!(ended.code, Some(2), "{ended:?}");
        }
    }
}
