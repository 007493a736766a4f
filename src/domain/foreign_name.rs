//! What tokens of ours call somebody whom only a trusted issuer knows: `ISSUER|NAME`, so that nobody of theirs is taken for
//! a client of ours. No client may have an id of that form while the issuer is trusted.

use super::identifier::IssuerId;

const BETWEEN: char = '|';

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

#[cfg(test)]
mod tests {
    use super::*;

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
