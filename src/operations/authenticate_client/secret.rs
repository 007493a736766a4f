//! `client_secret_basic` and `client_secret_post`, RFC 6749 section 2.3.1.
//!
//! Order of work: form and checksum, memory of verified secrets, queue, hash. The presented form, never the
//! client, picks queue and cost, and unknown clients cost the same hash; so neither time nor load tells a known
//! client from an unknown one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::caller::Caller;
use super::super::error::OperationError;
use super::Authenticator;
use super::proof::{MatchedSecret, ProvenClient};
use super::verified_secrets::SecretMac;
use crate::crypto::digest;
use crate::crypto::hashing_pool::HashQueue;
use crate::crypto::secret_hash::{HashCost, PhcHash};
use crate::domain::check::Chain;
use crate::domain::client::AuthMethod;
use crate::domain::credential::{Credential, CredentialState, SecretForm};
use crate::domain::decision::Decision;
use crate::domain::identifier::CredentialId;
use crate::domain::known_client::KnownClient;
use crate::domain::refusal::ClientFault;
use crate::domain::secret_format::{Oddity, PresentedForm, Secret};
use crate::domain::timestamp::Timestamp;
use crate::operations::audit::Raised;

/// The salt that is hashed with where there is no hash to compare with.
const NO_SALT: [u8; 16] = *b"no such client..";

