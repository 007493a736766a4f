//! Instants in claims: `NumericDate`, RFC 7519 section 2.

use serde_json::Value;

use super::timestamp::Timestamp;

/// The last second of the year 9999; later instants are taken for nonsense.
const LAST: i64 = 253_402_300_799;

/// Reads seconds since the epoch. A fraction is dropped; a text, a negative and a huge number are no instant.
#[must_use]
pub fn parse_numeric_date(value: &Value) -> Option<Timestamp> {
    let Value::Number(number) = value else {
        return None;
    };
    let seconds = number
        .as_i64()
        .or_else(|| number.as_f64().and_then(whole))?;
    (0..=LAST)
        .contains(&seconds)
        .then_some(Timestamp::from_unix(seconds))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is within its bounds"
)]
fn whole(number: f64) -> Option<i64> {
    // A double holds every whole number up to here.
    const EXACT: f64 = 9_007_199_254_740_991.0;
    (0.0..=EXACT)
        .contains(&number)
        .then(|| number.floor() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_fractions_are_read_and_nothing_else() {
        let read = |text: &str| {
            serde_json::from_str(text)
                .ok()
                .as_ref()
                .and_then(parse_numeric_date)
                .map(Timestamp::unix)
        };
        for (text, seconds) in [
            ("0", 0),
            ("1700000000", 1_700_000_000),
            ("1.7e9", 1_700_000_000),
            ("1700000000.5", 1_700_000_000),
            ("1700000000.999", 1_700_000_000),
            ("253402300799", LAST),
        ] {
            assert_eq!(read(text), Some(seconds), "{text}");
        }
        for wrong in [
            "-1",
            "-0.5",
            "1e19",
            "1e300",
            "253402300800",
            "18446744073709551615",
            "18446744073709551616",
            "\"1700000000\"",
            "null",
            "true",
            "[1]",
            "{}",
            "NaN",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
