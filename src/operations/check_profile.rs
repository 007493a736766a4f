//! Whether what the database holds fits the server's security profile: asked once, when a replica starts.

use super::Grantd;
use crate::domain::profile::Profile;
use crate::store::error::StoreError;

impl Grantd {
    /// The first thing that contradicts the profile, as a sentence for the operator.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn profile_contradiction(&self) -> Result<Option<String>, StoreError> {
        if self.profile == Profile::Default {
            return Ok(None);
        }
        let audiences = self.store.all_audiences().await?;
        let clients = self.store.all_clients().await?;
        let of_audiences = audiences.iter().map(|it| self.profile.contradiction_of_audience(it));
        let of_clients = clients.iter().map(|it| {
            let client = &it.client;
            let methods = &client.auth_methods;
            self.profile.contradiction_of_client(&client.id, methods, client.assertion_audience)
        });
        Ok(of_audiences.chain(of_clients).flatten().next().map(|it| it.to_string()))
    }
}
