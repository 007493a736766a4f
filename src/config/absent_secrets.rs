//! Secrets that may be absent: a configuration is checked far from its server, as in a pull request.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

/// Notes the names of the secrets that were absent; never a value. Clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct AbsentSecrets(Rc<RefCell<BTreeSet<String>>>);

impl AbsentSecrets {
    /// Notes that `what` was not checked.
    pub fn note(&self, what: impl Into<String>) {
        self.0.borrow_mut().insert(what.into());
    }

    /// Whether there is no file at `path`; then `what` is noted with it. One that cannot be read is there.
    #[must_use]
    pub fn lacks_file(&self, what: &str, path: &Path) -> bool {
        let is_absent = matches!(path.try_exists(), Ok(false));
        if is_absent {
            self.note(format!("{what} {}", path.display()));
        }
        is_absent
    }

    /// What was not checked, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.borrow().iter().cloned().collect()
    }
}
