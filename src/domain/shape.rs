//! How the parts of a resource stand in a document: the catalog, an export, a listing in JSON (serde).

use std::fmt;

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::timestamp::Seconds;

/// The most characters of a name for people.
pub(crate) const MAX_LABEL: usize = 255;

/// Makes types that have `parse` and `Display` texts of a document.
macro_rules! text_shape {
    ($($name:ident),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(super) use text_shape;

/// What is no name for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {MAX_LABEL} characters, and no control characters")]
pub(crate) struct InvalidLabel;

/// `text`, where it is a name for people.
pub(crate) fn fitting_label(text: String) -> Result<String, InvalidLabel> {
    let fits =
        (1..=MAX_LABEL).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(InvalidLabel) }
}

/// A name for people: 1 to 255 characters on one line.
pub(crate) fn label<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(fitting_label).transpose().map_err(Error::custom)
}

/// A duration from one second to `MOST`.
pub(super) fn span<'de, D: Deserializer<'de>, const MOST: u32>(
    deserializer: D,
) -> Result<Seconds, D::Error> {
    let span = Seconds::deserialize(deserializer)?;
    if (1..=MOST).contains(&span.get()) {
        return Ok(span);
    }
    let most = Seconds::new(MOST);
    Err(Error::custom(format_args!(
        "expected a duration from 1s to {most}"
    )))
}

/// As [`span`], or nothing.
pub(super) fn optional_span<'de, D: Deserializer<'de>, const MOST: u32>(
    deserializer: D,
) -> Result<Option<Seconds>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Span<const MOST: u32>(#[serde(deserialize_with = "span::<_, MOST>")] Seconds);

    let span = Option::<Span<MOST>>::deserialize(deserializer)?;
    Ok(span.map(|span| span.0))
}

/// A list whose order and doubles say nothing.
pub(super) fn set<'de, D: Deserializer<'de>, T: Deserialize<'de> + Ord>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(sorted(Vec::deserialize(deserializer)?))
}

fn sorted<T: Ord>(mut members: Vec<T>) -> Vec<T> {
    members.sort();
    members.dedup();
    members
}

/// A text, or a list of at least one, whose order and doubles say nothing.
pub(super) fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de> + Ord>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Many<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Many<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text or a list of texts")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
            Ok(vec![T::deserialize(StrDeserializer::new(text))?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut members = Vec::new();
            let mut is_empty = list.size_hint() == Some(0);
            while let Some(member) = list.next_element()? {
                members.push(member);
                is_empty = false;
            }
            if is_empty {
                return Err(Error::custom("the list is empty; name at least one"));
            }
            Ok(members)
        }
    }

    let many = deserializer.deserialize_any(Many(std::marker::PhantomData))?;
    Ok(sorted(many))
}

/// Networks; see [`network`].
pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let networks = Vec::<Network>::deserialize(deserializer)?;
    Ok(networks.into_iter().map(|network| network.0).collect())
}

pub(crate) struct Network(pub(crate) IpNet);

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        network(&text).map(Self).map_err(Error::custom)
    }
}

/// What is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a network, for example 10.0.0.0/8 or fd00::/8")]
pub(crate) struct InvalidNetwork;

/// A network in CIDR form; one in `::ffff:0:0/96` (RFC 4291 section 2.5.5.2) is none, for the addresses that it is
/// compared with are written as IPv4.
pub(crate) fn network(text: &str) -> Result<IpNet, InvalidNetwork> {
    match text.parse() {
        Ok(IpNet::V6(network)) if network.addr().to_ipv4_mapped().is_some() => Err(InvalidNetwork),
        Ok(network) => Ok(network),
        Err(_) => Err(InvalidNetwork),
    }
}
