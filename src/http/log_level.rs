//! `PUT /log?level=debug&for=10m` of the operations listener: another log level for a while (OPERATING section 2).

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde_json::json;

use super::answer::{invalid, ok_json, unavailable};
use super::form_encoding::decode;
use super::health::HealthState;
use crate::domain::timestamp::Seconds;
use crate::telemetry::filter::{self, FilterError};

/// A day: who needs more sets it in the settings.
const LONGEST: Seconds = Seconds::new(24 * 3600);
/// Seconds after which to try again where there is no log.
const RETRY_AFTER: u32 = 1;

/// What is wrong with the query. Never what was sent: it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum QueryFault {
    #[error(
        "name the level and the time, each once and nothing else, as in /log?level=debug&for=10m"
    )]
    Parameters,
    #[error("level must be error, warn, info, debug, trace, off, or a list with TARGET=LEVEL")]
    Level,
    #[error("for must be a whole number with a unit, from 1s to 24h, as in 10m")]
    Time,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    level: String,
    time: Seconds,
}

pub(super) async fn put(State(state): State<HealthState>, uri: Uri) -> Response {
    let change = match Change::read(uri.query().unwrap_or_default()) {
        Ok(change) => change,
        Err(fault) => return refused(fault),
    };
    match filter::change_for(&change.level, change.time.duration()) {
        Ok(()) => {}
        Err(FilterError::Invalid(_)) => return refused(QueryFault::Level),
        Err(FilterError::NoLog) => return unavailable(RETRY_AFTER),
    }
    let until = state.grantd.clock().now().plus(change.time).to_string();
    let body = json!({ "level": change.level, "until": until });
    ok_json(body.to_string().into_bytes())
}

fn refused(fault: QueryFault) -> Response {
    invalid(&fault.to_string())
}

impl Change {
    fn read(query: &str) -> Result<Self, QueryFault> {
        let (mut level, mut time) = (None, None);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').ok_or(QueryFault::Parameters)?;
            let value = decode(value.as_bytes()).ok_or(QueryFault::Parameters)?;
            let slot = match name {
                "level" => &mut level,
                "for" => &mut time,
                _ => return Err(QueryFault::Parameters),
            };
            if slot.replace(value).is_some() {
                return Err(QueryFault::Parameters);
            }
        }
        let (Some(level), Some(time)) = (level, time) else {
            return Err(QueryFault::Parameters);
        };
        let time: Seconds = time.parse().map_err(|_| QueryFault::Time)?;
        if time.get() == 0 || time > LONGEST {
            return Err(QueryFault::Time);
        }
        Ok(Self { level, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_and_a_time_are_read() {
        let change = Change::read("level=grantd%3Ddebug,info&for=10m").unwrap();
        assert_eq!(change.level, "grantd=debug,info");
        assert_eq!(change.time, Seconds::new(600));
        assert!(Change::read("for=24h&level=off").is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        for query in [
            "",
            "level=debug",
            "for=10m",
            "level=debug&for=10m&",
            "level=debug&for=10m&more=1",
            "level=debug&level=info&for=10m",
            "level=%zz&for=10m",
            "LEVEL=debug&for=10m",
        ] {
            assert_eq!(Change::read(query), Err(QueryFault::Parameters), "{query}");
        }
        for time in ["", "0s", "25h", "10", "-1m", "1d1h", "99999999999h"] {
            let query = format!("level=debug&for={time}");
            assert_eq!(Change::read(&query), Err(QueryFault::Time), "{time}");
        }
    }
}
