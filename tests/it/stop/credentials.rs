//! Credentials that are retired because nobody uses them any more.

use std::net::IpAddr;

use grantd::domain::identifier::CredentialId;
use grantd::domain::profile::Profile;
use grantd::domain::timestamp::Seconds;
use grantd::operations::manage_credentials::NewCredential;
use grantd::operations::register_credentials::add_secret;
use grantd::operations::retire_credentials::{
    Judged, Kept, Retirement, Selected, retire_credentials,
};

use super::reader;
use crate::harness::*;

const DAY: u32 = 24 * 3600;

impl Env {
    async fn retire_unused(&self, selected: &Selected, span: u32) -> Vec<Judged> {
        let retirement = Retirement {
            when_unused: Some(Seconds::new(span)),
            compromised: false,
            by: &self.actor,
        };
        retire_credentials(&self.store, selected, retirement)
            .await
            .unwrap()
    }

    /// A generated secret of `reader`: its id and text.
    async fn another_secret(&self) -> (CredentialId, String) {
        let new = NewCredential {
            label: None,
            active_from: None,
            expiry: None,
            profile: Profile::Default,
            by: by(),
        };
        let (id, secret) = add_secret(&self.store, &reader(), &new).await.unwrap();
        (id, secret.expose().to_owned())
    }
}

fn fates(judged: &[Judged]) -> Vec<(CredentialId, Option<Kept>)> {
    judged
        .iter()
        .map(|it| (it.credential.clone(), it.kept))
        .collect()
}

on_both! {
    async fn what_is_quiet_goes_and_what_is_used_stays_with_who_uses_it(env) {
        env.apply(CATALOG).await;
        let replicas = [env.replica().await, env.replica().await];
        let (quiet, _) = env.another_secret().await;
        let (busy, secret) = env.another_secret().await;
        env.clock.advance(Seconds::new(2 * DAY));
        let (new, _) = env.another_secret().await;
        replicas[0].follow().await;
        replicas[0].issued("reader", &secret, "").await;
        replicas[0].grantd.write_waiting().await;
        let all = Selected::Named(vec![quiet.clone(), busy.clone(), new.clone()]);
        let judged = env.retire_unused(&all, DAY).await;
        let mut expected = vec![
            (quiet.clone(), None),
            (busy.clone(), Some(Kept::InUse)),
            (new.clone(), Some(Kept::New)),
        ];
        let mut found = fates(&judged);
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, expected);
        let used = judged.iter().find(|it| it.credential == busy).unwrap();
        assert_eq!(used.last_used_at, Some(env.clock.now()));
        assert_eq!(used.last_used_from, Some(IpAddr::from([0, 0, 0, 0])));
        for replica in &replicas {
            replica.follow().await;
            replica.issued("reader", &secret, "").await;
        }
    }

    /// A client that rests is not locked out: what it used last stays.
    async fn of_a_client_that_rests_the_last_credential_stays(env) {
        env.apply(CATALOG).await;
        let replicas = [env.replica().await, env.replica().await];
        let (_, secret) = env.another_secret().await;
        env.clock.advance(Seconds::new(60));
        replicas[0].follow().await;
        replicas[0].issued("reader", &secret, "").await;
        replicas[0].grantd.write_waiting().await;
        env.clock.advance(Seconds::new(2 * DAY));
        let judged = env.retire_unused(&Selected::LiveOf(reader()), DAY).await;
        let kept: Vec<_> = judged.iter().filter_map(|it| it.kept).collect();
        assert_eq!((judged.len(), kept), (2, vec![Kept::Last]));
        for replica in &replicas {
            replica.follow().await;
            replica.issued("reader", &secret, "").await;
            replica.token("reader", READER, "").await.assert_error(401, "invalid_client");
        }
        let again = env.retire_unused(&Selected::LiveOf(reader()), DAY).await;
        assert_eq!(again.len(), 1, "{again:?}");
    }
}
