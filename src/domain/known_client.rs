//! A client with all that deciding about it needs: the one value that is remembered per client.

use super::access_token::AccessToken;
use super::client::{Client, ClientStatus};
use super::credential::Credential;
use super::policy::Policy;
use super::timestamp::Timestamp;

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
    /// Whether a token that was issued to it still counts: it is active, and neither its own mark nor that of the
    /// credential which the token came from has killed what was issued then.
    #[must_use]
    pub fn stands_by(&self, token: &AccessToken) -> bool {
        let issued_at = Timestamp::from_unix(token.iat);
        let credential = self.credentials.iter().find(|it| token.came_from(&it.id));
        self.client.status == ClientStatus::Active
            && issued_at > self.client.tokens_not_before
            && credential.is_none_or(|it| issued_at > it.tokens_not_before)
    }
}
