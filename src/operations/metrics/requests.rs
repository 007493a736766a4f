//! Writes what is counted by client for a scrape.

use super::client_series::{ClientSeries, TokenLabels};
use super::counts::Counts;
use crate::domain::timestamp::Timestamp;
use crate::telemetry::metrics::{Exposition, Kind};

/// One kind of counts of a client.
type Part = fn(&ClientSeries) -> &Counts<&'static str>;

/// All that is counted by client.
pub(super) fn requests(clients: &[(Box<str>, ClientSeries)], now: Timestamp, to: &mut Exposition) {
    token_requests(clients, to);
    let others: [(&str, &str, &str, Part); 3] = [
        (
            "grantd_introspection_requests_total",
            "outcome",
            "Introspection requests, by how they ended.",
            |it| &it.introspections,
        ),
        (
            "grantd_revocation_requests_total",
            "outcome",
            "Revocation requests, by how they ended.",
            |it| &it.revocations,
        ),
        (
            "grantd_alerts_total",
            "alert",
            "Alerts of docs/audit.md: each use of a dead credential or a used assertion, and reminders once an hour.",
            |it| &it.alerts,
        ),
    ];
    for (name, label, help, part) in others {
        let mut family = to.family(Kind::Counter, name, help);
        for (client, series) in clients {
            for (value, count) in part(series).iter() {
                family.sample(&[("client", client), (label, value)], count);
            }
        }
    }
    credential_uses(clients, now, to);
    let mut wasted = to.family(
        Kind::Counter,
        "grantd_wasted_tokens_total",
        "Tokens that were issued while an equal one had more than half of its life left.",
    );
    for (client, series) in clients.iter().filter(|(_, series)| series.wasted > 0) {
        wasted.sample(&[("client", client)], series.wasted);
    }
}

fn token_requests(clients: &[(Box<str>, ClientSeries)], to: &mut Exposition) {
    let mut family = to.family(
        Kind::Counter,
        "grantd_token_requests_total",
        "Token requests, by how they ended: issued, or the error code.",
    );
    for (client, series) in clients {
        for (audience, counts) in &series.tokens {
            for (labels, count) in counts.iter() {
                let TokenLabels {
                    grant,
                    method,
                    outcome,
                } = labels;
                let labels = [
                    ("client", &**client),
                    ("audience", audience),
                    ("grant", grant.map_or("", |it| it.as_str())),
                    ("method", method.map_or("", |it| it.as_str())),
                    ("outcome", outcome),
                ];
                family.sample(&labels, count);
            }
        }
    }
}

fn credential_uses(clients: &[(Box<str>, ClientSeries)], now: Timestamp, to: &mut Exposition) {
    let mut family = to.family(
        Kind::Counter,
        "grantd_credential_uses_total",
        "Requests that a credential proved.",
    );
    for (client, series) in clients {
        for (credential, it) in series.credentials(now) {
            let labels = [
                ("client", &**client),
                ("credential", credential),
                ("kind", it.kind.as_str()),
            ];
            family.sample(&labels, it.uses);
        }
    }
}
