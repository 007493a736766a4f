//! Why a shape could not be read: what serde tells, as a problem that an operator understands.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::path::Path;
use crate::config::document::{Located, Table};
use crate::config::fault::{Faults, Place, Problem};

/// One fault, on its way out of a document.
#[derive(Debug)]
pub(super) enum ReadError {
    /// Of the value that is being read.
    Problem(Box<Problem>),
    /// Its key that is missing, and what to write.
    Missing(&'static str, &'static str),
    /// A key that it needs was reported as wrong before.
    Incomplete,
    /// A part was reported, and is left out from now on.
    LeftOut,
}

impl ReadError {
    /// Reports what is wrong with the value at `place`.
    pub(super) fn report(self, place: &Place, path: Path<'_>, faults: &Faults) {
        match self {
            Self::Problem(problem) => faults.report(place, path.to_string(), *problem),
            Self::Missing(key, remedy) => {
                let key = path.with(key, ": ").to_string();
                faults.report(place, key, Problem::Missing(remedy));
            }
            Self::Incomplete | Self::LeftOut => {}
        }
    }

    /// Reports what is wrong at `place`, and leaves `value` out.
    pub(super) fn leave_out(
        self,
        value: &Located,
        place: &Place,
        (path, faults): (Path<'_>, &Faults),
    ) -> Self {
        if !matches!(self, Self::LeftOut) {
            value.is_wrong.set(true);
            self.report(place, path, faults);
        }
        Self::LeftOut
    }

    /// A missing key of `table` was reported where it is there and wrong; else `shape` tells what it is for.
    pub(super) fn of_table(self, table: &Table, shape: &str) -> Self {
        match self {
            Self::Missing(key, _) if table.is_wrong(key) => Self::Incomplete,
            Self::Missing(key, _) => Self::Missing(
                key,
                match (shape, key) {
                    ("Audience", "id") => "write the `aud` value",
                    ("Client", "id") => "write the client_id",
                    ("TrustedIssuer", "id") => "write what clients and logs call it",
                    ("TrustedIssuer", "url") => "write what its tokens say in `iss`",
                    ("Policy", "audience") => "name one",
                    ("Identity", "issuer") => "name an [[issuer]] by its id",
                    ("Identity", "subject") => "write the `sub` of its tokens, or a pattern of it",
                    _ => "write it",
                },
            ),
            other => other,
        }
    }
}

impl From<Problem> for ReadError {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Problem::Said(message.to_string()).into()
    }

    /// Never shows the value: it may be a secret.
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = match expected.to_string().as_str() {
            "any valid JSON value" => return Problem::JsonType.into(),
            "a string" => "text".to_owned(),
            "a boolean" => "true or false".to_owned(),
            "a sequence" => "a list".to_owned(),
            "a map" => "a table, for example { name = \"value\" }".to_owned(),
            "u32" | "u64" | "usize" => "a whole number".to_owned(),
            word if word.starts_with("struct ") => "a table".to_owned(),
            other => other.to_owned(),
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
        Problem::Type { expected, found }.into()
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Problem::Value(expected.to_string()).into()
    }

    fn unknown_variant(text: &str, known: &'static [&'static str]) -> Self {
        Problem::not_one_of(text, known).into()
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field, "write it")
    }
}
