//! Two real processes on one Postgres under load, while all that happens to a site in a year happens to it in a minute: no
//! answer is wrong, every error is a 503, and all of it ends without a restart.

mod law;
mod load;
mod times;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use self::law::Verb;
use self::load::{Load, Secrets};
use crate::assertion::signer::Key;
use crate::catalogs::{audience, by_key, client, reads};
use crate::chaos_proxy::{ChaosProxy, Mode};
use crate::cluster::Cluster;
use crate::harness::{Database, decoded};
use crate::process::{finished, printed};
use crate::raw_sql::{execute, texts};
use crate::serve::{Platform, Replica};

/// Of both Postgres servers: the standby is asked for often after it was lost.
const POSTGRES: &str = "-c max_connections=200 -c wal_retrieve_retry_interval=500ms";
/// How long the database is cut off.
const CUT: Duration = Duration::from_secs(20);
/// Short enough that a rotation is seen, and that the cut outlasts what replicas trust.
const SETTINGS: [(&str, &str); 4] = [
    ("GRANTD_KEYS__JWKS_MAX_AGE", "2s"),
    ("GRANTD_FEED__MAX_STALENESS", "8s"),
    // Who asks wrongly on purpose shall not wait for his refusals.
    ("GRANTD_BUDGET__SOURCE_FAILURES", "0"),
    ("GRANTD_LOG", "warn"),
];

/// Two Postgres servers, of which one has whatever the other has committed, and each reached by a proxy.
struct Postgres {
    primary: Cluster,
    standby: Cluster,
    proxies: [ChaosProxy; 2],
}

impl Postgres {
    async fn new() -> Self {
        let primary = Cluster::new(POSTGRES);
        let standby = Cluster::standby_of(&primary);
        let admin = Database::at(primary.url());
        for statement in [
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            "SELECT pg_reload_conf()",
        ] {
            execute(&admin, statement).await;
        }
        let proxies = [&primary, &standby].map(|it| ChaosProxy::passing(it.address()));
        Self {
            primary,
            standby,
            proxies,
        }
    }

    fn url(&self) -> String {
        let [first, second] = self.proxies.each_ref().map(|it| it.port);
        format!("postgres://grantd@127.0.0.1:{first},127.0.0.1:{second}/postgres")
    }

    fn set(&self, mode: Mode) {
        for proxy in &self.proxies {
            proxy.set(mode);
        }
    }

    /// Waits until the standby gets each commit before its transaction ends.
    async fn until_followed(&self) {
        let admin = Database::at(self.primary.url());
        let sql = "SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync'";
        while texts(&admin, sql).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn catalog(key: &Key) -> String {
    let post = "auth = \"client_secret_post\"";
    let jwks = json!({ "keys": [key.jwk()] });
    [
        audience(
            "pricing",
            "read write",
            "served_by = [\"api\"]\ntoken_lifetime = \"10m\"",
        ),
        client("steady", post, &reads("pricing")),
        client("stopped", post, &reads("pricing")),
        client("api", &format!("{post}\ngrants = []"), &[]),
        by_key("worker", jwks, &reads("pricing")),
    ]
    .concat()
}

/// Makes a secret.
fn secret_of(platform: &Platform, id: &str) -> String {
    let said = platform.done(&["credential", "add-secret", id]);
    let mut words = said.split_whitespace();
    words
        .find(|it| it.starts_with("grantd_"))
        .unwrap()
        .to_owned()
}

/// Waits until both replicas lack nothing, and have had time to notice it if they did.
fn until_whole(load: &Load, replicas: &[Replica; 2]) {
    for _ in 0..2 {
        thread::sleep(Duration::from_secs(1));
        load.until("both replicas are whole", || {
            replicas.iter().all(Replica::is_whole)
        });
    }
}

/// Disables the client that is stopped now and then, and enables it again, by commands.
fn stop_and_go(load: &Load, platform: &Platform) {
    let command = |verb: &str| drop(platform.done(&["client", verb, "stopped"]));
    load.act(Verb::Disable, || command("disable"));
    load.act(Verb::Enable, || command("enable"));
    load.act(Verb::RevokeTokens, || command("revoke-tokens"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_BIN, the folder of a Postgres server's binaries; ./check sets it"]
async fn no_answer_is_wrong_while_keys_clients_replicas_and_the_database_come_and_go() {
    let postgres = Postgres::new().await;
    let platform = Platform::over(Database::at(postgres.url()));
    let key = Key::new(SigningAlgorithm::Es256);
    std::fs::write(platform.path("catalog.toml"), catalog(&key)).unwrap();
    platform.done(&["migrate"]);
    platform.apply();
    let secret = |id| secret_of(&platform, id);
    let secrets = Secrets {
        steady: secret("steady"),
        stopped: secret("stopped"),
        api: secret("api"),
    };
    let mut replicas = ["a.log", "b.log"].map(|name| platform.ready_replica_with(name, &SETTINGS));
    let addresses = replicas.each_ref().map(|it| it.public);
    let load = Arc::new(Load::new(addresses, secrets, key));
    let lanes = load.begin();
    load.go_on("the start");

    // By the settings of the servers.
    let rotated = finished(platform.command(&["key", "rotate"]).envs(SETTINGS));
    assert!(rotated.status.success(), "{}", printed(&rotated));
    load.until("both replicas sign with the next key", || {
        load.kids_of(0) == 2 && load.kids_of(1) == 2
    });
    load.go_on("a rotation");

    stop_and_go(&load, &platform);
    load.revoke_youngest(|token| {
        let jti = decoded(token).1["jti"].as_str().unwrap().to_owned();
        platform.done(&["token", "revoke", &jti]);
    });
    load.go_on("the revocation of one token");

    load.law.while_down(1, || {
        replicas[1].server.signal("KILL");
        replicas[1].server.wait();
        replicas[1] = platform.ready_replica_with("c.log", &SETTINGS);
        load.replace(1, replicas[1].public);
    });
    load.go_on("a replica was killed");

    let law = &load.law;
    law.during_trouble(async || {
        postgres.primary.restart();
        postgres.until_followed().await;
        until_whole(&load, &replicas);
    })
    .await;
    load.go_on("a restart of Postgres");

    law.during_trouble(async || {
        postgres.set(Mode::Blackhole);
        thread::sleep(CUT);
        postgres.set(Mode::Pass);
        postgres.until_followed().await;
        until_whole(&load, &replicas);
    })
    .await;
    assert!(law.counts().contains_key("503"), "the cut was felt");
    load.go_on("a cut");

    law.during_trouble(async || {
        postgres.primary.kill();
        postgres.standby.promote();
        until_whole(&load, &replicas);
    })
    .await;
    load.go_on("a failover");
    stop_and_go(&load, &platform);

    drop(lanes);
    assert_eq!(load.unknown_kids(), 0, "a cache of the JWKS lacked a kid");
    law.assert_kept("all");
    for replica in &replicas {
        let log = replica.server.log();
        assert!(!log.contains("panicked"), "{log}");
    }
}