impl Authenticator {
    pub(super) async fn prove_by_secret(
        &self,
        (method, client_id, secret): (AuthMethod, &str, Secret),
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<ProvenClient, OperationError> {
        let form = digest::present(&secret);
        match form {
            PresentedForm::Malformed => {
                return Err(ClientFault::SecretMistyped(Oddity::of(&secret)).into());
            }
            PresentedForm::Impossible(oddity) => {
                return Err(ClientFault::SecretImpossible(oddity).into());
            }
            PresentedForm::Generated(_) | PresentedForm::Other => {}
        }
        decision.passed(Chain::SecretForm);
        let known = self.find_client(client_id).await?;
        let credentials = known.as_ref().map_or(&[][..], |known| &known.credentials);
        let mac = self.verified_secrets.mac(&secret);
        let remembered = self.remembered(credentials, &mac);
        let remembered = self.verified_secrets.lookups.note(remembered);
        let matching = if let Some(credential) = remembered {
            vec![credential]
        } else {
            let presented = (client_id, &form, &secret);
            self.matching(presented, credentials, (caller, decision))
                .await?
        };
        let proven = self.judge_matching((method, &secret), known.as_ref(), &matching, decision);
        if remembered.is_none() && matches!(form, PresentedForm::Other) && proven.is_err() {
            self.budgets.failed(client_id, caller.source);
        }
        let (client, credential) = proven?;
        if remembered.is_none() {
            self.verified_secrets.remember(credential, mac);
        }
        if let Some(known) = &known {
            self.rehash_import(known, credential, secret);
        }
        Ok(client)
    }

    /// What the credentials that the secret matched prove.
    fn judge_matching<'a>(
        &self,
        (method, secret): (AuthMethod, &Secret),
        known: Option<&Arc<KnownClient>>,
        matching: &[&'a Credential],
        decision: &mut Decision,
    ) -> Result<(ProvenClient, &'a Credential), ClientFault> {
        let known = Self::recognise(known, decision)?;
        if !known.credentials.iter().any(|it| it.kind().serves(method)) {
            return Err(ClientFault::NoCredential(method));
        }
        let credential = self.live(matching, (method, secret))?;
        decision.credential = Some(credential.id.clone());
        decision.passed(Chain::Secret);
        let proof = MatchedSecret {
            credential: credential.id.clone(),
            method,
        };
        let client = ProvenClient::by_secret(known, proof)?;
        decision.passed(Chain::Standing);
        Ok((client, credential))
    }

    /// The credential for which the secret was verified before.
    fn remembered<'a>(
        &self,
        credentials: &'a [Credential],
        presented: &SecretMac,
    ) -> Option<&'a Credential> {
        credentials
            .iter()
            .filter(|credential| credential.secret().is_some())
            .find(|credential| self.verified_secrets.knows(credential, presented))
    }

    /// The credentials of the client, live or not, that `secret` is the secret of.
    async fn matching<'a>(
        &self,
        (client_id, form, secret): (&str, &PresentedForm, &Secret),
        credentials: &'a [Credential],
        (caller, decision): (&Caller, &mut Decision),
    ) -> Result<Vec<&'a Credential>, OperationError> {
        let _turn = caller.hashing_turn.lock().await;
        if let PresentedForm::Generated(id) = form {
            return self.matching_generated(id, credentials, secret).await;
        }
        let failures = self.budgets.may_fail(client_id, caller.source)?;
        decision.passed(Chain::FailureBudget);
        self.matching_imported((client_id, secret), credentials, failures)
            .await
    }

    /// One hash at low cost, whether or not the credential exists.
    async fn matching_generated<'a>(
        &self,
        id: &CredentialId,
        credentials: &'a [Credential],
        secret: &Secret,
    ) -> Result<Vec<&'a Credential>, OperationError> {
        let named: Vec<_> = with_form(credentials, SecretForm::Generated)
            .filter(|(credential, _)| &credential.id == id)
            .collect();
        self.compare(HashQueue::Generated, HashCost::GENERATED, named, secret)
            .await
    }

    /// One hash at full cost for all imported secrets, which share a salt, whether or not there are any; and one
    /// for each import that is still a foreign hash.
    async fn matching_imported<'a>(
        &self,
        (client_id, secret): (&str, &Secret),
        credentials: &'a [Credential],
        failures: u64,
    ) -> Result<Vec<&'a Credential>, OperationError> {
        let queue = HashQueue::Imported { failures };
        let now = self.clocks.database_now();
        let (retired, foreign): (Vec<_>, Vec<_>) = with_form(credentials, SecretForm::Phc)
            .partition(|(credential, _)| credential.state(now) == CredentialState::Retired);
        let imported: Vec<_> = with_form(credentials, SecretForm::Imported).collect();
        let mut matching = Vec::new();
        if foreign.is_empty() || !imported.is_empty() {
            let cost = self.settings.imported_cost;
            matching = self.compare(queue, cost, imported, secret).await?;
        }
        for (credential, expected) in foreign {
            if self.hashing.verify(queue, secret.clone(), expected).await? {
                matching.push(credential);
            }
        }
        for (credential, expected) in retired {
            self.recognise_retired((client_id, credential), expected, secret.clone());
        }
        Ok(matching)
    }

    /// Hashes once and compares with all `candidates`, which share salt and cost. Only where the cost was changed
    /// in the settings, or two foreign hashes were renewed at the same time, it takes one hash for each pair.
    async fn compare<'a>(
        &self,
        queue: HashQueue,
        cost: HashCost,
        candidates: Vec<(&'a Credential, PhcHash)>,
        secret: &Secret,
    ) -> Result<Vec<&'a Credential>, OperationError> {
        let mut pairs: BTreeSet<(HashCost, &[u8])> = candidates
            .iter()
            .map(|(_, hash)| (hash.cost(), hash.salt()))
            .collect();
        if pairs.is_empty() {
            pairs.insert((cost, &NO_SALT));
        }
        let mut matching = Vec::new();
        for (cost, salt) in pairs {
            let presented = self
                .hashing
                .hash(queue, secret.clone(), salt.to_vec(), cost)
                .await?;
            let same = |hash: &PhcHash| {
                (hash.cost(), hash.salt()) == (cost, salt) && hash.same_output(&presented)
            };
            let those = candidates.iter().filter(|(_, hash)| same(hash));
            matching.extend(those.map(|(credential, _)| *credential));
        }
        Ok(matching)
    }

    /// The live one of those that the secret matched.
    fn live<'a>(
        &self,
        matching: &[&'a Credential],
        presented: (AuthMethod, &Secret),
    ) -> Result<&'a Credential, ClientFault> {
        let now = self.clocks.database_now();
        live(matching, presented, now)
    }

    /// A retired foreign hash is judged after the answer, when nothing else waits: whoever still uses its secret
    /// should be found, but must not cost more than anybody else.
    fn recognise_retired(
        &self,
        (client, credential): (&str, &Credential),
        expected: PhcHash,
        secret: Secret,
    ) {
        let raised = Raised::retired(client, &credential.id);
        let (audit, now) = (Arc::clone(&self.audit), self.clocks.database_now());
        self.hashing.idle(move || {
            if expected.verify(&secret) {
                audit.raise(&raised, now);
            }
        });
    }

    /// Puts our own hash in the place of a foreign one whose secret was just seen.
    fn rehash_import(&self, known: &KnownClient, credential: &Credential, secret: Secret) {
        let Some(old) = credential
            .secret()
            .filter(|hash| hash.form == SecretForm::Phc)
        else {
            return;
        };
        let salt = super::super::import_secret::shared_salt(&known.credentials);
        let job = super::super::import_secret::Rehash {
            client: known.client.id.clone(),
            credential: credential.id.clone(),
            old: old.clone(),
        };
        self.rehash(job, secret, salt);
    }
}

/// The secrets of one form with their hashes; a hash that cannot be read matches nothing.
fn with_form(
    credentials: &[Credential],
    form: SecretForm,
) -> impl Iterator<Item = (&Credential, PhcHash)> {
    credentials.iter().filter_map(move |credential| {
        let hash = credential.secret().filter(|hash| hash.form == form)?;
        Some((credential, hash.phc.parse().ok()?))
    })
}

/// The one that is live at `now`; else why the right secret does not count, or what is known of a wrong one.
fn live<'a>(
    matching: &[&'a Credential],
    (method, secret): (AuthMethod, &Secret),
    now: Timestamp,
) -> Result<&'a Credential, ClientFault> {
    let is_live = |it: &&&Credential| it.state(now) == CredentialState::Live;
    match (matching.iter().find(is_live), matching.first()) {
        (Some(credential), _) => Ok(credential),
        (None, Some(dead)) => Err(ClientFault::dead_credential(
            method,
            &dead.id,
            dead.state(now),
        )),
        (None, None) => Err(ClientFault::SecretWrong(Oddity::of(secret))),
    }
}
