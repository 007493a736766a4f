//! Two replicas as processes on one Postgres: what stops a workload, or whoever asks for somebody of an issuer, holds on both
//! within a second, and of a token that counts once one request wins.

use std::net::SocketAddr;

use grantd::clock::Clock;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use super::workload;
use crate::assertion::signer::{Key, TYPE};
use crate::catalogs::{audience, client, policy};
use crate::harness::{ISSUER, form_encoded};
use crate::process::{access_token, eventually, request};
use crate::serve::{Platform as Site, Replica, SECRET};

const CI: &str = "https://ci.example";
const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=\
                        urn:ietf:params:oauth:token-type:access_token&subject_token=";
const JWT_BEARER: &str = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=";

/// A site with two replicas that trusts an issuer whose keys are in its catalog.
struct Trusting {
    site: Site,
    replicas: [Replica; 2],
    key: Key,
}

impl Trusting {
    async fn new() -> Self {
        let site = Site::new().await;
        let this = |replicas, site, key| Self {
            site,
            replicas,
            key,
        };
        let key = Key::new(SigningAlgorithm::Es256);
        site.done(&["migrate"]);
        std::fs::write(site.path("catalog.toml"), catalog(&key, true)).unwrap();
        site.apply();
        let replicas = ["a.log", "b.log"].map(|log| site.ready_replica(log));
        this(replicas, site, key)
    }

    fn statement(&self) -> String {
        let now = Clock::system().now().unix();
        self.key.sign(&json!({
            "iss": CI, "sub": "repo:acme/shop:ref:refs/heads/main", "aud": ISSUER, "iat": now, "exp": now + 300,
            "jti": grantd::crypto::random::token_id(),
        }))
    }

    fn as_job(&self, at: SocketAddr) -> (u16, String) {
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={}&client_assertion={}",
            form_encoded(TYPE),
            self.statement()
        );
        request(at, "POST /oauth2/token", &form).unwrap()
    }

    fn for_job(&self, at: SocketAddr, grant: &str) -> (u16, String) {
        let form = format!(
            "{grant}{}&client_id=orders&client_secret={SECRET}",
            self.statement()
        );
        request(at, "POST /oauth2/token", &form).unwrap()
    }

    /// That `command` makes both replicas refuse what `ask` asks, and call the token inactive, within a second.
    #[track_caller]
    fn assert_stops(&self, command: &str, ask: &dyn Fn(SocketAddr) -> (u16, String)) {
        let (status, answer) = ask(self.replicas[0].public);
        assert_eq!(status, 200, "{command}: {answer}");
        let token = access_token(&answer);
        let alive = |replica: &Replica| replica.introspects(&token);
        assert!(self.replicas.iter().all(alive), "{command}");
        self.site.done(&command.split(' ').collect::<Vec<_>>());
        let clock = Clock::system();
        for replica in &self.replicas {
            eventually("the token is inactive", || !alive(replica));
            eventually("nothing is issued", || ask(replica.public).0 != 200);
        }
        let took = clock.monotonic();
        assert!(took.as_secs_f64() < 1.0, "{command} took {took:?}");
    }

    /// Lets both replicas answer again.
    fn revive(&self, command: &str, ask: &dyn Fn(SocketAddr) -> (u16, String)) {
        let catalog = self.site.path("catalog.toml");
        let command = command.replace("CATALOG", catalog.to_str().unwrap());
        self.site.done(&command.split(' ').collect::<Vec<_>>());
        for replica in &self.replicas {
            eventually("it is answered again", || ask(replica.public).0 == 200);
        }
    }
}

fn catalog(key: &Key, is_trusted: bool) -> String {
    let jwks = json!({ "keys": [key.jwk()] });
    let secret = "auth = \"client_secret_post\"\nsecret = \"env:READER_SECRET\"\n";
    let (issuer, from) = if is_trusted {
        let uses = "use = [\"client\", \"exchange\", \"grant\"]\njti = \"single_use\"";
        let issuer =
            format!("[[issuer]]\nid = \"ci\"\nurl = \"{CI}\"\nkeys = '''{jwks}'''\n{uses}\n");
        let from = "exchange = { from = [\"issuer:ci\"] }\nissuer = \"ci\"\n";
        (issuer, from)
    } else {
        (String::new(), "")
    };
    let grants = "grants = [\"token-exchange\", \"jwt-bearer\"]\n";
    let mut all = vec![
        audience("pricing", "read", "served_by = [\"api\"]"),
        client("api", &format!("{secret}grants = []"), &[]),
        client(
            "orders",
            &format!("{secret}{grants}"),
            &[policy("pricing", "read", "read") + from],
        ),
        issuer,
    ];
    if is_trusted {
        all.push(workload("job", "ci", "subject = \"repo:acme/shop:**\""));
    }
    all.concat()
}

/// FED-14.
#[tokio::test]
async fn what_stops_a_workload_holds_on_two_replicas_within_a_second() {
    let trusting = Trusting::new().await;
    let ask = |at| trusting.as_job(at);
    trusting.assert_stops("client disable job", &ask);
    trusting.revive("client enable job", &ask);
    trusting.assert_stops("policy deny job pricing", &ask);
    trusting.revive("apply CATALOG", &ask);
    let (_, answer) = trusting.as_job(trusting.replicas[0].public);
    let jti = crate::harness::decoded(&access_token(&answer)).1["jti"].clone();
    let identity = jti.as_str().unwrap().split('.').next().unwrap().to_owned();
    let retire = format!("credential retire {identity} --compromised");
    trusting.assert_stops(&retire, &ask);
}

/// EXC-08.
#[tokio::test]
async fn what_stops_whoever_asks_for_somebody_holds_on_two_replicas_within_a_second() {
    let trusting = Trusting::new().await;
    for grant in [EXCHANGE, JWT_BEARER] {
        let ask = |at| trusting.for_job(at, grant);
        trusting.assert_stops("client disable orders", &ask);
        trusting.revive("client enable orders", &ask);
    }
    let untrusted = trusting.site.path("untrusted.toml");
    std::fs::write(&untrusted, catalog(&trusting.key, false)).unwrap();
    let prune = format!("apply {} --prune", untrusted.display());
    for grant in [EXCHANGE, JWT_BEARER] {
        let ask = |at| trusting.for_job(at, grant);
        trusting.assert_stops(&prune, &ask);
        trusting.revive("apply CATALOG", &ask);
    }
}

/// FED-13.
#[tokio::test]
async fn a_statement_for_single_use_has_one_winner_on_two_replicas() {
    let trusting = Trusting::new().await;
    let statement = trusting.statement();
    let form = format!(
        "grant_type=client_credentials&client_assertion_type={}&client_assertion={statement}",
        form_encoded(TYPE)
    );
    let ask = |n: usize| {
        let at = trusting.replicas[n % 2].public;
        request(at, "POST /oauth2/token", &form).unwrap().0
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..100).map(|n| scope.spawn(move || ask(n))).collect();
        tries.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let won = statuses.iter().filter(|it| **it == 200).count();
    assert_eq!(won, 1, "{statuses:?}");
    assert!(
        statuses.iter().all(|it| [200, 401].contains(it)),
        "{statuses:?}"
    );
    // Nor is it a grant any more: an issuer has one space for all that its tokens may be.
    let form = format!("{JWT_BEARER}{statement}&client_id=orders&client_secret={SECRET}");
    let (status, answer) =
        request(trusting.replicas[0].public, "POST /oauth2/token", &form).unwrap();
    assert_eq!(status, 400, "{answer}");
}
