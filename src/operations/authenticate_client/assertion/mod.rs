//! `private_key_jwt`, RFC 7523 section 2.2. The assertion passes through types in this order: unverified, signed,
//! accepted, fresh; only a fresh one proves a client.

mod accepted;
mod signed;
mod unverified;

pub(super) use accepted::AcceptedAssertion;

use std::sync::Arc;

use super::super::error::OperationError;
use super::Authenticator;
use super::proof::ProvenClient;
use crate::domain::check::Chain;
use crate::domain::client_assertion::AssertionFault;
use crate::domain::credential::CredentialState;
use crate::domain::decision::{ClaimedClient, Decision};
use crate::domain::known_client::KnownClient;
use crate::domain::refusal::ClientFault;
use crate::domain::shown::unknown;
use unverified::UnverifiedAssertion;

impl Authenticator {
    /// Proves a client by an assertion whose `jti` is still to be spent.
    pub(super) async fn prove_by_assertion(
        &self,
        (client_id, assertion): (Option<&str>, &str),
        decision: &mut Decision,
    ) -> Result<ProvenClient, OperationError> {
        decision.client = client_id.map(ClaimedClient::new);
        let unverified = UnverifiedAssertion::parse(assertion)?;
        let claimed = unverified.claimed_client()?;
        decision.client = Some(ClaimedClient::new(claimed));
        if let Some(other) = client_id.filter(|client_id| *client_id != claimed) {
            return Err(AssertionFault::ClientId(unknown(other, [claimed])).into());
        }
        decision.passed(Chain::AssertionForm);
        let known = self
            .find_client(claimed)
            .await?
            .ok_or(ClientFault::UnknownClient)?;
        decision.recognise_client();
        decision.passed(Chain::Client);
        let now = self.clocks.now();
        unverified.check_algorithm(self.settings.profile)?;
        let signed =
            unverified.verify_signature(&known, &self.client_keys, self.clocks.database_now());
        if let Err(AssertionFault::DeadKey(id, CredentialState::Retired)) = &signed {
            self.audit.alert_retired_credential(id, now);
        }
        let signed = signed?;
        decision.passed(Chain::AssertionKey);
        let accepted = signed.accept(&self.assertion_rules(&known), now)?;
        decision.passed(Chain::AssertionClaims);
        if accepted.names_token_endpoint() {
            tracing::info!(
                client = %known.client.id,
                "an assertion names the token endpoint, not the issuer, as its audience"
            );
        }
        let client = ProvenClient::by_assertion(Arc::clone(&known), accepted)?;
        decision.passed(Chain::Standing);
        Ok(client)
    }

    fn assertion_rules<'a>(
        &'a self,
        known: &'a KnownClient,
    ) -> crate::domain::client_assertion::AssertionRules<'a> {
        use crate::domain::client::AssertionAudience::IssuerOrTokenEndpoint;
        let lax = !self.settings.profile.wants_audience_as_text()
            && known.client.assertion_audience == IssuerOrTokenEndpoint;
        crate::domain::client_assertion::AssertionRules {
            client_id: known.client.id.as_str(),
            issuer: self.settings.issuer.as_str(),
            token_endpoint: lax.then_some(self.token_endpoint.as_str()),
            audience_as_text: self.settings.profile.wants_audience_as_text(),
            max_lifetime: known
                .client
                .max_assertion_lifetime
                .unwrap_or(super::MAX_LIFETIME),
            leeway: self.settings.assertions.leeway,
        }
    }
}
