//! `token_usage` and `grantd usage`: who got how many tokens.

use grantd::domain::identifier::ClientId;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::operations::usage::{IssuedLately, issued_lately};
use serde_json::{Value, json};

use crate::harness::*;
use crate::place::Place;
use crate::raw_sql;

/// Everything in the table, in its order.
async fn rows(env: &Env) -> Vec<String> {
    let sql = "SELECT minute || ' ' || client_id || ' ' || audience || ' ' || outcome || ' ' || count || ' ' || wasted \
               FROM token_usage ORDER BY minute, client_id, outcome";
    raw_sql::texts(&env.database, sql).await
}

/// A row of `reader` at `at`, whose credential is `n`.
async fn put(env: &Env, at: i64, n: i64, count: i64) {
    let sql = format!(
        "INSERT INTO token_usage VALUES ({at}, 'reader', 'pricing', '{n}', 'issued', {count}, 1)"
    );
    raw_sql::execute(&env.database, &sql).await;
}

async fn sweep(env: &Env) {
    let now = env.store.now().await.unwrap();
    while env.store.sweep_token_usage(now).await.unwrap() {}
}

on_both! {
    async fn token_requests_are_counted_by_minute_and_batches_add_up(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for secret in [READER, READER, "a wrong secret of 1"] {
            replica.token("reader", secret, "").await;
        }
        replica.token("nobody", READER, "").await;
        replica.introspect("api", API, "x").await;
        replica.grantd.write_waiting().await;
        replica.issued("reader", READER, "").await;
        env.clock.advance(Seconds::new(60));
        replica.follow().await;
        replica.issued("reader", READER, "").await;
        replica.grantd.write_waiting().await;
        let (first, second) = (START, START + 60);
        assert_eq!(rows(&env).await, [
            format!("{first}   invalid_client 1 0"),
            format!("{first} reader  invalid_client 1 0"),
            format!("{first} reader pricing issued 3 2"),
            format!("{second} reader pricing issued 1 1"),
        ]);
    }

    async fn what_the_database_did_not_take_is_written_later(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        replica.issued("reader", READER, "").await;
        raw_sql::execute(&env.database, "ALTER TABLE token_usage RENAME TO away").await;
        replica.grantd.write_waiting().await;
        raw_sql::execute(&env.database, "ALTER TABLE away RENAME TO token_usage").await;
        replica.issued("reader", READER, "").await;
        replica.grantd.write_waiting().await;
        assert_eq!(rows(&env).await, [format!("{START} reader pricing issued 2 1")]);
    }

    async fn rows_become_hours_after_a_day_and_go_after_35(env) {
        let hour = START - START % 3600 - 26 * 3600;
        for (at, n) in [(hour, 1), (hour + 60, 1), (hour + 3540, 1), (hour + 60, 2), (hour + 3600, 1)] {
            put(&env, at, n, 10).await;
        }
        put(&env, START - 3600, 1, 7).await;
        put(&env, START - 36 * 24 * 3600, 1, 9).await;
        for _ in 0..2 {
            sweep(&env).await;
            assert_eq!(rows(&env).await, [
                format!("{hour} reader pricing issued 30 3"),
                format!("{hour} reader pricing issued 10 1"),
                format!("{} reader pricing issued 10 1", hour + 3600),
                format!("{} reader pricing issued 7 1", START - 3600),
            ]);
        }
    }

    /// Two replicas that sweep at once count nothing twice.
    async fn more_rows_than_a_step_are_rolled_up_by_several(env) {
        let hour = START - START % 3600 - 30 * 3600;
        let values: Vec<String> = (0..2500).map(|n| format!(
            "({}, 'reader', 'pricing', '{}', 'issued', 1, 0)", hour + 60 * (1 + n % 59), n / 59
        )).collect();
        let sql = format!("INSERT INTO token_usage VALUES {}", values.join(", "));
        raw_sql::execute(&env.database, &sql).await;
        let (one, two) = tokio::join!(env.replica(), env.replica());
        tokio::join!(one.grantd.sweep(), two.grantd.sweep());
        sweep(&env).await;
        let sum = raw_sql::texts(
            &env.database,
            "SELECT CAST(count(*) AS TEXT) || ' ' || sum(count) || ' ' || max(minute) FROM token_usage",
        ).await;
        assert_eq!(sum, [format!("43 2500 {hour}")]);
    }

    async fn the_tokens_of_the_last_hour_and_day_are_told(env) {
        for (ago, count) in [(60, 1), (3540, 2), (3660, 4), (23 * 3600, 8), (25 * 3600, 16)] {
            put(&env, START - ago, 1, count).await;
        }
        let id = ClientId::parse("reader").unwrap();
        let lately = issued_lately(&env.store, &id, Timestamp::from_unix(START)).await.unwrap();
        assert_eq!(lately, IssuedLately { hour: 3, day: 15 });
        let other = ClientId::parse("other").unwrap();
        let none = issued_lately(&env.store, &other, Timestamp::from_unix(START)).await.unwrap();
        assert_eq!(none, IssuedLately { hour: 0, day: 0 });
    }
}

#[test]
fn usage_tells_tokens_refusals_and_waste() {
    let place = Place::new();
    place.write("my.toml", CATALOG);
    let dev = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    for secret in [READER, READER, "a wrong secret of 1"] {
        dev.ask("reader", secret);
    }
    // Its last writes include the usage.
    assert!(dev.interrupt().success());
    let usage = place.json(&["usage", "--data", "data", "--output", "json"]);
    let listed = usage.as_array().unwrap();
    let without_credential = |row: &Value| {
        let mut row = row.clone();
        let credential = row["credential"].take();
        (credential.as_str().unwrap().len(), row)
    };
    let row = |audience: &str, outcome: &str, count: i64, wasted: i64| {
        json!({ "client": "reader", "audience": audience, "credential": null, "outcome": outcome,
                "count": count, "wasted": wasted })
    };
    assert_eq!(
        listed.iter().map(without_credential).collect::<Vec<_>>(),
        [
            (0, row("", "invalid_client", 1, 0)),
            (10, row("pricing", "issued", 2, 1)),
        ]
    );
    let table = place.done(&[
        "usage", "--data", "data", "--client", "reader", "--since", "1h",
    ]);
    assert!(
        table.ends_with(
            "in the last 1h: 2 tokens issued, 1 of them (50 %) while an equal one had more than half of its life left; \
             1 requests refused\n"
        ),
        "{table}"
    );
    let none = place.json(&[
        "usage", "--data", "data", "--client", "api", "--output", "json",
    ]);
    assert_eq!(none, json!([]));
    let unknown = place.run(&["usage", "--data", "data", "--client", "readr"]);
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.stderr.contains("there is no client readr"),
        "{unknown:?}"
    );
    let wrong = place.run(&["usage", "--data", "data", "--since", "yesterday"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}
