//! The series of one client, or of all that share a label.

use std::collections::HashMap;

use super::counts::Counts;
use super::labels::{INTROSPECTION, OTHER, REVOCATION, TOKEN};
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::credential::{Credential, CredentialKind};
use crate::domain::decision::Decision;
use crate::domain::explanation::ErrorCode;
use crate::domain::identifier::CredentialId;
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Timestamp;

/// Audiences, and credentials, that one client's series name at most; the rest share a label.
const MOST_NAMES: usize = 1000;

/// What is counted of one client.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientSeries {
    /// Token requests by the audience that they were for; empty where none was found.
    pub(super) tokens: HashMap<Box<str>, Counts<TokenLabels>>,
    pub(super) introspections: Counts<&'static str>,
    pub(super) revocations: Counts<&'static str>,
    pub(super) credentials: Vec<CredentialSeries>,
    pub(super) alerts: Counts<&'static str>,
    pub(super) wasted: u64,
    /// Whether credentials and policies of the client may have changed since they were looked at.
    pub(super) is_outdated: bool,
    /// Whether many clients share it: then it names no credentials.
    is_shared: bool,
}

/// What tells token requests for one audience from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TokenLabels {
    pub(super) grant: Option<GrantType>,
    pub(super) method: Option<AuthMethod>,
    pub(super) outcome: &'static str,
}

/// How often one credential was used.
#[derive(Clone, Debug)]
pub(super) struct CredentialSeries {
    /// None: all past the bound.
    id: Option<CredentialId>,
    pub(super) kind: CredentialKind,
    pub(super) uses: u64,
    /// When its series goes.
    retires_at: Option<Timestamp>,
}

impl ClientSeries {
    /// Of many clients.
    pub(super) fn shared() -> Self {
        Self {
            is_shared: true,
            ..Self::default()
        }
    }

    /// A request that ended with `outcome`.
    pub(super) fn request(&mut self, decision: &Decision, outcome: &'static str) {
        match decision.endpoint {
            TOKEN => self.token_request(decision, outcome),
            INTROSPECTION => self.introspections.add(outcome),
            REVOCATION => self.revocations.add(outcome),
            _ => {}
        }
        let proven = outcome != ErrorCode::InvalidClient.as_str();
        if let (true, Some(id), Some(method)) = (proven, &decision.credential, decision.method) {
            self.use_of(id, kind_of(method));
        }
    }

    fn token_request(&mut self, decision: &Decision, outcome: &'static str) {
        let labels = TokenLabels {
            grant: decision.grant,
            method: decision.method,
            outcome,
        };
        let audience = decision.audience.as_ref().map_or("", |it| it.as_str());
        if let Some(counts) = self.tokens.get_mut(audience) {
            return counts.add(labels);
        }
        let name = if self.tokens.len() < MOST_NAMES {
            audience
        } else {
            OTHER
        };
        self.is_outdated = true;
        self.tokens.entry(name.into()).or_default().add(labels);
    }

    fn use_of(&mut self, credential: &CredentialId, kind: CredentialKind) {
        let known = |it: &&mut CredentialSeries| it.id.as_ref() == Some(credential);
        if let Some(series) = self.credentials.iter_mut().find(known) {
            series.uses += 1;
            return;
        }
        let is_named = !self.is_shared && self.credentials.len() < MOST_NAMES;
        let id = is_named.then(|| credential.clone());
        let rest = |it: &&mut CredentialSeries| id.is_none() && it.id.is_none() && it.kind == kind;
        if let Some(series) = self.credentials.iter_mut().find(rest) {
            series.uses += 1;
            return;
        }
        self.is_outdated = true;
        self.credentials.push(CredentialSeries {
            id,
            kind,
            uses: 1,
            retires_at: None,
        });
    }

    /// Keeps the series of what the client has at `now`.
    pub(super) fn keep_only(&mut self, known: &KnownClient, now: Timestamp) {
        let policies = &known.policies;
        self.keep_audiences(|id| policies.iter().any(|it| it.audience.as_str() == id));
        self.credentials.retain_mut(|series| {
            let Some(id) = &series.id else {
                return true;
            };
            let found = known.credentials.iter().find(|it| it.id == *id);
            series.retires_at = found.and_then(|it| it.retired_at);
            // An assertion may be by a registered key or by one of a set: only the credential tells.
            series.kind = found.map_or(series.kind, Credential::kind);
            found.is_some() && series.is_shown(now)
        });
    }

    /// Keeps the series of audiences of which `has` is true.
    pub(super) fn keep_audiences(&mut self, has: impl Fn(&str) -> bool) {
        self.tokens
            .retain(|id, _| id.is_empty() || **id == *OTHER || has(id));
    }

    /// The series of credentials that are not retired at `now`.
    pub(super) fn credentials(
        &self,
        now: Timestamp,
    ) -> impl Iterator<Item = (&str, &CredentialSeries)> {
        self.credentials
            .iter()
            .filter(move |it| it.is_shown(now))
            .map(|it| (it.id.as_ref().map_or(OTHER, CredentialId::as_str), it))
    }
}

impl CredentialSeries {
    fn is_shown(&self, now: Timestamp) -> bool {
        self.retires_at.is_none_or(|at| at > now)
    }
}

/// The kind of the credential that a method proves by.
const fn kind_of(method: AuthMethod) -> CredentialKind {
    match method {
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => CredentialKind::Secret,
        AuthMethod::PrivateKeyJwt => CredentialKind::Jwk,
        AuthMethod::SelfSignedTlsClientAuth => CredentialKind::Certificate,
        AuthMethod::TlsClientAuth => CredentialKind::Subject,
        AuthMethod::Federated => CredentialKind::Identity,
    }
}
