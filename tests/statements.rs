//! What costs SQL and what does not, counted at the driver. A binary of its own: SQLite's statements run on threads of
//! the driver, so only a subscriber of the whole process sees them, and only one test may run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use grantd::config::settings::Settings;
use grantd::crypto::jws::{Signer, generate};
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::identifier::IssuerId;
use serde_json::json;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

#[cfg(test)]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "this test needs less than the others"
)]
#[path = "it/harness.rs"]
mod harness;

#[cfg(test)]
#[expect(dead_code, reason = "this test needs less than the others")]
#[path = "it/catalogs.rs"]
mod catalogs;

// What the harness keeps, for the search for secrets.
#[cfg(test)]
#[expect(dead_code, reason = "this test needs less than the others")]
#[path = "it/captured_log.rs"]
mod captured_log;
#[cfg(test)]
#[expect(dead_code, reason = "this test needs less than the others")]
#[path = "it/raw_sql.rs"]
mod raw_sql;
#[cfg(test)]
#[expect(
    dead_code,
    unused_imports,
    reason = "this test needs less than the others"
)]
#[path = "it/redaction/mod.rs"]
mod redaction;

use harness::{API, CATALOG, Database, Env, READER, Replica, START};

/// Counts what the driver executes.
#[derive(Clone, Default)]
struct Statements(Arc<AtomicU64>);

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Statements {
    /// How many statements `work` costs.
    async fn of<T>(&self, work: impl Future<Output = T>) -> u64 {
        let before = self.0.load(Ordering::SeqCst);
        work.await;
        self.0.load(Ordering::SeqCst) - before
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_remembered_costs_no_statement() {
    let statements = Statements::default();
    tracing_subscriber::registry()
        .with(statements.clone())
        .init();
    for database in [Database::sqlite(), Database::postgres().await] {
        let env = Env::new(database).await;
        env.apply(CATALOG).await;
        warm_requests_cost_none(&env, &statements).await;
        names_that_do_not_exist_cost_none(&env, &statements).await;
        subjects_cost_none_until_a_client_changes(&env, &statements).await;
        who_is_known_elsewhere_costs_none(&env, &statements).await;
        without_memory_each_request_costs_some(&env, &statements).await;
        administration::costs_what_it_changes(&env, &statements).await;
        a_start_costs_the_same_beside_many_clients(&env, &statements).await;
    }
}

async fn issue(replica: &Replica) {
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
}

async fn refuse(replica: &Replica, client: &str, secret: &str, more: &str) {
    let status = replica.token(client, secret, more).await.status;
    assert!(status.is_client_error(), "{status}");
}

async fn warm_requests_cost_none(env: &Env, statements: &Statements) {
    let replica = env.replica().await;
    assert!(
        statements.of(issue(&replica)).await > 0,
        "the first request loads"
    );
    let token = replica.issued("reader", READER, "").await;
    let introspect = async || {
        let answer = replica.introspect("api", API, &token).await;
        assert_eq!(answer.json().get("active"), Some(&true.into()));
    };
    assert!(
        statements.of(introspect()).await > 0,
        "the first caller is loaded"
    );
    for _ in 0..10 {
        assert_eq!(statements.of(issue(&replica)).await, 0);
        assert_eq!(statements.of(introspect()).await, 0);
        assert_eq!(
            statements
                .of(refuse(&replica, "reader", "a wrong secret..", ""))
                .await,
            0
        );
        assert_eq!(
            statements
                .of(refuse(&replica, "reader", READER, "&scope=none"))
                .await,
            0
        );
        for path in [
            "/oauth2/jwks",
            "/.well-known/oauth-authorization-server",
            "/nowhere",
        ] {
            assert_eq!(statements.of(replica.get(path)).await, 0);
        }
    }
    assert!(
        statements
            .of(replica.revoke("reader", READER, &token))
            .await
            > 0
    );
}

/// Which clients a foreign subject may be.
#[cfg(test)]
async fn subjects_cost_none_until_a_client_changes(env: &Env, statements: &Statements) {
    let identities = [
        catalogs::identity("subject = \"job:1\""),
        catalogs::identity("subject = \"job:**:x\""),
    ];
    let deploy = catalogs::client("deploy", "auth = \"private_key_jwt\"", &identities);
    let catalog = [CATALOG, catalogs::CI, &deploy].concat();
    env.apply(&catalog).await;
    let replica = env.replica().await;
    let issuer = IssuerId::parse("ci").unwrap();
    let look_up = async |subject: &str| {
        let directory = replica.grantd.directory();
        let found = directory
            .clients_of_subject(&issuer, subject)
            .await
            .unwrap();
        found.len()
    };
    assert!(
        statements.of(look_up("job:1")).await > 0,
        "the first one loads"
    );
    for (subject, clients) in [("job:1", 1), ("job:2:x", 1), ("job:2", 0), ("", 0)] {
        assert_eq!(statements.of(look_up(subject)).await, 0);
        assert_eq!(look_up(subject).await, clients, "{subject}");
    }
    env.apply(&catalog.replace("id = \"deploy\"", "id = \"deploy\"\nowner = \"team\""))
        .await;
    replica.follow().await;
    assert!(
        statements.of(look_up("job:2")).await > 0,
        "it may have other identities now"
    );
    assert_eq!(statements.of(look_up("job:1")).await, 0);
    env.prune(CATALOG).await;
}

/// A token for the subject of a trusted issuer's token that counts many times, and introspection of it.
#[cfg(test)]
async fn who_is_known_elsewhere_costs_none(env: &Env, statements: &Statements) {
    const SECRET: &str = "a secret of the gate 1";
    let key = generate(SigningAlgorithm::Es256).unwrap();
    let mut jwk = key.public_jwk.key_members();
    jwk.insert("kid".to_owned(), json!(key.kid));
    let signer = Signer::from_private(SigningAlgorithm::Es256, &key.kid, &key.private).unwrap();
    let claims = json!({
        "iss": "https://ci.example", "sub": "job:1", "aud": harness::ISSUER, "iat": START, "exp": START + 300, "jti": "once",
    });
    let statement = signer.sign_compact_as("JWT", claims.to_string().as_bytes());
    let statement = statement.unwrap();
    let issuer = format!(
        "[[issuer]]\nid = \"ci\"\nurl = \"https://ci.example\"\nuse = [\"exchange\", \"grant\"]\njti = \"ignore\"\n\
         keys = '''{}'''\n",
        json!({ "keys": [jwk] })
    );
    let policy = catalogs::policy("pricing", "read", "read")
        + "issuer = \"ci\"\nexchange = { from = [\"issuer:ci\"] }\n";
    let lines = format!("secret = \"{SECRET}\"\ngrants = [\"token-exchange\", \"jwt-bearer\"]");
    let gate = catalogs::client("gate", &lines, &[policy]);
    env.apply(&[CATALOG, &issuer, &gate].concat()).await;
    let replica = env.replica().await;
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let exchange = format!("token-exchange&subject_token_type={kind}&subject_token={statement}");
    for grant in [format!("jwt-bearer&assertion={statement}"), exchange] {
        let form = format!("grant_type=urn:ietf:params:oauth:grant-type:{grant}");
        let authorization = harness::basic("gate", SECRET);
        let ask = async || {
            let headers = [("authorization", authorization.as_str())];
            let answer = replica.post("/oauth2/token", &headers, &form).await.json();
            answer["access_token"].as_str().unwrap().to_owned()
        };
        let introspect = async |token: &str| {
            let told = replica.introspect("api", API, token).await.json();
            assert_eq!(told.get("sub"), Some(&json!("ci|job:1")));
        };
        introspect(&ask().await).await;
        for _ in 0..3 {
            assert_eq!(statements.of(ask()).await, 0);
            let token = ask().await;
            assert_eq!(statements.of(introspect(&token)).await, 0);
        }
    }
    env.prune(CATALOG).await;
}

async fn names_that_do_not_exist_cost_none(env: &Env, statements: &Statements) {
    let replica = env.replica().await;
    issue(&replica).await;
    let target = "&audience=nowhere&resource=urn:nowhere";
    for n in 0..20 {
        let stranger = format!("stranger {n}");
        assert_eq!(
            statements.of(refuse(&replica, &stranger, READER, "")).await,
            0
        );
        assert_eq!(
            statements
                .of(refuse(&replica, "reader", READER, target))
                .await,
            0
        );
        assert_eq!(statements.of(issue(&replica)).await, 0);
    }
}

async fn without_memory_each_request_costs_some(env: &Env, statements: &Statements) {
    let forgetful = |settings: &mut Settings| {
        settings.cache.clients = 0;
        settings.cache.audiences = 0;
    };
    let replica = env.replica_with(forgetful).await;
    let first = statements.of(issue(&replica)).await;
    for _ in 0..3 {
        assert_eq!(statements.of(issue(&replica)).await, first);
        assert_eq!(
            statements
                .of(refuse(&replica, "stranger", READER, ""))
                .await,
            0
        );
    }
    assert!(
        first >= 6,
        "a client and an audience are loaded each time: {first}"
    );
}

/// What a replica reads before it is ready; revocations and ids are loaded behind it, a page a statement.
async fn a_start_costs_the_same_beside_many_clients(env: &Env, statements: &Statements) {
    let start = async || {
        let replica = env.unloaded_replica(|_| {});
        let cost = statements.of(replica.follow()).await;
        assert!(replica.grantd.is_ready());
        cost
    };
    let few = start().await;
    let more: String = (0..60).map(administration::with_key).collect();
    env.apply(&format!("{CATALOG}{more}")).await;
    let many = start().await;
    assert!(
        few.abs_diff(many) <= 3,
        "{few} statements, beside more clients {many}"
    );
}

#[cfg(test)]
mod administration {
    use grantd::crypto::jws::generate;
    use grantd::domain::algorithm::SigningAlgorithm;
    use grantd::domain::credential::PublicMaterial;
    use grantd::domain::identifier::{AudienceId, ClientId};
    use grantd::domain::profile::Profile;
    use grantd::domain::scope::ScopeSet;
    use grantd::operations::change_client::disable_client;
    use grantd::operations::change_policy::{Allowed, allow_policy, deny_policy};
    use grantd::operations::manage_credentials::NewCredential;
    use grantd::operations::register_credentials::{add_secret, register_credentials};

    use super::{CATALOG, Env, Statements};
    use crate::catalogs::{by_key, reads};
    use crate::harness::by;

    /// What one administrator does costs the same beside few clients and beside many.
    pub(super) async fn costs_what_it_changes(env: &Env, statements: &Statements) {
        // Connects once: the first reading sets up its connection.
        env.store.all_clients().await.unwrap();
        let few = counted(env, statements, 2).await;
        let many = counted(env, statements, 60).await;
        // A transaction that is given up is rolled back beside what comes next, so a statement or two may fall on
        // either side. 58 more clients with a statement each would be 58.
        for (few, many) in few.into_iter().zip(many) {
            assert!(
                few.abs_diff(many) <= 3,
                "{few} statements, beside more clients {many}"
            );
        }
    }

    /// The statements of: an apply that makes `others` more clients, one without a change, one that changes a
    /// client, a secret that is added, its retirement, a key that is registered, a listing, and an apply that
    /// removes those clients; and of commands that
    /// disable a client, deny a policy and allow it again.
    async fn counted(env: &Env, statements: &Statements, others: usize) -> [u64; 11] {
        let catalog: String = (0..others).map(with_key).collect();
        let catalog = format!("{CATALOG}{catalog}");
        let created = statements.of(env.apply(&catalog)).await;
        let changed = catalog.replace("\"key-1\"\n", &format!("\"key-1\"\nname = \"{others}\"\n"));
        let [reader, worker] = ["reader", "key-1"].map(|id| ClientId::parse(id).unwrap());
        let new = NewCredential {
            label: None,
            active_from: None,
            expiry: None,
            profile: Profile::Default,
            by: by(),
        };
        let key = || vec![PublicMaterial::Jwk(jwk())];
        let options = env.options();
        let allowed = Allowed {
            client: reader.clone(),
            audience: AudienceId::parse("pricing").unwrap(),
            scopes: ScopeSet::default(),
            default_scopes: ScopeSet::default(),
            grants: Vec::new(),
            exchange: None,
            issuer: None,
            subjects: Vec::new(),
        };
        let mut secret = None;
        [
            created,
            statements.of(env.apply(&catalog)).await,
            statements.of(env.apply(&changed)).await,
            statements
                .of(async { secret = add_secret(&env.store, &reader, &new).await.ok() })
                .await,
            statements
                .of(async {
                    let (id, _) = secret.take().unwrap();
                    env.retire(&id, true).await
                })
                .await,
            statements
                .of(async {
                    register_credentials(&env.store, &worker, key(), &new)
                        .await
                        .unwrap()
                })
                .await,
            statements.of(env.store.all_clients()).await,
            statements
                .of(async { disable_client(&env.store, &worker, options).await.unwrap() })
                .await,
            statements
                .of(async {
                    let pair = (&reader, &allowed.audience);
                    let all = ScopeSet::default();
                    deny_policy(&env.store, pair, &all, options).await.unwrap()
                })
                .await,
            statements
                .of(async { allow_policy(&env.store, &allowed, options).await.unwrap() })
                .await,
            statements.of(env.prune(CATALOG)).await,
        ]
    }

    /// A client with a key, in a catalog.
    pub(super) fn with_key(n: usize) -> String {
        let jwks = format!("{{\"keys\":[{}]}}", jwk());
        by_key(&format!("key-{n}"), jwks, &reads("pricing"))
    }

    fn jwk() -> String {
        let key = generate(SigningAlgorithm::Es256).unwrap();
        key.public_jwk
            .to_json(&key.kid, SigningAlgorithm::Es256)
            .to_string()
    }
}
