//! Which foreign tokens are a client: what a trusted issuer must say of a workload, and whether a token says it
//! (`[[client.identity]]` of a catalog).

mod advice;
mod github;
mod preset_rule;
mod rule;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use advice::{Advice, IdentityFault};
pub use rule::{ClaimRules, InvalidRule};

use super::glob::Glob;
use super::identifier::IssuerId;
use super::shown;

/// One workload of a trusted issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Who says it.
    pub issuer: IssuerId,
    /// Its `sub`.
    pub subject: Glob,
    /// What else must be so: each claim, and of its values any.
    #[serde(default, skip_serializing_if = "ClaimRules::is_empty")]
    pub claims: ClaimRules,
    /// What must not be so: none of these.
    #[serde(default, skip_serializing_if = "ClaimRules::is_empty")]
    pub except: ClaimRules,
}

/// One thing that a token was compared in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// `sub`, or the path of a claim, with dots.
    pub what: String,
    /// What the identity demands.
    pub expected: String,
    /// What the token says, as a log may show it.
    pub found: String,
    /// Whether that fits.
    pub fits: bool,
}

impl Identity {
    /// As JSON text: the same for all that mean the same, however they are written.
    #[must_use]
    pub fn document(&self) -> String {
        // Texts, numbers and tables of them can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Self::document`] wrote.
    #[must_use]
    pub fn of_document(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether a token of its issuer with these claims is this workload.
    #[must_use]
    pub fn fits(&self, claims: &Map<String, Value>) -> bool {
        self.subject_fits(claims) && self.claims.all_hold(claims) && !self.except.any_holds(claims)
    }

    /// Everything that such a token is compared in; it fits where each of them does.
    #[must_use]
    pub fn compare(&self, claims: &Map<String, Value>) -> Vec<Compared> {
        let mut compared = vec![Compared {
            what: "sub".to_owned(),
            expected: self.subject.to_string(),
            found: found(claims.get("sub")),
            fits: self.subject_fits(claims),
        }];
        let must = self.claims.judged(claims);
        compared.extend(must.map(|it| Compared {
            what: it.path,
            expected: it.values,
            found: found(it.found),
            fits: it.holds,
        }));
        let must_not = self.except.judged(claims);
        compared.extend(must_not.map(|it| Compared {
            what: it.path,
            expected: format!("not {}", it.values),
            found: found(it.found),
            fits: !it.holds,
        }));
        compared
    }

    fn subject_fits(&self, claims: &Map<String, Value>) -> bool {
        let subject = claims.get("sub").and_then(Value::as_str);
        subject.is_some_and(|it| self.subject.matches(it))
    }
}

/// What a foreign token says there: a verified statement of a platform, and so no secret; cut, and on one line.
fn found(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => shown::plain(text),
        Some(other) => shown::plain(&other.to_string()),
    }
}

#[cfg(test)]
mod tests;
