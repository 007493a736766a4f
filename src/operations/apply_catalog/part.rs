//! A part of the catalog that a command changes: judged, planned and written as the whole is, without loading the rest.

use super::difference::{self, Write};
use super::judged::{judged, keys_made};
use super::options::{ApplyError, ApplyOptions};
use super::plan::{Action, Plan, Subject};
use super::secrets::Secrets;
use super::stored::Stored;
use super::trail::{Deed, Trail};
use super::wanted::wanted;
use super::warnings;
use super::write::write_all;

use crate::config::catalog::{Catalog, CatalogClient, Placed};
use crate::config::fault::{ConfigError, Place};
use crate::crypto::random;
use crate::crypto::secret_hash::{HashCost, SecretHashError};
use crate::domain::audience::Audience;
use crate::domain::client::Client;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::known_client::KnownClient;
use crate::domain::policy::Policy;
use crate::domain::profile::Profile;
use crate::domain::timestamp::Timestamp;
use crate::operations::make_signing_keys::KeyPairs;
use crate::operations::manage_credentials::LATE_ISSUE;
use crate::store::Store;
use crate::store::change::ChangeTx;
use crate::store::clients::Contents;
use crate::store::error::StoreError;

/// The clients and audiences that a command is about, locked until it ends.
pub(in crate::operations) struct Part {
    change: ChangeTx,
    stored: Stored,
    wish: Catalog,
    leaving: Vec<Leaving>,
    keys: KeyPairs,
    secrets: Secrets,
}

/// A client that does not exist yet, with all that is stated of it; its secrets are hashed.
pub(in crate::operations) struct NewClient {
    stated: CatalogClient,
    secrets: Secrets,
}

/// What is removed.
pub(in crate::operations) enum Leaving {
    /// With its credentials and policies.
    Client(ClientId),
    /// With its policies, which these clients have.
    Audience(AudienceId, Vec<ClientId>),
    /// A policy, and what was issued by it.
    Policy(ClientId, AudienceId),
    /// What was issued by a policy that stays.
    TokensOf(ClientId, AudienceId),
    /// Every token of a client that stays.
    AllTokensOf(ClientId),
}

impl Part {
    /// Begins a change that is about `clients` and `audiences`, whether they are there or not.
    ///
    /// # Errors
    /// A database out of reach.
    pub(in crate::operations) async fn begin(
        store: &Store,
        clients: &[ClientId],
        audiences: &[AudienceId],
    ) -> Result<Self, StoreError> {
        let mut change = store.begin_change(random::token_id()).await?;
        change.lock_administration().await?;
        let (mut known, mut found) = (Vec::new(), Vec::new());
        for id in clients {
            known.extend(change.client(id).await?);
        }
        for id in audiences {
            found.extend(change.audience(id).await?);
        }
        let contents = Contents {
            audiences: found,
            issuers: change.issuers().await?,
            clients: known,
            issuer_marks: change.issuer_marks().await?,
        };
        Ok(Self {
            stored: Stored::of(contents, change.now()),
            change,
            wish: Catalog::default(),
            leaving: Vec::new(),
            keys: KeyPairs::default(),
            secrets: Secrets::default(),
        })
    }

    /// The transaction, for what must be read besides.
    pub(in crate::operations) const fn change(&mut self) -> &mut ChangeTx {
        &mut self.change
    }

    /// The client, where it is there and was not deleted.
    pub(in crate::operations) fn client(&self, id: &ClientId) -> Option<&KnownClient> {
        self.stored.client(id)
    }

    /// The audience, where it is there.
    pub(in crate::operations) fn audience(&self, id: &AudienceId) -> Option<&Audience> {
        self.stored.audiences.get(id)
    }

    /// States an audience, with key pairs that were made before for its algorithm.
    pub(in crate::operations) fn wish_audience(&mut self, audience: Audience, keys: KeyPairs) {
        self.keys = keys;
        let stated = Placed::at(Place::Command, audience);
        self.wish.audiences.push(stated);
    }

    /// States a client that does not exist yet.
    pub(in crate::operations) fn wish_new_client(&mut self, client: NewClient) {
        self.secrets = client.secrets;
        self.wish.clients.push(client.stated);
    }

    /// States a client with that status, and `policies` in addition to those that it has.
    pub(in crate::operations) fn wish_client(&mut self, client: Client, policies: Vec<Policy>) {
        let stated = |policy| Placed::at(Place::Command, policy);
        self.wish.clients.push(CatalogClient {
            policies: policies.into_iter().map(stated).collect(),
            ..CatalogClient::bare(client)
        });
    }

    /// Checks that what is stated fits the security profile of the server.
    ///
    /// # Errors
    /// Every contradiction.
    pub(in crate::operations) fn check_profile(&self, profile: Profile) -> Result<(), ConfigError> {
        self.wish.check_profile(profile)
    }

