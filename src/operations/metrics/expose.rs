//! Writes what a replica counts and knows for a scrape; it waits for nothing, and touches no database.

use super::Metrics;
use super::issuers::issuers;
use super::labels::{INTROSPECTION, REVOCATION, TOKEN};
use super::requests::requests;
use crate::operations::Grantd;
use crate::operations::troubles::Trouble;
use crate::telemetry::dropped_lines;
use crate::telemetry::metrics::{Exposition, Kind, expose_process};

/// The numbers of the replica, all but those of its server.
pub(in crate::operations) fn expose(grantd: &Grantd, to: &mut Exposition) {
    let metrics = &grantd.memory.metrics;
    let now = grantd.clocks.database_now();
    requests(&metrics.by_client.all(), now, to);
    durations(metrics, to);
    hashing(grantd, to);
    budgets(metrics, to);
    caches(grantd, to);
    feed(grantd, to);
    keys(grantd, to);
    key_sources(grantd, to);
    issuers(grantd, to);
    surveyed(metrics, to);
    database(grantd, to);
    reloads(grantd, to);
    lines(grantd, to);
    to.family(
        Kind::Gauge,
        "grantd_build_info",
        "The version that runs; always 1.",
    )
    .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    expose_process(metrics.started, to);
}

fn durations(metrics: &Metrics, to: &mut Exposition) {
    let mut family = to.family(
        Kind::Histogram,
        "grantd_request_duration_seconds",
        "How long requests took, from their head to their answer.",
    );
    for (endpoint, histogram) in [
        (TOKEN, &metrics.token_durations),
        (INTROSPECTION, &metrics.introspection_durations),
        (REVOCATION, &metrics.revocation_durations),
    ] {
        family.histogram(&[("endpoint", endpoint)], histogram);
    }
}

fn hashing(grantd: &Grantd, to: &mut Exposition) {
    let queues = grantd.hashing().queues();
    let mut waiting = to.family(
        Kind::Gauge,
        "grantd_hashing_waiting",
        "Secrets that wait to be hashed.",
    );
    for queue in queues {
        waiting.sample(&[("queue", queue.name)], queue.waiting);
    }
    let mut refused = to.family(
        Kind::Counter,
        "grantd_hashing_refused_total",
        "Secrets that were refused because their queue was full.",
    );
    for queue in queues {
        refused.sample(&[("queue", queue.name)], queue.refused);
    }
}

fn budgets(metrics: &Metrics, to: &mut Exposition) {
    let mut family = to.family(
        Kind::Counter,
        "grantd_budget_refusals_total",
        "Requests that were answered 429, by the budget that was spent.",
    );
    for (budget, refusals) in [
        ("failures", &metrics.budgets.failures),
        ("tokens", &metrics.budgets.tokens),
    ] {
        family.sample(&[("budget", budget)], refusals.get());
    }
}

fn caches(grantd: &Grantd, to: &mut Exposition) {
    let mut family = to.family(
        Kind::Counter,
        "grantd_cache_requests_total",
        "Cache lookups, by result.",
    );
    let secrets = &grantd.authenticator.verified_secrets.lookups;
    let caches = grantd.directory().lookups();
    for (cache, lookups) in caches.into_iter().chain([("verified_secrets", secrets)]) {
        for (result, count) in lookups.results() {
            family.sample(&[("cache", cache), ("result", result)], count);
        }
    }
}

fn feed(grantd: &Grantd, to: &mut Exposition) {
    let mut age = to.family(
        Kind::Gauge,
        "grantd_feed_age_seconds",
        "How long ago the change feed was read.",
    );
    if let Some(read) = grantd.feed.freshness.age(grantd.clocks.ours()) {
        age.sample(&[], read.as_secs_f64());
    }
    to.family(
        Kind::Counter,
        "grantd_feed_changes_total",
        "Changes that were read from the change feed.",
    )
    .sample(&[], grantd.memory.metrics.feed_changes.get());
}

fn keys(grantd: &Grantd, to: &mut Exposition) {
    let now = grantd.clocks.database_now();
    let ring = grantd.keys();
    let mut family = to.family(
        Kind::Gauge,
        "grantd_signing_key_timestamp_seconds",
        "When a signing key begins to sign, stops signing, and leaves the JWKS, in Unix seconds.",
    );
    for (kid, algorithm, life) in ring.iter().flat_map(|ring| ring.lives(now)) {
        for (event, at) in [
            ("activates", life.activates_at),
            ("retires", life.retires_at),
            ("expires", life.expires_at),
        ] {
            let labels = [
                ("kid", kid),
                ("algorithm", algorithm.as_str()),
                ("event", event),
            ];
            if let Some(at) = at {
                family.sample(&labels, at.unix());
            }
        }
    }
    let mut unopened = to.family(
        Kind::Gauge,
        "grantd_signing_keys_unopened",
        "Signing keys that the sealing keys of this replica do not open.",
    );
    if let Some(ring) = &ring {
        unopened.sample(&[], ring.unopened(now).number());
    }
}

