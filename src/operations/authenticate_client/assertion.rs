//! `private_key_jwt`, RFC 7523 section 2.2: which key must have signed an assertion, and by which rules it is judged.

use std::sync::Arc;

use serde_json::Value;

use super::client_assertion::Assertion;
use super::proof::ProvenClient;
use super::{Authenticator, MAX_LIFETIME};
use crate::crypto::compact::{CompactError, CompactJws};
use crate::domain::accepted_algorithm::AcceptedAlgorithm;
use crate::domain::check::Chain;
use crate::domain::client::AssertionAudience::IssuerOrTokenEndpoint;
use crate::domain::client_assertion::{AssertionFault, AssertionRules, accept, claimed_client};
use crate::domain::credential::CredentialState;
use crate::domain::decision::{ClaimedClient, Decision};
use crate::domain::foreign_token::{ForeignFault, claimed_issuer};
use crate::domain::known_client::KnownClient;
use crate::domain::shown::{unknown, unknown_or_none};
use crate::operations::Grantd;
use crate::operations::error::OperationError;
use crate::operations::signed_once::{Signed, Unverified, around};
use crate::store::error::StoreError;

impl Grantd {
    /// The `alg` values of assertions that prove a client now, of its own and of trusted issuers.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn assertion_algorithms(&self) -> Result<Vec<&'static str>, StoreError> {
        let of_clients = self.settings.profile.assertion_algorithms();
        let of_issuers = self.authenticator.foreign_tokens.algorithms().await?;
        let beside = AcceptedAlgorithm::ALL
            .into_iter()
            .filter(|it| of_issuers.contains(it) && !of_clients.contains(&it.as_str()))
            .map(AcceptedAlgorithm::as_str);
        Ok(of_clients.iter().copied().chain(beside).collect())
    }

    /// Whether trusted issuers vouch for certificates of clients, beside the CAs of the settings.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn issuers_vouch_for_certificates(&self) -> Result<bool, StoreError> {
        let foreign_tokens = &self.authenticator.foreign_tokens;
        foreign_tokens.vouch_for_certificates().await
    }
}

impl Authenticator {
    /// Proves a client by an assertion whose `jti` is still to be spent: one of its own, or a token of a trusted issuer. The
    /// unverified `iss` alone decides which.
    pub(super) async fn prove_by_assertion(
        &self,
        (client_id, assertion, is_svid): (Option<&str>, &str, bool),
        decision: &mut Decision,
    ) -> Result<ProvenClient, OperationError> {
        decision.client = client_id.map(ClaimedClient::new);
        let jws = CompactJws::parse(assertion);
        let jws = jws.map_err(|error| form_fault(assertion, error))?;
        let issuer = self.foreign_tokens.claimed_issuer(&jws).await?;
        if is_svid && issuer.as_ref().is_none_or(|it| it.trust_domain().is_none()) {
            let subject = jws.claims().get("sub").and_then(Value::as_str);
            return Err(ForeignFault::NotOfTrustDomain(unknown_or_none(subject, [])).into());
        }
        if let Some(issuer) = issuer {
            return self
                .prove_by_foreign_token(client_id, (&issuer, jws), decision)
                .await;
        }
        self.prove_by_own_assertion(client_id, jws, decision).await
    }

    async fn prove_by_own_assertion(
        &self,
        client_id: Option<&str>,
        jws: CompactJws,
        decision: &mut Decision,
    ) -> Result<ProvenClient, OperationError> {
        let unverified = Unverified::<Assertion>::of(jws)?;
        let claimed = claimed_client(unverified.unverified().claims())?;
        decision.client = Some(ClaimedClient::new(claimed));
        if let Some(other) = client_id.filter(|client_id| *client_id != claimed) {
            return Err(AssertionFault::ClientId(unknown(other, [claimed])).into());
        }
        decision.passed(Chain::AssertionForm);
        let found = self.find_client(claimed).await?;
        let iss = claimed_issuer(unverified.unverified().claims());
        if let (None, Some(iss)) = (&found, iss.filter(|iss| *iss != claimed)) {
            return Err(self.foreign_tokens.unknown_issuer(iss).await?.into());
        }
        let known = Self::recognise(found.as_ref(), decision)?;
        let signed = self.check_signed(unverified, &known).await?;
        decision.credential = Some(signed.key().clone());
        decision.passed(Chain::AssertionKey);
        let (rules, now) = (self.assertion_rules(&known), self.clocks.now());
        let accepted = signed.accept(|claims| accept(&claims, &rules, now))?;
        decision.assertion = Some(accepted.once().life);
        decision.passed(Chain::AssertionClaims);
        if *accepted.said() {
            tracing::info!(
                client = %known.client.id,
                "an assertion names the token endpoint, not the issuer, as its audience"
            );
        }
        let client = ProvenClient::by_assertion(Arc::clone(&known), accepted)?;
        decision.passed(Chain::Standing);
        Ok(client)
    }

    /// Checks that a live key of this client signed it, with an algorithm that the key is registered for.
    async fn check_signed(
        &self,
        unverified: Unverified<Assertion>,
        known: &KnownClient,
    ) -> Result<Signed<Assertion>, OperationError> {
        unverified.check_algorithm(self.settings.profile)?;
        let (credential, key) = self.choose_key(&unverified, known).await?;
        let now = self.clocks.database_now();
        let verifier = key
            .verifier(unverified.unverified().alg())
            .ok_or_else(|| unverified.wrong_algorithm())?;
        let signed = unverified.verify(verifier, || match credential.state(now) {
            CredentialState::Live => Ok(credential.id.clone()),
            state => Err(AssertionFault::DeadKey(credential.id.clone(), state)),
        });
        Ok(signed?)
    }

    pub(super) fn assertion_rules<'a>(&'a self, known: &'a KnownClient) -> AssertionRules<'a> {
        let as_text = self.settings.profile.wants_audience_as_text();
        let lax = !as_text && known.client.assertion_audience == IssuerOrTokenEndpoint;
        AssertionRules {
            client_id: known.client.id.as_str(),
            issuer: self.settings.issuer.as_str(),
            token_endpoint: lax.then_some(self.token_endpoint.as_str()),
            audience_as_text: as_text,
            max_lifetime: known.client.max_assertion_lifetime.unwrap_or(MAX_LIFETIME),
            leeway: self.settings.assertions.leeway,
        }
    }
}

/// A file that a shell wrote ends in a line break, and a client may send it as it is. It is refused all the same: nothing but
/// the assertion itself is one (RFC 7515 section 7.1).
fn form_fault(assertion: &str, error: CompactError) -> AssertionFault {
    around(assertion).map_or_else(
        || AssertionFault::Form(error.to_string()),
        AssertionFault::Surrounded,
    )
}
