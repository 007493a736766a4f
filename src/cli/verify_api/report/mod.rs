//! What a run found out, for people and for programs.

mod json;
mod junit;
mod sarif;
mod text;

use clap::ValueEnum;

use super::battery::Entry;
use super::judge::Judged;
use super::target::Target;
use crate::domain::battery::{Case, Verdict};

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Form {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For the test view of a CI
    Junit,
    /// For the code scanning view of a CI: SARIF 2.1.0
    Sarif,
}

/// One entry, and what the API made of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) verdict: Verdict,
    /// What was answered.
    pub(super) status: Option<u16>,
    pub(super) why: String,
    pub(super) standard: String,
    pub(super) remark: Option<String>,
    /// As this version knows it.
    pub(super) case: Option<Case>,
}

/// A run.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// The URL that was asked.
    pub(super) api: String,
    pub(super) audience: String,
    pub(super) rows: Vec<Row>,
    /// Why the rest was not tried, if so.
    pub(super) ended: Option<String>,
}

impl Report {
    /// Nothing was tried yet.
    pub(super) fn new(target: &Target, audience: &str) -> Self {
        Self {
            api: target.url.to_string(),
            audience: audience.to_owned(),
            rows: Vec::new(),
            ended: None,
        }
    }

    pub(super) fn push(&mut self, entry: &Entry, judged: Judged) {
        self.rows.push(Row {
            name: entry.name.clone(),
            verdict: judged.verdict,
            status: judged.status,
            why: entry.why.clone(),
            standard: entry.standard.clone(),
            remark: judged.remark,
            case: entry.case(),
        });
    }

    /// What is good is no longer taken: `judged`, after the entry `after`.
    pub(super) fn end(&mut self, good: &Entry, judged: Judged, after: &str) {
        let what = judged.remark.unwrap_or_default();
        let text = format!(
            "the API took {} at first, and not after {after}: {what}",
            good.name
        );
        if let Some(row) = self.rows.iter_mut().find(|row| row.name == good.name) {
            row.verdict = Verdict::Fault;
            row.status = judged.status;
            row.remark = Some(text.clone());
        }
        self.ended = Some(text);
    }

    pub(super) fn number(&self, verdict: Verdict) -> usize {
        let of_verdict = self.rows.iter().filter(|row| row.verdict == verdict);
        of_verdict.count()
    }

    /// Whether there is nothing that must be mended.
    pub(super) fn is_clean(&self) -> bool {
        self.number(Verdict::Hole) == 0 && self.number(Verdict::Fault) == 0
    }

    /// The report in one form, with a line break at its end.
    pub(super) fn written(&self, form: Form, has_colors: bool) -> String {
        match form {
            Form::Text => text::written(self, has_colors),
            Form::Json => json::written(self),
            Form::Junit => junit::written(self),
            Form::Sarif => sarif::written(self),
        }
    }

    /// `1 hole, no faults, 2 notes`.
    pub(super) fn summary(&self) -> String {
        let counted = |verdict, what| match self.number(verdict) {
            0 => format!("no {what}s"),
            1 => format!("1 {what}"),
            number => format!("{number} {what}s"),
        };
        [
            counted(Verdict::Hole, "hole"),
            counted(Verdict::Fault, "fault"),
            counted(Verdict::Note, "note"),
        ]
        .join(", ")
    }
}

impl Row {
    /// What happened, in one sentence.
    pub(super) fn told(&self) -> String {
        match &self.remark {
            Some(remark) => format!("{}: {remark}. {}", self.name, self.why),
            None => format!("{}: {}", self.name, self.why),
        }
    }

    /// What an attacker gains, where it is a hole.
    pub(super) fn harm(&self) -> Option<&'static str> {
        let case = self.case.filter(|_| self.verdict == Verdict::Hole)?;
        Some(case.expectation().harm)
    }
}

#[cfg(test)]
mod tests;
