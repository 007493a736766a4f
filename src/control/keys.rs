//! `POST /_test/keys/rotate` and `POST /_test/keys/KID/retire`: the signing keys, by the rules of `grantd key`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::Json;
use super::changing::actor;
use super::fault::Fault;
use super::input::{Body, Name};
use super::state::Control;
use super::table::Table;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::lineup::TakeOver;
use crate::operations::actor::Actor;
use crate::operations::rotate_keys::{KeyRotation, RotationError, Turn};

/// Which keys rotate, and when.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RotationWanted {
    /// `ES256`, `EdDSA`, `RS256` or `PS256`; absent: all that sign.
    #[schema(value_type = Option<String>, example = "ES256")]
    algorithm: Option<SigningAlgorithm>,
    /// `true`: the next token is signed by the next key. Else that waits until every verifier knows the key: let time pass.
    #[serde(default)]
    now: bool,
}

/// How a key ends.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetirementWanted {
    /// `true`: it leaked. It ends at once, and its tokens introspect as inactive.
    #[serde(default)]
    compromised: bool,
}

/// The keys after a change.
#[derive(Serialize, ToSchema)]
struct Turns {
    /// For each algorithm the keys `current`, `ended` and `next`, as `grantd key rotate --output json` prints them.
    #[schema(value_type = Vec<Object>)]
    turns: Vec<Value>,
}

pub(super) fn routes(all: Table) -> Table {
    all.post(
        "/_test/keys/rotate",
        "lets the next signing key take over",
        rotate,
    )
    .post(
        "/_test/keys/{kid}/retire",
        "ends a signing key; the next one takes over",
        retire,
    )
}

async fn rotate(
    control: Control,
    wanted: Option<Body<RotationWanted>>,
) -> Result<Json<Turns>, Fault> {
    let wanted = Body::or_default(wanted);
    let when = if wanted.now {
        TakeOver::AtOnce
    } else {
        TakeOver::WhenKnown
    };
    let _alone = control.alone().await?;
    let by = actor();
    let turned = rotation(&control, &by)
        .rotate(wanted.algorithm, when)
        .await?;
    shown(&control, &turned).await
}

async fn retire(
    control: Control,
    Name(kid): Name,
    wanted: Option<Body<RetirementWanted>>,
) -> Result<Json<Turns>, Fault> {
    let wanted = Body::or_default(wanted);
    let _alone = control.alone().await?;
    let by = actor();
    let turned = rotation(&control, &by)
        .retire(&kid, wanted.compromised)
        .await?;
    shown(&control, &[turned]).await
}

fn rotation<'a>(control: &'a Control, by: &'a Actor) -> KeyRotation<'a> {
    KeyRotation {
        store: control.grantd().store(),
        sealing: &control.world().sealing,
        periods: control.settings().key_periods(),
        by,
    }
}

/// The keys as this process signs with them from here on.
async fn shown(control: &Control, turned: &[Turn]) -> Result<Json<Turns>, Fault> {
    control.grantd().turn_keys().await?;
    let turns = turned.iter().map(Turn::document).collect();
    Ok(Json(Turns { turns }))
}

impl From<RotationError> for Fault {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::NoKey(_) => Self::not_found(error.to_string()),
            RotationError::Retired(..) | RotationError::NotInUse(_) | RotationError::NoKeys => {
                Self::conflict(error.to_string())
            }
            RotationError::Make(error) => Self::unavailable(&error),
        }
    }
}
