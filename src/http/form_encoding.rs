//! Decodes `application/x-www-form-urlencoded` text strictly (RFC 6749 appendix B).
//!
//! Our own, because the crates of the field decode lossily: a bad escape stays as it is and what is no
//! UTF-8 becomes U+FFFD, so that two different requests would mean the same.

use zeroize::Zeroize;

/// Decodes one name or value; `None` for a bad escape and for what is no UTF-8.
pub(super) fn decode(encoded: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(encoded.len());
    if decode_into(encoded, &mut decoded).is_none() {
        decoded.zeroize();
        return None;
    }
    String::from_utf8(decoded)
        .map_err(|error| error.into_bytes().zeroize())
        .ok()
}

fn decode_into(encoded: &[u8], decoded: &mut Vec<u8>) -> Option<()> {
    let mut bytes = encoded.iter();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(*bytes.next()?)? << 4 | hex(*bytes.next()?)?,
            other => *other,
        });
    }
    Some(())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Encodes as appendix B demands: the reference that tests decode against.
#[cfg(test)]
pub(super) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749 appendix B has this very example (6749-14).
    #[test]
    fn the_example_of_appendix_b_decodes() {
        assert_eq!(
            decode(b"+%25%26%2B%C2%A3%E2%82%AC").as_deref(),
            Some(" %&+£€")
        );
        assert_eq!(encode(" %&+£€"), "+%25%26%2B%C2%A3%E2%82%AC");
    }

    /// 6749-04.
    #[test]
    fn what_is_no_utf_8_and_bad_escapes_are_refused() {
        let wrong: [&[u8]; 9] = [
            b"%FF",
            b"%C0%80",
            b"%ED%A0%80",
            b"%",
            b"%2",
            b"%zz",
            b"%+1",
            b"\xff",
            b"%F5%80%80%80",
        ];
        for wrong in wrong {
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
    }
}
