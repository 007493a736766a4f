//! What `apply` does or would do, one step for each thing.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::client::named;

named! {
    /// What happens to a thing.
    Action {
        /// It was not there.
        Created = "created",
        /// It was there, with other values.
        Changed = "changed",
        /// It is gone.
        Removed = "removed",
        /// It is there, not in the catalog, and stays.
        Kept = "kept",
        /// It is as the catalog states.
        Unchanged = "unchanged",
        /// It is a secret that stays, because the one that the catalog points at is absent here.
        NotCompared = "not compared",
    }
}

named! {
    /// What kind of thing.
    Subject {
        /// An audience.
        Audience = "audience",
        /// A trusted issuer.
        Issuer = "issuer",
        /// A client.
        Client = "client",
        /// A credential of a client.
        Credential = "credential",
        /// A policy of a client.
        Policy = "policy",
        /// A signing key.
        SigningKey = "signing key",
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What happens.
    pub action: Action,
    /// To what kind of thing.
    pub subject: Subject,
    /// Which one.
    pub name: String,
    /// Which of its keys change.
    pub changes: Vec<Change>,
}

/// A key of the catalog with another value. No secret and no hash stands under such a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The key.
    pub key: String,
    /// Its value so far, where it has one.
    pub old: Option<Value>,
    /// Its value afterwards, where it has one.
    pub new: Option<Value>,
}

/// More clients or audiences would go than the operator allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "--prune would remove {clients} of {} clients and {audiences} of {} audiences: is this the whole catalog? \
     --dry-run lists them; if they should go, add --allow-removals {}",
    .before.0, .before.1, .clients.max(.audiences)
)]
pub struct TooManyRemoved {
    pub(super) clients: usize,
    pub(super) audiences: usize,
    pub(super) before: (usize, usize),
}

/// All steps, and what an operator should know besides.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The steps in the order in which they are done.
    pub steps: Vec<Step>,
    /// Sentences.
    pub warnings: Vec<String>,
    /// Why it would be refused if it were no dry run.
    pub refusal: Option<TooManyRemoved>,
}

impl Plan {
    pub(super) fn note(&mut self, action: Action, subject: Subject, name: String) {
        self.steps.push(Step {
            action,
            subject,
            name,
            changes: Vec::new(),
        });
    }

    /// How many steps have this action.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.steps
            .iter()
            .filter(|step| step.action == action)
            .count()
    }

    /// The plan as JSON with the `steps` that are shown. Its form stays: names of members are added, and none goes.
    #[must_use]
    pub fn document(&self, dry_run: bool, steps: &[&Step]) -> Value {
        let count = |action: &Action| {
            let name = action.as_str().replace(' ', "_");
            (name, Value::from(self.count(*action)))
        };
        let counts: Map<String, Value> = Action::ALL.iter().map(count).collect();
        json!({
            "dry_run": dry_run,
            "steps": steps,
            "counts": counts,
            "warnings": self.warnings,
            "refusal": self.refusal.map(|it| it.to_string()),
        })
    }

    /// How many steps change something.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.count(Action::Created) + self.count(Action::Changed) + self.count(Action::Removed)
    }
}
