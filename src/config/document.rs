//! A TOML document as a tree in which each value knows its place, so that errors point at a line.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{ConfigError, Fault, Place, Problem};

/// A table: keys in alphabetical order.
#[derive(Default)]
pub(super) struct Table(pub(super) BTreeMap<String, Entry>);

/// A key's place and its value.
pub(super) struct Entry {
    pub(super) key: Place,
    pub(super) value: Located,
}

/// A value and its place. No `Debug`: it may be a secret.
pub(super) struct Located {
    pub(super) place: Place,
    pub(super) node: Node,
}

/// A value.
pub(super) enum Node {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// A TOML date-time in its RFC 3339 form.
    Instant(String),
    List(Vec<Located>),
    Table(Table),
}

impl Node {
    /// The name of the type, for errors.
    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Boolean(_) => "true or false",
            Self::Instant(_) => "a date-time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Reads `text`; `file` is its name in errors.
pub(super) fn parse(file: &str, text: &str) -> Result<Table, ConfigError> {
    let lines = Lines::of(file, text);
    let document = DeTable::parse(text).map_err(|error| Fault {
        place: lines.place(error.span().map_or(0, |span| span.start)),
        key: String::new(),
        // `message` alone: the error's own display quotes the line, which may hold a secret.
        problem: Problem::Syntax(error.message().to_owned()),
    })?;
    lines.table(document.into_inner())
}

/// Where each line of a document begins.
struct Lines {
    file: Arc<str>,
    starts: Vec<usize>,
}

impl Lines {
    fn of(file: &str, text: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        Self {
            file: file.into(),
            starts,
        }
    }

    fn place(&self, offset: usize) -> Place {
        let line = 1 + self.starts.partition_point(|start| *start <= offset);
        Place::File {
            file: Arc::clone(&self.file),
            line,
        }
    }

    fn table(&self, table: DeTable<'_>) -> Result<Table, ConfigError> {
        let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
            let place = self.place(key.span().start);
            let name = std::borrow::Cow::into_owned(key.into_inner());
            Ok((
                name,
                Entry {
                    key: place,
                    value: self.value(value)?,
                },
            ))
        };
        table
            .into_iter()
            .map(entry)
            .collect::<Result<_, _>>()
            .map(Table)
    }

    fn value(&self, value: Spanned<DeValue<'_>>) -> Result<Located, ConfigError> {
        let place = self.place(value.span().start);
        let node = match value.into_inner() {
            DeValue::String(text) => Node::Text(text.into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Node::Integer)
                .map_err(|_| out_of_range(&place))?,
            DeValue::Float(number) => number
                .as_str()
                .parse()
                .map(Node::Float)
                .map_err(|_| out_of_range(&place))?,
            DeValue::Boolean(flag) => Node::Boolean(flag),
            DeValue::Datetime(instant) => Node::Instant(instant.to_string()),
            DeValue::Array(list) => {
                let list = list.into_iter().map(|item| self.value(item));
                Node::List(list.collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => Node::Table(self.table(table)?),
        };
        Ok(Located { place, node })
    }
}

fn out_of_range(place: &Place) -> ConfigError {
    let problem = Problem::Expected("a number that fits 64 bits");
    Fault {
        place: place.clone(),
        key: String::new(),
        problem,
    }
    .into()
}
