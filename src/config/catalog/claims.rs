//! Reads a client's extra claims: TOML to JSON, without any name that means something.

use serde_json::{Map, Value};

use crate::config::document::{Located, Node};
use crate::config::fault::{Problem, shown_word};
use crate::config::section::{self, Section};
use crate::domain::access_token::RESERVED_CLAIMS;

/// Tokens travel in headers, so extra claims stay small; bytes of JSON.
const MAX_BYTES: usize = 4096;

/// The table `claims`, empty where it is absent.
pub(super) fn read(table: &mut Section<'_>) -> Map<String, Value> {
    let mut claims = Map::new();
    let Some((place, inner)) = table.read("claims", section::table) else { return claims };
    for (name, entry) in inner.0 {
        if RESERVED_CLAIMS.contains(&name.as_str()) {
            table.fault(&entry.key, "claims", Problem::RegisteredClaim(name));
            continue;
        }
        let key = format!("claims.{}", shown_word(&name, []));
        let at = entry.value.place.clone();
        match json(entry.value) {
            Ok(value) => drop(claims.insert(name, value)),
            Err(problem) => table.fault(&at, &key, problem),
        }
    }
    if serde_json::to_string(&claims).map_or(0, |text| text.len()) > MAX_BYTES {
        table.fault(&place, "claims", Problem::ClaimSize(MAX_BYTES));
    }
    claims
}

fn json(value: Located) -> Result<Value, Problem> {
    Ok(match value.node {
        Node::Text(text) => Value::String(text),
        Node::Integer(number) => Value::from(number),
        Node::Boolean(flag) => Value::Bool(flag),
        Node::Float(number) => {
            serde_json::Number::from_f64(number).map(Value::Number).ok_or(Problem::ClaimType)?
        }
        Node::List(list) => {
            list.into_iter().map(json).collect::<Result<_, _>>().map(Value::Array)?
        }
        Node::Table(table) => {
            let member = |(name, entry): (String, crate::config::document::Entry)| {
                Ok((name, json(entry.value)?))
            };
            let members: Result<Map<_, _>, Problem> = table.0.into_iter().map(member).collect();
            Value::Object(members?)
        }
        Node::Instant(_) => return Err(Problem::ClaimType),
    })
}
