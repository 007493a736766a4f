//! Reads the table `[metadata]`: what the discovery document says beside what the server does.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::{Map, Value};

use super::declare::section;
use crate::config::fault::Problem;
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
        extra: Map<String, Value>, by members;
    }
}

#[expect(clippy::unnecessary_wraps, reason = "others of its kind can fail")]
fn members(read: BTreeMap<Name, Member>, _: &Path) -> Result<Map<String, Value>, Problem> {
    let members = read.into_iter().map(|(name, member)| (name.0, member.0));
    Ok(members.collect())
}

/// The name of a member that is not grantd's own.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if MEMBERS.contains(&name.as_str()) {
            return Err(Error::custom(format_args!(
                "`{name}` is a member that grantd writes itself; add members of other names only"
            )));
        }
        Ok(Self(name))
    }
}

/// RFC 8414 section 3.2: a member without values is left out.
struct Member(Value);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Array(list) if list.is_empty() => {
                Err(Error::custom(Problem::EmptyList("leave the member out")))
            }
            value => Ok(Self(value)),
        }
    }
}
