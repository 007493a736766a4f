//! A client with all that deciding about it needs: the one value that is remembered per client.

use super::access_token::AccessToken;
use super::client::{Client, ClientStatus};
use super::credential::Credential;
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
}

impl KnownClient {
    /// That a token which was issued to it still counts: it is active, and neither its own mark nor that of the
    /// credential which the token came from has killed what was issued then.
    ///
    /// # Errors
    /// What kills the token.
    pub fn check_holds(&self, token: &AccessToken) -> Result<(), TokenFault> {
        let issued_at = Timestamp::from_unix(token.iat);
        let (status, mark) = (self.client.status, self.client.tokens_not_before);
        if status != ClientStatus::Active {
            return Err(TokenFault::Holder(status));
        }
        if issued_at <= mark {
            return Err(TokenFault::HolderMark(mark));
        }
        match self.credentials.iter().find(|it| token.came_from(&it.id)) {
            Some(credential) if issued_at <= credential.tokens_not_before => Err(
                TokenFault::CredentialMark(credential.id.clone(), credential.tokens_not_before),
            ),
            _ => Ok(()),
        }
    }
}
