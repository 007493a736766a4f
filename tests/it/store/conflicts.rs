//! Updates check the rows that they touched: who met somebody else's change hears of it.

use grantd::crypto::random;
use grantd::domain::credential::{SecretForm, SecretHash};
use grantd::domain::identifier::{AudienceId, ClientId, CredentialId};
use grantd::domain::signing_key::KeyLife;
use grantd::domain::timestamp::Timestamp;
use grantd::store::change::ChangeTx;
use grantd::store::error::StoreError;

use crate::harness::*;

async fn change(env: &Env) -> ChangeTx {
    env.store.begin_change(random::token_id()).await.unwrap()
}

#[track_caller]
fn assert_conflict(result: &Result<(), StoreError>, named: &str) {
    assert!(
        matches!(result, Err(StoreError::Conflict(key)) if key == named),
        "{result:?}"
    );
}

on_both! {
    async fn what_is_gone_cannot_be_changed(env) {
        env.apply(CATALOG).await;
        let now = env.clock.now();
        let (nobody, reader) = (ClientId::parse("nobody").unwrap(), ClientId::parse("reader").unwrap());
        let nowhere = AudienceId::parse("nowhere").unwrap();
        let nothing = CredentialId::parse("aaaaaaaaaa").unwrap();
        let mut change = change(&env).await;
        assert_conflict(&change.delete_clients(&[nobody], (now, now)).await, "nobody");
        assert_conflict(&change.delete_policies(&[(reader.clone(), nowhere.clone())], Timestamp::EPOCH).await, "nowhere");
        assert_conflict(&change.delete_credentials(&[(reader.clone(), nothing)]).await, "aaaaaaaaaa");
        assert_conflict(&change.delete_audience(&nowhere).await, "nowhere");
        let life = KeyLife::from(now, now);
        assert_conflict(&change.set_key_life("no such key", (&life, &life)).await, "no such key");
        change.delete_clients(std::slice::from_ref(&reader), (now, now)).await.unwrap();
        assert_conflict(&change.delete_clients(std::slice::from_ref(&reader), (now, now)).await, "reader");
    }

    async fn a_credential_is_never_taken_from_another_client(env) {
        env.apply(CATALOG).await;
        let clients = env.store.all_clients().await.unwrap();
        let [api, reader] = clients.as_slice() else { panic!("two clients") };
        let mut change = change(&env).await;
        let taken = &api.credentials[0];
        let result = change.put_credential(&reader.client.id, taken).await;
        assert_conflict(&result, taken.id.as_str());
        let result = change.delete_credentials(&[(reader.client.id.clone(), taken.id.clone())]).await;
        assert_conflict(&result, taken.id.as_str());
    }

    async fn a_hash_is_replaced_only_where_the_old_one_still_stands(env) {
        env.apply(CATALOG).await;
        let clients = env.store.all_clients().await.unwrap();
        let (client, credential) = (&clients[0].client.id, &clients[0].credentials[0]);
        let old = credential.secret().unwrap();
        let new = SecretHash { form: SecretForm::Imported, phc: "$argon2id$new".to_owned() };
        let mut change = change(&env).await;
        assert!(change.replace_hash(client, &credential.id, (old, &new)).await.unwrap());
        assert!(!change.replace_hash(client, &credential.id, (old, &new)).await.unwrap());
    }

    async fn a_change_that_is_not_committed_changes_nothing(env) {
        env.apply(CATALOG).await;
        let before = env.store.feed_position().await.unwrap();
        let reader = ClientId::parse("reader").unwrap();
        let now = env.clock.now();
        let mut change = change(&env).await;
        change.delete_clients(std::slice::from_ref(&reader), (now, now)).await.unwrap();
        drop(change);
        env.apply(CATALOG).await;
        assert_eq!(env.store.feed_position().await.unwrap(), before);
        assert_eq!(env.replica().await.token("reader", READER, "").await.status, 200);
    }
}
