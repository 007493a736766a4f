//! The report as `JUnit` XML: a test case for each entry. The form is a few lines, and crates for it bring a date library.

use std::fmt::Write as _;

use super::{Report, Row};
use crate::domain::battery::Verdict;

pub(super) fn written(report: &Report) -> String {
    let count = |verdict| report.number(verdict);
    let counts = format!(
        r#"tests="{}" failures="{}" errors="{}" skipped="{}""#,
        report.rows.len(),
        count(Verdict::Hole),
        count(Verdict::Fault),
        count(Verdict::Skipped),
    );
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"grantd verify-api\" {counts}>\n  \
         <testsuite name=\"{}\" {counts}>\n",
        escaped(&report.api)
    );
    for row in &report.rows {
        case(&mut xml, row, &report.audience);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(xml: &mut String, row: &Row, audience: &str) {
    let (name, class) = (escaped(&row.name), escaped(audience));
    let inner = match row.verdict {
        Verdict::Ok => None,
        Verdict::Hole => Some(problem("failure", row)),
        Verdict::Fault => Some(problem("error", row)),
        Verdict::Note => Some(format!("<system-out>{}</system-out>", escaped(&row.told()))),
        Verdict::Skipped => Some("<skipped/>".to_owned()),
    };
    let head = format!("    <testcase classname=\"{class}\" name=\"{name}\"");
    let _ = match inner {
        None => writeln!(xml, "{head}/>"),
        Some(inner) => writeln!(xml, "{head}>{inner}</testcase>"),
    };
}

fn problem(element: &str, row: &Row) -> String {
    let message = escaped(row.remark.as_deref().unwrap_or_default());
    let harm = row.harm().unwrap_or_default();
    let text = format!("{} ({}) {harm}", row.why, row.standard);
    let (kind, text) = (row.verdict, escaped(text.trim_end()));
    format!("<{element} type=\"{kind}\" message=\"{message}\">{text}</{element}>")
}

/// As text or in quotation marks. What XML 1.0 cannot hold (section 2.2) is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}
