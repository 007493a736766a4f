//! What is shown of trusted issuers.

use crate::operations::Grantd;
use crate::telemetry::metrics::{Exposition, Kind};

pub(super) fn issuers(grantd: &Grantd, to: &mut Exposition) {
    let all = grantd.memory.metrics.by_issuer.all();
    let mut tokens = to.family(
        Kind::Counter,
        "grantd_issuer_tokens_total",
        "Tokens of trusted issuers, by what they were to be and whether they were accepted.",
    );
    for (issuer, series) in all.iter() {
        for (what, outcome, number) in series.tokens() {
            let labels = [
                ("issuer", issuer.as_str()),
                ("use", what.as_str()),
                ("outcome", outcome),
            ];
            tokens.sample(&labels, number);
        }
    }
    let mut fetches = to.family(
        Kind::Counter,
        "grantd_issuer_fetches_total",
        "Fetches of trusted issuers' keys, by result.",
    );
    for (issuer, series) in all.iter() {
        for (result, counter) in [("fetched", &series.fetched), ("failed", &series.failed)] {
            let labels = [("issuer", issuer.as_str()), ("result", result)];
            fetches.sample(&labels, counter.get());
        }
    }
    let mut failures = to.family(
        Kind::Counter,
        "grantd_issuer_fetch_failures_total",
        "Fetches of trusted issuers' keys that failed.",
    );
    for (issuer, series) in all.iter() {
        failures.sample(&[("issuer", issuer.as_str())], series.failed.get());
    }
    let mut ages = to.family(
        Kind::Gauge,
        "grantd_issuer_keys_age_seconds",
        "How long ago the keys of a trusted issuer that are used were fetched.",
    );
    for (issuer, age) in grantd.key_sources.ages_of_issuers() {
        if all.contains_key(&issuer) {
            ages.sample(&[("issuer", issuer.as_str())], age.as_secs());
        }
    }
}
