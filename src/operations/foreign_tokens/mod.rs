//! Tokens of trusted issuers: which issuer, which of its keys, and whether the claims are acceptable now. For whom such a
//! token then speaks is the caller's to find.
//!
//! The path of a token is decided by its unverified `iss` alone, and no key but that issuer's ever verifies it.

mod foreign_token;

pub(super) use foreign_token::{AcceptedForeign, ForeignToken, scope_of};

use std::sync::Arc;

use super::caller::ClientCertificate;
use super::clocks::Clocks;
use super::error::{OperationError, Outage};
use super::key_sources::{KeySources, Origin};
use super::memory::Memory;
use super::signed_once::{Signed, Unverified};
use crate::config::settings::Settings;
use crate::crypto::client_key::ClientKey;
use crate::crypto::compact::CompactJws;
use crate::crypto::key_set::KeySet;
use crate::domain::accepted_algorithm::AcceptedAlgorithm;
use crate::domain::certificate_fault::CertificateFault;
use crate::domain::check::Chain;
use crate::domain::decision::Decision;
use crate::domain::foreign_token::{
    ForeignFault, ForeignRules, accept, check_type, claimed_issuer, claimed_subject,
};
use crate::domain::issuer_url::trust_domain_of;
use crate::domain::policy::SubjectSource;
use crate::domain::refusal::ClientFault;
use crate::domain::shown::{is_neighbour, unknown, unknown_url};
use crate::domain::trusted_issuer::{IssuerUse, JtiUse, TrustedIssuer};
use crate::store::error::StoreError;
use foreign_token::SignedBy;

/// Judges foreign tokens.
#[derive(Debug)]
pub struct ForeignTokens {
    settings: Arc<Settings>,
    clocks: Arc<Clocks>,
    memory: Arc<Memory>,
    key_sources: Arc<KeySources>,
}

/// Why a foreign token is not accepted: what a client did, or what we cannot tell now.
#[derive(Debug)]
pub(super) enum ForeignError {
    /// The token proves nothing.
    Fault(ForeignFault),
    /// grantd cannot answer now.
    Outage(Outage),
}

impl ForeignTokens {
    /// Judges by these settings, and by the issuers in memory.
    #[must_use]
    pub const fn new(
        settings: Arc<Settings>,
        clocks: Arc<Clocks>,
        memory: Arc<Memory>,
        key_sources: Arc<KeySources>,
    ) -> Self {
        Self {
            settings,
            clocks,
            memory,
            key_sources,
        }
    }

    /// The trusted issuer that a token claims to be of: by its `iss`, or by the trust domain of a SPIFFE ID in `sub`, with or
    /// without `iss`. Nothing of it is verified.
    ///
    /// # Errors
    /// A database out of reach.
    pub(super) async fn claimed_issuer(
        &self,
        jws: &CompactJws,
    ) -> Result<Option<Arc<TrustedIssuer>>, StoreError> {
        let iss = claimed_issuer(jws.claims());
        // Nobody trusts us as somebody else, whatever a catalog said that did not know who we are; and a client whose id is
        // a SPIFFE ID has tokens of ours.
        if iss == Some(self.settings.issuer.as_str()) {
            return Ok(None);
        }
        let issuers = self.memory.directory.issuers().await?;
        let of_domain = trust_domain_of(claimed_subject(jws.claims()));
        let by_domain = of_domain.and_then(|it| issuers.of_trust_domain(it));
        let by_url = || issuers.by_url(iss?);
        Ok(by_domain.or_else(by_url).map(Arc::clone))
    }

    /// That nobody is trusted who calls himself so, and who may be meant.
    ///
    /// # Errors
    /// A database out of reach.
    pub(super) async fn unknown_issuer(&self, iss: &str) -> Result<ForeignFault, StoreError> {
        if iss == self.settings.issuer.as_str() {
            return Ok(ForeignFault::Ours);
        }
        let issuers = self.memory.directory.issuers().await?;
        let mut near = issuers.all().iter();
        let near = near.find(|it| is_neighbour(iss, it.url.as_str()));
        let shown = near.map_or_else(|| unknown_url(iss), |it| unknown(iss, [it.url.as_str()]));
        Ok(ForeignFault::UnknownIssuer(
            shown,
            near.map(|it| it.id.clone()),
        ))
    }

    /// By what tokens that prove a client may be signed beside the assertions that clients sign themselves.
    ///
    /// # Errors
    /// A database out of reach.
    pub(super) async fn algorithms(&self) -> Result<Vec<AcceptedAlgorithm>, StoreError> {
        let issuers = self.memory.directory.issuers().await?;
        let of_clients = issuers.all().iter();
        let of_clients = of_clients.filter(|it| it.may_be(IssuerUse::Client));
        let profile = self.settings.profile;
        Ok(of_clients
            .flat_map(|it| profile.algorithms_of(it))
            .collect())
    }

    /// Whether a trust domain vouches for certificates of clients.
    ///
    /// # Errors
    /// A database out of reach.
    pub(super) async fn vouch_for_certificates(&self) -> Result<bool, StoreError> {
        let issuers = self.memory.directory.issuers().await?;
        let vouches =
            |it: &Arc<TrustedIssuer>| it.trust_domain().is_some() && it.may_be(IssuerUse::Client);
        Ok(issuers.all().iter().any(vouches))
    }

