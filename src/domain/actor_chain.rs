//! Who acts with a token for its subject: the claim `act` (RFC 8693 section 4.1).

use serde::de::Error;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The most actors of one token.
pub const MOST_ACTORS: usize = 5;

const SUBJECT: &str = "sub";
const ACTOR: &str = "act";

/// Who acts, and for whom: the one that acts now first, then each who acted before it. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActorChain(Vec<String>);

/// More than [`MOST_ACTORS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyActors;

impl ActorChain {
    /// `actor` acts, after those who acted before.
    ///
    /// # Errors
    /// They are too many.
    pub fn led_by(actor: &str, before: Option<&Self>) -> Result<Self, TooManyActors> {
        let before = before.map_or(&[][..], |it| &it.0);
        if before.len() >= MOST_ACTORS {
            return Err(TooManyActors);
        }
        let actors = std::iter::once(actor.to_owned()).chain(before.iter().cloned());
        Ok(Self(actors.collect()))
    }

    /// Each of them, the one that acts now first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Reads the claim of a token of somebody else, who calls actors as `name` tells. What else it says of them is left out.
    #[must_use]
    pub fn of_foreign(claim: &Value, name: impl Fn(&str) -> String) -> Option<Self> {
        let mut actors = Vec::new();
        let mut rest = Some(claim);
        while let Some(claim) = rest {
            actors.push(name(claim.get(SUBJECT)?.as_str()?));
            rest = claim.get(ACTOR);
            if actors.len() > MOST_ACTORS {
                return None;
            }
        }
        Some(Self(actors))
    }

    /// Reads a claim that holds nothing but names.
    fn read(claim: Value) -> Option<Self> {
        let mut actors = Vec::new();
        let mut rest = Some(claim);
        while let Some(claim) = rest {
            let Value::Object(mut members) = claim else {
                return None;
            };
            let Some(Value::String(actor)) = members.remove(SUBJECT) else {
                return None;
            };
            actors.push(actor);
            rest = members.remove(ACTOR);
            if actors.len() > MOST_ACTORS || !members.is_empty() {
                return None;
            }
        }
        Some(Self(actors))
    }
}

impl Serialize for ActorChain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut inner = None;
        let mut actors = self.0.iter().rev().peekable();
        while let Some(actor) = actors.next() {
            if actors.peek().is_none() {
                let mut members = serializer.serialize_map(None)?;
                members.serialize_entry(SUBJECT, actor)?;
                if let Some(before) = &inner {
                    members.serialize_entry(ACTOR, before)?;
                }
                return members.end();
            }
            let mut members = Map::new();
            members.insert(SUBJECT.to_owned(), actor.clone().into());
            members.extend(inner.map(|it| (ACTOR.to_owned(), Value::Object(it))));
            inner = Some(members);
        }
        serializer.serialize_none()
    }
}

impl<'de> Deserialize<'de> for ActorChain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let claim = Value::deserialize(deserializer)?;
        Self::read(claim).ok_or_else(|| D::Error::custom("no chain of actors"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chain(actors: &[&str]) -> ActorChain {
        let mut chain = None;
        for actor in actors.iter().rev() {
            chain = Some(ActorChain::led_by(actor, chain.as_ref()).unwrap());
        }
        chain.unwrap()
    }

    /// EXC-06.
    #[test]
    fn actors_nest_in_order() {
        let claim = json!({ "sub": "c", "act": { "sub": "b", "act": { "sub": "a" } } });
        assert_eq!(json!(chain(&["c", "b", "a"])), claim);
        assert_eq!(json!(chain(&["c"])), json!({ "sub": "c" }));
        let read: ActorChain = serde_json::from_value(claim).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), ["c", "b", "a"]);
    }

    /// EXC-06.
    #[test]
    fn a_sixth_actor_is_one_too_many() {
        let five = chain(&["e", "d", "c", "b", "a"]);
        assert_eq!(ActorChain::led_by("f", Some(&five)), Err(TooManyActors));
        let six = json!({ "sub": "f", "act": five });
        assert!(serde_json::from_value::<ActorChain>(six).is_err());
        assert!(serde_json::from_value::<ActorChain>(json!(five)).is_ok());
    }

    #[test]
    fn the_actors_of_somebody_else_are_called_by_a_name_of_ours() {
        let read = |claim: &Value| ActorChain::of_foreign(claim, |it| format!("idp|{it}"));
        let claim = json!({ "sub": "b", "iss": "x", "act": { "sub": "a", "act": { "sub": "c" } } });
        let names = read(&claim).unwrap();
        assert_eq!(
            names.iter().collect::<Vec<_>>(),
            ["idp|b", "idp|a", "idp|c"]
        );
        let five = chain(&["e", "d", "c", "b", "a"]);
        assert!(read(&json!(five)).is_some());
        for wrong in [
            json!({ "sub": "f", "act": five }),
            json!(null),
            json!("a"),
            json!({ "iss": "x" }),
            json!({ "sub": "a", "act": null }),
            json!({ "sub": ["a"] }),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_chain_of_names_is_none_of_ours() {
        for claim in [
            json!(null),
            json!("a"),
            json!({}),
            json!({ "sub": 1 }),
            json!({ "sub": "a", "iss": "b" }),
            json!({ "sub": "a", "act": null }),
            json!({ "sub": "a", "act": {} }),
            json!([{ "sub": "a" }]),
        ] {
            let read = serde_json::from_value::<ActorChain>(claim.clone());
            assert!(read.is_err(), "{claim}");
        }
    }
}
