//! What holds of a token whatever its form: what introspection tells, revocation, marks, binding, budgets.

use grantd::domain::timestamp::Seconds;
use serde_json::{Value, json};

use super::*;
use crate::catalogs::{audience, by_secret, reads};
use crate::dpop::Prover;
use crate::raw_sql::everything;

/// The longest token of usual claims.
const MOST: usize = 1024;

on_both! {
    /// OPQ-01: not a byte of the claims can be read, base64-decoded or not; a usual token is short, and one of equal
    /// claims is as long.
    async fn a_token_says_nothing_by_itself(env) {
        let claims = "tenant = \"acme-of-tests\"\nenvironment = \"production\"\nclaims = { region = \"eu-central\" }";
        let secret = format!("secret = \"{READER}\"");
        env.apply(&catalog().replace(&secret, &format!("{secret}\n{claims}"))).await;
        let replica = env.replica().await;
        let answer = replica.token("reader", READER, "&scope=read+write").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = answer.json();
        assert_eq!((&told["token_type"], &told["expires_in"]), (&json!("Bearer"), &json!(300)));
        assert_eq!(told["scope"], "read write");
        let token = told["access_token"].as_str().unwrap();
        let other = replica.issued("reader", READER, "&scope=read+write").await;
        assert_eq!(token.len(), other.len());
        assert!(token.len() <= MOST, "{} characters", token.len());
        let claims = env.claims(token);
        let bytes = sealed(token);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for (name, value) in claims.as_object().unwrap() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            for told in [name, &value] {
                let is_short = told.len() < 5;
                assert!(is_short || !(token.contains(told) || text.contains(told)), "{told}");
            }
        }
        let shared = sealed(&other).windows(5).skip(9).any(|run| bytes[9..].windows(5).any(|it| it == run));
        assert!(!shared, "two tokens have nothing in common behind the id of their key");
    }

    /// 7662-04: who serves the audience is told what a JWT would have said.
    async fn introspection_tells_its_claims(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let mut expected = env.claims(&token);
        expected["active"] = true.into();
        expected["token_type"] = "Bearer".into();
        assert_eq!(replica.seen(&token).await, expected);
        let as_jwt = env.apply(CATALOG).await;
        assert_eq!(as_jwt.changes(), 1);
        replica.follow().await;
        let (_, of_jwt) = decoded(&replica.issued("reader", READER, "").await);
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&env.claims(&token)), names(&of_jwt));
        assert!(replica.is_active(&token).await, "what was issued before goes on");
    }

    /// OPQ-04: warm requests run no statement; nothing of a token is stored, before a revocation not even its name.
    async fn neither_issuing_nor_introspecting_writes_or_reads_a_row(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let warm = replica.issued("reader", READER, "").await;
        assert!(replica.is_active(&warm).await);
        for table in ["clients", "credentials", "audiences", "policies", "signing_keys", "revoked_tokens"] {
            env.database.hide_table(table).await;
        }
        let token = replica.issued("reader", READER, "").await;
        assert!(replica.is_active(&token).await);
        let tampered = token[..token.len() - 8].to_owned() + "AAAAAAAA";
        assert!(!replica.is_active(&tampered).await);
        for table in ["clients", "credentials", "audiences", "policies", "signing_keys", "revoked_tokens"] {
            env.database.show_table(table).await;
        }
        replica.grantd.write_waiting().await;
        let jti = env.claims(&token)["jti"].as_str().unwrap().to_owned();
        for value in everything(&env.database).await {
            assert!(!value.contains(&token[10..40]) && !value.contains(&jti), "{value}");
        }
    }

    async fn it_ends_by_its_exp_by_revocation_and_by_a_mark(env) {
        env.apply(&catalog()).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let revoked = here.issued("reader", READER, "").await;
        let kept = here.issued("reader", READER, "").await;
        assert!(there.is_active(&revoked).await);
        assert_eq!(here.revoke("reader", READER, &revoked).await.status, 200);
        there.follow().await;
        assert!(!here.is_active(&revoked).await && !there.is_active(&revoked).await);
        assert!(there.is_active(&kept).await);

        env.clock.advance(Seconds::new(299));
        there.follow().await;
        assert!(there.is_active(&kept).await);
        env.clock.advance(Seconds::new(1));
        assert!(!there.is_active(&kept).await);

        here.follow().await;
        let of_disabled = here.issued("reader", READER, "").await;
        assert!(here.is_active(&of_disabled).await);
        let disabled = catalog().replace("id = \"reader\"", "id = \"reader\"\nstatus = \"disabled\"");
        env.apply(&disabled).await;
        here.follow().await;
        assert!(!here.is_active(&of_disabled).await);
    }

    /// RFC 7009 section 2.1: only who got it revokes it; what is none is revoked already.
    async fn only_its_holder_revokes_it(env) {
        let other = by_secret("other", "other secret of 1", &reads("pricing"));
        env.apply(&(catalog() + &other)).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let refused = replica.revoke("other", "other secret of 1", &token).await;
        refused.assert_error(400, "invalid_grant");
        assert!(replica.is_active(&token).await);
        for garbage in ["grantd_at_", "grantd_at_garbage", &token[..token.len() - 4]] {
            assert_eq!(replica.revoke("reader", READER, garbage).await.status, 200);
        }
        assert!(replica.is_active(&token).await);
    }

    /// RFC 9449 section 6.2: the binding is told at introspection, and demanded where the audience says so.
    async fn it_is_bound_as_a_jwt_is(env) {
        env.apply(&with("sender_constraint = \"dpop\"")).await;
        let replica = env.replica().await;
        replica.token("reader", READER, "").await.assert_error(400, "invalid_request");
        let prover = Prover::new();
        let answer = replica.prove(&[&prover.right()], "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        assert_eq!(answer["token_type"], "DPoP");
        let seen = replica.seen(answer["access_token"].as_str().unwrap()).await;
        assert_eq!((&seen["active"], &seen["token_type"]), (&json!(true), &json!("DPoP")));
        assert_eq!(seen["cnf"]["jkt"].as_str().unwrap().len(), 43);
    }

    async fn its_client_may_be_given_so_many_a_minute(env) {
        let few = catalog().replace("id = \"reader\"", "id = \"reader\"\nmax_tokens_per_minute = 2");
        env.apply(&few).await;
        let replica = env.replica().await;
        for _ in 0..2 {
            replica.issued("reader", READER, "").await;
        }
        replica.token("reader", READER, "").await.assert_error(429, "temporarily_unavailable");
    }

    /// The server's key for signatures is not needed to make one.
    async fn an_audience_is_served_whose_algorithm_has_no_key(env) {
        env.apply(&catalog()).await;
        env.database.execute("DELETE FROM signing_keys").await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        assert!(replica.is_active(&token).await);
    }

    async fn an_operator_is_warned_of_what_has_no_effect(env) {
        let plan = env.apply(&with("jwt_typ = \"JWT\"")).await;
        assert_eq!(plan.warnings.len(), 1, "{plan:?}");
        assert!(plan.warnings[0].contains("jwt_typ of audience pricing has no effect"), "{plan:?}");
        let unserved = audience("alone", "read", "format = \"opaque\"");
        let user = by_secret("user", "user secret of 1", &reads("alone"));
        let plan = env.apply(&(catalog() + &unserved + &user)).await;
        assert_eq!(plan.warnings.len(), 1, "{plan:?}");
        assert!(plan.warnings[0].contains("no API can check them"), "{plan:?}");
    }
}