    /// Removes a thing.
    pub(in crate::operations) fn let_go(&mut self, leaving: Leaving) {
        self.leaving.push(leaving);
    }

    /// Brings it about, and says what it did. Where one thing changes, its event is called by the
    /// `verb`; where none or several do, one event more tells of the `verb` on `target`.
    ///
    /// # Errors
    /// What does not fit together, no sealing key where one is needed, or a database out of reach: then nothing is
    /// done.
    pub(in crate::operations) async fn bring_about(
        mut self,
        (verb, target): (Option<&'static str>, &str),
        options: ApplyOptions<'_>,
    ) -> Result<Plan, ApplyError> {
        let Self {
            wish,
            stored,
            secrets,
            ..
        } = &self;
        // A secret in clear text is stated with a new client only, so none was matched with other secrets than those
        // stored now.
        let wanted = wanted(wish, stored, secrets, &options)
            .map_err(|_| StoreError::Conflict(target.to_owned()))?;
        let (mut plan, mut writes) = judged(stored, wanted, false)?;
        plan.steps
            .retain(|step| !matches!(step.action, Action::Kept | Action::Unchanged));
        plan.warnings
            .extend(warnings::of_unknown_servers(wish, stored, false));
        plan.warnings.extend(warnings::of_opaque_tokens(wish));
        plan.warnings.extend(warnings::of_grants(wish));
        let algorithms = wish.audiences.iter().map(|it| it.value.algorithm).collect();
        for leaving in std::mem::take(&mut self.leaving) {
            writes.extend(left(&mut plan, leaving, &self.stored));
        }
        keys_made(
            &mut self.change,
            &algorithms,
            (self.keys, &mut plan),
            options,
        )
        .await?;
        if options.dry_run || (writes.is_empty() && plan.changes() == 0) {
            return Ok(plan);
        }
        let trail = Trail {
            id: random::event_id(),
            deed: verb.map_or(Deed::Untold, |verb| Deed::One(verb, target)),
            signed: options.by.sign(&mut self.change).await?,
            stored: &self.stored,
        };
        self.change.audit(trail.events(&plan, &writes)).await?;
        write_all(&mut self.change, writes).await?;
        self.change.commit().await?;
        Ok(plan)
    }
}

impl NewClient {
    /// Hashes its secrets, before anything is locked.
    ///
    /// # Errors
    /// No memory for a hash.
    pub(in crate::operations) async fn prepared(
        stated: CatalogClient,
        cost: HashCost,
    ) -> Result<Self, SecretHashError> {
        let wish = Catalog {
            clients: vec![stated.clone()],
            ..Catalog::default()
        };
        let nothing = Stored::of(Contents::default(), Timestamp::EPOCH);
        let mut secrets = Secrets::default();
        secrets.tell(&wish, &nothing, cost).await?;
        Ok(Self { stated, secrets })
    }
}

/// Notes in `plan` what goes, and gives the writes that make it go.
fn left(plan: &mut Plan, leaving: Leaving, stored: &Stored) -> Vec<Write> {
    let mut gone = |subject, name| plan.note(Action::Removed, subject, name);
    let mark = stored.now.plus(LATE_ISSUE);
    match leaving {
        Leaving::Client(id) => {
            let Some(known) = stored.client(&id) else {
                return Vec::new();
            };
            for it in &known.credentials {
                gone(Subject::Credential, difference::name_of_credential(&id, it));
            }
            for it in &known.policies {
                gone(
                    Subject::Policy,
                    difference::name_of_policy(&id, &it.audience),
                );
            }
            gone(Subject::Client, id.to_string());
            vec![Write::NoClient(id)]
        }
        Leaving::Audience(id, clients) => {
            for client in &clients {
                gone(Subject::Policy, difference::name_of_policy(client, &id));
            }
            gone(Subject::Audience, id.to_string());
            let policies = clients.into_iter();
            let policies = policies.map(|client| Write::NoPolicy(client, id.clone()));
            policies.chain([Write::NoAudience(id.clone())]).collect()
        }
        Leaving::Policy(client, audience) => {
            gone(
                Subject::Policy,
                difference::name_of_policy(&client, &audience),
            );
            vec![Write::NoPolicy(client, audience)]
        }
        Leaving::TokensOf(client, audience) => vec![Write::PolicyMark(client, audience, mark)],
        Leaving::AllTokensOf(id) => {
            let known = stored.client(&id).into_iter();
            let killed = known.map(|known| Client {
                tokens_not_before: known.client.tokens_not_before.max(mark),
                ..known.client.clone()
            });
            killed.map(Write::Client).collect()
        }
    }
}
