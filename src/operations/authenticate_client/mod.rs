//! Client authentication, RFC 6749 section 2.3: from what was presented to a client that proved itself.
//!
//! [`AuthenticatedClient`] is made here and nowhere else, and only of a proof; policy decides on nothing less.

mod certificate;
mod proof;
mod secret;
mod verified_secrets;

pub use proof::AuthenticatedClient;
pub use verified_secrets::VerifiedSecrets;

use super::Grantd;
use super::caller::Caller;
use super::error::OperationError;
use crate::domain::decision::{Decision, presented_name};
use crate::domain::presented::Presented;
use crate::domain::refusal::ClientFault;

impl Grantd {
    /// Authenticates the client of one request and notes in `decision` who it claims to be.
    ///
    /// # Errors
    /// A [`ClientFault`], all of which give the same answer; or an outage.
    pub async fn authenticate_client(
        &self,
        presented: Presented,
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<AuthenticatedClient, OperationError> {
        match presented {
            Presented::Nothing { client_id } => {
                decision.client = client_id.as_deref().map(presented_name);
                match (client_id, &caller.certificate) {
                    (Some(id), Some(certificate)) => {
                        self.authenticate_by_certificate(&id, certificate, decision).await
                    }
                    _ => Err(ClientFault::NoCredentials.into()),
                }
            }
            Presented::UnknownScheme => Err(ClientFault::UnknownScheme.into()),
            Presented::Assertion { client_id } => {
                decision.client = client_id.as_deref().map(presented_name);
                Err(ClientFault::AssertionNotSupported.into())
            }
            Presented::Secret { method, client_id, secret } => {
                decision.client = Some(presented_name(&client_id));
                decision.method = Some(method);
                self.authenticate_by_secret((method, &client_id, secret), caller).await
            }
        }
    }
}
