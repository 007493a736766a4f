//! Patterns for names that somebody else gives: `*` stands for anything but `:` and `/`, `**` for anything, and every other
//! character for itself. Names of platforms are built with `:` and `/`, so that a `*` stays within one part of a name.

mod meeting;

use super::shape::text_shape;

/// The longest pattern, in bytes.
const MAX_LENGTH: usize = 1024;
/// The most `*` and `**` of a pattern, so that matching stays cheap.
const MAX_WILDCARDS: usize = 16;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glob {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    /// `*`.
    Within,
    /// `**`.
    Across,
}

/// What cannot be a pattern.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGlob {
    #[error("a pattern has 1 to {MAX_LENGTH} bytes and no control characters")]
    Text,
    #[error("a pattern has at most {MAX_WILDCARDS} wildcards")]
    Wildcards,
    #[error("write * (anything but : and /) or ** (anything): more stars in a row mean nothing")]
    Stars,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// See [`InvalidGlob`].
    pub fn parse(text: &str) -> Result<Self, InvalidGlob> {
        if text.is_empty() || text.len() > MAX_LENGTH || text.chars().any(char::is_control) {
            return Err(InvalidGlob::Text);
        }
        if text.contains("***") {
            return Err(InvalidGlob::Stars);
        }
        let mut parts = Vec::new();
        for (index, across) in text.split("**").enumerate() {
            if index > 0 {
                parts.push(Part::Across);
            }
            for (index, literal) in across.split('*').enumerate() {
                if index > 0 {
                    parts.push(Part::Within);
                }
                if !literal.is_empty() {
                    parts.push(Part::Text(literal.to_owned()));
                }
            }
        }
        let wildcards = parts.iter().filter(|it| !matches!(it, Part::Text(_)));
        if wildcards.count() > MAX_WILDCARDS {
            return Err(InvalidGlob::Wildcards);
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before its first wildcard: all that it means begins so.
    #[must_use]
    pub fn beginning(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// Whether it begins with `*` or `**`.
    #[must_use]
    pub fn begins_with_wildcard(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Across | Part::Within))
    }

    /// Whether nothing stands in it but wildcards.
    #[must_use]
    pub fn is_for_anything(&self) -> bool {
        self.parts.iter().all(|it| !matches!(it, Part::Text(_)))
    }

    /// Whether it means one text only.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        matches!(self.parts[..], [Part::Text(_)])
    }

    /// Whether it means `text`, byte by byte and whole. It takes time by the length of both, multiplied, at most.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        if !text.starts_with(self.beginning()) {
            return false;
        }
        let bytes = text.as_bytes();
        // Where in the text the parts so far may end.
        let mut ends = vec![false; bytes.len() + 1];
        ends.iter_mut().take(1).for_each(|first| *first = true);
        for part in &self.parts {
            ends = part.ends_after(&ends, bytes);
        }
        ends.last() == Some(&true)
    }
}

impl Part {
    /// Where this part may end, where it may begin where `begins` says.
    fn ends_after(&self, begins: &[bool], text: &[u8]) -> Vec<bool> {
        match self {
            Self::Text(literal) => {
                let mut ends = vec![false; begins.len()];
                let begins = begins.iter().enumerate().filter(|(_, may)| **may);
                for (at, _) in begins {
                    let rest = text.get(at..).unwrap_or_default();
                    if rest.starts_with(literal.as_bytes())
                        && let Some(end) = ends.get_mut(at + literal.len())
                    {
                        *end = true;
                    }
                }
                ends
            }
            Self::Within => carried(begins, text, |byte| !matches!(byte, b':' | b'/')),
            Self::Across => carried(begins, text, |_| true),
        }
    }
}

/// From each beginning on, as far as all bytes are allowed.
fn carried(begins: &[bool], text: &[u8], allows: impl Fn(u8) -> bool) -> Vec<bool> {
    let before = std::iter::once(None).chain(text.iter().copied().map(Some));
    let mut reached = false;
    let ends = begins.iter().zip(before).map(|(begins, before)| {
        reached = *begins || (reached && before.is_some_and(&allows));
        reached
    });
    ends.collect()
}

