//! What makes a foreign token of a signed JWT.

use serde_json::{Map, Value};

use crate::domain::foreign_token::{ForeignFault, check_type};
use crate::domain::identifier::IssuerId;
use crate::domain::issuer_url::IssuerUrl;
use crate::domain::once::Once;
use crate::domain::profile::Profile;
use crate::domain::trusted_issuer::{IssuerUse, TrustedIssuer};
use crate::operations::signed_once::{Accepted, Kind};

/// A token of a trusted issuer.
#[derive(Debug)]
pub(in crate::operations) struct ForeignToken;

/// The issuer whose key signed one.
#[derive(Clone, Debug)]
pub(in crate::operations) struct SignedBy {
    pub(in crate::operations) id: IssuerId,
    url: IssuerUrl,
}

impl SignedBy {
    pub(super) fn of(issuer: &TrustedIssuer) -> Self {
        Self {
            id: issuer.id.clone(),
            url: issuer.url.clone(),
        }
    }

    /// Within which its `jti` are unique.
    pub(in crate::operations) fn scope(&self) -> [&[u8]; 1] {
        scope_of(&self.url)
    }
}

/// Within which the `jti` of an issuer are unique: a catalog may call the same issuer something else tomorrow.
pub(in crate::operations) fn scope_of(url: &IssuerUrl) -> [&[u8]; 1] {
    [url.as_str().as_bytes()]
}

/// One whose claims are right; its `jti`, where it counts once, is still to be spent.
pub(in crate::operations) type AcceptedForeign = Accepted<ForeignToken>;

impl Kind for ForeignToken {
    const NAME: &'static str = "foreign";
    type Fault = ForeignFault;
    type Key = SignedBy;
    /// Its claims.
    type Said = Map<String, Value>;
    type Once = Option<Once>;

    /// The widest use; see [`check_type`] for each.
    fn check_type(typ: Option<&str>) -> Result<(), ForeignFault> {
        check_type(typ, IssuerUse::Exchange)
    }

    fn algorithms(profile: Profile) -> &'static [&'static str] {
        profile.foreign_algorithms()
    }

    fn form(reason: String) -> ForeignFault {
        ForeignFault::Form(reason)
    }

    fn algorithm(shown: String) -> ForeignFault {
        ForeignFault::Algorithm(shown)
    }

    fn signature() -> ForeignFault {
        ForeignFault::Signature
    }

    fn replayed() -> ForeignFault {
        ForeignFault::Replayed
    }

    fn made_before_loss() -> ForeignFault {
        ForeignFault::MadeBeforeLoss
    }
}
