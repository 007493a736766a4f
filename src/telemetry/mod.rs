//! The log: one line an event, made from structured values, never with secret material at any level.

mod decided;
pub mod filter;
pub mod metrics;
pub mod seldom;
mod writer;

pub use decided::log_decided;
pub use writer::{dropped_lines, last_words, writer_ended};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::settings::LogFormat;
use crate::domain::shown;

/// Starts the log on standard error. `filter` is a level or a list of `target=level`; one that cannot be read
/// gives `info`, and a warning. Text has colours where `is_coloured`.
pub fn init(format: LogFormat, filter: &str, is_coloured: bool) {
    let (filter, configured, fault) = match filter::parse(filter) {
        Ok(parsed) => (parsed, filter, None),
        Err(invalid) => (EnvFilter::new("info"), "info", Some(invalid)),
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
        .with(filter::begin(filter, configured))
        .with((format == LogFormat::Text).then(text))
        .with((format == LogFormat::Json).then(json))
        .try_init();
    if let Some(filter::InvalidFilter(part)) = fault {
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
