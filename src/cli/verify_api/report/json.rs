//! The report for programs.

use serde_json::{Value, json};

use super::{Report, Row};
use crate::domain::battery::Verdict;

pub(super) fn written(report: &Report) -> String {
    let results: Vec<Value> = report.rows.iter().map(result).collect();
    let document = json!({
        "api": report.api,
        "audience": report.audience,
        "results": results,
        "holes": report.number(Verdict::Hole),
        "faults": report.number(Verdict::Fault),
        "notes": report.number(Verdict::Note),
    });
    format!("{document:#}\n")
}

fn result(row: &Row) -> Value {
    let mut result = json!({
        "name": row.name,
        "verdict": row.verdict,
        "status": row.status,
        "why": row.why,
        "standard": row.standard,
    });
    if let (Some(remark), Some(members)) = (&row.remark, result.as_object_mut()) {
        members.insert("remark".to_owned(), json!(remark));
    }
    result
}
