//! Client ids that do not exist: they cost no statement, whoever sends how many, and nobody else is forgotten.

use grantd::domain::identifier::ClientId;

use super::env::Sql;
use crate::harness::*;

fn stranger(n: u64) -> ClientId {
    ClientId::parse(&format!("stranger {n}")).unwrap()
}

on_both! {
    async fn a_flood_of_unknown_ids_needs_no_database_and_evicts_no_client(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.cache.clients = 2).await;
        let token = replica.issued("reader", READER, "").await;
        assert_eq!(replica.introspect("api", API, &token).await.json()["active"], true);
        // From here on SQL fails.
        Sql::of(&env.database).await.run("ALTER TABLE clients RENAME TO gone").await;
        for n in 0..20_000 {
            assert!(replica.grantd.directory().client(&stranger(n)).await.unwrap().is_none());
        }
        replica.token("stranger", READER, "").await.assert_error(401, "invalid_client");
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
        assert_eq!(replica.introspect("api", API, &token).await.json()["active"], true);
    }

    async fn until_all_ids_are_loaded_the_database_is_asked(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        replica.grantd.directory().ids().forget_all();
        assert!(replica.grantd.directory().client(&stranger(1)).await.unwrap().is_none());
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
        Sql::of(&env.database).await.run("ALTER TABLE clients RENAME TO gone").await;
        assert!(replica.grantd.directory().client(&stranger(1)).await.is_err());
    }

    /// One page of ids is not all of them.
    async fn a_replica_that_starts_beside_many_clients_knows_them_all(env) {
        env.apply(CATALOG).await;
        let insert = |from: u32| format!(
            "INSERT INTO clients (client_id, status, grants, auth_methods, assertion_audience, \
             dpop_bound_access_tokens, certificate_bound_access_tokens, claims, tokens_not_before, created_at) \
             SELECT 'many ' || n, 'active', '[]', '[]', 'issuer', false, false, '{{}}', 0, 0 FROM \
             (WITH RECURSIVE numbers(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM numbers WHERE n < {from} + 10499) \
             SELECT n FROM numbers) AS all_of_them"
        );
        let sql = Sql::of(&env.database).await;
        sql.run(&insert(0)).await;
        sql.run(&insert(10_500)).await;
        let replica = env.replica().await;
        for n in (0..21_000).step_by(1000).chain([20_999]) {
            let id = ClientId::parse(&format!("many {n}")).unwrap();
            assert!(replica.grantd.directory().client(&id).await.unwrap().is_some(), "{n}");
        }
        sql.run("ALTER TABLE clients RENAME TO gone").await;
        let id = ClientId::parse("many 21000").unwrap();
        assert!(replica.grantd.directory().client(&id).await.unwrap().is_none());
    }
}
