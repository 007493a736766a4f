//! What the audit log keeps of a request that was refused or abandoned, or whose token is inactive; and of those that were
//! left out.

use serde_json::{Value, json};

use crate::crypto::random;
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::decision::{Checks, Decided, Outcome};
use crate::domain::timestamp::Timestamp;
use crate::store::audit_events::AuditEvent;

/// What is known of the request, under its id, by which it is found.
pub(super) fn of_decided(decided: &Decided, at: Timestamp) -> AuditEvent {
    let decision = &decided.decision;
    let client = decision.client.as_ref();
    AuditEvent {
        id: decision.request_id.to_string(),
        at,
        actor: client.map(ToString::to_string).unwrap_or_default(),
        action: match decided.outcome {
            Outcome::Abandoned => "abandoned".into(),
            Outcome::Inactive(_) => "inactive".into(),
            _ => "refused".into(),
        },
        target: decision.endpoint.to_owned(),
        details: details(decided),
    }
}

/// All that is known of a request, each of its checks among it.
pub(in crate::operations) fn details(decided: &Decided) -> Value {
    let (decision, outcome) = (&decided.decision, &decided.outcome);
    let finding = outcome.finding();
    let dead = outcome.dead_credential();
    let delegation = decision.delegation.as_ref();
    let actors = delegation.map(|it| &it.actors);
    json!({
        "request_id": decision.request_id.to_string(),
        "source": decision.source.to_string(),
        "proxy": decision.proxy.map(|it| it.to_string()),
        "grant": decision.grant.map(GrantType::as_str),
        "method": decision.method.map(AuthMethod::as_str),
        "issuer": decision.issuer.as_ref().map(ToString::to_string),
        "credential": decision.credential.as_ref().or(dead).map(ToString::to_string),
        "audience": decision.audience.as_ref().map(ToString::to_string),
        "subject": delegation.map(|it| it.subject.as_str()),
        "actors": actors.filter(|it| !it.is_empty()),
        "from": decision.from.as_ref().map(ToString::to_string),
        "holder": decision.holder.as_ref().map(ToString::to_string),
        "scopes_asked": decision.scopes_asked.as_ref().map(ToString::to_string),
        "jti": decision.jti,
        "pending": decision.pending,
        "outcome": outcome.as_str(),
        "remedy": finding.as_ref().and_then(|it| it.remedy.as_deref()),
        "checks": Checks::of(decided),
    })
}

/// How many events of the second `at` were left out by one replica. A second may have several of these: they add up.
pub(super) fn of_suppressed(count: u64, at: Timestamp) -> AuditEvent {
    AuditEvent {
        id: random::event_id(),
        at,
        actor: String::new(),
        action: "suppressed".into(),
        target: String::new(),
        details: json!({ "count": count }),
    }
}
