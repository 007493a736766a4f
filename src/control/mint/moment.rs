//! An instant as a test writes it: how far from now, or when.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::domain::timestamp::{Seconds, Timestamp};

/// `-10m`, `+1h`, RFC 3339 or Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::control) enum Moment {
    /// So long ago.
    Ago(Seconds),
    /// So far ahead.
    Ahead(Seconds),
    /// Then.
    At(Timestamp),
}

impl Moment {
    /// When that is, seen from `now`.
    pub(in crate::control) fn seen_from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(span) => now.minus(span),
            Self::Ahead(span) => now.plus(span),
            Self::At(instant) => instant,
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsWritten;

        impl Visitor<'_> for AsWritten {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("how far from now (-10m, +1h), an instant of RFC 3339, or Unix seconds")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
                let span = |text: &str| text.parse::<Seconds>().map_err(E::custom);
                let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                match text.split_at_checked(1) {
                    Some(("-", rest)) if !is_number(rest) => span(rest).map(Moment::Ago),
                    Some(("+", rest)) if !is_number(rest) => span(rest).map(Moment::Ahead),
                    _ => text.parse().map(Moment::At).map_err(E::custom),
                }
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Moment, E> {
                Ok(Moment::At(Timestamp::from_unix(seconds)))
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Moment, E> {
                i64::try_from(seconds)
                    .map(|seconds| Moment::At(Timestamp::from_unix(seconds)))
                    .map_err(|_| E::custom("no instant"))
            }
        }

        deserializer.deserialize_any(AsWritten)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_moment_is_relative_or_an_instant() {
        let seen = |value: serde_json::Value| {
            let moment: Option<Moment> = serde_json::from_value(value).ok();
            moment.map(|it| it.seen_from(Timestamp::from_unix(1_000_000)).unix())
        };
        for (value, instant) in [
            (json!("-10m"), Some(999_400)),
            (json!("+1h"), Some(1_003_600)),
            (json!(42), Some(42)),
            (json!(-42), Some(-42)),
            (json!("42"), Some(42)),
            (json!("-42"), Some(-42)),
            (json!("1970-01-02T00:00:00Z"), Some(86_400)),
            (json!("-"), None),
            (json!("10m"), None),
            (json!("-10x"), None),
            (json!("--10m"), None),
            (json!("-10µ"), None),
            (json!(1.5), None),
            (json!(u64::MAX), None),
            (json!(null), None),
        ] {
            assert_eq!(seen(value.clone()), instant, "{value}");
        }
    }
}
