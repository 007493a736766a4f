//! Why a shape could not be read: what serde tells, as a problem that an operator understands.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::{Fault, Located, Path, Problem};
use crate::config::fault::Place;

/// One fault, on its way out of a document.
pub(super) struct ReadError<'t> {
    problem: Box<Problem>,
    /// The key that is missing.
    missing: Option<&'static str>,
    /// None before it is located, and where it was reported before.
    pub(super) fault: Option<Box<Fault>>,
    /// What to leave out.
    pub(super) at: Option<&'t Located>,
    is_located: bool,
}

impl<'t> ReadError<'t> {
    /// The same with its place, where it has none yet: `value` is what has the fault.
    pub(super) fn at(mut self, value: Option<&'t Located>, place: &Place, path: Path<'_>) -> Self {
        if !self.is_located {
            self.is_located = true;
            self.at = value;
            let key = match self.missing {
                Some(missing) => path.with(missing, ": ").to_string(),
                None => path.to_string(),
            };
            self.fault = Some(Box::new(Fault {
                place: place.clone(),
                key,
                problem: (*self.problem).clone(),
            }));
        }
        self
    }

    /// The key that is missing, unless the fault is of something deeper.
    pub(super) fn missing(&self) -> Option<&'static str> {
        self.missing.filter(|_| !self.is_located)
    }

    /// Says nothing of itself: what has the fault was reported.
    pub(super) fn silent(self, value: Option<&'t Located>) -> Self {
        Self {
            fault: None,
            at: value,
            is_located: true,
            ..self
        }
    }

    /// With what to write in place of the missing key.
    pub(super) fn advise(self, remedy: &'static str) -> Self {
        Self {
            problem: Box::new(Problem::Missing(remedy)),
            ..self
        }
    }
}

impl From<Problem> for ReadError<'_> {
    fn from(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            missing: None,
            fault: None,
            at: None,
            is_located: false,
        }
    }
}

impl fmt::Debug for ReadError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl fmt::Display for ReadError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for ReadError<'_> {}

impl de::Error for ReadError<'_> {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Problem::Said(message.to_string()).into()
    }

    /// Never shows the value: it may be a secret.
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = match expected.to_string() {
            word if word == "a string" => "text".to_owned(),
            word if word == "a boolean" => "true or false".to_owned(),
            word if word == "a sequence" => "a list".to_owned(),
            word if word.starts_with("struct ") => "a table".to_owned(),
            other => other,
        };
        let found = match found {
            Unexpected::Bool(_) => "true or false",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
            Unexpected::Float(_) => "a number with a fraction",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a table",
            Unexpected::Other(_) => "a date-time",
            _ => "text",
        };
        Problem::Said(format!("expected {expected}, found {found}")).into()
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Problem::Said(format!("expected {expected}")).into()
    }

    fn unknown_variant(text: &str, known: &'static [&'static str]) -> Self {
        Problem::not_one_of(text, known).into()
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            missing: Some(field),
            ..Problem::Missing("write it").into()
        }
    }
}
