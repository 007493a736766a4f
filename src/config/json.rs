//! From values of TOML to values of JSON: extra claims and extra members of the metadata.

use serde_json::{Map, Value};

use super::document::{Entry, Located, Node};
use super::fault::Problem;

/// The same value. JSON has no dates and no numbers that are not finite.
pub(super) fn json(value: Located) -> Result<Value, Problem> {
    Ok(match value.node {
        Node::Text(text) => Value::String(text),
        Node::Integer(number) => Value::from(number),
        Node::Boolean(flag) => Value::Bool(flag),
        Node::Float(number) => serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or(Problem::JsonType)?,
        Node::List(list) => list
            .into_iter()
            .map(json)
            .collect::<Result<_, _>>()
            .map(Value::Array)?,
        Node::Table(table) => {
            let member = |(name, entry): (String, Entry)| Ok((name, json(entry.value)?));
            let members: Result<Map<_, _>, Problem> = table.0.into_iter().map(member).collect();
            Value::Object(members?)
        }
        Node::Instant(_) => return Err(Problem::JsonType),
    })
}
