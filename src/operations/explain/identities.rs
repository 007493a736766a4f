//! A token of a trusted issuer beside every identity that the issuer says: which it fits, and in what it differs from those
//! that come nearest. A request compares it with those alone whose subject fits; this reads them all, and so is for who
//! explains.

use std::cmp::Reverse;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::crypto::compact::CompactJws;
use crate::domain::credential::{Credential, CredentialState};
use crate::domain::foreign_token::claimed_subject;
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::identity::{Compared, Identity};
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::operations::Grantd;
use crate::store::error::StoreError;

/// So many of those that do not fit are told.
const MOST_NEAR: usize = 10;
/// So many are read at once.
const PAGE: i64 = 1000;

/// An identity beside a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComparedIdentity {
    /// Whose it is.
    pub client: ClientId,
    /// The credential that it is.
    pub credential: CredentialId,
    /// Where that stands in its life: only a live one proves anything.
    pub state: CredentialState,
    /// Whether the token is this workload.
    pub fits: bool,
    /// What the token says otherwise; nothing where it fits.
    pub differs: Vec<Differing>,
    #[serde(skip)]
    rank: Rank,
}

/// A claim in which a token differs from an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// `sub`, or the path of a claim, with dots.
    pub claim: String,
    /// What the identity demands.
    pub expected: String,
    /// What the token says.
    pub found: String,
}

/// All identities of the token's issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComparedIdentities {
    /// How many there are.
    pub number: usize,
    /// Those that it fits, and then the nearest ten of the others, the nearest first.
    pub told: Vec<ComparedIdentity>,
}

/// How near a token comes: first by how much differs, then by whether its subject does, and by how much of that is alike.
type Rank = (usize, bool, Reverse<usize>);

impl ComparedIdentities {
    /// How many of them are not told.
    #[must_use]
    pub const fn untold(&self) -> usize {
        self.number.saturating_sub(self.told.len())
    }

    fn take(
        &mut self,
        (client, credential): &(ClientId, Credential),
        (issuer, claims, now): (&TrustedIssuer, &Map<String, Value>, Timestamp),
    ) {
        let Some(identity) = credential.material.identity() else {
            return;
        };
        self.number = self.number.saturating_add(1);
        let mut compared = identity.compare(claims);
        compared.extend(identity.refused_by(issuer.preset, claims));
        let differing = compared.into_iter().filter(|it| !it.fits);
        let differs: Vec<Differing> = differing.map(Differing::of).collect();
        self.told.push(ComparedIdentity {
            client: client.clone(),
            credential: credential.id.clone(),
            state: credential.state(now),
            fits: differs.is_empty(),
            rank: rank(identity, &differs, claims),
            differs,
        });
    }

    /// Those that fit stay, and the nearest of the others.
    fn cut(&mut self) {
        self.told.sort_by(|a, b| {
            let order = |it: &ComparedIdentity| (it.rank, it.client.clone(), it.credential.clone());
            order(a).cmp(&order(b))
        });
        let fitting = self.told.iter().filter(|it| it.fits).count();
        self.told.truncate(fitting.saturating_add(MOST_NEAR));
    }
}

impl Differing {
    fn of(compared: Compared) -> Self {
        Self {
            claim: compared.what,
            expected: compared.expected,
            found: compared.found,
        }
    }
}

fn rank(identity: &Identity, differs: &[Differing], claims: &Map<String, Value>) -> Rank {
    let subject = claimed_subject(claims);
    let pattern = identity.subject.as_str().chars();
    let alike = pattern.zip(subject.chars()).take_while(|(a, b)| a == b);
    let is_another = differs.iter().any(|it| it.claim == "sub");
    (differs.len(), is_another, Reverse(alike.count()))
}

/// Compares a token, verified or not, with every identity of the issuer that it claims to be of; none where that is nobody
/// who is trusted.
///
/// # Errors
/// A database out of reach, or a corrupt row.
pub(super) async fn compare(
    grantd: &Grantd,
    token: &str,
    now: Timestamp,
) -> Result<Option<ComparedIdentities>, StoreError> {
    let Ok(jws) = CompactJws::parse(token) else {
        return Ok(None);
    };
    let foreign = &grantd.authenticator.foreign_tokens;
    let Some(issuer) = foreign.claimed_issuer(&jws).await? else {
        return Ok(None);
    };
    let mut all = ComparedIdentities::default();
    let mut last = None;
    loop {
        let page = grantd
            .store()
            .identities_after(&issuer.id, last.as_ref(), PAGE);
        let page = page.await?;
        for one in &page {
            all.take(one, (&issuer, jws.claims(), now));
        }
        all.cut();
        if i64::try_from(page.len()) != Ok(PAGE) {
            return Ok(Some(all));
        }
        last = page.into_iter().next_back();
    }
}