fn key_sources(grantd: &Grantd, to: &mut Exposition) {
    let sources = &grantd.key_sources;
    let mut standing = to.family(
        Kind::Gauge,
        "grantd_key_sources",
        "Sources of keys in use, of clients and issuers: current, stale (the last fetch failed), or unavailable.",
    );
    for (state, number) in sources.standings() {
        standing.sample(&[("state", state.as_str())], number);
    }
    let mut fetches = to.family(
        Kind::Counter,
        "grantd_key_fetches_total",
        "Fetches of the keys of clients and issuers, by result.",
    );
    for (result, counter) in [("fetched", &sources.fetched), ("failed", &sources.failed)] {
        fetches.sample(&[("result", result)], counter.get());
    }
}

fn surveyed(metrics: &Metrics, to: &mut Exposition) {
    let surveyed = metrics.surveyed.lock().clone();
    let mut expiries = to.family(
        Kind::Gauge,
        "grantd_credential_expiry_timestamp_seconds",
        "When a credential expires, in Unix seconds: the 1,000 that expire first.",
    );
    for expiry in &surveyed.expiries {
        let labels = [
            ("client", expiry.client.as_str()),
            ("credential", expiry.credential.as_str()),
            ("kind", expiry.kind.as_str()),
        ];
        expiries.sample(&labels, expiry.at.unix());
    }
    let mut used = to.family(
        Kind::Gauge,
        "grantd_used_assertions",
        "Assertions and proofs in the database that were used and still count, counted up to 1,000,000.",
    );
    if let Some(number) = surveyed.used_assertions {
        used.sample(&[], number);
    }
}

fn database(grantd: &Grantd, to: &mut Exposition) {
    to.family(
        Kind::Histogram,
        "grantd_replay_batch_size",
        "Assertions and proofs that one statement recorded as used.",
    )
    .histogram(&[], &grantd.replay_cache.batches);
    let is_read = grantd.feed.freshness.age(grantd.clocks.ours()).is_some();
    let is_up = is_read && !grantd.feed.troubles.has(Trouble::Database);
    to.family(
        Kind::Gauge,
        "grantd_database_up",
        "1 where the database answered when the change feed was last read.",
    )
    .sample(&[], u8::from(is_up));
    to.family(
        Kind::Counter,
        "grantd_database_errors_total",
        "Database operations that failed.",
    )
    .sample(&[], grantd.store.errors());
    let mut offset = to.family(
        Kind::Gauge,
        "grantd_clock_offset_seconds",
        "By how much the clock of this machine is ahead of that of the database.",
    );
    if let Some(milliseconds) = grantd.clocks.ahead() {
        offset.sample(&[], in_seconds(milliseconds));
    }
}

fn reloads(grantd: &Grantd, to: &mut Exposition) {
    let all = grantd.reloads.all();
    let mut failures = to.family(
        Kind::Counter,
        "grantd_reload_failures_total",
        "Files that were read again and could not be used; the previous ones stay in use.",
    );
    for (what, it) in &all {
        failures.sample(&[("what", what.as_str())], it.failures);
    }
    let mut successes = to.family(
        Kind::Gauge,
        "grantd_last_reload_success_timestamp_seconds",
        "When files were last read and could be used, in Unix seconds.",
    );
    for (what, it) in &all {
        if let Some(at) = it.last_success {
            successes.sample(&[("what", what.as_str())], at.unix());
        }
    }
}

fn lines(grantd: &Grantd, to: &mut Exposition) {
    to.family(
        Kind::Counter,
        "grantd_log_lines_dropped_total",
        "Log lines that were dropped because nobody read them fast enough.",
    )
    .sample(&[], dropped_lines());
    to.family(
        Kind::Counter,
        "grantd_audit_events_suppressed_total",
        "Audit events that were counted, not kept one by one.",
    )
    .sample(&[], grantd.audit.suppressed.get());
}

/// As text, because the sign of less than a second would be lost otherwise.
fn in_seconds(milliseconds: i64) -> String {
    let sign = if milliseconds < 0 { "-" } else { "" };
    let (whole, rest) = (
        milliseconds.unsigned_abs() / 1000,
        milliseconds.unsigned_abs() % 1000,
    );
    format!("{sign}{whole}.{rest:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_written_as_seconds() {
        let written = [0, 5, -5, -1250, 61_000].map(in_seconds);
        assert_eq!(written, ["0.000", "0.005", "-0.005", "-1.250", "61.000"]);
    }
}
