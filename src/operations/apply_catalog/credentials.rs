//! The credentials of a catalog's client: which of them are there already, and which are new.

use std::collections::BTreeSet;

use super::plan::{Action, Subject, differing};
use super::{Application, ApplyError};
use crate::config::catalog::{CatalogClient, CatalogCredential, CatalogMaterial};
use crate::crypto::client_key::ClientKey;
use crate::crypto::digest;
use crate::crypto::random;
use crate::crypto::secret_hash::PhcHash;
use crate::domain::credential::{
    Credential, CredentialKind, CredentialMaterial, PublicMaterial, SecretForm, SecretHash,
};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::secret_format::{PresentedForm, Secret};
use crate::domain::timestamp::Timestamp;
use crate::operations::import_secret::{hash_generated, hash_imported, shared_salt};
use crate::operations::public_credentials::{derived_id, identified, key, retired_twin};

impl Application<'_> {
    /// Writes the credentials of `stated`; tells whether any changed.
    pub(super) async fn put_credentials(
        &mut self,
        stated: &CatalogClient,
        existing: &[Credential],
    ) -> Result<bool, ApplyError> {
        let salt = shared_salt(existing);
        let mut kept: BTreeSet<CredentialId> = BTreeSet::new();
        let mut subject = None;
        let before = self.plan.changes();
        for credential in &stated.credentials {
            let new = self.resolve(stated, credential, (existing, &salt))?;
            if !kept.insert(new.id.clone()) {
                return Err(misfit(
                    credential,
                    "this credential stands here twice".to_owned(),
                ));
            }
            if let Some(twin) = retired_twin(&new, existing, self.change.now()) {
                let message = format!(
                    "this {} was retired as credential {} and stays so: register a new one in its place",
                    twin.kind(),
                    twin.id
                );
                return Err(misfit(credential, message));
            }
            if new.is_subject_in_force() {
                subject = Some(credential);
            }
            let old = existing.iter().find(|old| old.id == new.id);
            if let (None, CredentialMaterial::Subject(name)) = (old, &new.material)
                && let Some(warning) = name.warning()
            {
                self.plan
                    .warnings
                    .push(format!("{}: {warning}", credential.place));
            }
            self.put_credential(&stated.id, old, &new).await?;
        }
        if !self.options.prune {
            let staying = existing.iter().filter(|it| !kept.contains(&it.id));
            check_subjects(&stated.id, subject, staying.clone())?;
            check_names(stated, staying)?;
        }
        let states_secrets = stated
            .credentials
            .iter()
            .any(|it| it.material.kind() == CredentialKind::Secret);
        for other in existing.iter().filter(|it| !kept.contains(&it.id)) {
            // Secrets that `credential add-secret` made belong to no catalog, unless it lists secrets itself.
            let ours = states_secrets || other.kind() != CredentialKind::Secret;
            self.drop_credential(&stated.id, other, ours).await?;
        }
        Ok(self.plan.changes() > before)
    }

    async fn put_credential(
        &mut self,
        client: &ClientId,
        old: Option<&Credential>,
        new: &Credential,
    ) -> Result<(), ApplyError> {
        let name = format!("{client} {} {}", new.kind(), new.id);
        match old {
            None => self.plan.note(Action::Created, Subject::Credential, name),
            Some(old) => {
                let members = differing!(*old, *new; label, active_from, expires_at, retired_at);
                self.plan.note_compared(Subject::Credential, name, members);
            }
        }
        if old != Some(new) {
            self.change.put_credential(client, new).await?;
        }
        Ok(())
    }

    async fn drop_credential(
        &mut self,
        client: &ClientId,
        credential: &Credential,
        ours: bool,
    ) -> Result<(), ApplyError> {
        let name = format!("{client} {} {}", credential.kind(), credential.id);
        // Its mark keeps the tokens dead that it was compromised for.
        let remove = self.options.prune && ours && !credential.kills_tokens(self.change.now());
        let action = if remove {
            Action::Removed
        } else {
            Action::Kept
        };
        self.plan.note(action, Subject::Credential, name);
        if remove {
            self.change
                .delete_credential(client, &credential.id)
                .await?;
        }
        Ok(())
    }

    /// The credential as it will be: the existing one with what the catalog states, or a new one.
    fn resolve(
        &mut self,
        client: &CatalogClient,
        stated: &CatalogCredential,
        (existing, salt): (&[Credential], &[u8]),
    ) -> Result<Credential, ApplyError> {
        let public = |material| {
            identified(&client.id, material).map_err(|error| misfit(stated, error.to_string()))
        };
        let (id, material) = match &stated.material {
            CatalogMaterial::Secret(secret) => {
                self.resolve_secret(secret, stated, (existing, salt))?
            }
            CatalogMaterial::Phc(phc) => self.resolve_phc(client, stated, (existing, phc))?,
            CatalogMaterial::Jwk(jwk) => public(PublicMaterial::Jwk(jwk.clone()))?,
            CatalogMaterial::Certificate(print) => {
                public(PublicMaterial::Certificate(print.clone()))?
            }
            CatalogMaterial::Subject(name) => public(PublicMaterial::Subject(name.clone()))?,
        };
        let old = existing.iter().find(|old| old.id == id);
        let retired_before = old.and_then(|old| old.retired_at);
        if let (Some(before), Some(later)) = (retired_before, stated.retired_at)
            && before < later
        {
            self.plan.warnings.push(format!(
                "{}: the credential {id} of {} retires at {before} already, as a command or an earlier catalog said: \
                 a later retired_at changes nothing",
                stated.place, client.id
            ));
        }
        Ok(Credential {
            label: stated.label.clone(),
            active_from: stated.active_from,
            expires_at: stated.expires_at,
            retired_at: earlier(stated.retired_at, retired_before),
            tokens_not_before: old.map_or(Timestamp::EPOCH, |old| old.tokens_not_before),
            created_at: old.map_or(self.change.now(), |old| old.created_at),
            last_used_at: old.and_then(|old| old.last_used_at),
            material: old.map_or(material, |old| old.material.clone()),
            id,
        })
    }

    fn resolve_secret(
        &self,
        secret: &Secret,
        stated: &CatalogCredential,
        (existing, salt): (&[Credential], &[u8]),
    ) -> Result<(CredentialId, CredentialMaterial), ApplyError> {
        if let PresentedForm::Generated(id) = digest::present(secret) {
            let old = existing.iter().find(|old| old.id == id);
            if old.is_some_and(|old| !is_secret_of(old, secret)) {
                return Err(misfit(
                    stated,
                    format!("the credential {id} has another secret"),
                ));
            }
            return Ok((id, CredentialMaterial::Secret(hash_generated(secret)?)));
        }
        let new = hash_imported(secret, salt, self.options.imported_cost)?;
        let same = existing
            .iter()
            .find(|old| old.secret().is_some_and(|hash| *hash == new) || is_secret_of(old, secret));
        let id = same.map_or_else(random::credential_id, |old| old.id.clone());
        Ok((id, CredentialMaterial::Secret(new)))
    }

    fn resolve_phc(
        &mut self,
        client: &CatalogClient,
        stated: &CatalogCredential,
        (existing, phc): (&[Credential], &str),
    ) -> Result<(CredentialId, CredentialMaterial), ApplyError> {
        if let Err(error) = phc.parse::<PhcHash>() {
            return Err(misfit(stated, error.to_string()));
        }
        let of_form = |form| {
            CredentialMaterial::Secret(SecretHash {
                form,
                phc: phc.to_owned(),
            })
        };
        let same = existing
            .iter()
            .find(|old| old.secret().is_some_and(|hash| hash.phc == phc));
        if let Some(id) = &stated.id {
            let old = existing.iter().find(|old| &old.id == id);
            if old.is_some() && same.is_none_or(|same| &same.id != id) {
                return Err(misfit(
                    stated,
                    format!("the credential {id} has another secret"),
                ));
            }
            return Ok((id.clone(), of_form(SecretForm::Generated)));
        }
        let id = same.map_or_else(|| derived_id(&client.id, phc), |old| old.id.clone());
        if !existing.iter().any(|old| old.id == id) {
            self.plan.warnings.push(format!(
                "{}: a secret of {} is imported as hash: it costs what that hash says until the \
                 client uses it for the first time",
                stated.place, client.id
            ));
        }
        Ok((id, of_form(SecretForm::Phc)))
    }
}

