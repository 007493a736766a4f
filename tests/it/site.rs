//! Two replicas of one database, and the commands as an operator types them beside them.

use grantd::clock::Clock;
use serde_json::Value;

use crate::harness::*;
use crate::place::{Ended, Place};

/// Two replicas, and a directory from which the commands work on their database.
pub(crate) struct Site {
    pub(crate) env: Env,
    pub(crate) replicas: [Replica; 2],
    pub(crate) place: Place,
}

impl Site {
    pub(crate) async fn new(env: Env) -> Self {
        // As the commands have it.
        let env = env.with_clock(Clock::system());
        env.apply(CATALOG).await;
        Self {
            replicas: [env.replica().await, env.replica().await],
            env,
            place: Place::new(),
        }
    }

    pub(crate) fn run(&self, line: &str) -> Ended {
        let words: Vec<&str> = line.split(' ').collect();
        self.place
            .run(&[&words[..], &["--database-url", &self.env.database.url]].concat())
    }

    #[track_caller]
    pub(crate) fn done(&self, line: &str) -> Ended {
        let ended = self.run(line);
        assert_eq!(ended.code, Some(0), "{line}: {ended:?}");
        ended
    }

    /// As [`Site::done`], for output that is JSON.
    #[track_caller]
    pub(crate) fn json(&self, line: &str) -> Value {
        let ended = self.done(&format!("{line} --output json"));
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// That a command is refused, and what it says then.
    #[track_caller]
    pub(crate) fn refused(&self, line: &str, code: i32) -> String {
        let ended = self.run(line);
        assert_eq!(ended.code, Some(code), "{line}: {ended:?}");
        ended.stderr
    }

    pub(crate) async fn token(&self) -> String {
        self.replicas[0].follow().await;
        self.replicas[0].issued("reader", READER, "").await
    }

    /// That each replica, once it has read the feed, calls `token` inactive, and refuses `reader` where `refusal` says.
    pub(crate) async fn assert_stopped(&self, token: &str, refusal: Option<(u16, &str)>) {
        for replica in &self.replicas {
            replica.follow().await;
            assert!(!replica.is_active(token).await);
            let answer = replica.token("reader", READER, "").await;
            match refusal {
                Some((status, error)) => answer.assert_error(status, error),
                None => assert_eq!(answer.status, 200, "{answer:?}"),
            }
        }
    }
}
