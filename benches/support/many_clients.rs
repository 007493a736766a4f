//! Databases of very many clients, for what administration costs there.

use std::fmt::Write as _;

use grantd::clock::Clock;
use grantd::crypto::jws::generate;
use grantd::crypto::random;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::operations::import_secret::hash_generated;
use sqlx::{AssertSqlSafe, Connection as _};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Minutes of the last day in which each client had tokens, and times that it was refused in the last days.
const ACTIVE_MINUTES: i64 = 10;
const REFUSALS: i64 = 5;

/// A catalog that states them.
pub(crate) struct Catalog {
    pub(crate) size: usize,
    pub(crate) text: String,
    /// One of its secrets.
    pub(crate) credential: String,
}

impl Catalog {
    pub(crate) fn of(size: usize) -> Self {
        let mut text = String::from("[[audience]]\nid = \"pricing\"\nscopes = [\"read\"]\n");
        let mut credential = String::new();
        for n in 0..size {
            let _ = write!(
                text,
                "\n[[client]]\nid = \"client-{n}\"\nowner = \"team\"\n"
            );
            if n % 2 == 0 {
                let id = random::credential_id();
                let hash = hash_generated(&random::generated_secret(&id)).expect("a hash");
                credential = id.to_string();
                let _ = writeln!(text, "auth = \"client_secret_basic\"");
                let _ = writeln!(
                    text,
                    "secrets = [{{ id = \"{id}\", value = \"{}\" }}]",
                    hash.phc
                );
            } else {
                let key = generate(SigningAlgorithm::Es256).expect("a key");
                let jwk = key.public_jwk.to_json(&key.kid, SigningAlgorithm::Es256);
                let _ = writeln!(text, "auth = \"private_key_jwt\"\njwks = ['{jwk}']");
            }
            text.push_str("  [[client.policy]]\n  audience = \"pricing\"\n  scopes = [\"read\"]\n");
        }
        Self {
            size,
            text,
            credential,
        }
    }
}

/// A schema of its own, with nothing in it, in the database at `url`.
pub(crate) fn schema(url: &str) -> String {
    let name = format!("b_{}", random::token_id().replace('-', "_").to_lowercase());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut connection = sqlx::PgConnection::connect(url)
            .await
            .expect("Postgres answers");
        let create = format!("CREATE SCHEMA \"{name}\"");
        let create = sqlx::raw_sql(AssertSqlSafe(create));
        create
            .execute(&mut connection)
            .await
            .expect("a schema is made");
    });
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options=-c%20search_path%3D{name}")
}

/// Lets each client have had tokens and been refused some, and its credential be old, unused and about to expire.
pub(crate) fn add_past(url: &str) {
    let now = Clock::system().now().unix() / 60 * 60;
    let mut statements = vec![format!(
        "UPDATE credentials SET created_at = {}, expires_at = {}",
        now - 100 * DAY,
        now + 20 * DAY
    )];
    for n in 1..=ACTIVE_MINUTES {
        let minute = now - n * 2 * HOUR;
        statements.push(format!(
            "INSERT INTO token_usage SELECT {minute}, client_id, 'pricing', '', 'issued', 20, 5 FROM clients"
        ));
    }
    for n in 1..=REFUSALS {
        let at = now - n * DAY;
        let details =
            r#"{"outcome":"invalid_scope","request_id":"01a22407-a1d5-7740-890e-10fad9316e42"}"#;
        statements.push(format!(
            "INSERT INTO audit_events SELECT 'r{n}-' || client_id, {at}, 'refusal', 1, client_id, 'refused', '', \
             '{details}' FROM clients"
        ));
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(run(url, statements));
}

async fn run(url: &str, statements: Vec<String>) {
    let statements = AssertSqlSafe(statements.join("; "));
    let done = if url.starts_with("postgres") {
        let mut connection = sqlx::PgConnection::connect(url).await.expect("it answers");
        sqlx::raw_sql(statements)
            .execute(&mut connection)
            .await
            .map(drop)
    } else {
        let mut connection = sqlx::SqliteConnection::connect(url)
            .await
            .expect("it opens");
        sqlx::raw_sql(statements)
            .execute(&mut connection)
            .await
            .map(drop)
    };
    done.expect("the past is written");
}
