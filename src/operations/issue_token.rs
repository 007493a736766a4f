//! Issues an access token: the client credentials grant, RFC 6749 section 4.4, as JWT of RFC 9068.

use super::Grantd;
use super::authenticate_client::AuthenticatedClient;
use super::caller::Caller;
use super::dpop::FreshProof;
use super::error::{OperationError, Outage};
use crate::crypto::random;
use crate::domain::access_token::AccessToken;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::client::{Client, GrantType};
use crate::domain::confirmation::{Confirmation, Evidence, token_type};
use crate::domain::decision::Decision;
use crate::domain::grant_decision::{Grant, Offer, decide, policies_that_hold};
use crate::domain::policy::Policy;
use crate::domain::presented::{Presented, PresentedProof};
use crate::domain::refusal::RequestFault;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::domain::token_request::TokenRequest;
use crate::store::error::StoreError;

/// How long a request waits for a second to pass: a dead one, or the one before a key begins to sign.
const LONGEST_WAIT: Seconds = Seconds::new(2);

/// An issued token, RFC 6749 section 5.1.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The token.
    pub access_token: String,
    /// `Bearer`, or `DPoP` for a token that is bound to a key (RFC 9449 section 5).
    pub token_type: &'static str,
    /// How long it lives, in seconds.
    pub expires_in: u32,
    /// What it grants, always said.
    pub scope: String,
}

/// What a token request asks for, before its grammar is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The `scope` parameter.
    pub scope: Option<&'a str>,
    /// Each `resource` parameter.
    pub resources: &'a [&'a str],
    /// The `audience` parameter.
    pub audience: Option<&'a str>,
    /// The DPoP proof.
    pub proof: PresentedProof<'a>,
}

impl Grantd {
    /// Issues a token to the client that `presented` proves, for what it `asked`.
    ///
    /// # Errors
    /// A refusal of STANDARDS A, or an outage.
    pub async fn issue_token(
        &self,
        presented: Presented,
        asked: Asked<'_>,
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<IssuedToken, OperationError> {
        self.check_fitness()?;
        let proven = self.prove_client(presented, caller, decision).await?;
        // Before the assertion is spent: a client that is asked for a nonce may send the same assertion again.
        let proof = self.accept_proof(asked.proof, self.clock.now())?;
        let client = self.admit_client(proven).await?;
        let proof = match proof {
            Some(proof) => Some(self.spend_proof(proof).await?),
            None => None,
        };
        self.wait_out_dead_seconds(&client).await?;
        let mut grant = self.decide_grant(&client, asked, caller).await?;
        grant.lifetime = grant.lifetime.min(self.max_lifetime);
        let evidence = Evidence {
            method: client.method(),
            certificate: caller.certificate.as_ref().map(|it| it.chain.thumbprint()),
            key: proof.as_ref().map(FreshProof::thumbprint),
        };
        let constraint = grant.audience.sender_constraint;
        let confirmation = Confirmation::bind(client.client(), constraint, evidence)?;
        self.hold_to_profile(&grant, &confirmation)?;
        self.wait_for_key(&client, grant.audience.algorithm).await?;
        self.sign(client.client(), &grant, &confirmation)
    }

    /// The catalog was judged when this replica started; it may have been changed since by an `apply` that knows of no
    /// profile.
    fn hold_to_profile(
        &self,
        grant: &Grant,
        confirmation: &Confirmation,
    ) -> Result<(), OperationError> {
        if self.profile.binds_every_token() && *confirmation == Confirmation::default() {
            let what = "a DPoP proof or a client certificate, demanded by the profile";
            return Err(RequestFault::MissingConfirmation(what).into());
        }
        let algorithm = grant.audience.algorithm;
        if !self.profile.allows_algorithm(algorithm) {
            return Err(Outage::ForbiddenAlgorithm(algorithm).into());
        }
        Ok(())
    }

    /// Tokens issued up to and including `tokens_not_before` are dead; so wait until it is past.
    async fn wait_out_dead_seconds(
        &self,
        client: &AuthenticatedClient,
    ) -> Result<(), OperationError> {
        let (now, mark) = (self.clock.now(), client.client().tokens_not_before);
        if mark < now {
            return Ok(());
        }
        let alive = mark.plus(Seconds::new(1));
        if alive > now.plus(LONGEST_WAIT) {
            return Err(Outage::TokensNotBefore.into());
        }
        self.wait(client, alive).await
    }

    /// Waits; then what the client was judged by must still hold, or a disabled client would get a token late.
    async fn wait(
        &self,
        client: &AuthenticatedClient,
        until: Timestamp,
    ) -> Result<(), OperationError> {
        self.clock.sleep_until(until).await;
        match self.directory.client(&client.client().id).await? {
            Some(known) if client.is_still(&known) => Ok(()),
            _ => Err(Outage::ChangedMeanwhile.into()),
        }
    }

    async fn decide_grant(
        &self,
        client: &AuthenticatedClient,
        asked: Asked<'_>,
        caller: &Caller,
    ) -> Result<Grant, OperationError> {
        let circumstances = (caller.source, client.method());
        let grant = GrantType::ClientCredentials;
        let policies =
            policies_that_hold(client.client(), client.policies(), grant, circumstances)?;
        let request = TokenRequest::parse(asked.scope, asked.resources, asked.audience)?;
        let offers = self.offers(&policies).await?;
        Ok(decide(&offers, &request)?)
    }

    async fn offers(&self, policies: &[&Policy]) -> Result<Vec<Offer>, StoreError> {
        let mut offers = Vec::with_capacity(policies.len());
        for policy in policies {
            if let Some(audience) = self.directory.audience(&policy.audience).await? {
                offers.push(Offer { policy: (*policy).clone(), audience });
            }
        }
        Ok(offers)
    }

    /// A key that was just made begins to sign in a moment.
    async fn wait_for_key(
        &self,
        client: &AuthenticatedClient,
        algorithm: SigningAlgorithm,
    ) -> Result<(), OperationError> {
        let ring = self.keys.load_full().ok_or(StoreError::NotLoaded)?;
        let now = self.key_time();
        if ring.signer(algorithm, now).is_some() {
            return Ok(());
        }
        match ring.next_activation(algorithm, now.now) {
            Some(activation) if activation <= now.now.plus(LONGEST_WAIT) => {
                self.wait(client, self.by_our_clock(activation)).await
            }
            _ => Err(Outage::NoSigningKey(algorithm).into()),
        }
    }

    fn sign(
        &self,
        client: &Client,
        grant: &Grant,
        confirmation: &Confirmation,
    ) -> Result<IssuedToken, OperationError> {
        let ring = self.keys.load_full().ok_or(StoreError::NotLoaded)?;
        let (algorithm, now) = (grant.audience.algorithm, self.clock.now());
        let signer =
            ring.signer(algorithm, self.key_time()).ok_or(Outage::NoSigningKey(algorithm))?;
        let id = (now, random::token_id());
        let claims = AccessToken::new(self.issuer.as_str(), client, grant, confirmation, id);
        let payload = serde_json::to_vec(&claims).map_err(|_| Outage::Signing)?;
        let access_token =
            signer.sign_compact(grant.audience.jwt_typ, &payload).map_err(|_| Outage::Signing)?;
        tracing::debug!(client = %client.id, audience = %grant.audience.id, jti = %claims.jti, "issued");
        Ok(IssuedToken {
            access_token,
            token_type: token_type(claims.cnf.as_ref()),
            expires_in: grant.lifetime.get(),
            scope: claims.scope,
        })
    }
}
