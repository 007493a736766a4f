//! The verbs as an operator types them, while two replicas serve.

use crate::harness::*;
use crate::place::{Place, within_a_second};
use crate::site::Site;

on_both! {
    /// B-C09.
    async fn a_client_is_disabled_and_enabled(env) {
        let site = Site::new(env).await;
        let token = site.token().await;
        let said = site.done("client disable reader --reason leaked --actor ada");
        assert!(said.stdout.contains("client reader is disabled"), "{said:?}");
        assert!(said.stderr.contains("the next `grantd apply` may change it back"), "{said:?}");
        site.assert_stopped(&token, Some((401, "invalid_client"))).await;
        let said = site.done("client disable reader");
        assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("client reader was disabled already\n", ""));
        site.done("client enable reader");
        site.assert_stopped(&token, None).await;
    }

    /// B-C09: by commands alone.
    async fn a_client_is_deleted_and_made_anew_and_revives_nothing(env) {
        let site = Site::new(env).await;
        let token = site.token().await;
        let asked = site.run("client delete reader");
        assert_eq!(asked.code, Some(1), "{asked:?}");
        assert!(asked.stderr.contains("This deletes client reader with 1 credential and 1 policy."), "{asked:?}");
        assert!(asked.stderr.contains("--yes"), "{asked:?}");
        assert!(site.replicas[0].is_active(&token).await);
        site.done("client delete reader --yes");
        site.assert_stopped(&token, Some((401, "invalid_client"))).await;
        site.done("client create reader --auth client_secret_basic");
        let secret = site.done("credential add-secret reader").stdout;
        site.done("policy allow reader pricing --scope read --default-scope read");
        for replica in &site.replicas {
            replica.follow().await;
            let new = replica.issued("reader", secret.trim_end(), "").await;
            assert!(replica.is_active(&new).await);
            assert!(!replica.is_active(&token).await);
        }
    }

    async fn the_tokens_of_a_client_are_revoked(env) {
        let site = Site::new(env).await;
        let token = site.token().await;
        site.done("client revoke-tokens reader");
        site.assert_stopped(&token, None).await;
    }

    async fn a_policy_is_denied_and_allowed(env) {
        let site = Site::new(env).await;
        let token = site.token().await;
        let said = site.done("policy deny reader pricing");
        assert!(said.stdout.contains("reader may get at pricing: nothing"), "{said:?}");
        site.assert_stopped(&token, Some((400, "unauthorized_client"))).await;
        let said = site.done("policy allow reader pricing --default-scope read");
        assert!(said.stdout.contains("reader may get at pricing: read write"), "{said:?}");
        site.assert_stopped(&token, None).await;
    }

    /// B-T04.
    async fn a_token_is_revoked_by_its_jti_and_no_other(env) {
        let site = Site::new(env).await;
        let (token, other) = (site.token().await, site.token().await);
        let jti = decoded(&token).1["jti"].as_str().unwrap().to_owned();
        site.done(&format!("token revoke {jti}"));
        site.assert_stopped(&token, None).await;
        assert!(site.replicas[1].is_active(&other).await);
        for garbage in ["x", &token, "k3v9x0q2ma."] {
            let refused = site.run(&format!("token revoke {garbage}"));
            assert_eq!(refused.code, Some(2), "{refused:?}");
            assert!(refused.stderr.contains("a jti of grantd is"), "{refused:?}");
            assert!(!refused.stderr.contains(&token), "{refused:?}");
        }
    }

    async fn a_credential_is_retired_at_once_or_when_it_is_quiet(env) {
        let site = Site::new(env).await;
        let token = site.token().await;
        let id = decoded(&token).1["jti"].as_str().unwrap()[..10].to_owned();
        let refused = site.run(&format!("credential retire {id} --when-unused 2m"));
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stdout.contains("stays: it is new"), "{refused:?}");
        site.replicas[0].grantd.write_waiting().await;
        let refused = site.run(&format!("credential retire {id} --when-unused 2m"));
        assert!(refused.stdout.contains("from 0.0.0.0"), "{refused:?}");
        assert!(refused.stderr.contains("1 of 1 are not retired"), "{refused:?}");
        let said = site.done("credential retire --client reader --when-unused 24h --output json");
        assert!(said.stdout.contains("\"kept\": \"in_use\""), "{said:?}");
        site.done(&format!("credential retire {id} --compromised"));
        site.assert_stopped(&token, Some((401, "invalid_client"))).await;
    }
}

/// The whole way once with time running: a process that serves, and a command beside it.
#[test]
fn a_denied_policy_holds_within_a_second_while_a_server_runs() {
    let place = Place::new();
    place.write("my.toml", crate::cli::CATALOG);
    let dev = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    let token = dev.token("reader", "reader-secret");
    let api = ("api", "api-secret");
    assert!(dev.is_active(api, &token));
    place.done(&["policy", "deny", "reader", "pricing", "--data", "data"]);
    within_a_second("the end of its token", || {
        (!dev.is_active(api, &token)).then_some(())
    });
    assert_eq!(dev.ask("reader", "reader-secret").0, 400);
}
