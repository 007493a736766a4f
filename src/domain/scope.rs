//! Scopes, RFC 6749 section 3.3.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::identifier::reads_as_text;
use super::shape::text_shape;

/// One scope token: `1*( %x21 / %x23-5B / %x5D-7E )`, case-sensitive.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Arc<str>);

/// What is not a scope, or not a list of scopes divided by single spaces.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a scope is visible ASCII without quotation mark and backslash; a list separates them by single spaces"
)]
pub struct InvalidScope;

impl Scope {
    /// Reads one scope token.
    ///
    /// # Errors
    /// What the grammar of RFC 6749 section 3.3 does not allow, or is longer than 255 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let fits = (1..=255).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(InvalidScope)
        }
    }
}

reads_as_text!(Scope);

text_shape!(Scope);

/// A set of scopes, kept sorted and free of doubles; order never matters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// Reads the `scope` parameter: scopes with exactly one space between (RFC 6749 section 3.3).
    ///
    /// # Errors
    /// An invalid scope, and leading, trailing or doubled spaces.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        text.split(' ')
            .map(Scope::parse)
            .collect::<Result<Self, _>>()
    }

    /// Whether it has no scopes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `scope` is in it.
    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.binary_search(scope).is_ok()
    }

    /// The first scope of this set that `other` lacks.
    #[must_use]
    pub fn first_outside<'a>(&'a self, other: &Self) -> Option<&'a Scope> {
        self.0.iter().find(|scope| !other.contains(scope))
    }

    /// The scopes in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort();
        scopes.dedup();
        Self(scopes)
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Scope>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

impl fmt::Display for ScopeSet {
    /// The form of the `scope` parameter and claim: single spaces between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&scope.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 6749-26.
    #[test]
    fn spaces_are_single_and_inside() {
        for wrong in ["", " a", "a ", "a  b", "a\tb", "a\nb", "a\"b", "a\\b", "é"] {
            assert_eq!(ScopeSet::parse(wrong), Err(InvalidScope), "{wrong:?}");
        }
    }

    /// 6749-28.
    #[test]
    fn a_set_has_no_order_and_no_doubles_and_knows_case() {
        let set = ScopeSet::parse("b a b").unwrap();
        assert_eq!(set.to_string(), "a b");
        assert_eq!(set, ScopeSet::parse("a b").unwrap());
        assert_ne!(ScopeSet::parse("Read"), ScopeSet::parse("read"));
    }

    proptest! {
        #[test]
        fn a_printed_set_reads_back(text in "[!-~ ]{0,40}") {
            if let Ok(set) = ScopeSet::parse(&text) {
                prop_assert_eq!(ScopeSet::parse(&set.to_string()), Ok(set));
            }
        }
    }
}
