//! What all have in common that change clients, audiences and keys: by the rules of the commands, as one actor, and known
//! to this process before they answer.

use super::fault::Fault;
use super::state::Control;
use crate::config::fault::ConfigError;
use crate::domain::timestamp::Seconds;
use crate::operations::actor::Actor;
use crate::operations::apply_catalog::{ApplyError, ApplyOptions, Plan};
use crate::operations::change_error::ChangeError;
use crate::store::error::StoreError;

/// So many faults of a catalog are told at once.
const MOST_FAULTS: usize = 20;

/// Who changes things, in audit events.
pub(super) fn actor() -> Actor {
    Actor::named("control")
}

/// How things are changed. A test that prunes means it: no number of removals is too large.
pub(super) fn options<'a>(control: &'a Control, by: &'a Actor) -> ApplyOptions<'a> {
    let settings = control.settings();
    ApplyOptions {
        dry_run: false,
        prune: false,
        allow_removals: usize::MAX,
        profile: settings.profile,
        issuer: Some(settings.issuer.as_str()),
        imported_cost: settings.imported_cost,
        sealing: Some(&control.world().sealing),
        key_delay: Seconds::new(0),
        by,
    }
}

/// What was changed, once this process knows of it.
///
/// # Errors
/// Why nothing was; 503 for a database out of reach.
pub(super) async fn done(
    control: &Control,
    changed: Result<Plan, ChangeError>,
) -> Result<Plan, Fault> {
    let plan = changed.map_err(Fault::from)?;
    control.follow().await?;
    Ok(plan)
}

impl From<ChangeError> for Fault {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Apply(error) => error.into(),
            ChangeError::NoClient(unknown) => Self::not_found(unknown.to_string()),
            ChangeError::ClientExists(_) | ChangeError::AudienceExists(_) => {
                Self::conflict(error.to_string()).at("id")
            }
            ChangeError::NoAudience(_) => Self::invalid(error.to_string()).at("policy"),
            ChangeError::NoPolicy { .. } | ChangeError::NotAllowed { .. } => {
                Self::conflict(error.to_string())
            }
        }
    }
}

impl From<ApplyError> for Fault {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Misfit(faults) => faults.into(),
            ApplyError::Removals(refusal) => Self::conflict(refusal.to_string()),
            other => Self::unavailable(&other),
        }
    }
}

impl From<ConfigError> for Fault {
    /// All that is wrong; the place is the first one's.
    fn from(error: ConfigError) -> Self {
        let faults = error.faults();
        let (first, place) = match faults {
            [only] => (only.problem.to_string(), Some(only)),
            many => {
                let told = many.iter().take(MOST_FAULTS).map(ToString::to_string);
                (told.collect::<Vec<_>>().join("; "), many.first())
            }
        };
        let fault = Self::invalid(first);
        match place {
            Some(it) => fault.at(it.place.to_string()).near(it.problem.nearest()),
            None => fault,
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error)
    }
}
