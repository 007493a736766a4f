//! The log: one line an event, made from structured values, never with secret material at any level.

pub mod seldom;
mod writer;

pub use writer::last_words;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::settings::LogFormat;
use crate::domain::decision::Refused;
use crate::domain::refusal::ErrorCode;

/// Starts the log on standard error. `filter` is a level or a list of `target=level`; one that cannot be read
/// gives `info`.
pub fn init(format: LogFormat, filter: &str) {
    let filter = filter_of(filter);
    let registry = tracing_subscriber::registry().with(filter);
    let log = writer::start();
    std::panic::set_hook(Box::new(tell_panic));
    // A second start, as in tests, changes nothing.
    let _ = match format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_writer(log)
                    .with_target(false)
                    .with_ansi(false),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(log))
            .try_init(),
    };
}

/// The place alone: what a panic says may quote a request. The standard hook would print it, and wait for a reader of
/// standard error.
fn tell_panic(panicked: &std::panic::PanicHookInfo<'_>) {
    let place = panicked.location().map(tracing::field::display);
    tracing::error!(place, "panicked: this is a bug in grantd");
}

/// A word alone is a level: as the name of a target, which it could be too, it would silence all others.
fn filter_of(text: &str) -> EnvFilter {
    let is_word = !text.contains(['=', ',']);
    let known = !is_word || (!text.is_empty() && text.parse::<LevelFilter>().is_ok());
    let filter = known.then(|| EnvFilter::try_new(text).ok()).flatten();
    filter.unwrap_or_else(|| EnvFilter::new("info"))
}

/// One line for a refused request.
pub fn log_refusal(refused: &Refused<'_>) {
    let check = refused.check();
    let decision = refused.decision;
    let client = decision
        .client
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string);
    let method = decision.method.map_or("-", |method| method.as_str());
    let error = refused.refusal.error();
    let remedy = check.remedy.unwrap_or("-");
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id = %decision.request_id,
                endpoint = decision.endpoint,
                source = %decision.source,
                proxy = decision.proxy.map(tracing::field::display),
                client,
                method,
                error = error.as_str(),
                check = check.name,
                expected = check.expected,
                found = check.found,
                remedy,
                "refused"
            )
        };
    }
    if error == ErrorCode::InvalidClient {
        line!(warn);
    } else {
        line!(info);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_filter_gives_info() {
        for (text, filter) in [
            ("debug", "debug"),
            ("off", "off"),
            ("grantd=trace,info", "grantd=trace,info"),
            ("verbose", "info"),
            ("", "info"),
            ("a=b=c", "info"),
        ] {
            assert_eq!(filter_of(text).to_string(), filter, "{text}");
        }
    }
}
