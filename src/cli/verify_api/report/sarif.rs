//! The report as SARIF 2.1.0, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>: a rule for each entry that was not as it
//! should be, and a result with the API's URL as its place.

use serde_json::{Value, json};

use super::super::advice;
use super::{Report, Row};
use crate::domain::battery::Verdict;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn written(report: &Report) -> String {
    let found: Vec<(&Row, &str)> = report
        .rows
        .iter()
        .filter_map(|row| Some((row, level(row.verdict)?)))
        .collect();
    let rules: Vec<Value> = found.iter().map(|(row, level)| rule(row, level)).collect();
    let results: Vec<Value> = found
        .iter()
        .enumerate()
        .map(|(index, (row, level))| result(index, row, level, &report.api))
        .collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "grantd verify-api",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": report.ended.is_none(),
                "exitCode": i32::from(!report.is_clean()),
            }],
            "results": results,
            "properties": { "audience": report.audience },
        }],
    });
    format!("{document:#}\n")
}

fn level(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Hole | Verdict::Fault => Some("error"),
        Verdict::Note => Some("note"),
        Verdict::Ok | Verdict::Skipped => None,
    }
}

fn rule(row: &Row, level: &str) -> Value {
    let advice: Vec<String> = row
        .case
        .map(advice::of)
        .unwrap_or_default()
        .iter()
        .map(|(library, advice)| format!("{library}: {advice}"))
        .collect();
    let help = format!("{}. {}", row.standard, advice.join(" "));
    json!({
        "id": row.name,
        "shortDescription": { "text": row.why },
        // GitHub takes no rule without it.
        "fullDescription": { "text": format!("{} ({})", row.why, row.standard) },
        "help": { "text": help.trim_end() },
        "defaultConfiguration": { "level": level },
    })
}

fn result(index: usize, row: &Row, level: &str, api: &str) -> Value {
    let told = row.told();
    let text = match row.harm() {
        Some(harm) => format!("{told} {harm}"),
        None => told,
    };
    json!({
        "ruleId": row.name,
        "ruleIndex": index,
        "level": level,
        "message": { "text": text },
        // An API has no lines, and GitHub takes no place without one.
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": api },
            "region": { "startLine": 1 },
        } }],
        "partialFingerprints": { "grantdEntry/v1": format!("{} {api}", row.name) },
        "properties": { "verdict": row.verdict, "status": row.status },
    })
}
