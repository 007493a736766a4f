//! The line of a request that was decided: a view of [`Decided`], which takes nothing from elsewhere.

use tracing::Level;

use crate::domain::check::{Check, Finding};
use crate::domain::decision::{Decided, Outcome};
use crate::domain::explanation::ErrorCode;
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
            traceparent = $decided.decision.traceparent.map(tracing::field::display),
            grant = $decided.decision.grant.map(|it| it.as_str()),
            client = $decided.decision.client.as_ref().map_or_else(|| "-".to_owned(), text_of),
            method = $decided.decision.method.map_or("-", |it| it.as_str()),
            issuer = $decided.decision.issuer.as_ref().map(text_of),
            credential = $decided.decision.credential.as_ref().map(text_of),
            audience = $decided.decision.audience.as_ref().map(text_of),
            subject = $decided.decision.delegation.as_ref().map(|it| it.subject.as_str()),
            actors = $decided.decision.delegation.as_ref().and_then(|it| it.actors()),
            from = $decided.decision.from.as_ref().map(ToString::to_string),
            scopes_asked = $decided.decision.scopes_asked.as_ref().map(text_of),
            $($field)*
            took_us = micros($decided),
            $message
        )
    };
}

/// A line that tells of a check that failed.
macro_rules! finding {
    ($level:ident, $decided:ident, $message:literal, ($name:ident = $value:expr, $finding:expr)) => {{
        let finding: Finding<'_> = $finding;
        line!(
            $level,
            $decided,
            $message,
            $name = $value,
            jti = $decided.decision.jti.as_deref(),
            check = finding.check.name(),
            expected = finding.check.expected(),
            found = &*finding.found,
            remedy = finding.remedy.as_deref().unwrap_or("-"),
        );
    }};
}

/// One line for each request: `warn` where a client did not prove itself or grantd could not answer, `info` where
/// something was refused, an API may not see the tokens that it is shown, nobody waited for the answer, or a token was
/// issued and `logs_issued`, `debug` where all was well besides.
pub fn log_decided(decided: &Decided, logs_issued: bool) {
    let outcome = decided.outcome.as_str();
    match &decided.outcome {
        Outcome::Issued if logs_issued => {
            let decision = &decided.decision;
            line!(
                info,
                decided,
                "issued",
                outcome,
                scopes_granted = decision.scopes_granted.as_ref().map(text_of),
                jti = decision.jti.as_deref(),
                lifetime = decision.lifetime.map(Seconds::get),
            );
        }
        Outcome::Refused(refusal) => {
            let told = refusal.explain();
            if told.error == ErrorCode::InvalidClient {
                finding!(warn, decided, "refused", (error = outcome, told.finding));
            } else {
                finding!(info, decided, "refused", (error = outcome, told.finding));
            }
        }
        Outcome::Unavailable(outage) => {
            line!(warn, decided, "answered 503", error = outcome, outage,);
        }
        Outcome::Abandoned => {
            let decision = &decided.decision;
            line!(
                info,
                decided,
                "abandoned",
                outcome,
                jti = decision.jti.as_deref(),
                pending = decision.pending,
                passed = names(decided),
            );
        }
        Outcome::Spoiled(judged) => {
            line!(
                info,
                decided,
                "answered by a fault that a test asked for",
                outcome,
                judged = judged.as_str(),
                passed = names(decided),
            );
        }
        Outcome::Inactive(fault) if fault.is_of_setup() => {
            finding!(
                info,
                decided,
                "answered",
                (outcome = outcome, fault.explain())
            );
        }
        Outcome::Inactive(fault) | Outcome::Revoked(Some(fault)) => {
            if tracing::enabled!(Level::DEBUG) {
                finding!(
                    debug,
                    decided,
                    "answered",
                    (outcome = outcome, fault.explain())
                );
            }
        }
        Outcome::Issued | Outcome::Active | Outcome::Revoked(None) => {
            let decision = &decided.decision;
            line!(
                debug,
                decided,
                "answered",
                outcome,
                scopes_granted = decision.scopes_granted.as_ref().map(text_of),
                jti = decision.jti.as_deref(),
                lifetime = decision.lifetime.map(Seconds::get),
                passed = names(decided),
            );
        }
    }
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
