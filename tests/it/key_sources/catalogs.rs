//! `jwks_url` in a catalog: what may stand there, what may stand beside it, and what an export writes.

use super::key;
use super::publisher::{Manner, Publisher};
use crate::catalogs::{client, reads};
use crate::harness::{CATALOG, on_both};

fn with(lines: &str) -> String {
    let lines = format!("auth = \"private_key_jwt\"\n{lines}");
    CATALOG.to_owned() + &client("worker", &lines, &reads("pricing"))
}

on_both! {
    async fn a_catalog_says_where_keys_are_and_who_vouches(env) {
        let jwks = serde_json::json!({ "keys": [key().jwk()] }).to_string();
        let url = "jwks_url = \"https://partner.example/jwks\"";
        for (lines, why) in [
            ("jwks_url = \"http://partner.example/jwks\"".to_owned(), "begins with https://"),
            ("jwks_url = \"https://a:b@partner.example/\"".to_owned(), "no user name"),
            ("jwks_url = \"partner.example\"".to_owned(), "absolute"),
            ("ca_file = \"ca.pem\"".to_owned(), "`jwks_url` is required as well"),
            (format!("{url}\nca_file = \"nowhere.pem\""), "nowhere.pem"),
            (format!("{url}\njwks = '''{jwks}'''"), "`jwks` is given as well"),
            ("jwks_url = [\"https://a.example/\", \"https://b.example/\"]".to_owned(), "another jwks_url in force"),
            ("jwks_url = { value = \"https://a.example/\", ca = \"x\" }".to_owned(), "certificates of CAs"),
            (format!("jwks = [{{ value = '''{jwks}''', ca = \"x\" }}]"), "belongs to a jwks_url"),
        ] {
            let error = env.try_apply(&with(&lines), false).await.unwrap_err();
            assert!(error.starts_with("test.toml:") && error.contains(why), "{why}: {error}");
        }
        env.try_apply(&with(url), false).await.unwrap();
        let error = env.try_apply(&with(&format!("jwks = '''{jwks}'''")), false).await.unwrap_err();
        assert!(error.contains("another jwks_url in force"), "{error}");
        env.try_apply(&with(&format!("jwks = '''{jwks}'''")), true).await.unwrap();
        let error = env.try_apply(&with(url), false).await.unwrap_err();
        assert!(error.contains("a registered key in force") && error.contains("retire"), "{error}");
    }

    async fn an_export_of_it_is_applied_without_a_change(env) {
        let publisher = Publisher::start(Manner::HangsUp).await;
        for catalog in [publisher.catalog(), with("jwks_url = \"https://partner.example/jwks\"")] {
            env.prune(&catalog).await;
            let audiences = env.store.all_audiences().await.unwrap();
            let clients = env.store.all_clients().await.unwrap();
            let text = grantd::config::catalog::write::to_toml(&audiences, &[], &clients).unwrap();
            let plan = env.prune(&text).await;
            let changed = plan.steps.iter().filter(|it| it.action.as_str() != "unchanged");
            assert_eq!(changed.count(), 0, "{text}");
            assert!(text.contains("jwks_url = "), "{text}");
        }
    }
}
