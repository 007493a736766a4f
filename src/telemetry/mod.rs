//! The log: one line an event, made from structured values, never with secret material at any level.

mod decided;
pub mod seldom;
mod writer;

pub use decided::log_decided;
pub use writer::last_words;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, LevelFilter};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::settings::LogFormat;
use crate::domain::shown;

/// Starts the log on standard error. `filter` is a level or a list of `target=level`; one that cannot be read
/// gives `info`, and a warning. Text has colours where `is_coloured`.
pub fn init(format: LogFormat, filter: &str, is_coloured: bool) {
    let (filter, fault) = match filter_of(filter) {
        Ok(filter) => (filter, None),
        Err(part) => (EnvFilter::new("info"), Some(part)),
    };
    let log = writer::start();
    let text = || {
        let layer = fmt::layer().with_writer(log.clone());
        layer.with_target(false).with_ansi(is_coloured)
    };
    let json = || fmt::layer().json().with_writer(log.clone());
    std::panic::set_hook(Box::new(tell_panic));
    // A second start, as in tests, changes nothing.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with((format == LogFormat::Text).then(text))
        .with((format == LogFormat::Json).then(json))
        .try_init();
    if let Some(part) = fault {
        tracing::warn!(
            found = ?shown::unknown(&part, []),
            expected = "error, warn, info, debug, trace, off, or a list with TARGET=LEVEL",
            "GRANTD_LOG is not valid, using info"
        );
    }
}

/// The place alone: what a panic says may quote a request. The standard hook would print it, and wait for a reader of
/// standard error.
fn tell_panic(panicked: &std::panic::PanicHookInfo<'_>) {
    let place = panicked.location().map(tracing::field::display);
    tracing::error!(place, "panicked: this is a bug in grantd");
}

/// The filter, or the first part that is wrong. A word alone is a level: as the name of a target, which it could be
/// too, it would silence all others.
fn filter_of(text: &str) -> Result<EnvFilter, String> {
    let is_right = |part: &str| {
        let part = part.trim();
        let is_level = !part.is_empty() && part.parse::<LevelFilter>().is_ok();
        is_level || (part.contains('=') && part.parse::<Directive>().is_ok())
    };
    match text.split(',').find(|part| !is_right(part)) {
        Some(part) => Err(part.to_owned()),
        None => EnvFilter::try_new(text).map_err(|_| text.to_owned()),
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
            assert_eq!(filter_of(text).unwrap().to_string(), text);
        }
        for (text, part) in [
            ("verbose", "verbose"),
            ("", ""),
            ("a=b=c", "a=b=c"),
            ("info,hyper=wrn", "hyper=wrn"),
            ("grantd=debug,verbose", "verbose"),
            ("info,", ""),
        ] {
            assert_eq!(filter_of(text).unwrap_err(), part, "{text}");
        }
    }
}
