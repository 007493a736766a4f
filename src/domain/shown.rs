//! What a log, an audit event or an error shows of a word that somebody typed: a secret that stands in the wrong place
//! must not be repeated. A word that is nothing known, long, and made of letters and digits may be one.

use super::secret_format;

/// From so many characters on a word may be a secret.
const LONG: usize = 20;
/// So much of a word that may be a secret is shown.
const BEGINNING: usize = 4;
/// The longest part of any word that is shown.
const SHOWN_LENGTH: usize = 64;
/// So many edits (characters added, left out, changed, or two in turn) are a typing error.
const TYPING_ERROR: usize = 2;
/// What divides a URL into words; elsewhere these may be part of a secret.
const DIVIDERS: [char; 8] = ['/', '.', ':', '?', '&', '=', '#', '@'];

/// Whether a word may be a secret, where it is nothing known.
#[must_use]
pub fn may_be_secret(text: &str) -> bool {
    let is_long = text.chars().nth(LONG - 1).is_some();
    let has = |kind: fn(char) -> bool| text.chars().any(kind);
    text.contains(secret_format::PREFIX)
        || (is_long && has(char::is_alphabetic) && has(char::is_numeric))
}

/// How many bytes a name has that `text` may be but for a typing error, from the fewest to the most.
#[must_use]
pub const fn lengths_of_neighbours(text: &str) -> (usize, usize) {
    let length = text.len();
    (length.saturating_sub(TYPING_ERROR), length + TYPING_ERROR)
}

/// Whether `text` is `known` but for a typing error.
#[must_use]
pub fn is_neighbour(text: &str, known: &str) -> bool {
    // Cheap for what is far; and nothing that a stranger sends is compared that no name could be.
    text.len().abs_diff(known.len()) <= TYPING_ERROR * 4
        && text.len() <= 1024
        && strsim::damerau_levenshtein(text, known) <= TYPING_ERROR
}

/// The member of `known` that is nearest to `word`, whatever the case.
#[must_use]
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .min_by_key(|candidate| strsim::damerau_levenshtein(&word, &candidate.to_lowercase()))
}

/// A word that was found nowhere: hidden where it may be a secret, unless one of `known` may be meant.
#[must_use]
pub fn unknown<'k>(text: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    if may_be_secret(text) && !known.into_iter().any(|known| is_neighbour(text, known)) {
        hidden(text)
    } else {
        plain(text)
    }
}

/// As [`unknown`], for what may be a URL: each of its words is judged alone, for its host and path tell a lot.
#[must_use]
pub fn unknown_url(text: &str) -> String {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    if !is_url || text.contains(secret_format::PREFIX) {
        return unknown(text, []);
    }
    let mut shown = String::new();
    for part in text
        .chars()
        .take(4 * SHOWN_LENGTH)
        .collect::<String>()
        .split_inclusive(DIVIDERS)
    {
        let word = part.trim_end_matches(DIVIDERS);
        if may_be_secret(word) {
            shown.push_str(&hidden(word));
            shown.push_str(part.get(word.len()..).unwrap_or_default());
        } else {
            shown.push_str(part);
        }
    }
    plain(&shown)
}

/// A word escaped and cut, so that a log can bear it.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN_LENGTH)
        .flat_map(char::escape_default)
        .collect();
    if text.chars().nth(SHOWN_LENGTH).is_some() {
        shown.push('…');
    }
    // Ours, and no stranger's: those that hide a word.
    shown.replace("\\u{2026}", "…")
}

/// As [`unknown`], where there may be nothing.
#[must_use]
pub fn unknown_or_none<'k>(text: Option<&str>, known: impl IntoIterator<Item = &'k str>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| unknown(text, known))
}

/// The first four characters and the length.
#[must_use]
pub fn hidden(text: &str) -> String {
    let beginning: String = text
        .chars()
        .take(BEGINNING)
        .flat_map(char::escape_default)
        .collect();
    format!("{beginning}… ({} characters)", text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "kJ8vQ2mZx7Lw4Rt9Yb3N";

    #[test]
    fn a_word_that_may_be_a_secret_is_shown_by_its_beginning_and_length() {
        assert_eq!(unknown(SECRET, []), "kJ8v… (20 characters)");
        assert_eq!(
            unknown(&format!("{SECRET}{SECRET}"), ["orders"]),
            "kJ8v… (40 characters)"
        );
        assert_eq!(unknown("grantd_abc", []), "gran… (10 characters)");
        assert_eq!(
            unknown("\r\n\u{1b}aaaaaaaaaaaaaaaaaaaa1", []),
            "\\r\\n\\u{1b}a… (24 characters)"
        );
        for word in [
            "",
            "orders-service",
            &SECRET[1..],
            "a-long-name-without-any-digit",
            "01234567890123456789",
        ] {
            assert_eq!(unknown(word, []), word);
        }
    }

    #[test]
    fn a_typing_error_of_a_known_word_is_shown() {
        let known = "orders-service-2026-eu1";
        for near in [
            known,
            "orders-service-2026-eu2",
            "order-service-2026-eu1",
            "ordres-service-2026-eu1x",
        ] {
            assert_eq!(unknown(near, ["api", known]), near);
        }
        let far = "orders-service-2026-eu1-kJ8v";
        assert_eq!(unknown(far, [known]), "orde… (28 characters)");
    }

    #[test]
    fn of_a_url_the_words_are_judged() {
        let url = "https://idp-eu1.prod-cluster-12.example.com:8443/oauth2/token";
        assert_eq!(unknown_url(url), url);
        let with = format!("https://a.example/{SECRET}?x={SECRET}#1");
        let shown = "https://a.example/kJ8v… (20 characters)?x=kJ8v… (20 characters)#…";
        assert_eq!(unknown_url(&with), shown);
        assert_eq!(
            unknown_url(&format!("https://{SECRET}")),
            "https://kJ8v… (20 characters)"
        );
        assert_eq!(unknown_url(SECRET), "kJ8v… (20 characters)");
        assert_eq!(unknown_url("https://grantd_abc"), "http… (18 characters)");
    }

    /// B-C07: what a stranger sends stays one line, and shows what it is.
    #[test]
    fn a_word_is_escaped_and_cut() {
        assert_eq!(
            unknown("a\r\nb\u{1b}[31m\u{202e}", []),
            "a\\r\\nb\\u{1b}[31m\\u{202e}"
        );
        assert_eq!(unknown(&"x".repeat(10_000), []).chars().count(), 65);
    }
}
