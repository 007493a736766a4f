//! A TOML document as a tree in which each value knows its place, so that errors point at a line.

use std::borrow::Cow;
use std::cell::Cell;
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
    /// Whether a fault of it was reported; then it is left out.
    pub(super) is_wrong: Cell<bool>,
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
    /// The fault of a value of the wrong kind.
    pub(super) fn is_not(&self, expected: &str) -> Problem {
        let found = match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Boolean(_) => "true or false",
            Self::Instant(_) => "a date-time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        };
        Problem::Type {
            expected: expected.to_owned(),
            found,
        }
    }
}

impl Table {
    /// Whether `key` is present, and wrong, or a list with a member that is wrong.
    pub(super) fn is_wrong(&self, key: &str) -> bool {
        let is_wrong =
            |value: &Located| value.is_wrong.get() || value.members().any(|it| it.is_wrong.get());
        self.0.get(key).is_some_and(|entry| is_wrong(&entry.value))
    }
}

impl Located {
    pub(super) fn new(place: Place, node: Node) -> Self {
        Self {
            place,
            node,
            is_wrong: Cell::new(false),
        }
    }

    /// The members of a list.
    pub(super) fn members(&self) -> std::slice::Iter<'_, Self> {
        match &self.node {
            Node::List(members) => members.iter(),
            _ => [].iter(),
        }
    }

    /// What an environment variable holds, where it is TOML; none of what stands in a file.
    pub(super) fn parsed(&self) -> Option<Self> {
        let text = format!("value = {}", self.variable()?);
        let document = DeTable::parse(&text).ok()?;
        let mut table = table(document.into_inner(), &|_| self.place.clone()).ok()?;
        let value = table.0.remove("value")?.value;
        table.0.is_empty().then_some(value)
    }

    /// As [`Self::parsed`], for a list of texts: commas divide them.
    pub(super) fn parsed_list(&self) -> Option<Self> {
        let members = self.variable()?.split(',').map(str::trim);
        let text = |it: &str| Self::new(self.place.clone(), Node::Text(it.to_owned()));
        let members = members.filter(|it| !it.is_empty()).map(text).collect();
        Some(Self::new(self.place.clone(), Node::List(members)))
    }

    fn variable(&self) -> Option<&str> {
        match (&self.place, &self.node) {
            (Place::Environment(_), Node::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// Reads `text`; `file` is its name in errors.
pub(super) fn parse(file: &str, text: &str) -> Result<Table, ConfigError> {
    let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let file: Arc<str> = file.into();
    let place = |offset| Place::File {
        file: Arc::clone(&file),
        line: 1 + starts.partition_point(|start| *start <= offset),
    };
    let document = DeTable::parse(text).map_err(|error| Fault {
        place: place(error.span().map_or(0, |span| span.start)),
        key: String::new(),
        // `message` alone: the error's own display quotes the line, which may hold a secret.
        problem: Problem::Syntax(error.message().to_owned()),
    })?;
    table(document.into_inner(), &place)
}

/// `place` tells where an offset is.
fn table(table: DeTable<'_>, place: &dyn Fn(usize) -> Place) -> Result<Table, ConfigError> {
    let entry = |(key, value): (Spanned<Cow<'_, str>>, Spanned<DeValue<'_>>)| {
        let at = place(key.span().start);
        let value = located(value, place)?;
        Ok((key.into_inner().into_owned(), Entry { key: at, value }))
    };
    table
        .into_iter()
        .map(entry)
        .collect::<Result<_, _>>()
        .map(Table)
}

fn located(
    value: Spanned<DeValue<'_>>,
    place: &dyn Fn(usize) -> Place,
) -> Result<Located, ConfigError> {
    let at = place(value.span().start);
    let out_of_range = || Fault {
        place: at.clone(),
        key: String::new(),
        problem: Problem::Expected("a number that fits 64 bits"),
    };
    let node = match value.into_inner() {
        DeValue::String(text) => Node::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Node::Integer)
            .map_err(|_| out_of_range())?,
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map(Node::Float)
            .map_err(|_| out_of_range())?,
        DeValue::Boolean(flag) => Node::Boolean(flag),
        DeValue::Datetime(instant) => Node::Instant(instant.to_string()),
        DeValue::Array(list) => {
            let list = list.into_iter().map(|item| located(item, place));
            Node::List(list.collect::<Result<_, _>>()?)
        }
        DeValue::Table(inner) => Node::Table(table(inner, place)?),
    };
    Ok(Located::new(at, node))
}
