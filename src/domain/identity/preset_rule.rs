//! What a platform's preset demands of a token though no identity says it.

use serde_json::{Map, Value};

use super::{Compared, Identity, found};
use crate::domain::trusted_issuer::Preset;

/// The claim of GitHub that says what started a run.
pub(super) const EVENT: &str = "event_name";
/// Such a run of GitHub Actions is caused by a pull request of anybody, and its token names the branch of the base.
pub(super) const BY_STRANGERS: &str = "pull_request_target";

impl Identity {
    /// What is wrong with a token of a platform of this preset, beside what the identity compares it in.
    #[must_use]
    pub fn refused_by(&self, preset: Preset, claims: &Map<String, Value>) -> Option<Compared> {
        let event = claims.get(EVENT);
        let is_by_strangers = event.and_then(Value::as_str) == Some(BY_STRANGERS);
        let refused = preset == Preset::Github && is_by_strangers && !self.claims.names(EVENT);
        refused.then(|| Compared {
            what: EVENT.to_owned(),
            expected: format!("not {BY_STRANGERS}, which the identity would have to name"),
            found: found(event),
            fits: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// FED-15.
    #[test]
    fn a_run_that_strangers_cause_must_be_meant() {
        let identity = |claims: Value| -> Identity {
            let stated = json!({ "issuer": "github", "subject": "**", "claims": claims });
            serde_json::from_value(stated).unwrap()
        };
        let is_refused = |preset, identity: &Identity, event: &str| {
            let claims = json!({ "sub": "a", EVENT: event });
            let refused = identity.refused_by(preset, claims.as_object().unwrap());
            refused.is_some()
        };
        let (silent, meant) = (
            identity(json!({ "ref": "refs/heads/main" })),
            identity(json!({ EVENT: [BY_STRANGERS, "push"] })),
        );
        assert!(is_refused(Preset::Github, &silent, BY_STRANGERS));
        assert!(!is_refused(Preset::Github, &silent, "push"));
        assert!(!is_refused(Preset::Github, &meant, BY_STRANGERS));
        assert!(!is_refused(Preset::None, &silent, BY_STRANGERS));
    }
}
