//! A client with all that deciding about it needs: the one value that is remembered per client.

use std::collections::BTreeMap;

use super::access_token::AccessToken;
use super::client::{AuthMethod, Client, ClientStatus};
use super::credential::Credential;
use super::identifier::AudienceId;
use super::policy::Policy;
use super::timestamp::Timestamp;
use super::token_fault::TokenFault;

/// A client with its credentials and policies, read in one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownClient {
    /// The client.
    pub client: Client,
    /// Its credentials, live or not.
    pub credentials: Vec<Credential>,
    /// Its policies, enabled or not.
    pub policies: Vec<Policy>,
    /// Where a policy was denied, whether there is one again or not: what was issued by it up to and including this
    /// second is dead.
    pub policy_marks: BTreeMap<AudienceId, Timestamp>,
}

impl KnownClient {
    /// The methods that it may use: those that it registered, where an assertion is its own, a foreign one, or either, by
    /// the credentials that it has.
    #[must_use]
    pub fn methods(&self) -> Vec<AuthMethod> {
        let has = |method| self.credentials.iter().any(|it| it.kind().serves(method));
        let is_foreign = self.client.may_use(AuthMethod::Federated) && has(AuthMethod::Federated);
        let is_own = !is_foreign || has(AuthMethod::PrivateKeyJwt);
        let registered = self.client.auth_methods.iter().copied();
        registered
            .filter(|it| *it != AuthMethod::PrivateKeyJwt || is_own)
            .chain(is_foreign.then_some(AuthMethod::Federated))
            .collect()
    }

    /// What it got for `audience` up to and including this second is dead.
    #[must_use]
    pub fn tokens_not_before(&self, audience: &AudienceId) -> Timestamp {
        let of_policy = self.policy_marks.get(audience).copied();
        let of_client = self.client.tokens_not_before;
        of_policy.map_or(of_client, |mark| mark.max(of_client))
    }

    /// That a token still counts in which the client is named as its subject, or as one who acted with it: it is active,
    /// and its mark has not killed what was issued then, to whomever.
    ///
    /// # Errors
    /// What kills the token.
    pub fn check_named(&self, token: &AccessToken) -> Result<(), TokenFault> {
        let (id, status) = (&self.client.id, self.client.status);
        let mark = self.client.tokens_not_before;
        if status != ClientStatus::Active {
            Err(TokenFault::Named(id.clone(), Some(status)))
        } else if Timestamp::from_unix(token.iat) <= mark {
            Err(TokenFault::NamedMark(id.clone(), mark))
        } else {
            Ok(())
        }
    }

    /// That a token for `audience` which was issued to it still counts: it is active and has a policy, and neither its
    /// own mark nor that of the policy or of the credential which the token came from has killed what was issued then.
    ///
    /// # Errors
    /// What kills the token.
    pub fn check_holds(
        &self,
        token: &AccessToken,
        audience: &AudienceId,
    ) -> Result<(), TokenFault> {
        let issued_at = Timestamp::from_unix(token.iat);
        let (status, mark) = (self.client.status, self.client.tokens_not_before);
        if status != ClientStatus::Active {
            return Err(TokenFault::Holder(status));
        }
        if issued_at <= mark {
            return Err(TokenFault::HolderMark(mark));
        }
        let mut policies = self.policies.iter();
        if !policies.any(|it| &it.audience == audience && it.enabled) {
            return Err(TokenFault::NoPolicy(audience.clone()));
        }
        match self.policy_marks.get(audience) {
            Some(mark) if issued_at <= *mark => {
                return Err(TokenFault::PolicyMark(audience.clone(), *mark));
            }
            _ => {}
        }
        match self.credentials.iter().find(|it| token.came_from(&it.id)) {
            Some(credential) if issued_at <= credential.tokens_not_before => Err(
                TokenFault::CredentialMark(credential.id.clone(), credential.tokens_not_before),
            ),
            _ => Ok(()),
        }
    }
}