/// Of two retirements the earlier one holds: a catalog that lags must not revive what a command retired.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn is_secret_of(credential: &Credential, secret: &Secret) -> bool {
    let hash = credential
        .secret()
        .and_then(|hash| hash.phc.parse::<PhcHash>().ok());
    hash.is_some_and(|hash| hash.verify(secret))
}

/// One subject is in force (RFC 8705 section 2.1.2): also beside one that stays although the catalog no longer
/// states it.
fn check_subjects<'a>(
    client: &ClientId,
    stated: Option<&CatalogCredential>,
    mut staying: impl Iterator<Item = &'a Credential>,
) -> Result<(), ApplyError> {
    let Some(stated) = stated else { return Ok(()) };
    match staying.find(|it| it.is_subject_in_force()) {
        None => Ok(()),
        Some(other) => Err(misfit(
            stated,
            format!(
                "another subject of {client} is in force and not in this catalog: remove it with --prune, or retire \
                 it by `grantd credential retire {}`",
                other.id
            ),
        )),
    }
}

/// A `kid` names one key (RFC 7517 section 4.5): also beside a key that stays although the catalog no longer
/// states it, be it retired, so that what `export` writes can be applied.
fn check_names<'a>(
    client: &CatalogClient,
    staying: impl Iterator<Item = &'a Credential>,
) -> Result<(), ApplyError> {
    let name = |jwk: &str| ClientKey::parse(jwk).ok().map(|key| key.name().to_owned());
    let taken: BTreeSet<String> = staying
        .filter_map(key)
        .map(|key| key.name().to_owned())
        .collect();
    for stated in &client.credentials {
        let CatalogMaterial::Jwk(jwk) = &stated.material else {
            continue;
        };
        if let Some(name) = name(jwk).filter(|name| taken.contains(name)) {
            let message = format!(
                "another key of {} has the kid {name:?} and is not in this catalog: give the new key a kid of its \
                 own, or remove the other one with --prune",
                client.id
            );
            return Err(misfit(stated, message));
        }
    }
    Ok(())
}

fn misfit(stated: &CatalogCredential, message: String) -> ApplyError {
    ApplyError::Misfit {
        place: stated.place.clone(),
        message,
    }
}
