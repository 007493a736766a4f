//! The report for people: one line each, and what to do about a hole.

use std::fmt::Write as _;

use super::super::advice;
use super::{Report, Row};
use crate::domain::battery::Verdict;

/// The longest name, `bound_to_another_certificate`, and a space.
const NAME: usize = 29;

pub(super) fn written(report: &Report, has_colors: bool) -> String {
    let mut text = format!("{} for {}\n\n", report.api, report.audience);
    for row in &report.rows {
        line(&mut text, row, has_colors);
    }
    if let Some(ended) = &report.ended {
        let _ = write!(text, "\nEnded early: {ended}.\n");
    }
    let _ = write!(text, "\n{}\n", report.summary());
    text
}

fn line(text: &mut String, row: &Row, has_colors: bool) {
    let status = row.status.map_or("-".to_owned(), |it| it.to_string());
    let mark = mark(row.verdict, has_colors);
    let name = &row.name;
    let (what, tells_why) = match row.verdict {
        Verdict::Ok | Verdict::Skipped => ("", false),
        Verdict::Note => ("note: ", false),
        Verdict::Fault => ("FAULT: ", true),
        Verdict::Hole => ("HOLE: ", true),
    };
    let remark = match (&row.remark, row.verdict) {
        (_, Verdict::Skipped) => "skipped",
        (Some(remark), _) => remark,
        (None, _) => "",
    };
    let line = format!("{mark} {name:<NAME$} {status:<4} {what}{remark}");
    let _ = writeln!(text, "{}", line.trim_end());
    if tells_why {
        let _ = writeln!(text, "    {} ({})", row.why, row.standard);
    }
    if let Some(harm) = row.harm() {
        let _ = writeln!(text, "    {harm}");
        for (library, advice) in row.case.map(advice::of).unwrap_or_default() {
            let _ = writeln!(text, "      {library:<13} {advice}");
        }
    }
}

/// A tick, a cross, or a line for what was not tried.
fn mark(verdict: Verdict, has_colors: bool) -> String {
    let (mark, color) = match verdict {
        Verdict::Ok => ("✓", "32"),
        Verdict::Note => ("✓", "33"),
        Verdict::Hole | Verdict::Fault => ("✗", "1;31"),
        Verdict::Skipped => ("-", "2"),
    };
    if has_colors {
        format!("\x1b[{color}m{mark}\x1b[0m")
    } else {
        mark.to_owned()
    }
}
