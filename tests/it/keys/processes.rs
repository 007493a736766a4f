//! Two real processes on one Postgres: they rotate under load, and their sealing key is replaced.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::Duration;

use grantd::clock::Clock;
use serde_json::Value;

use crate::caching_verifier::CachingVerifier;
use crate::catalogs::{audience, client, policy};
use crate::harness::decoded;
use crate::place::write_private;
use crate::process::{access_token, eventually, request};
use crate::serve::{Platform, Replica, SECRET};

/// How many times keys change; four algorithms do it at once.
const ROTATIONS: usize = 50;
/// The shortest that the settings permit where verifiers cache at all: a key of each algorithm every four seconds.
const SHORTEST: [(&str, &str); 5] = [
    ("GRANTD_KEYS__JWKS_MAX_AGE", "1s"),
    ("GRANTD_FEED__MAX_STALENESS", "2s"),
    ("GRANTD_KEYS__ROTATION", "4s"),
    ("GRANTD_TOKENS__MAX_LIFETIME", "3s"),
    ("GRANTD_LOG", "info"),
];
/// Thirteen turns take 52 seconds.
const LONGEST: Duration = Duration::from_secs(90);
const ALGORITHMS: [&str; 4] = ["ES256", "EdDSA", "RS256", "PS256"];

fn catalog_of_four() -> String {
    let audiences = ALGORITHMS.map(|it| audience(it, it, &format!("algorithm = \"{it}\"")));
    let lines = "auth = \"client_secret_post\"\nsecret = \"env:READER_SECRET\"";
    audiences.concat() + &client("reader", lines, &ALGORITHMS.map(|it| policy(it, it, "")))
}

fn form(scope: &str) -> String {
    format!("grant_type=client_credentials&client_id=reader&client_secret={SECRET}&scope={scope}")
}

/// The kids that signed, and tokens that wait to be looked at again.
#[derive(Default)]
struct Seen {
    kids: BTreeSet<String>,
    waiting: VecDeque<(i64, String)>,
}

/// Gets tokens of one server, checks each at once, and again in the last second of its life.
fn get_and_check(server: SocketAddr, verifier: &Mutex<CachingVerifier>, seen: &Mutex<Seen>) {
    let clock = Clock::system();
    for algorithm in ALGORITHMS {
        let (status, answer) = request(server, "POST /oauth2/token", &form(algorithm)).unwrap();
        assert_eq!(status, 200, "{answer}");
        let token = access_token(&answer);
        assert!(
            verifier.lock().unwrap().accepts(&token),
            "refused: {:?}",
            decoded(&token)
        );
        let (header, claims) = decoded(&token);
        let mut seen = seen.lock().unwrap();
        seen.kids.insert(format!("{algorithm} {}", header["kid"]));
        seen.waiting
            .push_back((claims["exp"].as_i64().unwrap(), token));
        let last_second = clock.now().unix() + 1;
        while seen
            .waiting
            .front()
            .is_some_and(|(expires, _)| *expires <= last_second)
        {
            let (expires, token) = seen.waiting.pop_front().unwrap();
            let accepted = verifier.lock().unwrap().accepts(&token);
            // One that was looked at too late proves nothing.
            assert!(
                accepted || clock.now().unix() >= expires,
                "{:?}",
                decoded(&token)
            );
        }
    }
}

