//! Which lines the log writes, and how that changes while the process runs: for good when the settings are read again,
//! for a while when an operator asks for it (OPERATING section 2).

use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::Mutex;
use tracing_subscriber::filter::{Directive, LevelFilter};
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::domain::shown;

/// The filter of the process' log, once it has begun.
static FILTER: OnceLock<Filter> = OnceLock::new();

/// The first part of a filter that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the log filter {} is not valid: write error, warn, info, debug, trace, off, or a list with TARGET=LEVEL",
    shown::unknown(.0, [])
)]
pub struct InvalidFilter(pub(super) String);

/// Why the filter was not changed.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    #[error(transparent)]
    Invalid(#[from] InvalidFilter),
    #[error("this process does not log yet")]
    NoLog,
}

/// What holds, and what comes back after a while.
pub(super) struct Filter {
    handle: reload::Handle<EnvFilter, Registry>,
    state: Mutex<State>,
}

struct State {
    configured: String,
    /// How often the filter was changed: what was to end a change that another one replaced does nothing.
    changes: u64,
}

/// The layer of the filter `text`, which the functions of this file change from now on.
pub(super) fn begin(filter: EnvFilter, text: &str) -> reload::Layer<EnvFilter, Registry> {
    let (layer, handle) = reload::Layer::new(filter);
    let state = Mutex::new(State {
        configured: text.to_owned(),
        changes: 0,
    });
    // A second start, as in tests, changes nothing.
    let _ = FILTER.set(Filter { handle, state });
    layer
}

/// Takes this filter for good; one that was asked for a while ends.
///
/// # Errors
/// It is not valid, or there is no log.
pub fn configure(text: &str) -> Result<(), FilterError> {
    let filter = parse(text)?;
    let log = FILTER.get().ok_or(FilterError::NoLog)?;
    let mut state = log.state.lock();
    text.clone_into(&mut state.configured);
    log.take(&mut state, filter).map(drop)
}

/// Takes this filter for so long; then the configured one comes back by itself. Needs a tokio runtime.
///
/// # Errors
/// It is not valid, or there is no log.
pub fn change_for(text: &str, time: Duration) -> Result<(), FilterError> {
    let filter = parse(text)?;
    let log = FILTER.get().ok_or(FilterError::NoLog)?;
    let mut state = log.state.lock();
    let configured = state.configured.clone();
    // Before the change, which may silence it.
    tracing::warn!(
        filter = text,
        "changing the log level for {time:?}, then back to {configured}"
    );
    let change = log.take(&mut state, filter)?;
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        log.go_back(change);
    });
    Ok(())
}

impl Filter {
    /// Gives the number of this change.
    fn take(&self, state: &mut State, filter: EnvFilter) -> Result<u64, FilterError> {
        state.changes += 1;
        self.handle.reload(filter).map_err(|_| FilterError::NoLog)?;
        Ok(state.changes)
    }

    /// Ends a change, unless another one came after it.
    fn go_back(&self, change: u64) {
        let mut state = self.state.lock();
        if state.changes != change {
            return;
        }
        let configured = state.configured.clone();
        let Ok(filter) = parse(&configured) else {
            return;
        };
        if self.take(&mut state, filter).is_ok() {
            tracing::info!("the log level is {configured} again");
        }
    }
}

/// The filter, or the first part that is wrong. A word alone is a level: as the name of a target, which it could be
/// too, it would silence all others.
pub(super) fn parse(text: &str) -> Result<EnvFilter, InvalidFilter> {
    let is_right = |part: &str| {
        let part = part.trim();
        let is_level = !part.is_empty() && part.parse::<LevelFilter>().is_ok();
        is_level || (part.contains('=') && part.parse::<Directive>().is_ok())
    };
    match text.split(',').find(|part| !is_right(part)) {
        Some(part) => Err(InvalidFilter(part.to_owned())),
        None => EnvFilter::try_new(text).map_err(|_| InvalidFilter(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_a_filter_that_is_wrong_is_named() {
        for text in [
            "debug",
            "off",
            "grantd=trace,info",
            "info,[span{a=1}]=debug",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        for (text, part) in [
            ("verbose", "verbose"),
            ("", ""),
            ("a=b=c", "a=b=c"),
            ("info,hyper=wrn", "hyper=wrn"),
            ("grantd=debug,verbose", "verbose"),
            ("info,", ""),
        ] {
            assert_eq!(parse(text).unwrap_err().0, part, "{text}");
        }
    }
}
