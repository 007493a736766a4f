//! Conditions on the claims of a token. In a document they are a table of claims; a table inside means the members of an
//! object, a list means any of its values.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Number, Value};

use crate::domain::glob::{Glob, InvalidGlob};

/// The most conditions of one table.
const MOST: usize = 64;
/// How deep tables may lie in each other.
const MAX_DEPTH: usize = 8;

/// Conditions on claims, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimRules {
    rules: Vec<Rule>,
    /// The one way to write them: names and values sorted, a value alone without a list. So what means the same is the
    /// same document.
    stated: Map<String, Value>,
}

/// A condition on one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    path: Vec<String>,
    any_of: Vec<Expected>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    Text(Glob),
    Number(Number),
    Boolean(bool),
}

/// What a token says of one condition.
pub(super) struct Judged<'c> {
    pub(super) path: String,
    /// The values of which any fits.
    pub(super) values: String,
    pub(super) found: Option<&'c Value>,
    pub(super) holds: bool,
}

/// What cannot be a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// A pattern that is none.
    #[error("{0}: {1}")]
    Glob(String, InvalidGlob),
    /// A list without a member, or a table: it would never hold, or always.
    #[error("{0}: name at least one value")]
    Empty(String),
    /// Something that a claim is not compared with.
    #[error("{0}: a claim is compared with text, a number, true or false, or a list of these")]
    Kind(String),
    /// More than anybody needs.
    #[error("at most {MOST} claims are compared, in tables at most {MAX_DEPTH} deep")]
    TooMany,
}

impl ClaimRules {
    /// Reads a table of claims.
    ///
    /// # Errors
    /// See [`InvalidRule`].
    pub fn parse(mut stated: Map<String, Value>) -> Result<Self, InvalidRule> {
        stated.values_mut().for_each(normalize);
        stated.sort_keys();
        let mut rules = Vec::new();
        collect(&stated, &mut Vec::new(), &mut rules)?;
        Ok(Self { rules, stated })
    }

    /// Whether there is no condition.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether there is a condition on this claim, or on a member of it.
    #[must_use]
    pub fn names(&self, claim: &str) -> bool {
        self.stated.contains_key(claim)
    }

    pub(super) fn all_hold(&self, claims: &Map<String, Value>) -> bool {
        self.rules.iter().all(|rule| rule.holds(rule.found(claims)))
    }

    pub(super) fn any_holds(&self, claims: &Map<String, Value>) -> bool {
        self.rules.iter().any(|rule| rule.holds(rule.found(claims)))
    }

    /// Whether the claim at this path must be one of a few values, none of which is a pattern for everything, or `is_open`.
    pub(super) fn pins(&self, path: &[&str], is_open: impl Fn(&Glob) -> bool) -> bool {
        let is_narrow = |it: &Expected| match it {
            Expected::Text(glob) => !glob.is_for_anything() && !is_open(glob),
            Expected::Number(_) | Expected::Boolean(_) => true,
        };
        let mut rules = self.rules.iter().filter(|rule| rule.path == path);
        rules.any(|rule| rule.any_of.iter().all(is_narrow))
    }

    /// Whether no condition on this claim speaks against all texts that `pattern` means.
    pub(super) fn allows_any(&self, claim: &str, pattern: &Glob) -> bool {
        let fits = |it: &Expected| matches!(it, Expected::Text(glob) if glob.meets(pattern));
        self.on(claim).all(|rule| rule.any_of.iter().any(fits))
    }

    /// Whether no condition on this claim speaks against `value`.
    pub(super) fn allows(&self, claim: &str, value: &Value) -> bool {
        self.on(claim).all(|rule| rule.holds(Some(value)))
    }

    /// Whether a condition on this claim holds for `value`.
    pub(super) fn forbids(&self, claim: &str, value: &Value) -> bool {
        self.on(claim).any(|rule| rule.holds(Some(value)))
    }

    /// The paths of claims that are compared with a number.
    pub(super) fn numbers(&self) -> impl Iterator<Item = String> {
        let is_number = |rule: &&Rule| {
            let mut values = rule.any_of.iter();
            values.any(|it| matches!(it, Expected::Number(_)))
        };
        self.rules
            .iter()
            .filter(is_number)
            .map(|rule| rule.path.join("."))
    }