/// B-T05 JOSE-04, OPERATING section 6.
#[tokio::test]
async fn two_processes_rotate_fifty_times_under_load_and_a_caching_verifier_refuses_no_token() {
    let platform = Platform::new().await;
    std::fs::write(platform.path("catalog.toml"), catalog_of_four()).unwrap();
    platform.done(&["migrate"]);
    platform.apply();
    let replicas: [Replica; 2] =
        ["a.log", "b.log"].map(|name| platform.ready_replica_with(name, &SHORTEST));
    let servers = [replicas[0].public, replicas[1].public];
    let verifier = Mutex::new(CachingVerifier::new(&servers));
    let seen = Mutex::new(Seen::default());
    let clock = Clock::system();
    let goes_on = || {
        let kids = seen.lock().map_or(usize::MAX, |seen| seen.kids.len());
        kids < ROTATIONS + ALGORITHMS.len() && clock.monotonic() < LONGEST
    };
    thread::scope(|scope| {
        for server in servers {
            let (verifier, seen) = (&verifier, &seen);
            scope.spawn(move || {
                while goes_on() {
                    get_and_check(server, verifier, seen);
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
    });
    let rotations = seen.into_inner().unwrap().kids.len() - ALGORITHMS.len();
    assert!(
        rotations >= ROTATIONS,
        "{rotations} in {:?}",
        clock.monotonic()
    );
    // Not even those that read again would have needed to.
    assert_eq!(verifier.into_inner().unwrap().unknown, 0);
    for (replica, name) in replicas.iter().zip(["a.log", "b.log"]) {
        let log = replica.server.log();
        assert!(!log.contains("ERROR"), "{name}: {log}");
    }
    let listed = platform.done(&["key", "list", "--output", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let count = |state: &str| {
        listed
            .as_array()
            .unwrap()
            .iter()
            .filter(|key| key["state"] == state)
            .count()
    };
    assert_eq!(
        (count("active"), count("announced")),
        (4, 4),
        "one key of each: {listed:#}"
    );
}

/// Servers that requests go to, none of which refuses one.
struct Balancer {
    servers: RwLock<Vec<SocketAddr>>,
    served: AtomicUsize,
    done: AtomicBool,
}

impl Balancer {
    fn new(replicas: &[Replica]) -> Self {
        Self {
            servers: RwLock::new(replicas.iter().map(|it| it.public).collect()),
            served: AtomicUsize::new(0),
            done: AtomicBool::new(false),
        }
    }

    fn serve(&self) {
        while !self.done.load(Ordering::Relaxed) {
            for server in self.servers.read().unwrap().iter() {
                let (status, answer) =
                    request(*server, "POST /oauth2/token", &form("read")).unwrap();
                assert_eq!(status, 200, "{answer}");
                self.served.fetch_add(1, Ordering::Relaxed);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for some requests more, of each server.
    fn go_on(&self) {
        let before = self.served.load(Ordering::Relaxed);
        eventually("requests go on", || {
            self.served.load(Ordering::Relaxed) > before + 10
        });
    }

    /// Takes a server out of service, starts one in its place, and lets requests go there.
    fn replace(&self, replica: &mut Replica, start: impl FnOnce() -> Replica) {
        self.servers
            .write()
            .unwrap()
            .retain(|server| *server != replica.public);
        replica.server.signal("TERM");
        assert!(replica.server.wait().success());
        *replica = start();
        self.servers.write().unwrap().push(replica.public);
        self.go_on();
    }
}

#[tokio::test]
async fn two_processes_get_another_sealing_key_without_a_refused_request() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let new = platform.path("new.key");
    write_private(&new, &[8; 32]);
    let (new, old) = (new.to_str().unwrap(), platform.path("sealing.key"));
    let key_file = ("GRANTD_SEALING__KEY_FILE", new);
    let both = [
        key_file,
        ("GRANTD_SEALING__OLD_KEY_FILES", old.to_str().unwrap()),
    ];
    let mut replicas = ["a.log", "b.log"].map(|name| platform.ready_replica_with(name, &[]));
    let balancer = Balancer::new(&replicas);
    let key = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = platform.command(&[&["key"], arguments].concat());
        crate::process::finished(command.envs(variables.iter().copied()))
    };
    thread::scope(|scope| {
        scope.spawn(|| balancer.serve());
        // Whatever fails in here ends the requests, too.
        let rolled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for (replica, name) in replicas.iter_mut().zip(["c.log", "d.log"]) {
                balancer.replace(replica, || platform.ready_replica_with(name, &both));
            }
            let resealed = key(&["reseal"], &both);
            let printed = crate::process::printed(&resealed);
            assert!(
                printed.starts_with("2 signing keys resealed with "),
                "{printed}"
            );
            balancer.go_on();
            assert!(key(&["rotate", "--now", "--yes"], &both).status.success());
            for (replica, name) in replicas.iter_mut().zip(["e.log", "f.log"]) {
                balancer.replace(replica, || platform.ready_replica_with(name, &[key_file]));
            }
            let before = key(&["rotate"], &[]);
            assert_eq!(
                before.status.code(),
                Some(1),
                "the old sealing key alone is refused"
            );
            assert!(crate::process::printed(&before).contains("give the servers' sealing key"));
        }));
        balancer.done.store(true, Ordering::Relaxed);
        rolled.unwrap();
    });
}

/// OPERATING section 8.
#[tokio::test]
async fn a_compromised_key_is_dead_on_two_processes_within_a_second() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let replicas = ["a.log", "b.log"].map(|name| platform.ready_replica(name));
    let (status, answer) = replicas[0].token();
    assert_eq!(status, 200, "{answer}");
    let token = access_token(&answer);
    assert!(replicas.iter().all(|replica| replica.introspects(&token)));
    let kid = decoded(&token).0["kid"].as_str().unwrap().to_owned();
    let retire = [
        "key",
        "retire",
        &kid,
        "--compromised",
        "--yes",
        "--reason",
        "leaked",
    ];
    let said = platform.done(&retire);
    let clock = Clock::system();
    assert!(
        said.contains("clear its cache") && said.contains("are dead"),
        "{said}"
    );
    for replica in &replicas {
        eventually("the token is dead", || !replica.introspects(&token));
        let (_, jwks) = request(replica.public, "GET /oauth2/jwks", "").unwrap();
        assert!(!jwks.contains(&kid), "{jwks}");
        let (status, answer) = replica.token();
        assert_eq!(status, 200, "{answer}");
        let new = access_token(&answer);
        assert!(decoded(&new).0["kid"] != kid.as_str() && replica.introspects(&new));
    }
    assert!(
        clock.monotonic() < Duration::from_secs(1),
        "it took {:?}",
        clock.monotonic()
    );
}
