//! That a refused secret costs the same hashes and the same bytes, whoever was named (RFC 9700 section 2.5, DESIGN 3).

use std::collections::BTreeMap;

use grantd::crypto::secret_hash::HashCost;

use super::*;
use crate::raw_sql;

/// Tells imported secrets from generated ones, and is still quick.
const FULL: HashCost = HashCost {
    memory_kib: 512,
    passes: 2,
    lanes: 1,
};
const LOW: HashCost = HashCost::GENERATED;

type Hashes = BTreeMap<HashCost, u64>;

/// The answer, and the hashes that it took.
async fn judged(replica: &Replica, client: &str, secret: &str) -> (Answer, Hashes) {
    let before = replica.grantd.hashing().counts();
    let answer = replica.token(client, secret, "").await;
    let mut hashes = replica.grantd.hashing().counts();
    for (cost, count) in before {
        *hashes.get_mut(&cost).unwrap() -= count;
    }
    hashes.retain(|_, count| *count > 0);
    (answer, hashes)
}

fn one(cost: HashCost) -> Hashes {
    BTreeMap::from([(cost, 1)])
}

/// Every kind of client that a wrong secret may be sent for.
fn catalog(generated: &str) -> String {
    let expired = format!("expires_at = {START}");
    let several = format!(
        "secrets = [\"first of several ones\", \"second of several\", {{ value = \"third of several\", {expired} }}, \
         \"{generated}\"]"
    );
    let ended = format!("secrets = [{{ value = \"secret that has expired\", {expired} }}]");
    let retired =
        format!("secrets = [{{ value = \"secret that was retired\", retired_at = {START} }}]");
    let early = format!(
        "secrets = [{{ value = \"secret of next year\", active_from = {} }}]",
        START + 1
    );
    let jwk = r#"jwks = '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'"#;
    with_clients(&[
        ("imported", "secret = \"secret that is imported\""),
        (
            "generated",
            &format!("secret = \"{}\"", generated_secret("gggggggggg", "G")),
        ),
        ("several", &several),
        ("expired", &ended),
        ("retired", &retired),
        ("early", &early),
        (
            "disabled",
            "status = \"disabled\"\nsecret = \"secret of the disabled\"",
        ),
        (
            "body",
            "auth = \"client_secret_post\"\nsecret = \"secret for the body\"",
        ),
        ("bare", ""),
        ("keyed", &format!("auth = \"private_key_jwt\"\n{jwk}")),
    ])
}

const CLIENTS: [&str; 13] = [
    "imported",
    "generated",
    "several",
    "expired",
    "retired",
    "early",
    "disabled",
    "body",
    "bare",
    "keyed",
    "nobody",
    "\u{e9}",
    "x\u{0001}",
];

