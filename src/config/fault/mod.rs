//! What can be wrong in settings and catalog: where it stands, what it is, and what to do about it.

mod problem;

use std::fmt;
use std::sync::Arc;

use super::absent_secrets::AbsentSecrets;

pub use problem::Problem;
pub(super) use problem::{shown_variable, shown_word};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In a file.
    File {
        /// The file, as the operator named it.
        file: Arc<str>,
        /// Counted from one.
        line: usize,
    },
    /// In an environment variable of this name.
    Environment(Arc<str>),
    /// In a JSON document, by the members that lead there, as in `client[0].policy[1].scopes`; empty for all of it.
    Member(Arc<str>),
    /// On the command line.
    Command,
    /// Nowhere: it is missing, and there was no file.
    Nowhere,
}

impl Place {
    /// The line in its file; 0 outside of a file.
    pub(super) const fn line(&self) -> usize {
        match self {
            Self::File { line, .. } => *line,
            Self::Environment(_) | Self::Member(_) | Self::Command | Self::Nowhere => 0,
        }
    }

    /// The first line of the file of this name.
    pub(super) fn start_of(name: &str) -> Self {
        Self::File {
            file: name.into(),
            line: 1,
        }
    }

    /// Another line of the same file.
    pub(super) fn on_line(&self, line: usize) -> Self {
        match self {
            Self::File { file, .. } => Self::File {
                file: Arc::clone(file),
                line,
            },
            other => other.clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Member(path) if path.is_empty() => f.write_str("the document"),
            Self::Member(path) => f.write_str(path),
            Self::Command => f.write_str("command line"),
            Self::Nowhere => f.write_str("settings"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// The key, with what it belongs to in front; empty where the document itself is broken.
    pub key: String,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            key,
            problem,
        } = self;
        if key.is_empty() {
            write!(f, "{place}: {problem}")
        } else {
            write!(f, "{place}: {key}: {problem}")
        }
    }
}

/// Everything that is wrong with one document, in the order of its lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<Fault>);

impl ConfigError {
    /// From faults in any order; `None` if there are none.
    #[must_use]
    pub fn of(mut faults: Vec<Fault>) -> Option<Self> {
        faults.sort_by(|left, right| left.place.cmp(&right.place));
        (!faults.is_empty()).then_some(Self(faults))
    }

    /// The faults, in the order of their lines.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.0
    }
}

impl From<Fault> for ConfigError {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for ConfigError {
    /// One line per fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Collects faults while a document is read, so that all are reported at once.
#[derive(Default)]
pub(super) struct Faults {
    list: std::cell::RefCell<Vec<Fault>>,
    /// Where secrets may be absent.
    absent: Option<AbsentSecrets>,
}

impl Faults {
    /// As the default, except that secrets may be absent where `absent` notes them.
    pub(super) fn with(absent: Option<AbsentSecrets>) -> Self {
        Self {
            absent,
            ..Self::default()
        }
    }

    pub(super) fn report(
        &self,
        place: &Place,
        key: impl Into<String>,
        problem: impl Into<Problem>,
    ) {
        self.list.borrow_mut().push(Fault {
            place: place.clone(),
            key: key.into(),
            problem: problem.into(),
        });
    }

    /// Adds what was found in another document.
    pub(super) fn extend(&self, error: ConfigError) {
        self.list.borrow_mut().extend(error.0);
    }

    /// Notes absent secrets, where they may be absent.
    pub(super) const fn absent(&self) -> Option<&AbsentSecrets> {
        self.absent.as_ref()
    }

    /// `value` where nothing was wrong.
    pub(super) fn or<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        match (value, ConfigError::of(self.list.into_inner())) {
            (Some(value), None) => Ok(value),
            (_, error) => Err(error.unwrap_or(ConfigError(Vec::new()))),
        }
    }
}
