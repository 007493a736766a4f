//! The life of secrets: from when until when, retired, brought as a hash and renewed (DESIGN 3).

use grantd::crypto::secret_hash::{self, HashCost};
use grantd::domain::secret_format::Secret;
use grantd::domain::timestamp::Seconds;

use super::*;
use crate::raw_sql;

const FOREIGN: HashCost = HashCost {
    memory_kib: 64,
    passes: 3,
    lanes: 1,
};

fn phc(secret: &str, salt: &[u8]) -> String {
    secret_hash::hash(&Secret::new(secret.to_owned()), salt, FOREIGN)
        .unwrap()
        .to_string()
}

/// One thread, so that what is idle runs in its order.
async fn one_thread(env: &Env) -> Replica {
    env.replica_with(|settings| settings.hashing.threads = 1)
        .await
}

impl Replica {
    /// Waits until all idle hashing is done.
    async fn idle(&self) {
        let (done, waiting) = tokio::sync::oneshot::channel();
        self.grantd.hashing().idle(move || done.send(()).unwrap());
        waiting.await.unwrap();
    }
}

/// Waits until `sql` gives `expected`.
async fn until(env: &Env, sql: &str, expected: &[&str]) {
    while raw_sql::texts(&env.database, sql).await != expected {
        tokio::task::yield_now().await;
    }
}

