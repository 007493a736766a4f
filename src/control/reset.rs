//! `POST /_test/reset`: everything is as it was at the start, for the next test.

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::Done;
use super::changing::actor;
use super::fault::Fault;
use super::input::Body;
use super::state::Control;
use super::table::Table;
use crate::operations::restore::{MOST_CLIENTS, OfKeys};

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetWanted {
    /// Whether the signing keys go back, too, and those of other issuers are forgotten. Else they stay: verifiers have them
    /// in their caches.
    #[serde(default)]
    keys: bool,
}

pub(super) fn routes(all: Table) -> Table {
    all.post(
        "/_test/reset",
        "puts everything back to what it was at the start",
        reset,
    )
}

async fn reset(control: Control, wanted: Option<Body<ResetWanted>>) -> Result<Done, Fault> {
    let wanted = Body::or_default(wanted);
    let stock = control.stock().await?.ok_or_else(|| {
        let message = format!(
            "grantd kept no copy of the catalog that it started with: it has more than {MOST_CLIENTS} clients"
        );
        Fault::conflict(message)
    })?;
    control.faults().clear();
    control.waiting().release();
    let _alone = control.alone().await?;
    control.mint().issuers.forget();
    control.clock().reset().await?;
    let keys = if wanted.keys {
        control.mint().issuers.forget_keys();
        OfKeys::GoBack
    } else {
        OfKeys::Stay
    };
    let restored = control.grantd().restore(stock, keys, &actor()).await;
    restored.map_err(|error| Fault::unavailable(&error))?;
    control.grantd().turn_keys().await?;
    control.hold_as_at_the_start();
    // Last: whoever was released has been answered, as far as could be.
    control.requests().forget();
    control.waste().forget();
    Ok(Done)
}
