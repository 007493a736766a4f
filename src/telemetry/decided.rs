//! The line of a request that was decided: a view of [`Decided`], which takes nothing from elsewhere.

use tracing::Level;

use crate::domain::check::Check;
use crate::domain::decision::{Decided, Outcome};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::timestamp::Seconds;

/// The fields of every line, and after them those that only some have. A macro, because a line's fields are fixed where
/// it is written.
macro_rules! line {
    ($level:ident, $decided:ident, $message:literal, $($field:tt)*) => {
        tracing::$level!(
            request_id = %$decided.decision.request_id,
            endpoint = $decided.decision.endpoint,
            source = %$decided.decision.source,
            proxy = $decided.decision.proxy.map(tracing::field::display),
            grant = $decided.decision.grant.map(|it| it.as_str()),
            client = $decided.decision.client.as_ref().map_or_else(|| "-".to_owned(), text_of),
            method = $decided.decision.method.map_or("-", |it| it.as_str()),
            credential = $decided.decision.credential.as_ref().map(text_of),
            audience = $decided.decision.audience.as_ref().map(text_of),
            scopes_asked = $decided.decision.scopes_asked.as_ref().map(text_of),
            $($field)*
            took_us = micros($decided),
            $message
        )
    };
}

/// One line for each request: `warn` where a client did not prove itself or grantd could not answer, `info` where
/// something was refused, `debug` where all was well.
pub fn log_decided(decided: &Decided) {
    match &decided.outcome {
        Outcome::Refused(refusal) => log_refused(decided, refusal),
        Outcome::Unavailable(outage) => {
            line!(
                warn,
                decided,
                "answered 503",
                error = "temporarily_unavailable",
                outage,
            );
        }
        _ if tracing::enabled!(Level::DEBUG) => log_answered(decided),
        _ => {}
    }
}

fn log_refused(decided: &Decided, refusal: &Refusal) {
    let told = refusal.explain();
    let (error, finding) = (told.error.as_str(), told.finding);
    macro_rules! refused {
        ($level:ident) => {
            line!(
                $level,
                decided,
                "refused",
                error,
                check = finding.check.name(),
                expected = finding.check.expected(),
                found = &*finding.found,
                remedy = finding.remedy.as_deref().unwrap_or("-"),
            )
        };
    }
    if told.error == ErrorCode::InvalidClient {
        refused!(warn);
    } else {
        refused!(info);
    }
}

fn log_answered(decided: &Decided) {
    let decision = &decided.decision;
    line!(
        debug,
        decided,
        "answered",
        outcome = decided.outcome.as_str(),
        scopes_granted = decision.scopes_granted.as_ref().map(text_of),
        jti = decision.jti.as_deref(),
        lifetime = decision.lifetime.map(Seconds::get),
        passed = names(decided),
    );
}

/// In microseconds.
fn micros(decided: &Decided) -> u64 {
    u64::try_from(decided.took.as_micros()).unwrap_or(u64::MAX)
}

/// The names of the checks that passed, each once.
fn names(decided: &Decided) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in decided.decision.passed.iter().map(Check::name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn text_of<T: ToString>(value: &T) -> String {
    value.to_string()
}
