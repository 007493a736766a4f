//! `grantd audit`.

use grantd::domain::timestamp::Seconds;
use serde_json::Value;

use crate::harness::*;
use crate::place::Place;
use crate::process::{Server, eventually};

const WRONG: &str = "another secret of 1";

/// What `grantd audit` prints as JSON, an object a line.
fn audit(env: &Env, arguments: &[&str]) -> Vec<Value> {
    let all = [
        "audit",
        "--output",
        "json",
        "--database-url",
        &env.database.url,
    ];
    let printed = Place::new().done(&[&all, arguments].concat());
    printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn actions(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect()
}

on_both! {
    async fn events_are_listed_newest_last_and_chosen_by_client_action_and_time(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.clock.advance(Seconds::new(10));
        replica.token("reader", WRONG, "").await;
        replica.audit_events("refused").await;
        env.clock.advance(Seconds::new(10));
        env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nowner = \"billing\"")).await;
        replica.token("api", WRONG, "").await;
        replica.audit_events("refused").await;

        let all = audit(&env, &[]);
        let times: Vec<&str> = all.iter().map(|event| event["at"].as_str().unwrap()).collect();
        assert!(times.is_sorted() && times.len() > 5, "{times:?}");
        assert_eq!(all.last().unwrap()["actor"], "api");
        let refused = audit(&env, &["--action", "refused"]);
        assert_eq!(refused.len(), 2);
        let event = &refused[0];
        assert_eq!((&event["actor"], &event["target"]), (&"reader".into(), &"token".into()));
        assert_eq!((&event["kind"], &event["count"]), (&"refusal".into(), &1.into()));
        assert_eq!(event["details"]["outcome"], "invalid_client");

        let of_reader = audit(&env, &["--client", "reader"]);
        assert!(actions(&of_reader).ends_with(&["refused", "client_changed"]), "{of_reader:?}");
        assert!(actions(&of_reader).contains(&"policy_created"));
        assert!(!actions(&of_reader).contains(&"catalog_applied"));
        assert_eq!(actions(&audit(&env, &["--client", "pricing"])), [""; 0], "an audience is no client");

        let since = "2026-01-01T00:00:20Z";
        let later = audit(&env, &["--since", since]);
        assert_eq!(actions(&later), ["catalog_applied", "client_changed", "refused"]);
        assert_eq!(audit(&env, &["--since", "1h"]).len(), 0, "the command asks the database what time it is");
        let after = later[0]["id"].as_str().unwrap();
        assert_eq!(audit(&env, &["--after", after]), later[1..]);
        let unknown = Place::new().run(&["audit", "--after", "nothing", "--database-url", &env.database.url]);
        assert!(unknown.code == Some(1) && unknown.stderr.contains("no event has the id \"nothing\""), "{unknown:?}");
        let lines = Place::new().done(&["audit", "--action", "refused", "--database-url", &env.database.url]);
        assert!(lines.contains("reader") && lines.contains("outcome=invalid_client"), "{lines}");
    }

    async fn what_happens_while_it_follows_is_shown_once(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let place = Place::new();
        let mut command = place.grantd(&["audit", "--follow", "--action", "refused", "--output", "json"]);
        let server = Server::start(command.args(["--database-url", &env.database.url]), &place.path("log"));
        for seen in 1..=3 {
            replica.token("reader", WRONG, "").await;
            replica.audit_events("refused").await;
            eventually("the event is shown", || server.log().lines().count() >= seen);
        }
        let ids: std::collections::BTreeSet<String> = server.log().lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].to_string())
            .collect();
        assert_eq!(ids.len(), 3);
        assert_eq!(server.log().lines().count(), 3);
    }
}
