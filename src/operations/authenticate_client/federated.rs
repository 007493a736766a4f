//! A client that proves itself by a token of a trusted issuer (RFC 7523 section 2.2, FEDERATION section 2): which client the
//! token is.

use std::sync::Arc;

use super::Authenticator;
use super::proof::{MatchedIdentity, ProvenClient};
use crate::crypto::compact::CompactJws;
use crate::domain::check::Chain;
use crate::domain::client::{AuthMethod, ClientStatus};
use crate::domain::credential::{Credential, CredentialMaterial, CredentialState};
use crate::domain::decision::{ClaimedClient, Decision};
use crate::domain::foreign_token::{ForeignFault, claimed_subject};
use crate::domain::identifier::IssuerId;
use crate::domain::identity::{Compared, Identity};
use crate::domain::known_client::KnownClient;
use crate::domain::shown::plain;
use crate::domain::trusted_issuer::{IssuerUse, TrustedIssuer};
use crate::operations::error::OperationError;
use crate::operations::foreign_tokens::AcceptedForeign;
use crate::store::error::StoreError;

/// Of so many identities that a token does not fit, the nearest, is told in what.
const MOST_TOLD: usize = 3;

/// An identity that a token fits, and whose it is.
type Fitting = (Arc<KnownClient>, MatchedIdentity);

impl Authenticator {
    /// Proves a client by a token of `issuer` whose `jti`, where it counts once, is still to be spent. A `client_id` that is
    /// the token's `sub` names nobody: SPIFFE's libraries send it.
    pub(super) async fn prove_by_foreign_token(
        &self,
        client_id: Option<&str>,
        (issuer, jws): (&TrustedIssuer, CompactJws),
        decision: &mut Decision,
    ) -> Result<ProvenClient, OperationError> {
        decision.method = Some(AuthMethod::Federated);
        decision.passed(Chain::AssertionForm);
        let accepted = self
            .foreign_tokens
            .accept((issuer, IssuerUse::Client), jws, decision)
            .await?;
        let subject = claimed_subject(accepted.said());
        let named = client_id.filter(|it| *it != subject);
        decision.client = named.map(ClaimedClient::new);
        let (known, identity) = if let Some(id) = named {
            let known = Self::recognise(self.find_client(id).await?.as_ref(), decision)?;
            self.identity_of((&[known], issuer), &accepted)?
        } else {
            let known = self.clients_of(&issuer.id, subject).await?;
            let found = self.identity_of((&known, issuer), &accepted)?;
            decision.client = Some(ClaimedClient::new(found.0.client.id.as_str()));
            Self::recognise(Some(&found.0), decision)?;
            found
        };
        identity.check_live()?;
        decision.credential = Some(identity.credential.clone());
        decision.passed(Chain::Identity);
        let client = ProvenClient::by_foreign_token(known, identity, accepted)?;
        decision.passed(Chain::Standing);
        Ok(client)
    }

    /// The clients that have an identity of the issuer for this subject.
    async fn clients_of(
        &self,
        issuer: &IssuerId,
        subject: &str,
    ) -> Result<Vec<Arc<KnownClient>>, StoreError> {
        let ids = self.memory.directory.clients_of_subject(issuer, subject);
        let mut clients = Vec::new();
        for id in ids.await? {
            clients.extend(self.memory.directory.client(&id).await?);
        }
        Ok(clients)
    }

    /// The one client, and its identity, that the token fits; a live one before a dead one, which is told of.
    fn identity_of(
        &self,
        (clients, issuer): (&[Arc<KnownClient>], &TrustedIssuer),
        accepted: &AcceptedForeign,
    ) -> Result<Fitting, ForeignFault> {
        let claims = accepted.said();
        let now = self.clocks.database_now();
        let is_live = |it: &Credential| it.state(now) == CredentialState::Live;
        let exists = |it: &&Arc<KnownClient>| it.client.status != ClientStatus::Deleted;
        let fitting = clients.iter().filter(exists).filter_map(|known| {
            let fitting = identities(known, &issuer.id).filter(|(_, identity)| {
                identity.fits(claims) && identity.refused_by(issuer.preset, claims).is_none()
            });
            let best = fitting.max_by_key(|(credential, _)| is_live(credential));
            best.map(|(credential, _)| (known, credential))
        });
        let (live, dead): (Vec<_>, Vec<_>) = fitting.partition(|(_, it)| is_live(it));
        match (live.as_slice(), dead.first()) {
            ([(known, credential)], _) | ([], Some((known, credential))) => {
                let identity = MatchedIdentity {
                    credential: credential.id.clone(),
                    state: credential.state(now),
                };
                Ok((Arc::clone(known), identity))
            }
            ([], None) => Err(no_identity((clients, issuer), accepted)),
            (several, _) => {
                let ids = several.iter().map(|(known, _)| known.client.id.clone());
                Err(ForeignFault::SeveralClients(ids.collect()))
            }
        }
    }
}

fn identities<'k>(
    known: &'k KnownClient,
    of: &'k IssuerId,
) -> impl Iterator<Item = (&'k Credential, &'k Identity)> {
    known.credentials.iter().filter_map(move |credential| {
        let CredentialMaterial::Identity(identity) = &credential.material else {
            return None;
        };
        (identity.issuer == *of).then_some((credential, &**identity))
    })
}

/// In what the token differs from the identities that come nearest.
fn no_identity(
    (clients, issuer): (&[Arc<KnownClient>], &TrustedIssuer),
    accepted: &AcceptedForeign,
) -> ForeignFault {
    let claims = accepted.said();
    let mut near: Vec<(usize, String)> = Vec::new();
    for known in clients {
        for (_, identity) in identities(known, &issuer.id) {
            let mut wrong = identity.compare(claims);
            wrong.extend(identity.refused_by(issuer.preset, claims));
            wrong.retain(|it| !it.fits);
            let told: Vec<String> = wrong.iter().map(told).collect();
            near.push((
                wrong.len(),
                format!("{}: {}", known.client.id, told.join(", ")),
            ));
        }
    }
    near.sort();
    near.truncate(MOST_TOLD);
    let told: Vec<String> = near.into_iter().map(|(_, told)| told).collect();
    let compared = if told.is_empty() {
        format!("sub {}, of no client", plain(claimed_subject(claims)))
    } else {
        told.join("; ")
    };
    ForeignFault::NoIdentity(issuer.id.clone(), compared)
}

fn told(compared: &Compared) -> String {
    format!(
        "{} {}, not {}",
        compared.what, compared.found, compared.expected
    )
}