impl std::fmt::Display for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

text_shape!(Glob);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::parse(pattern).unwrap().matches(text)
    }

    /// FED-06.
    #[test]
    fn a_star_stays_within_its_part_and_two_do_not() {
        for (pattern, text, fits) in [
            (
                "repo:acme/*:ref:refs/heads/main",
                "repo:acme/shop:ref:refs/heads/main",
                true,
            ),
            (
                "repo:acme/*:ref:refs/heads/main",
                "repo:acme/a/b:ref:refs/heads/main",
                false,
            ),
            ("repo:acme/*", "repo:acme/shop:environment:prod", false),
            ("repo:acme/**", "repo:acme/shop:environment:prod", true),
            ("repo:acme/*", "repo:acme-evil/shop", false),
            ("repo:acme/*", "xrepo:acme/shop", false),
            ("repo:acme/shop", "repo:acme/shop ", false),
            ("repo:acme/shop", "repo:acme/sho", false),
            ("repo:acme/shop", "repo:Acme/shop", false),
            ("refs/tags/v*", "refs/tags/v1.2", true),
            ("refs/tags/v*", "refs/tags/v", true),
            ("refs/tags/v*", "refs/tags/v1/x", false),
            ("*", "", true),
            ("*", "a:b", false),
            ("**", "a:b/c", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a**:c", "a:b:c", true),
            ("a?c", "abc", false),
            ("[ab]", "a", false),
            ("repo:acme/shop", "repo:acme/*", false),
            ("repo:acme/shop", "**", false),
            ("a.c", "abc", false),
            ("é*", "é!", true),
            ("*", "é", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (text, fault) in [
            (String::new(), InvalidGlob::Text),
            ("x".repeat(MAX_LENGTH + 1), InvalidGlob::Text),
            ("a\nb".to_owned(), InvalidGlob::Text),
            ("a***".to_owned(), InvalidGlob::Stars),
            ("*a".repeat(17), InvalidGlob::Wildcards),
        ] {
            assert_eq!(Glob::parse(&text), Err(fault), "{text}");
        }
        assert!(Glob::parse("a").unwrap().is_exact() && !Glob::parse("a*").unwrap().is_exact());
    }

    /// Nothing that a stranger writes into a token makes it slow: no step goes back.
    #[test]
    fn many_stars_and_a_long_text_are_no_matter() {
        let pattern = format!("{}b", "a*".repeat(MAX_WILDCARDS));
        assert!(!matches(&pattern, &"a".repeat(20_000)));
    }

    proptest! {
        /// FED-06.
        #[test]
        fn without_a_star_it_means_itself_only(text in "[ -)+-~]{1,40}", other in "[ -~]{0,40}") {
            let glob = Glob::parse(&text).unwrap();
            prop_assert!(glob.is_exact() && glob.matches(&text));
            prop_assert_eq!(glob.matches(&other), text == other);
        }

        /// The same as a slow reader that tries every split.
        #[test]
        fn it_means_what_the_rules_say(pattern in "[ab:*]{1,6}", text in "[ab:]{0,6}") {
            prop_assume!(!pattern.contains("***"));
            prop_assert_eq!(matches(&pattern, &text), slowly(&pattern, &text));
        }
    }

    fn slowly(pattern: &str, text: &str) -> bool {
        if let Some(rest) = pattern.strip_prefix("**") {
            return (0..=text.len()).any(|at| slowly(rest, &text[at..]));
        }
        if let Some(rest) = pattern.strip_prefix('*') {
            let end = text.find([':', '/']).unwrap_or(text.len());
            return (0..=end).any(|at| slowly(rest, &text[at..]));
        }
        match (pattern.chars().next(), text.chars().next()) {
            (None, None) => true,
            (Some(one), Some(other)) if one == other => slowly(&pattern[1..], &text[1..]),
            _ => false,
        }
    }
}