    fn on(&self, claim: &str) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.path == [claim])
    }

    pub(super) fn judged<'c>(
        &self,
        claims: &'c Map<String, Value>,
    ) -> impl Iterator<Item = Judged<'c>> {
        self.rules.iter().map(|rule| {
            let found = rule.found(claims);
            Judged {
                path: rule.path.join("."),
                values: rule.values(),
                found,
                holds: rule.holds(found),
            }
        })
    }
}

/// Of what means the same one form: a list sorted and without doubles, one value without its list, 74.0 as 74.
fn normalize(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(normalize);
            members.sort_keys();
        }
        // What lies in a list and is no value is refused later.
        Value::Array(any) if any.iter().all(is_value) => {
            any.iter_mut().for_each(normalize);
            any.sort_by_key(Value::to_string);
            any.dedup();
            if let [alone] = &any[..] {
                *value = alone.clone();
            }
        }
        Value::Number(number) => {
            let whole = number.as_f64().filter(|_| number.is_f64());
            let whole = whole.and_then(|it| format!("{it}").parse::<i64>().ok());
            if let Some(whole) = whole {
                *number = whole.into();
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => {}
    }
}

const fn is_value(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_))
}

fn collect(
    table: &Map<String, Value>,
    path: &mut Vec<String>,
    rules: &mut Vec<Rule>,
) -> Result<(), InvalidRule> {
    for (name, value) in table {
        path.push(name.clone());
        if path.len() > MAX_DEPTH || rules.len() >= MOST {
            return Err(InvalidRule::TooMany);
        }
        match value {
            Value::Object(inner) if !inner.is_empty() => collect(inner, path, rules)?,
            Value::Array(any) if !any.is_empty() => {
                let any_of = any.iter().map(|it| expected(it, path));
                let any_of = any_of.collect::<Result<_, _>>()?;
                rules.push(rule(path, any_of));
            }
            Value::Object(_) | Value::Array(_) => return Err(InvalidRule::Empty(path.join("."))),
            one => rules.push(rule(path, vec![expected(one, path)?])),
        }
        path.pop();
    }
    Ok(())
}

fn rule(path: &[String], any_of: Vec<Expected>) -> Rule {
    Rule {
        path: path.to_vec(),
        any_of,
    }
}

fn expected(value: &Value, path: &[String]) -> Result<Expected, InvalidRule> {
    match value {
        Value::String(text) => match Glob::parse(text) {
            Ok(glob) => Ok(Expected::Text(glob)),
            Err(fault) => Err(InvalidRule::Glob(path.join("."), fault)),
        },
        Value::Number(number) => Ok(Expected::Number(number.clone())),
        Value::Bool(is_so) => Ok(Expected::Boolean(*is_so)),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(InvalidRule::Kind(path.join("."))),
    }
}

impl Rule {
    fn found<'c>(&self, claims: &'c Map<String, Value>) -> Option<&'c Value> {
        let (first, inside) = self.path.split_first()?;
        let claim = claims.get(first)?;
        inside.iter().try_fold(claim, |value, name| value.get(name))
    }

    /// Of a list one member must fit; what is absent, null or an object fits nothing.
    fn holds(&self, found: Option<&Value>) -> bool {
        match found {
            Some(Value::Array(members)) => members.iter().any(|it| self.fits(it)),
            Some(value) => self.fits(value),
            None => false,
        }
    }

    fn fits(&self, value: &Value) -> bool {
        self.any_of.iter().any(|expected| match (expected, value) {
            (Expected::Text(glob), Value::String(text)) => glob.matches(text),
            (Expected::Number(one), Value::Number(other)) => is_same_number(one, other),
            (Expected::Boolean(one), Value::Bool(other)) => one == other,
            _ => false,
        })
    }

    fn values(&self) -> String {
        let texts = self.any_of.iter().map(|it| match it {
            Expected::Text(glob) => glob.to_string(),
            Expected::Number(number) => number.to_string(),
            Expected::Boolean(is_so) => is_so.to_string(),
        });
        texts.collect::<Vec<_>>().join(" or ")
    }
}

/// 74 and 74.0 are one number in JSON; beyond what a double holds exactly, whole numbers alone are equal.
fn is_same_number(one: &Number, other: &Number) -> bool {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let near = |it: &Number| it.as_f64().filter(|it| it.abs() < EXACT);
    one == other
        || matches!((near(one), near(other)), (Some(one), Some(other)) if one.total_cmp(&other).is_eq())
}

impl Serialize for ClaimRules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.stated.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ClaimRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stated = Map::deserialize(deserializer)?;
        Self::parse(stated).map_err(serde::de::Error::custom)
    }
}
