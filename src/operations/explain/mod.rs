//! Why a request was decided as it was (OPERATING section 1): each check of it with what was expected and found, what to do,
//! and who stopped what it needed. Of a request that came it is a view of its audit event.

mod recorded;
mod stopped;

pub use recorded::{Unknown, explain_recorded};
pub use stopped::Stopped;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::decision::Judged;

/// A request with all of its checks.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What is known of it, by name; `null` where a request like it may tell more.
    pub about: Vec<(&'static str, Value)>,
    /// `outcome` of its log line.
    pub outcome: String,
    /// The checks, in the order in which they are made.
    pub checks: Vec<Judged>,
    /// What to do about the one that failed.
    pub remedy: Option<String>,
    /// Who stopped what it needed, where somebody did.
    pub stopped: Option<Stopped>,
}

impl Explained {
    /// A text that is known of it.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.about.iter().find(|(known, _)| *known == name)?;
        value.as_str()
    }

    /// The check that failed.
    #[must_use]
    pub fn failed(&self) -> Option<&Judged> {
        self.checks.iter().find(|it| it.passed == Some(false))
    }
}

impl Serialize for Explained {
    /// All in one object.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        for (name, value) in &self.about {
            members.serialize_entry(name, value)?;
        }
        members.serialize_entry("outcome", &self.outcome)?;
        members.serialize_entry("checks", &self.checks)?;
        members.serialize_entry("remedy", &self.remedy)?;
        members.serialize_entry("stopped", &self.stopped)?;
        members.end()
    }
}
