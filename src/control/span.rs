//! A span of time as tests write it: `250ms`, `90s`, `5m`, `1h`, `30d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

use crate::domain::timestamp::Seconds;

/// A span, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span(pub(super) Duration);

/// What is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a duration as a whole number and its unit: 250ms, 90s, 5m, 1h, 30d")]
pub(super) struct InvalidSpan;

impl Span {
    /// In milliseconds.
    pub(super) fn milliseconds(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let Some(number) = text.strip_suffix("ms") else {
            let seconds = text.parse::<Seconds>().map_err(|_| InvalidSpan)?;
            return Ok(Self(seconds.duration()));
        };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidSpan);
        }
        let number: u32 = number.parse().map_err(|_| InvalidSpan)?;
        Ok(Self(Duration::from_millis(number.into())))
    }
}

impl fmt::Display for Span {
    /// As it reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = u32::try_from(self.0.as_secs()).ok();
        match seconds.filter(|_| self.0.subsec_millis() == 0) {
            Some(seconds) => Seconds::new(seconds).fmt(f),
            None => write!(f, "{}ms", self.0.as_millis()),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration as text, for example \"5m\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("0ms", 0),
            ("90s", 90_000),
            ("61m", 3_660_000),
            ("1h", 3_600_000),
            ("30d", 30 * 86_400_000),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string().parse(), Ok(span), "it reads back");
            assert_eq!(
                text.parse().map(Span::milliseconds),
                Ok(milliseconds),
                "{text}"
            );
        }
        for wrong in [
            "",
            "ms",
            "5",
            "-5m",
            "-5ms",
            "+5ms",
            "5 ms",
            "1.5h",
            "9999999999ms",
            "5M",
        ] {
            assert_eq!(wrong.parse::<Span>(), Err(InvalidSpan), "{wrong}");
        }
    }
}
