//! What tokens of ours call somebody whom only a trusted issuer knows: `ISSUER|NAME`, so that nobody of theirs is taken for
//! a client of ours. No client may have an id of that form while the issuer is trusted.

use super::identifier::IssuerId;

const BETWEEN: char = '|';
/// The most bytes of JSON that the names of one token take: a SPIFFE ID may have 2048. So a token of ours that repeats them
/// is never longer than one that is read.
const MOST_BYTES: usize = 3072;

/// The name for whom `issuer` calls `name`.
#[must_use]
pub fn qualified(issuer: &IssuerId, name: &str) -> String {
    format!("{issuer}{BETWEEN}{name}")
}

/// What `issuer` calls the one whom we call `text`; `None` for a name that is not of its kind.
#[must_use]
pub fn of<'t>(issuer: &IssuerId, text: &'t str) -> Option<&'t str> {
    text.strip_prefix(issuer.as_str())?.strip_prefix(BETWEEN)
}

/// The issuer of whose kind the name `text` is, whether that is trusted or not.
#[must_use]
pub fn issuer_of(text: &str) -> Option<IssuerId> {
    let (issuer, _) = text.split_once(BETWEEN)?;
    IssuerId::parse(issuer).ok()
}

/// Whether a token of ours has room for all these names.
pub fn fit<'n>(names: impl IntoIterator<Item = &'n str>) -> bool {
    let bytes = |name| serde_json::to_string(name).map_or(usize::MAX, |it| it.len());
    let all = names.into_iter().map(bytes);
    all.fold(0, usize::saturating_add) <= MOST_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_together_and_as_they_are_written() {
        let (spiffe, half) = ("x".repeat(2048), "x".repeat(MOST_BYTES / 2 - 2));
        assert!(fit([spiffe.as_str(), "mesh|other"]));
        assert!(fit([half.as_str(), &half]));
        assert!(!fit([half.as_str(), &half, ""]));
        assert!(!fit(["\u{1}".repeat(MOST_BYTES / 4).as_str()]));
    }

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let github = IssuerId::parse("github").unwrap();
        for name in ["repo:acme/shop", "", "a|b", "github|x"] {
            let text = qualified(&github, name);
            assert_eq!(of(&github, &text), Some(name));
            assert_eq!(issuer_of(&text).as_ref(), Some(&github));
        }
        for other in ["github", "githubs|x", "git|x", "Github|x", "|x", ""] {
            assert_eq!(of(&github, other), None, "{other}");
        }
        for no_issuer in ["web-shop", "Github|x", "|x", "a b|x", ""] {
            assert_eq!(issuer_of(no_issuer), None, "{no_issuer}");
        }
    }
}
