//! The client credentials grant, RFC 6749 section 4.4: the client acts for itself, within its own policies.

use super::circumstances::Circumstances;
use super::entitlement::Entitlement;
use crate::domain::grant_decision::policies_that_hold;
use crate::domain::policy::Purpose;
use crate::domain::refusal::GrantFault;
use crate::operations::authenticate_client::StandingClient;
use crate::operations::basis::Basis;

/// What the client may get for itself.
///
/// # Errors
/// It did not register the grant, or none of its policies holds for this request.
pub(super) fn entitle<'l, B: Basis>(
    client: StandingClient<'l, B>,
    circumstances: &Circumstances<'_, B>,
) -> Result<Entitlement<'l, B>, GrantFault> {
    let circumstance = circumstances.of(&client, Purpose::Itself);
    let policies = policies_that_hold(client.client(), client.policies(), &circumstance)?;
    Ok(Entitlement {
        subject: client.client().id.as_str(),
        actor: client,
        policies,
        until: None,
        purpose: Purpose::Itself,
        delegated: None,
    })
}
