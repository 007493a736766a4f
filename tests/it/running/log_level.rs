//! `PUT /log`: another log level for a while.

use crate::process::{eventually, request, token};
use crate::serve::{Platform, Replica};

fn replica(platform: &Platform) -> Replica {
    platform.done(&["migrate"]);
    platform.apply();
    let replica = platform.replica_by("a.log", |command| {
        // Many wrong secrets are sent here.
        command
            .env("GRANTD_LOG__LEVEL", "warn")
            .env("GRANTD_LOG__ISSUED", "false")
            .env("GRANTD_BUDGET__FAILURES", "0")
            .env("GRANTD_BUDGET__SOURCE_FAILURES", "0");
    });
    eventually("the replica is ready", || replica.is_ready());
    replica
}

/// Whether a token that is issued leaves a line at `debug`.
fn tells_details(replica: &Replica) -> bool {
    let count = |what: &str| replica.server.log().matches(what).count();
    let (answered, refused) = (count("answered"), count("refused"));
    assert_eq!(replica.token().0, 200);
    // Lines are written in their order: once this one is there, the one before it was written, or never will be.
    assert_eq!(token(replica.public, "reader", "wrong").unwrap().0, 401);
    eventually("the refusal is told", || count("refused") > refused);
    count("answered") > answered
}

#[tokio::test]
async fn a_level_holds_for_a_while_and_then_the_configured_one_is_back() {
    let platform = Platform::new().await;
    let replica = replica(&platform);
    let put = |query: &str| {
        let head = format!("PUT /log?{query}");
        request(replica.operations, &head, "").unwrap()
    };
    assert!(!tells_details(&replica));
    let (status, answer) = put("level=debug&for=1h");
    assert_eq!(status, 200, "{answer}");
    let told = answer.contains(r#""level":"debug""#) && answer.contains(r#""until":"20"#);
    assert!(told, "{answer}");
    assert!(tells_details(&replica));
    // The last one holds, also over the end of the one before.
    assert_eq!(put("level=info&for=1s").0, 200);
    assert_eq!(put("level=debug&for=2s").0, 200);
    assert!(tells_details(&replica));
    eventually("the level is back", || !tells_details(&replica));
    let log = replica.server.log();
    assert!(
        log.contains("changing the log level for 2s, then back to warn"),
        "{log}"
    );
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing_and_is_told() {
    let platform = Platform::new().await;
    let replica = replica(&platform);
    for (query, text) in [
        ("", "name the level and the time"),
        ("?level=debug", "name the level and the time"),
        ("?level=verbose&for=1m", "level must be error, warn"),
        ("?level=debug&for=2d", "for must be a whole number"),
    ] {
        let head = format!("PUT /log{query}");
        let (status, answer) = request(replica.operations, &head, "").unwrap();
        assert_eq!(status, 400, "{answer}");
        assert!(answer.contains(text), "{query}: {answer}");
    }
    assert_eq!(
        request(replica.public, "PUT /log?level=debug&for=1h", "")
            .unwrap()
            .0,
        404
    );
    assert!(!tells_details(&replica));
}