on_both! {
    /// B-C04.
    async fn overlapping_secrets_each_work_within_their_times(env) {
        let generated = generated_secret("aaaaaaaaaa", "A");
        let secrets = format!(
            "secrets = [{{ value = \"the old imported one\", expires_at = {} }}, \
             {{ value = \"{generated}\", active_from = {}, expires_at = {} }}, \
             {{ value = \"the new imported one\", active_from = {} }}]",
            START + 20,
            START + 10,
            START + 30,
            START + 10,
        );
        env.apply(&with_clients(&[("reader", &secrets)])).await;
        let replica = env.replica().await;
        for (at, old, made, new) in [
            (0, 200, 401, 401),
            (9, 200, 401, 401),
            (10, 200, 200, 200),
            (19, 200, 200, 200),
            (20, 401, 200, 200),
            (29, 401, 200, 200),
            (30, 401, 401, 200),
        ] {
            let now = env.clock.now().unix();
            env.clock.advance(Seconds::new(u32::try_from(START + at - now).unwrap()));
            replica.follow().await;
            for (secret, status) in
                [("the old imported one", old), (&generated, made), ("the new imported one", new)]
            {
                // Twice: what is remembered lives no longer.
                for _ in 0..2 {
                    assert_eq!(
                        replica.token("reader", secret, "").await.status,
                        status,
                        "{secret} at {at}"
                    );
                }
            }
        }
    }

    async fn a_secret_that_expires_while_it_is_remembered_is_refused_on_the_next_request(env) {
        let secrets = format!(
            "secrets = [{{ value = \"secret for a minute\", expires_at = {} }}]",
            START + 20
        );
        env.apply(&with_clients(&[("reader", &secrets)])).await;
        let replica = env.replica().await;
        assert_eq!(replica.token("reader", "secret for a minute", "").await.status, 200);
        env.clock.advance(Seconds::new(19));
        assert_eq!(replica.token("reader", "secret for a minute", "").await.status, 200);
        env.clock.advance(Seconds::new(1));
        replica
            .token("reader", "secret for a minute", "")
            .await
            .assert_error(401, "invalid_client");
    }

    async fn the_use_of_a_retired_secret_raises_an_alert(env) {
        let generated = generated_secret("aaaaaaaaaa", "A");
        let catalog = |retired: &str| {
            let secrets = format!(
                "secrets = [{{ value = \"the old imported one\"{retired} }}, {{ value = \"{generated}\"{retired} }}, \
                 \"the new imported one\"]"
            );
            with_clients(&[("reader", &secrets)])
        };
        env.apply(&catalog("")).await;
        let replica = env.replica().await;
        for secret in ["the old imported one", &generated] {
            assert_eq!(replica.token("reader", secret, "").await.status, 200);
        }
        assert_eq!(replica.audit_events("retired_credential_used").await, 0);
        env.apply(&catalog(&format!(", retired_at = {START}"))).await;
        replica.follow().await;
        let refused = replica.token("nobody", "the old imported one", "").await.same();
        for (secret, alerts) in
            [("the old imported one", 1), (generated.as_str(), 2), ("any wrong secret", 2)]
        {
            assert_eq!(replica.token("reader", secret, "").await.same(), refused);
            assert_eq!(replica.audit_events("retired_credential_used").await, alerts, "{secret}");
        }
        assert_eq!(replica.token("reader", "the new imported one", "").await.status, 200);
        // A catalog that lags behind does not revive it.
        env.apply(&catalog("")).await;
        replica.follow().await;
        assert_eq!(replica.token("reader", &generated, "").await.same(), refused);
    }

    async fn a_retired_foreign_hash_is_recognised_after_the_answer(env) {
        let hash = phc("a foreign secret", b"saltsaltsaltsalt");
        let secrets = format!("secrets = [{{ value = \"{hash}\", retired_at = {START} }}]");
        env.apply(&with_clients(&[("reader", &secrets)])).await;
        let replica = one_thread(&env).await;
        let refused = replica.token("nobody", "a foreign secret", "").await.same();
        let before = replica.grantd.hashing().counts();
        assert_eq!(replica.token("reader", "a foreign secret", "").await.same(), refused);
        // The answer cost what every other refusal costs, and not what the foreign hash says.
        let after = replica.grantd.hashing().counts();
        assert_eq!(after[&HashCost::GENERATED], before[&HashCost::GENERATED] + 1);
        assert_eq!(after.get(&FOREIGN), None);
        replica.idle().await;
        assert_eq!(replica.audit_events("retired_credential_used").await, 1);
        replica.token("reader", "any wrong secret", "").await;
        replica.idle().await;
        assert_eq!(replica.audit_events("retired_credential_used").await, 1);
    }

    async fn a_foreign_hash_is_judged_at_its_cost_and_renewed_when_its_secret_was_seen(env) {
        let hash = phc("a foreign secret", b"saltsaltsaltsalt");
        let secrets = format!("secrets = [\"{hash}\", \"an imported secret\"]");
        env.apply(&with_clients(&[("reader", &secrets)])).await;
        let replica = one_thread(&env).await;
        let forms = "SELECT form FROM credentials ORDER BY form";
        replica
            .token("reader", "not the foreign secret", "")
            .await
            .assert_error(401, "invalid_client");
        replica.idle().await;
        assert_eq!(raw_sql::texts(&env.database, forms).await, ["imported", "phc"]);
        assert_eq!(replica.token("reader", "a foreign secret", "").await.status, 200);
        assert_eq!(replica.grantd.hashing().counts()[&FOREIGN], 2);
        until(&env, forms, &["imported", "imported"]).await;
        replica.follow().await;
        let salts = raw_sql::texts(&env.database, "SELECT material FROM credentials").await;
        let salt = |phc: &String| phc.split('$').nth(4).unwrap().to_owned();
        assert_eq!(salt(&salts[0]), salt(&salts[1]));
        // The memory outlives the renewal; a new replica needs one hash for both.
        let before = replica.grantd.hashing().counts();
        assert_eq!(replica.token("reader", "a foreign secret", "").await.status, 200);
        assert_eq!(replica.grantd.hashing().counts(), before);
        let other = env.replica().await;
        for secret in ["a foreign secret", "an imported secret"] {
            assert_eq!(other.token("reader", secret, "").await.status, 200, "{secret}");
        }
        assert_eq!(
            other.grantd.hashing().counts().into_iter().collect::<Vec<_>>(),
            [(HashCost::GENERATED, 2)]
        );
    }

    async fn a_renewal_that_comes_too_late_changes_nothing(env) {
        let hash = phc("a foreign secret", b"saltsaltsaltsalt");
        env.apply(&with_clients(&[("reader", &format!("secrets = [\"{hash}\"]"))])).await;
        let replica = one_thread(&env).await;
        let other = phc("another secret", b"pepperpepperpepp");
        let sql = format!("UPDATE credentials SET material = '{other}'");
        // Loaded before, and still answered from memory.
        replica
            .token("reader", "a wrong foreign secret", "")
            .await
            .assert_error(401, "invalid_client");
        raw_sql::execute(&env.database, &sql).await;
        assert_eq!(replica.token("reader", "a foreign secret", "").await.status, 200);
        until(&env, "SELECT CAST(count(*) AS TEXT) FROM changes WHERE n > 1", &["1"]).await;
        assert_eq!(
            raw_sql::texts(&env.database, "SELECT material FROM credentials").await,
            [other]
        );
    }

    async fn two_foreign_hashes_renewed_at_once_both_still_work(env) {
        let hashes = format!(
            "secrets = [\"{}\", \"{}\"]",
            phc("foreign secret one", b"saltsaltsaltsalt"),
            phc("foreign secret two", b"pepperpepperpepp")
        );
        env.apply(&with_clients(&[("reader", &hashes)])).await;
        let replica = one_thread(&env).await;
        let (one, two) = tokio::join!(
            replica.token("reader", "foreign secret one", ""),
            replica.token("reader", "foreign secret two", "")
        );
        assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
        until(&env, "SELECT form FROM credentials", &["imported", "imported"]).await;
        let other = env.replica().await;
        for secret in ["foreign secret one", "foreign secret two"] {
            assert_eq!(other.token("reader", secret, "").await.status, 200, "{secret}");
        }
    }

    async fn when_a_secret_was_last_used_is_noted(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let used = "SELECT CAST(last_used_at AS TEXT) FROM credentials WHERE client_id = 'reader'";
        replica.token("reader", "wrong", "").await;
        replica.grantd.write_waiting().await;
        assert_eq!(raw_sql::texts(&env.database, used).await, [""]);
        replica.issued("reader", READER, "").await;
        replica.grantd.write_waiting().await;
        assert_eq!(raw_sql::texts(&env.database, used).await, [START.to_string()]);
    }

    async fn an_import_that_looks_generated_must_have_its_checksum(env) {
        let typo = generated_secret("aaaaaaaaaa", "A").replacen("AA", "AB", 1);
        for wrong in [typo.as_str(), "grantd_short", "grantd_"] {
            let catalog = with_clients(&[("reader", &format!("secret = \"{wrong}\""))]);
            let error = env.try_apply(&catalog, false).await.unwrap_err();
            assert!(!error.contains(wrong), "{error}");
        }
    }
}
