//! Values of headers in which quotes hide what otherwise divides (RFC 9110 section 5.6.4).

/// The parts of `text` between separators that stand outside quotes, and whether every quote was closed.
pub(super) fn divided(text: &str, separator: char) -> (Vec<&str>, bool) {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_end = |character: char| {
        let is_plain = !is_escaped;
        is_escaped = is_quoted && is_plain && character == '\\';
        is_quoted ^= is_plain && character == '"';
        character == separator && !is_quoted
    };
    let parts = text.split(is_end).collect();
    (parts, !is_quoted)
}
