//! What becomes of tokens that were exchanged, when something is stopped.

use grantd::domain::client::ClientStatus;
use grantd::domain::timestamp::Seconds;
use grantd::operations::change_client::{
    delete_client, disable_client, enable_client, revoke_tokens_of_client,
};

use super::*;

/// Tokens of one way: web's, and those that `orders` and `stock` got for it.
async fn way(replica: &Replica) -> [String; 3] {
    let of_web = replica.of_web("").await;
    let of_orders = replica.exchanged("orders", &of_web, "").await;
    let of_stock = replica.exchanged("stock", &of_orders, "").await;
    [of_web, of_orders, of_stock]
}

/// Whether each of them is active at the API that it is for.
async fn alive(replica: &Replica, [of_web, of_orders, of_stock]: &[String; 3]) -> [bool; 3] {
    let mut alive = [false; 3];
    for (at, (api, token)) in [
        ("orders", of_web),
        ("stock", of_orders),
        ("ledger", of_stock),
    ]
    .into_iter()
    .enumerate()
    {
        alive[at] = match replica.introspect(api, SECRET, token).await.json()["active"].as_bool() {
            Some(alive) => alive,
            None => panic!("{api} cannot ask"),
        };
    }
    alive
}

on_both! {
    /// EXC-08.
    async fn an_exchanged_token_keeps_its_subject_and_outlives_the_token_that_it_was_given_for(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let tokens = way(&replica).await;
        for token in &tokens {
            assert_eq!(decoded(token).1["sub"], "web");
        }
        assert_eq!(replica.revoke("web", SECRET, &tokens[0]).await.status, 200);
        assert_eq!(alive(&replica, &tokens).await, [false, true, true]);
        // Who got a token may revoke it, and nobody else: its subject neither.
        replica.revoke("web", SECRET, &tokens[1]).await.assert_error(400, "invalid_grant");
        assert_eq!(replica.revoke("orders", SECRET, &tokens[1]).await.status, 200);
        assert_eq!(alive(&replica, &tokens).await, [false, false, true]);
    }

    /// EXC-08.
    async fn disabling_its_subject_or_who_acted_kills_an_exchanged_token(env) {
        let catalog = catalog(FROM_ORDERS);
        let with = catalog.replace("[\"orders\"]", "[\"orders\", \"ledger\"]").replace("[\"stock\"]", "[\"stock\", \"ledger\"]");
        env.apply(&with).await;
        let replica = env.replica().await;
        for (stopped, expected) in [
            ("web", [false, false, false]),
            ("orders", [true, false, false]),
            ("stock", [true, true, false]),
        ] {
            let tokens = way(&replica).await;
            let asked = async |replica: &Replica| {
                let mut alive = [false; 3];
                for (at, token) in tokens.iter().enumerate() {
                    alive[at] = replica.told("ledger", token).await["active"] == true;
                }
                alive
            };
            assert_eq!(asked(&replica).await, [true; 3]);
            disable_client(&env.store, &id(stopped), env.options()).await.unwrap();
            replica.follow().await;
            assert_eq!(asked(&replica).await, expected, "{stopped} is disabled");
            enable_client(&env.store, &id(stopped), env.options()).await.unwrap();
            replica.follow().await;
            assert_eq!(asked(&replica).await, expected, "{stopped} is enabled: nothing is revived");
            env.clock.advance(Seconds::new(3));
        }
    }

    /// EXC-08.
    async fn killing_the_tokens_of_its_subject_kills_an_exchanged_token(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let tokens = way(&replica).await;
        revoke_tokens_of_client(&env.store, &id("web"), env.options()).await.unwrap();
        replica.follow().await;
        assert_eq!(alive(&replica, &tokens).await, [false; 3]);
        env.clock.advance(Seconds::new(3));
        let tokens = way(&replica).await;
        assert_eq!(alive(&replica, &tokens).await, [true; 3]);
        delete_client(&env.store, &id("web"), env.options()).await.unwrap();
        replica.follow().await;
        assert_eq!(alive(&replica, &tokens).await, [false; 3]);
        env.apply(&catalog(FROM_ORDERS)).await;
        replica.follow().await;
        let known = env.store.load_client(&id("web")).await.unwrap().value.unwrap();
        assert_eq!(known.client.status, ClientStatus::Active);
        assert_eq!(alive(&replica, &tokens).await, [false; 3], "made anew, it revives nothing");
    }

    /// Its token would be born dead otherwise: the mark of the subject counts as that of the client.
    async fn an_exchange_waits_until_its_token_will_live(env) {
        let holder = Keyholder::new(&env).await;
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        revoke_tokens_of_client(&env.store, &id("web"), env.options()).await.unwrap();
        replica.follow().await;
        // By a replica whose clock is ahead, after the mark.
        let later = holder.with(&of_web, "iat", START + 2);
        let token = replica.exchanged("orders", &later, "").await;
        assert_eq!(decoded(&token).1["iat"], START + 2);
        assert_eq!(replica.told("stock", &token).await["active"], true);
    }
}
