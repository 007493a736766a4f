//! An instant in Unix seconds and a span in seconds: the only time types of grantd.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant, in whole seconds since the Unix epoch (RFC 7519 `NumericDate` without fraction).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The epoch itself: earlier than anything that grantd writes.
    pub const EPOCH: Self = Self(0);

    /// From Unix seconds.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Unix seconds.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This instant moved later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(i64::from(span.get())))
    }

    /// This instant moved earlier; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, span: Seconds) -> Self {
        Self(self.0.saturating_sub(i64::from(span.get())))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC; Unix seconds where the calendar does not reach.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp(self.0)
            .ok()
            .and_then(|instant| instant.format(&Rfc3339).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "{}", self.0),
        }
    }
}

/// What is neither an RFC 3339 instant nor Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an instant as RFC 3339, for example 2026-12-31T00:00:00Z, or as Unix seconds")]
pub struct InvalidTimestamp;

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        if let Ok(seconds) = text.parse::<i64>() {
            return Ok(Self(seconds));
        }
        OffsetDateTime::parse(text, &Rfc3339)
            .map(|instant| Self(instant.unix_timestamp()))
            .map_err(|_| InvalidTimestamp)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    /// RFC 3339 as text, Unix seconds as a number, or what a format has for instants (as a newtype: TOML's date-time).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Instant;

        impl<'de> Visitor<'de> for Instant {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an instant")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(seconds))
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Timestamp, E> {
                i64::try_from(seconds)
                    .map(Timestamp)
                    .map_err(|_| E::custom(InvalidTimestamp))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Timestamp, D::Error> {
                deserializer.deserialize_any(self)
            }
        }

        deserializer.deserialize_newtype_struct("Timestamp", Instant)
    }
}

/// A span of whole seconds; written `90s`, `5m` or `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(u32);

impl Seconds {
    /// From seconds.
    #[must_use]
    pub const fn new(seconds: u32) -> Self {
        Self(seconds)
    }

    /// The number of seconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// As the standard library's span.
    #[must_use]
    pub const fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0 as u64)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0s"),
            // A single day reads better in hours.
            n if n % 86_400 == 0 && n > 86_400 => write!(f, "{}d", n / 86_400),
            n if n % 3600 == 0 => write!(f, "{}h", n / 3600),
            n if n % 60 == 0 => write!(f, "{}m", n / 60),
            n => write!(f, "{n}s"),
        }
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Span;

        impl Visitor<'_> for Span {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration as text, for example \"5m\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Seconds, E> {
                text.parse().map_err(E::custom)
            }

            /// Nought is the same in every unit.
            fn visit_i64<E: Error>(self, number: i64) -> Result<Seconds, E> {
                match number {
                    0 => Ok(Seconds(0)),
                    _ => Err(E::invalid_type(Unexpected::Signed(number), &self)),
                }
            }
        }

        deserializer.deserialize_str(Span)
    }
}

/// What is not a span of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a duration as a whole number and its unit: 90s, 5m, 1h")]
pub struct InvalidSeconds;

impl FromStr for Seconds {
    type Err = InvalidSeconds;

    fn from_str(text: &str) -> Result<Self, InvalidSeconds> {
        // Nought is the same in every unit.
        if text == "0" {
            return Ok(Self(0));
        }
        let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
        let (number, factor) = units
            .iter()
            .find_map(|(unit, factor)| Some((text.strip_suffix(*unit)?, *factor)))
            .ok_or(InvalidSeconds)?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidSeconds);
        }
        let number: u32 = number.parse().map_err(|_| InvalidSeconds)?;
        number.checked_mul(factor).map(Self).ok_or(InvalidSeconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        assert_eq!("90s".parse(), Ok(Seconds::new(90)));
        assert_eq!("5m".parse(), Ok(Seconds::new(300)));
        assert_eq!("1h".parse(), Ok(Seconds::new(3600)));
        assert_eq!("30d".parse(), Ok(Seconds::new(30 * 86_400)));
        assert_eq!("0".parse(), Ok(Seconds::new(0)));
        for wrong in ["", "5", "00", "m", "-5m", "+5m", "5 m", "99999999h", "5mm"] {
            assert_eq!(wrong.parse::<Seconds>(), Err(InvalidSeconds), "{wrong}");
        }
    }

    #[test]
    fn a_printed_duration_reads_back() {
        assert_eq!(Seconds::new(30 * 86_400).to_string(), "30d");
        for seconds in [0, 1, 59, 60, 90, 3600, 86_400, 172_800] {
            let span = Seconds::new(seconds);
            assert_eq!(span.to_string().parse(), Ok(span));
        }
    }

    #[test]
    fn instants_are_rfc_3339_or_unix_seconds() {
        let instant = Timestamp::from_unix(1_767_225_600);
        assert_eq!("2026-01-01T00:00:00Z".parse(), Ok(instant));
        assert_eq!("2026-01-01T02:00:00+02:00".parse(), Ok(instant));
        assert_eq!("1767225600".parse(), Ok(instant));
        assert_eq!(instant.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!("tomorrow".parse::<Timestamp>(), Err(InvalidTimestamp));
    }

    #[test]
    fn moving_an_instant_saturates() {
        let end = Timestamp::from_unix(i64::MAX);
        assert_eq!(end.plus(Seconds::new(1)), end);
    }
}
