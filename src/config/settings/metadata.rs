//! Reads the table `[metadata]`: what the discovery document says beside what the server does.

use std::path::Path;

use serde_json::{Map, Value};

use super::declare::{self, Read, section};
use crate::config::document::{self, Entry, Located, Node, Table};
use crate::config::fault::{Place, Problem, shown_word};
use crate::config::json::json;
use crate::config::section::{self, Section};
use crate::domain::discovery::MEMBERS;

section! {
    /// What the discovery document says.
    pub struct Metadata = "metadata" {
        /// Some readers (the MCP SDKs, the Rust crate openidconnect) refuse a document without `authorization_endpoint`
        /// and `response_types_supported`. With true the document has both: an endpoint that refuses every request, and
        /// `["none"]`. With false, and in the profile `fapi2`, it has neither.
        for_strict_readers: bool = true;
        /// Additional members, for example `{ service_documentation = "https://wiki.internal.example/auth" }`; none
        /// that grantd writes itself.
        extra: Map<String, Value>, by inline;
    }
}

impl declare::Entry for Map<String, Value> {
    type One = Table;

    /// Each member is judged on its own.
    fn take(table: &mut Section<'_>, key: &str, read: Read<'_, Table>) -> Option<Self> {
        let inner = table.read(key, read)?;
        Some(extra(table, inner))
    }

    fn toml(&self) -> Option<String> {
        Some("{}".to_owned())
    }
}

fn extra(table: &Section<'_>, inner: Table) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, entry) in inner.0 {
        if MEMBERS.contains(&name.as_str()) {
            table.fault(&entry.key, "extra", Problem::OwnMember(name));
            continue;
        }
        let at = entry.value.place.clone();
        match member(entry.value) {
            Ok(value) => drop(members.insert(name, value)),
            Err(problem) => table.fault(&at, &format!("extra.{}", shown_word(&name, [])), problem),
        }
    }
    members
}

/// RFC 8414 section 3.2: a member without values is left out.
fn member(value: Located) -> Result<Value, Problem> {
    match json(value)? {
        Value::Array(list) if list.is_empty() => Err(Problem::EmptyList("leave the member out")),
        value => Ok(value),
    }
}

/// An environment variable holds the table as TOML writes it, `{ name = "value" }`.
fn inline(value: Located, _: &Path) -> Result<Table, Problem> {
    let Located {
        place: place @ Place::Environment(_),
        node: Node::Text(text),
    } = value
    else {
        return section::table(value).map(|(_, table)| table);
    };
    let mut document = document::parse("", &format!("value = {text}")).unwrap_or_default();
    let (read, rest) = (document.0.remove("value"), document.0);
    let Some(Entry {
        value: Located {
            node: Node::Table(mut members),
            ..
        },
        ..
    }) = read.filter(|_| rest.is_empty())
    else {
        return Err(Problem::Expected(
            "a table as TOML writes it, for example { name = \"value\" }",
        ));
    };
    for member in members.0.values_mut() {
        member.key = place.clone();
        member.value.place = place.clone();
    }
    Ok(members)
}
