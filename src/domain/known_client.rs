//! A client with all that deciding about it needs: the one value that is remembered per client.

use super::client::Client;
use super::credential::Credential;
use super::policy::Policy;

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
