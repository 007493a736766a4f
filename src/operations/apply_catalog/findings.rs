//! What is found when a catalog is compared with the database.

use std::collections::BTreeSet;

use crate::config::fault::{Fault, Place, Problem};
use crate::domain::identifier::ClientId;

/// What was found.
#[derive(Default)]
pub(super) struct Findings {
    /// Where the catalog does not fit the database.
    pub(super) faults: Vec<Fault>,
    /// What an operator should know.
    pub(super) warnings: Vec<String>,
    /// The clients with a secret that is absent here, so that nobody can tell which stored one it is, if any.
    pub(super) uncompared: BTreeSet<ClientId>,
}

impl Findings {
    pub(super) fn fault(&mut self, place: &Place, key: String, problem: impl Into<Problem>) {
        self.faults.push(Fault {
            place: place.clone(),
            key,
            problem: problem.into(),
        });
    }
}
