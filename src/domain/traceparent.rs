//! The request's place in a trace of the caller: the header `traceparent` (W3C Trace Context section 3.2).

use std::fmt;

/// The version that says nothing (section 3.2.2.1).
const INVALID_VERSION: u8 = 0xff;
/// The bytes of version 00.
const LENGTH: usize = 55;

/// A valid `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    version: u8,
    trace_id: u128,
    parent_id: u64,
    flags: u8,
}

impl Traceparent {
    /// Reads the value of the header. `None` for one that is not valid: it is ignored (section 3.2.2.2). Of a later
    /// version the part is read that version 00 has, too (section 4.1).
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, more) = value.split_at_checked(LENGTH)?;
        let mut fields = known.split(|byte| *byte == b'-');
        let traceparent = Self {
            version: u8::try_from(hex(fields.next()?, 2)?).ok()?,
            trace_id: hex(fields.next()?, 32)?,
            parent_id: u64::try_from(hex(fields.next()?, 16)?).ok()?,
            flags: u8::try_from(hex(fields.next()?, 2)?).ok()?,
        };
        let may_go_on = traceparent.version > 0 && more.first() == Some(&b'-');
        let is_valid = traceparent.version != INVALID_VERSION
            && traceparent.trace_id != 0
            && traceparent.parent_id != 0
            && fields.next().is_none()
            && (more.is_empty() || may_go_on);
        is_valid.then_some(traceparent)
    }
}

/// Of exactly so many lower-case digits.
fn hex(digits: &[u8], length: usize) -> Option<u128> {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != length || !digits.iter().all(is_digit) {
        return None;
    }
    u128::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            trace_id,
            parent_id,
            flags,
        } = self;
        write!(
            f,
            "{version:02x}-{trace_id:032x}-{parent_id:016x}-{flags:02x}"
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_one_is_told_as_it_came() {
        let parse = |text: &str| Traceparent::parse(text.as_bytes()).map(|it| it.to_string());
        assert_eq!(parse(VALID).as_deref(), Some(VALID));
        let later = VALID.replacen("00", "cc", 1);
        for text in [later.clone(), format!("{later}-more"), format!("{later}-")] {
            assert_eq!(parse(&text), Some(later.clone()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        let other = |from: &str, to: &str| VALID.replacen(from, to, 1);
        for text in [
            String::new(),
            other("00-", "ff-"),
            other("00-", "0-"),
            other("00-", "0x-"),
            other("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            other("00f067aa0ba902b7", &"0".repeat(16)),
            other("4bf9", "4BF9"),
            other("4bf9", "+bf9"),
            other("4bf9", "4b-9"),
            other("-01", "-0g"),
            other("-01", "-1"),
            other("-01", "_01"),
            format!("{VALID}-more"),
            format!("{VALID}0"),
            format!(" {VALID}"),
            format!("{}x", other("00-", "cc-")),
            "é".repeat(40),
        ] {
            assert_eq!(Traceparent::parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_what_is_told_is_of_one_form(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(valid) = Traceparent::parse(&value) {
                let told = valid.to_string();
                prop_assert_eq!(told.as_bytes(), &value[..LENGTH]);
            }
        }
    }
}
