//! The caller's trace in the log (W3C Trace Context).

use crate::process::{eventually, request_with};
use crate::serve::{Platform, SECRET};

const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn a_valid_traceparent_is_in_the_line_and_any_other_is_ignored() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let replica = platform.replica_by("a.log", |command| {
        command
            .env("GRANTD_LOG", "debug")
            .env("GRANTD_LOG__FORMAT", "json");
    });
    eventually("the replica is ready", || replica.is_ready());
    let lines = || -> Vec<serde_json::Value> {
        let log = replica.server.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines
            .map(|line: serde_json::Value| line["fields"].clone())
            .filter(|fields| fields["endpoint"] == "token")
            .collect()
    };
    let mut expected = 0;
    let mut told = |headers: &str, secret: &str| {
        let form = format!("grant_type=client_credentials&client_id=reader&client_secret={secret}");
        let answer = request_with(replica.public, "POST /oauth2/token", headers, &form);
        let (status, _) = answer.unwrap();
        assert_eq!(status, if secret == SECRET { 200 } else { 401 });
        expected += 1;
        eventually("the line is there", || lines().len() == expected);
        lines().pop().unwrap()["traceparent"].clone()
    };
    let header = |value: &str| format!("traceparent: {value}\r\n");
    assert_eq!(told(&header(VALID), SECRET), VALID);
    assert_eq!(told(&header(VALID), "wrong"), VALID);
    let other = VALID.to_uppercase();
    for headers in [
        String::new(),
        header(&other),
        header("x"),
        header(VALID).repeat(2),
    ] {
        assert!(told(&headers, SECRET).is_null(), "{headers}");
    }
}
