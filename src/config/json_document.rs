//! A JSON document as the same tree as one in TOML: each value knows the members that lead to it.

use serde_json::{Map, Value};

use super::document::{Entry, Located, Node, Table};
use super::fault::{ConfigError, Fault, Place, Problem};

/// The tree of a JSON object. A member that is null is as if absent.
pub(super) fn table(members: &Map<String, Value>) -> Result<Table, ConfigError> {
    members_at("", members)
}

fn members_at(path: &str, members: &Map<String, Value>) -> Result<Table, ConfigError> {
    let stated = members.iter().filter(|(_, value)| !value.is_null());
    let entry = |(key, value): (&String, &Value)| {
        let path = match path {
            "" => key.clone(),
            _ => format!("{path}.{key}"),
        };
        let key_place = Place::Member(path.as_str().into());
        let value = located(&path, value)?;
        let entry = Entry {
            key: key_place,
            value,
        };
        Ok((key.clone(), entry))
    };
    stated.map(entry).collect::<Result<_, _>>().map(Table)
}

fn located(path: &str, value: &Value) -> Result<Located, ConfigError> {
    let place = Place::Member(path.into());
    let fault = |problem| Fault {
        place: place.clone(),
        key: String::new(),
        problem,
    };
    let node = match value {
        Value::Null => return Err(fault(Problem::NullInList).into()),
        Value::Bool(flag) => Node::Boolean(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Node::Integer(number),
            (None, Some(number)) if !value.is_u64() => Node::Float(number),
            _ => return Err(fault(Problem::Expected("a number that fits 64 bits")).into()),
        },
        Value::String(text) => Node::Text(text.clone()),
        Value::Array(list) => {
            let members = list.iter().enumerate();
            let members = members.map(|(index, it)| located(&format!("{path}[{index}]"), it));
            Node::List(members.collect::<Result<_, _>>()?)
        }
        Value::Object(members) => Node::Table(members_at(path, members)?),
    };
    Ok(Located::new(place, node))
}
