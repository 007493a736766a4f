//! The slow part of `apply`, done before anything is locked: matches each stated secret with the stored hashes, and
//! hashes the new ones.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::thread;

use parking_lot::Mutex;

use super::stored::Stored;
use crate::config::catalog::Catalog;
use crate::crypto::digest;
use crate::crypto::random;
use crate::crypto::secret_hash::{HashCost, PhcHash, SecretHashError};
use crate::domain::credential::{
    Credential, CredentialMaterial, SecretHash, StatedCredential, StatedSecret,
};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::secret_format::{PresentedForm, Secret};
use crate::operations::import_secret::{hash_generated, hash_imported, shared_salt};

/// The catalog's secrets, each matched with those that its client had at that time.
#[derive(Default)]
pub(super) struct Secrets {
    told: BTreeMap<ClientId, OfClient>,
}

/// The matched secrets of one client.
struct OfClient {
    /// The stored secrets that they were matched with.
    beside: Vec<(CredentialId, SecretHash)>,
    /// By the index of the credential in the catalog's list.
    secrets: BTreeMap<usize, Told>,
}

/// A stated secret.
#[derive(Clone)]
pub(super) enum Told {
    /// The secret of this credential, existing or new.
    Is(CredentialId, SecretHash),
    /// It names a credential that has a different secret.
    OtherThan(CredentialId),
}

/// The client's stored secrets have changed since the stated ones were matched with them.
#[derive(Debug)]
pub(super) struct Outdated;

/// The secrets of one client that are still to be matched.
struct Job {
    client: ClientId,
    existing: Vec<Credential>,
    stated: Vec<(usize, Secret)>,
}

impl Secrets {
    /// Matches those that are not matched yet, on all cores.
    ///
    /// # Errors
    /// No memory for a hash.
    pub(super) async fn tell(
        &mut self,
        catalog: &Catalog,
        stored: &Stored,
        cost: HashCost,
    ) -> Result<(), SecretHashError> {
        let jobs = self.jobs(catalog, stored);
        if jobs.is_empty() {
            return Ok(());
        }
        let telling = tokio::task::spawn_blocking(move || tell_all(jobs, cost)).await;
        self.told
            .extend(telling.unwrap_or(Err(SecretHashError::Computation))?);
        Ok(())
    }

    /// What the stated secret at `place` is, for a client that has `existing`.
    pub(super) fn of(
        &self,
        client: &ClientId,
        existing: &[Credential],
        place: usize,
    ) -> Result<Told, Outdated> {
        let told = self.told.get(client);
        let told = told.filter(|told| told.beside == secrets_of(existing));
        let secret = told.and_then(|told| told.secrets.get(&place));
        secret.cloned().ok_or(Outdated)
    }

    fn jobs(&self, catalog: &Catalog, stored: &Stored) -> Vec<Job> {
        let jobs = catalog.clients.iter().map(|stated| {
            let known = stored.client(&stated.client.id);
            let credentials = stated.credentials.iter().enumerate();
            Job {
                client: stated.client.id.clone(),
                existing: known.map_or_else(Vec::new, |it| it.credentials.clone()),
                stated: credentials
                    .filter_map(|(place, it)| Some((place, in_clear(it)?)))
                    .collect(),
            }
        });
        jobs.filter(|job| !job.stated.is_empty() && !self.is_told(job))
            .collect()
    }

    fn is_told(&self, job: &Job) -> bool {
        let told = self.told.get(&job.client);
        told.is_some_and(|told| told.beside == secrets_of(&job.existing))
    }
}

fn in_clear(credential: &StatedCredential) -> Option<Secret> {
    match &credential.material {
        CredentialMaterial::Secret(StatedSecret::Clear(secret)) => Some(secret.clone()),
        _ => None,
    }
}

fn secrets_of(credentials: &[Credential]) -> Vec<(CredentialId, SecretHash)> {
    let secrets = credentials.iter();
    secrets
        .filter_map(|it| Some((it.id.clone(), it.secret()?.clone())))
        .collect()
}

/// One thread per core: a hash of an imported secret takes 15 ms and 19 MiB.
fn tell_all(jobs: Vec<Job>, cost: HashCost) -> Result<Vec<(ClientId, OfClient)>, SecretHashError> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = cores.min(jobs.len());
    let waiting = Mutex::new(jobs.into_iter());
    let next = || waiting.lock().next();
    let work = || -> Result<Vec<_>, SecretHashError> {
        std::iter::from_fn(next)
            .map(|job| told(job, cost))
            .collect()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().unwrap_or(Err(SecretHashError::Computation))?);
        }
        Ok(all)
    })
}

fn told(job: Job, cost: HashCost) -> Result<(ClientId, OfClient), SecretHashError> {
    let salt = shared_salt(&job.existing);
    let tell = |(place, secret): &(usize, Secret)| {
        let is = match digest::present(secret) {
            PresentedForm::Generated(id) => generated(id, secret, &job.existing)?,
            _ => imported(secret, (&salt, cost), &job.existing)?,
        };
        Ok((*place, is))
    };
    let secrets = job
        .stated
        .iter()
        .map(tell)
        .collect::<Result<_, SecretHashError>>()?;
    let beside = secrets_of(&job.existing);
    Ok((job.client, OfClient { beside, secrets }))
}

fn generated(
    id: CredentialId,
    secret: &Secret,
    existing: &[Credential],
) -> Result<Told, SecretHashError> {
    match existing.iter().find(|old| old.id == id) {
        Some(old) if !is_secret_of(old, secret) => Ok(Told::OtherThan(id)),
        _ => Ok(Told::Is(id, hash_generated(secret)?)),
    }
}

fn imported(
    secret: &Secret,
    (salt, cost): (&[u8], HashCost),
    existing: &[Credential],
) -> Result<Told, SecretHashError> {
    let hash = hash_imported(secret, salt, cost)?;
    let is_same = |old: &&Credential| old.secret() == Some(&hash) || is_secret_of(old, secret);
    let same = existing.iter().find(is_same);
    let id = same.map_or_else(random::credential_id, |old| old.id.clone());
    Ok(Told::Is(id, hash))
}

fn is_secret_of(credential: &Credential, secret: &Secret) -> bool {
    let hash = credential
        .secret()
        .and_then(|hash| hash.phc.parse::<PhcHash>().ok());
    hash.is_some_and(|hash| hash.verify(secret))
}