    /// Judges a token of `issuer` that is to be `what`: all but whose it is, whether its `jti` was used before, and of one
    /// that is exchanged whom it is for.
    ///
    /// # Errors
    /// The first thing that is wrong with it; or keys that cannot be had.
    pub(super) async fn accept(
        &self,
        (issuer, what): (&TrustedIssuer, IssuerUse),
        jws: CompactJws,
        decision: &mut Decision,
    ) -> Result<AcceptedForeign, ForeignError> {
        if what == IssuerUse::Client {
            decision.issuer = Some(issuer.id.clone());
        } else {
            decision.from = Some(SubjectSource::Issuer(issuer.id.clone()));
        }
        check_use(issuer, what)?;
        check_type(jws.typ(), what)?;
        let signed = self.check_signed(issuer, Unverified::of(jws)?).await?;
        decision.passed(Chain::ForeignToken);
        let rules = match what {
            IssuerUse::Client | IssuerUse::Grant => self.rules(issuer),
            // It is exchanged many times, and may be for the client that has it.
            IssuerUse::Exchange => ForeignRules {
                audience: None,
                jti: JtiUse::Ignore,
                ..self.rules(issuer)
            },
        };
        let now = self.clocks.now();
        let accepted = signed.accept(|claims| {
            let once = accept(&claims, &rules, now)?;
            Ok::<_, ForeignFault>((once, claims))
        })?;
        decision.passed(Chain::ForeignClaims);
        Ok(accepted)
    }

    /// Whether the CAs in the bundle of a trust domain vouch for an X.509-SVID of a client, which says of one workload who it is.
    ///
    /// # Errors
    /// A bundle that cannot be had.
    pub(super) async fn check_svid(
        &self,
        issuer: &TrustedIssuer,
        certificate: &ClientCertificate,
    ) -> Result<Result<(), CertificateFault>, Outage> {
        if !issuer.may_be(IssuerUse::Client) {
            return Ok(Err(CertificateFault::NotForClients(issuer.id.clone())));
        }
        let now = self.clocks.now();
        let check = |set: &KeySet| {
            set.authorities().check(&certificate.chain, now)?;
            certificate.chain.check_one_uri()
        };
        self.key_sources
            .choose(&Origin::Issuer(issuer), check)
            .await
    }

    /// The audience of its tokens that are for us.
    pub(super) fn audience<'a>(&'a self, issuer: &'a TrustedIssuer) -> &'a str {
        let ours = self.settings.issuer.as_str();
        issuer.audience.as_deref().unwrap_or(ours)
    }

    /// What its tokens are judged by.
    pub(super) fn rules<'a>(&'a self, issuer: &'a TrustedIssuer) -> ForeignRules<'a> {
        ForeignRules {
            audience: Some(self.audience(issuer)),
            trust_domain: issuer.trust_domain(),
            max_lifetime: issuer.longest_lifetime(),
            jti: issuer.jti_use(),
            leeway: self.settings.assertions.leeway,
        }
    }

    /// Checks that a key of the issuer signed it, by an algorithm that issuer, key and profile allow.
    async fn check_signed(
        &self,
        issuer: &TrustedIssuer,
        unverified: Unverified<ForeignToken>,
    ) -> Result<Signed<ForeignToken>, ForeignError> {
        unverified.check_algorithm(self.settings.profile)?;
        let alg = AcceptedAlgorithm::of_header(unverified.unverified().alg());
        if !alg.is_some_and(|it| issuer.accepted_algorithms().contains(&it)) {
            return Err(unverified.wrong_algorithm().into());
        }
        let choose = |set: &KeySet| choose(set, unverified.unverified(), issuer);
        let key = self
            .key_sources
            .choose(&Origin::Issuer(issuer), choose)
            .await??;
        let verifier = key
            .verifier(unverified.unverified().alg())
            .ok_or_else(|| unverified.wrong_algorithm())?;
        Ok(unverified.verify(verifier, || Ok(SignedBy::of(issuer)))?)
    }
}

/// That the issuer's tokens may be that.
///
/// # Errors
/// They may not.
pub(super) fn check_use(issuer: &TrustedIssuer, what: IssuerUse) -> Result<(), ForeignFault> {
    if issuer.may_be(what) {
        Ok(())
    } else {
        Err(ForeignFault::NotForThis(issuer.id.clone(), what))
    }
}

/// The key that `kid` names; without a `kid` the only one.
fn choose(
    set: &KeySet,
    jws: &CompactJws,
    issuer: &TrustedIssuer,
) -> Result<Arc<ClientKey>, ForeignFault> {
    let key = match (jws.kid(), set.keys()) {
        (Some(kid), keys) => keys
            .iter()
            .find(|key| key.is_named(kid))
            .ok_or_else(|| ForeignFault::UnknownKey(issuer.id.clone(), unknown(kid, [])))?,
        (None, [only]) => only,
        (None, _) => return Err(ForeignFault::AmbiguousKey(issuer.id.clone())),
    };
    Ok(Arc::clone(key))
}

impl From<ForeignFault> for ForeignError {
    fn from(fault: ForeignFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Outage> for ForeignError {
    fn from(outage: Outage) -> Self {
        Self::Outage(outage)
    }
}

impl From<StoreError> for ForeignError {
    fn from(error: StoreError) -> Self {
        Self::Outage(error.into())
    }
}

/// As a client's proof of itself.
impl From<ForeignError> for OperationError {
    fn from(error: ForeignError) -> Self {
        match error {
            ForeignError::Fault(fault) => ClientFault::from(fault).into(),
            ForeignError::Outage(outage) => outage.into(),
        }
    }
}
