//! SIGHUP: files are read again, what is no good is told and changes nothing.

use std::fs;
use std::path::Path;

use grantd::clock::Clock;
use grantd::crypto::certificates::made::{CertificateKey, ThrowAwayCa};

use crate::process::{eventually, token};
use crate::serve::{Platform, Replica};

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/server/tls/testdata");

fn settings(platform: &Platform, level: &str) {
    let text = format!("[log]\nlevel = \"{level}\"\n");
    fs::write(platform.path("grantd.toml"), text).unwrap();
}

/// A replica with a settings file and a listener for client certificates.
fn replica(platform: &Platform, log: Option<&str>) -> Replica {
    platform.done(&["migrate"]);
    platform.apply();
    settings(platform, "warn");
    put_certificate(platform, "first");
    let ca = ThrowAwayCa::new(CertificateKey::generate().unwrap());
    let ca = ca.certificate(Clock::system().now()).unwrap();
    fs::write(platform.path("ca.pem"), ca).unwrap();
    let replica = platform.replica_by("a.log", |command| {
        command
            .env("GRANTD_CONFIG", platform.path("grantd.toml"))
            // So that the line of a token is at `debug`.
            .env("GRANTD_LOG__ISSUED", "false")
            .env("GRANTD_MTLS__LISTEN", "127.0.0.1:0")
            .env("GRANTD_MTLS__TLS_CERTIFICATE_FILE", platform.path("c.pem"))
            .env("GRANTD_MTLS__TLS_KEY_FILE", platform.path("k.pem"))
            .env("GRANTD_MTLS__CLIENT_CA_FILES", platform.path("ca.pem"));
        if let Some(log) = log {
            command.env("GRANTD_LOG", log);
        }
    });
    eventually("the replica is ready", || replica.is_ready());
    replica
}

fn put_certificate(platform: &Platform, name: &str) {
    for (from, to) in [("certificate", "c.pem"), ("key", "k.pem")] {
        let from = Path::new(TESTDATA).join(format!("{name}.{from}.pem"));
        fs::copy(from, platform.path(to)).unwrap();
    }
}

impl Replica {
    fn tells(&self, text: &str) {
        eventually(text, || self.server.log().contains(text));
    }
}

#[tokio::test]
async fn a_hangup_reads_certificates_cas_and_the_log_level_again() {
    let platform = Platform::new().await;
    let replica = replica(&platform, None);
    settings(&platform, "debug");
    replica.server.signal("HUP");
    replica.tells("reloaded the TLS certificate and key");
    replica.tells("reloaded the client CAs");
    replica
        .tells("reloaded the settings: the log level applies now, everything else after a restart");
    assert_eq!(replica.token().0, 200);
    replica.tells("answered");
    assert!(replica.is_ready());
}

#[tokio::test]
async fn what_is_no_good_is_told_in_a_line_each_and_changes_nothing() {
    let platform = Platform::new().await;
    let mut replica = replica(&platform, None);
    settings(&platform, "verbose\"\nfromat = \"json");
    fs::write(platform.path("c.pem"), "nothing").unwrap();
    fs::write(platform.path("ca.pem"), "nothing").unwrap();
    replica.server.signal("HUP");
    for text in [
        "keeping the previous TLS certificate and key: ",
        "keeping the previous client CAs: ",
        "keeping the previous log level: ",
    ] {
        replica.tells(text);
        let log = replica.server.log();
        let line = log.lines().find(|line| line.contains(text)).unwrap();
        assert!(line.contains("ERROR"), "{line}");
    }
    let log = replica.server.log();
    let faults = log.lines().find(|line| line.contains("previous log level"));
    let faults = faults.unwrap();
    assert!(
        faults.contains("verbose") && faults.contains("fromat"),
        "{faults}"
    );
    // The level is still `warn`.
    assert_eq!(replica.token().0, 200);
    assert_eq!(token(replica.public, "reader", "wrong").unwrap().0, 401);
    replica.tells("refused");
    assert!(!replica.server.log().contains("answered"));
    replica.server.signal("TERM");
    assert!(replica.server.wait().success());
}

#[tokio::test]
async fn the_variable_stands_above_the_file() {
    let platform = Platform::new().await;
    let replica = replica(&platform, Some("info"));
    settings(&platform, "debug");
    replica.server.signal("HUP");
    replica.tells("reloaded the settings");
    assert_eq!(replica.token().0, 200);
    assert_eq!(token(replica.public, "reader", "wrong").unwrap().0, 401);
    replica.tells("refused");
    assert!(!replica.server.log().contains("answered"));
}
