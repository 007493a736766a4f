//! The credentials that a client should have: which of those that its catalog states are there already, and which are
//! new.

use std::collections::BTreeSet;

use super::findings::Findings;
use super::options::ApplyOptions;
use super::secrets::{Outdated, Secrets, Told};
use super::stored::{Stored, leaves};
use crate::config::catalog::Placed;
use crate::crypto::client_key;
use crate::domain::client::Client;
use crate::domain::credential::rules::{self, CredentialFault, Held, Other};
use crate::domain::credential::{
    Credential, CredentialKind, CredentialMaterial, PublicMaterial, SecretForm, SecretHash,
    StatedCredential, StatedSecret,
};
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;
use crate::operations::public_credentials::{derived_id, public_id};

/// What decides the credentials of one client.
pub(super) struct Credentials<'a> {
    pub(super) client: &'a Client,
    pub(super) existing: &'a [Credential],
    pub(super) options: &'a ApplyOptions<'a>,
    pub(super) stored: &'a Stored,
    pub(super) secrets: &'a Secrets,
    pub(super) findings: &'a mut Findings,
}

/// The id and the material of a stated credential, or why it may not be stated.
type Resolved = Result<(CredentialId, CredentialMaterial), CredentialFault>;

impl Credentials<'_> {
    /// The credentials that `stated` stands for, in its order; what is wrong with one is noted.
    pub(super) fn wanted(
        &mut self,
        stated: &[Placed<StatedCredential>],
    ) -> Result<Vec<Credential>, Outdated> {
        let mut wanted = Vec::new();
        let mut ids = BTreeSet::new();
        for (place, credential) in stated.iter().enumerate() {
            let Some(new) = self.resolve(credential, place)? else {
                continue;
            };
            if ids.insert(new.id.clone()) {
                wanted.push((credential, new));
                continue;
            }
            let fault = CredentialFault::Known {
                client: self.client.id.clone(),
                kind: new.kind(),
                other: Other::Beside,
            };
            self.fault(credential, fault);
        }
        self.judge(&wanted);
        Ok(wanted.into_iter().map(|(_, new)| new).collect())
    }

    fn fault(&mut self, stated: &Placed<StatedCredential>, fault: CredentialFault) {
        self.findings.fault(&stated.place, String::new(), fault);
    }

    /// Checks what is stated against the rules, together with what is stored and not stated. The catalog by itself was
    /// checked when it was read.
    fn judge(&mut self, wanted: &[(&Placed<StatedCredential>, Credential)]) {
        let time = (self.options.prune, self.stored.now);
        let is_stated = |old: &&Credential| wanted.iter().any(|(_, new)| new.id == old.id);
        let mut kinds = wanted.iter().map(|(_, new)| new.kind());
        let states_secrets = kinds.any(|kind| kind == CredentialKind::Secret);
        let others: Vec<Held<'_>> = self
            .existing
            .iter()
            .filter(|old| !is_stated(old))
            .map(|old| {
                let held = Held::stored(old, self.stored.now, client_key::facts);
                if leaves(old, states_secrets, time) {
                    held.leaving()
                } else {
                    held
                }
            })
            .collect();
        if others.is_empty() {
            return;
        }
        for (credential, new) in wanted {
            let held = Held::stated(credential, client_key::facts);
            let new = held.retiring(new.retired_at);
            let profile = self.options.profile;
            if let Err(fault) = rules::judge(self.client, profile, &new, &others) {
                self.fault(credential, fault);
            }
        }
    }

    fn warn_of_absence(&mut self, stated: &Placed<StatedCredential>) {
        self.findings.warnings.push(format!(
            "{}: a secret of {} is not compared: it is absent here",
            stated.place, self.client.id
        ));
        self.findings.uncompared.insert(self.client.id.clone());
    }

    /// The credential as it will be: the existing one as the catalog changes it, or a new one. `None` if its secret
    /// is absent here or it is refused.
    fn resolve(
        &mut self,
        stated: &Placed<StatedCredential>,
        place: usize,
    ) -> Result<Option<Credential>, Outdated> {
        let public = |material: PublicMaterial| {
            let id = public_id(&self.client.id, &material);
            Ok((id, material.map_secret(|never| match never {})))
        };
        let resolved = match stated.material.clone() {
            CredentialMaterial::Secret(StatedSecret::Clear(_)) => {
                match self.secrets.of(&self.client.id, self.existing, place)? {
                    Told::Is(id, hash) => Ok((id, CredentialMaterial::Secret(hash))),
                    Told::OtherThan(id) => Err(self.other_secret(id)),
                }
            }
            CredentialMaterial::Secret(StatedSecret::Phc(phc)) => self.resolve_phc(stated, phc),
            CredentialMaterial::Secret(StatedSecret::Absent) => {
                self.warn_of_absence(stated);
                return Ok(None);
            }
            CredentialMaterial::Jwk(jwk) => public(PublicMaterial::Jwk(jwk)),
            CredentialMaterial::Certificate(print) => public(PublicMaterial::Certificate(print)),
            CredentialMaterial::Subject(name) => public(PublicMaterial::Subject(name)),
            CredentialMaterial::KeySource(source) => public(PublicMaterial::KeySource(source)),
            CredentialMaterial::Identity(identity) => public(PublicMaterial::Identity(identity)),
        };
        Ok(match resolved {
            Ok(resolved) => Some(self.merge(stated, resolved)),
            Err(fault) => {
                self.fault(stated, fault);
                None
            }
        })
    }

    fn merge(
        &mut self,
        stated: &Placed<StatedCredential>,
        (id, material): (CredentialId, CredentialMaterial),
    ) -> Credential {
        let new = stated.registered((id, material), self.stored.now);
        let Some(old) = self.existing.iter().find(|old| old.id == new.id) else {
            self.warn_of_subject(stated, &new);
            self.check_owner(stated, &new);
            return new;
        };
        self.warn_of_later_retirement(stated, old);
        Credential {
            retired_at: earlier(new.retired_at, old.retired_at),
            tokens_not_before: old.tokens_not_before,
            created_at: old.created_at,
            last_used_at: old.last_used_at,
            last_used_from: old.last_used_from,
            material: old.material.clone(),
            ..new
        }
    }

    fn warn_of_subject(&mut self, stated: &Placed<StatedCredential>, new: &Credential) {
        if let CredentialMaterial::Subject(name) = &new.material
            && let Some(warning) = name.warning()
        {
            let warning = format!("{}: {warning}", stated.place);
            self.findings.warnings.push(warning);
        }
    }

    /// An id belongs to one client, unless this `apply` removes it from that client.
    fn check_owner(&mut self, stated: &Placed<StatedCredential>, new: &Credential) {
        let owner = self.stored.owners.get(&new.id);
        if let Some(owner) = owner.filter(|_| !self.options.prune) {
            let (id, owner) = (new.id.clone(), owner.clone());
            self.fault(stated, CredentialFault::OtherOwner { id, owner });
        }
    }

    fn warn_of_later_retirement(&mut self, stated: &Placed<StatedCredential>, old: &Credential) {
        if let (Some(before), Some(later)) = (old.retired_at, stated.retired_at)
            && before < later
        {
            self.findings.warnings.push(format!(
                "{}: the credential {} of {} already retires at {before}, as a command or an earlier catalog set it; a later retired_at changes nothing",
                stated.place, old.id, self.client.id
            ));
        }
    }

    fn resolve_phc(&mut self, stated: &Placed<StatedCredential>, phc: String) -> Resolved {
        let same = self
            .existing
            .iter()
            .find(|old| old.secret().is_some_and(|hash| hash.phc == phc));
        if let Some(id) = &stated.id {
            let old = self.existing.iter().find(|old| &old.id == id);
            if old.is_some() && same.is_none_or(|same| &same.id != id) {
                return Err(self.other_secret(id.clone()));
            }
            return Ok((id.clone(), hash_of(SecretForm::Generated, phc)));
        }
        let id = same.map_or_else(|| derived_id(&self.client.id, &phc), |old| old.id.clone());
        if !self.existing.iter().any(|old| old.id == id) {
            self.findings.warnings.push(format!(
                "{}: a secret of {} is imported as a hash: each check costs what that hash demands, until the client first uses it",
                stated.place, self.client.id
            ));
        }
        Ok((id, hash_of(SecretForm::Phc, phc)))
    }

    fn other_secret(&self, id: CredentialId) -> CredentialFault {
        CredentialFault::OtherSecret(id, self.client.id.clone())
    }
}

const fn hash_of(form: SecretForm, phc: String) -> CredentialMaterial {
    CredentialMaterial::Secret(SecretHash { form, phc })
}

/// The earlier of two retirements: an outdated catalog must not revive what a command retired.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