on_both! {
    /// B-C03.
    async fn a_wrong_secret_costs_the_same_for_every_client(env) {
        let env = Env { imported_cost: FULL, ..env };
        env.apply(&catalog(&generated_secret("aaaaaaaaaa", "A"))).await;
        let replica = env.replica().await;
        let stranger = generated_secret("zzzzzzzzzz", "Z");
        let known_elsewhere = generated_secret("gggggggggg", "Z");
        let refused = replica.token("nobody", "wrong secret of nobody", "").await;
        refused.assert_error(401, "invalid_client");
        for client in CLIENTS {
            for (secret, cost) in [
                ("a wrong secret of 1", FULL),
                ("x", FULL),
                (&stranger, LOW),
                (&known_elsewhere, LOW),
            ] {
                // Twice: the second time a client is known, or known to be unknown.
                for _ in 0..2 {
                    let (answer, hashes) = judged(&replica, client, secret).await;
                    assert_eq!(answer.same(), refused.same(), "{client}");
                    assert_eq!(hashes, one(cost), "{client} {secret}");
                }
            }
        }
    }

    /// B-C03.
    async fn a_right_secret_that_does_not_count_costs_and_says_the_same(env) {
        let env = Env { imported_cost: FULL, ..env };
        env.apply(&catalog(&generated_secret("aaaaaaaaaa", "A"))).await;
        let replica = env.replica().await;
        let refused = replica.token("nobody", "wrong secret of nobody", "").await;
        for (client, secret) in [
            ("expired", "secret that has expired"),
            ("retired", "secret that was retired"),
            ("early", "secret of next year"),
            ("disabled", "secret of the disabled"),
            ("body", "secret for the body"),
            ("several", "third of several"),
        ] {
            for _ in 0..2 {
                let (answer, hashes) = judged(&replica, client, secret).await;
                assert_eq!(answer.same(), refused.same(), "{client}");
                assert_eq!(hashes, one(FULL), "{client}");
            }
        }
    }

    /// B-C04.
    async fn one_hash_tells_all_secrets_of_a_client(env) {
        let env = Env { imported_cost: FULL, ..env };
        let generated = generated_secret("aaaaaaaaaa", "A");
        env.apply(&catalog(&generated)).await;
        let replica = env.replica().await;
        for (secret, cost) in [
            ("first of several ones", FULL),
            ("second of several", FULL),
            (generated.as_str(), LOW),
        ] {
            let (answer, hashes) = judged(&replica, "several", secret).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(hashes, one(cost));
        }
    }

    async fn what_cannot_be_a_secret_is_refused_unhashed(env) {
        env.apply(&catalog(&generated_secret("aaaaaaaaaa", "A"))).await;
        let replica = env.replica().await;
        let refused = replica.token("nobody", "wrong secret of nobody", "").await;
        let right = generated_secret("gggggggggg", "G");
        let typo = right.replacen("GG", "GH", 1);
        let long = "x".repeat(1025);
        for secret in [
            typo.as_str(),
            &right[..66],
            &format!("{right}x"),
            "grantd_",
            &right.to_lowercase(),
            &long,
            "é",
        ] {
            for client in ["generated", "imported", "nobody"] {
                let (answer, hashes) = judged(&replica, client, secret).await;
                assert_eq!(answer.same(), refused.same());
                assert_eq!(hashes, Hashes::new(), "{secret}");
            }
        }
        assert_eq!(replica.token("generated", &right, "").await.status, 200);
    }

    /// B-C05.
    async fn secrets_of_any_length_up_to_a_kibibyte_are_judged(env) {
        for length in [1, 15, 16, 72, 73, 1024] {
            let secret = "s".repeat(length);
            env.prune(&with_clients(&[("reader", &format!("secret = \"{secret}\""))])).await;
            let replica = env.replica().await;
            assert_eq!(replica.token("reader", &secret, "").await.status, 200, "{length}");
            // 72 bytes are all that bcrypt looks at.
            let longer = format!("{secret}x");
            replica.token("reader", &longer, "").await.assert_error(401, "invalid_client");
            replica.token("reader", &secret[1..], "").await.assert_error(401, "invalid_client");
        }
    }

    async fn a_verified_secret_is_remembered_and_any_other_is_hashed_again(env) {
        let env = Env { imported_cost: FULL, ..env };
        env.apply(&catalog(&generated_secret("aaaaaaaaaa", "A"))).await;
        let replica = env.replica().await;
        let generated = generated_secret("gggggggggg", "G");
        for (client, secret, cost) in
            [("imported", "secret that is imported", FULL), ("generated", &generated, LOW)]
        {
            let (answer, hashes) = judged(&replica, client, secret).await;
            assert_eq!((answer.status.as_u16(), hashes), (200, one(cost)));
            let (answer, hashes) = judged(&replica, client, secret).await;
            assert_eq!((answer.status.as_u16(), hashes), (200, Hashes::new()));
            let (answer, hashes) = judged(&replica, client, "a wrong secret of 1").await;
            assert_eq!((answer.status.as_u16(), hashes), (401, one(FULL)));
            // What one client proved proves nothing for another.
            let (answer, hashes) = judged(&replica, "several", secret).await;
            assert_eq!((answer.status.as_u16(), hashes), (401, one(cost)));
        }
        let forgetful = env.replica_with(|settings| settings.cache.verified_secrets = 0).await;
        for _ in 0..2 {
            assert_eq!(judged(&forgetful, "generated", &generated).await.1, one(LOW));
        }
    }

    /// B-C08.
    async fn a_stored_hash_of_excessive_cost_is_refused_and_not_computed(env) {
        env.apply(&with_clients(&[
            ("imported", "secret = \"secret that is imported\""),
            ("generated", &format!("secret = \"{}\"", generated_secret("gggggggggg", "G"))),
        ]))
        .await;
        for parameters in [
            "m=4194304,t=1,p=1",
            "m=256,t=4294967295,p=1",
            "m=256,t=1,p=255",
            "m=65537,t=1,p=1",
            "m=1,t=1,p=1",
        ] {
            let phc = format!(
                "$argon2id$v=19${parameters}$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            );
            for form in ["generated", "imported", "phc"] {
                let sql = format!("UPDATE credentials SET material = '{phc}', form = '{form}'");
                assert_eq!(raw_sql::execute(&env.database, &sql).await, 2);
                let replica = env.replica().await;
                for (client, secret) in [
                    ("imported", "secret that is imported"),
                    ("generated", &generated_secret("gggggggggg", "G")),
                ] {
                    let (answer, hashes) = judged(&replica, client, secret).await;
                    answer.assert_error(401, "invalid_client");
                    assert_eq!(hashes, one(LOW), "{parameters} {form}");
                }
            }
        }
    }

    /// After the settings were changed, or when two foreign hashes were renewed at the same moment.
    async fn secrets_of_different_cost_or_salt_all_work(env) {
        let first = "secrets = [\"first of several ones\"]";
        env.apply(&with_clients(&[("several", first)])).await;
        let env = Env { imported_cost: FULL, ..env };
        let both = "secrets = [\"first of several ones\", \"second of several\"]";
        env.apply(&with_clients(&[("several", both)])).await;
        let replica = env.replica().await;
        for secret in ["first of several ones", "second of several"] {
            assert_eq!(replica.token("several", secret, "").await.status, 200, "{secret}");
        }
        replica.token("several", "third of several", "").await.assert_error(401, "invalid_client");
    }
}
