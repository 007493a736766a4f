//! The lines that replicas write of administrative changes.

use crate::captured_log::watch;
use crate::harness::*;
use crate::token::with_clients;

fn name() -> String {
    format!("client{}", uuid::Uuid::new_v4().simple())
}

on_both! {
    /// A command is a process of its own: who reads the servers' log sees what it changed.
    async fn each_replica_tells_each_change_that_it_reads_in_the_feed(env) {
        env.apply(CATALOG).await;
        let replicas = [env.replica().await, env.replica().await];
        let client = name();
        let log = watch(&format!("target=\"{client}\""));
        env.apply(&CATALOG.replace("\"reader\"", &format!("\"{client}\""))).await;
        assert_eq!(log.lines(), [""; 0]);
        for (replica, times) in replicas.iter().zip([1, 2]) {
            replica.follow().await;
            replica.grantd.tell_changes().await;
            let lines = log.lines();
            let created = lines.iter().filter(|line| line.contains("action=\"client_created\""));
            assert_eq!(created.count(), times, "{lines:?}");
            assert!(lines.iter().all(|line| line.contains("INFO") && line.contains("changed")));
            assert!(lines.iter().any(|line| line.contains("action=\"policy_created\" ")
                && line.contains("audience=\"pricing\"")), "{lines:?}");
        }
        let lines = log.lines();
        replicas[0].follow().await;
        replicas[0].grantd.tell_changes().await;
        assert_eq!(log.lines(), lines, "each is told once");
    }

    async fn of_very_many_changes_at_once_the_rest_is_counted(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let prefix = name();
        let clients: Vec<(String, &str)> = (0..150)
            .map(|n| (format!("{prefix}-{n}"), "secret = \"a secret of 1\""))
            .collect();
        let clients: Vec<(&str, &str)> = clients.iter().map(|(id, more)| (id.as_str(), *more)).collect();
        let log = watch(&format!("target=\"{prefix}"));
        let created = env.apply(&with_clients(&clients)).await;
        replica.follow().await;
        let rest = watch("more changes at once");
        replica.grantd.tell_changes().await;
        // One of the hundred is the event that counts.
        assert!(log.lines().len() < 100, "{}", log.lines().len());
        let told = rest.lines();
        assert!(told.iter().any(|line| line.contains(&format!("{} more changes", created.changes() + 1 - 100))), "{told:?}");
    }
}
