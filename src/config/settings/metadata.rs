//! Reads the table `[metadata]`: what the discovery document says beside what the server does.

use serde_json::{Map, Value};

use super::Metadata;
use crate::config::document::{self, Entry, Located, Node};
use crate::config::fault::{Place, Problem, shown_word};
use crate::config::json::json;
use crate::config::section::{self, Section};
use crate::config::value;
use crate::domain::discovery::MEMBERS;

pub(super) fn metadata(table: &mut Section<'_>) -> Metadata {
    let for_strict_readers = table
        .read("for_strict_readers", value::boolean)
        .unwrap_or(true);
    Metadata {
        for_strict_readers,
        extra: extra(table),
    }
}

fn extra(table: &mut Section<'_>) -> Map<String, Value> {
    let mut members = Map::new();
    let Some((_, inner)) = table.read("extra", |value| section::table(inline(value)?)) else {
        return members;
    };
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
fn inline(value: Located) -> Result<Located, Problem> {
    let Located {
        place: place @ Place::Environment(_),
        node: Node::Text(text),
    } = value
    else {
        return Ok(value);
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
    Ok(Located {
        place,
        node: Node::Table(members),
    })
}
