//! Why a request was decided as it was (OPERATING section 1): each check of it with what was expected and found, what to do,
//! and who stopped what it needed. Of a request that came it is a view of its audit event; one that nobody sent is judged
//! by the same code, and leaves no trace.

mod assertion;
mod identities;
mod recorded;
mod stopped;
mod token;
mod unsent;

pub use assertion::explain_assertion;
pub use identities::{ComparedIdentities, ComparedIdentity, Differing};
pub use recorded::{Unknown, explain_recorded};
pub use stopped::Stopped;
pub use token::explain_token;
pub use unsent::{Supposed, explain_unsent};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::audit::details;
use super::error::{OperationError, Outage};
use crate::domain::decision::{Checks, Decided, Decision, Judged, Outcome};
use crate::domain::timestamp::Timestamp;
use crate::store::error::StoreError;

/// A request with all of its checks.
#[derive(Clone, Debug, Default)]
pub struct Explained {
    /// What is known of it, by name; `null` where a request like it may tell more.
    pub about: Vec<(&'static str, Value)>,
    /// `outcome` of its log line.
    pub outcome: String,
    /// The checks, in the order in which they are made.
    pub checks: Vec<Judged>,
    /// Of a foreign token the identities of its issuer.
    pub identities: Option<ComparedIdentities>,
    /// What to do about the one that failed.
    pub remedy: Option<String>,
    /// Who stopped what it needed, where somebody did.
    pub stopped: Option<Stopped>,
}

/// What details of an audit event tell of its request beside outcome, remedy and checks.
const DETAILS: [&str; 14] = [
    "source",
    "proxy",
    "grant",
    "method",
    "issuer",
    "credential",
    "audience",
    "scopes_asked",
    "subject",
    "actors",
    "from",
    "holder",
    "jti",
    "pending",
];

impl Explained {
    /// A view of what the audit log keeps of a request: when it was decided, its client and endpoint, and details; `None`
    /// where these are of something else.
    fn read(at: Timestamp, (client, endpoint): (&str, &str), details: &Value) -> Option<Self> {
        let checks: Checks = serde_json::from_value(details.get("checks")?.clone()).ok()?;
        let of = |name| details.get(name).cloned().unwrap_or_default();
        let client = Some(client).filter(|it| !it.is_empty());
        let mut about = vec![
            ("request_id", of("request_id")),
            ("at", at.to_string().into()),
            ("endpoint", endpoint.into()),
            ("client", client.into()),
        ];
        about.extend(DETAILS.map(|name| (name, of(name))));
        Some(Self {
            about,
            outcome: of("outcome").as_str().unwrap_or_default().to_owned(),
            checks: checks.list(),
            identities: None,
            remedy: of("remedy").as_str().map(str::to_owned),
            stopped: None,
        })
    }

    /// The same view of what nobody sent.
    fn of_unsent(decision: Decision, outcome: Outcome) -> Self {
        let at = decision.at;
        let outage = match &outcome {
            Outcome::Unavailable(why) => Some(why.clone()),
            _ => None,
        };
        let mut decided = Decided::abandoned(decision);
        decided.end(outcome);
        let client = decided.decision.client.as_ref();
        let client = client.map(ToString::to_string).unwrap_or_default();
        let endpoint = decided.decision.endpoint;
        let read = Self::read(at, (&client, endpoint), &details(&decided));
        let mut explained = read.unwrap_or_default();
        explained.remedy = explained.remedy.or(outage);
        let of_a_request = ["request_id", "at", "endpoint", "proxy", "pending"];
        explained
            .about
            .retain(|(name, _)| !of_a_request.contains(name));
        explained
    }

    /// A text that is known of it.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.about.iter().find(|(known, _)| *known == name)?;
        value.as_str()
    }

    /// Whether the client got, or would get, what it asked for.
    #[must_use]
    pub fn is_granted(&self) -> bool {
        matches!(self.outcome.as_str(), "issued" | "active" | "accepted")
    }

    /// The check that failed.
    #[must_use]
    pub fn failed(&self) -> Option<&Judged> {
        self.checks.iter().find(|it| it.passed == Some(false))
    }
}

/// How a request would end that failed so; a database out of reach is told as such.
fn ending(error: OperationError) -> Result<Outcome, StoreError> {
    match error {
        OperationError::Refused(refusal) => Ok(Outcome::Refused(refusal)),
        OperationError::Unavailable(Outage::Store(error)) => Err(error),
        OperationError::Unavailable(outage) => Ok(Outcome::Unavailable(outage.to_string())),
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
        if let Some(identities) = &self.identities {
            members.serialize_entry("identities", &identities.told)?;
            members.serialize_entry("identities_compared", &identities.number)?;
        }
        members.serialize_entry("remedy", &self.remedy)?;
        members.serialize_entry("stopped", &self.stopped)?;
        members.end()
    }
}
