//! What an operator should know of an identity of GitHub Actions: whether it is pinned to a repository and to a part of it,
//! and which runs that strangers cause fulfil it.
//!
//! A subject is `repo:OWNER/NAME:ref:REF`, `repo:OWNER/NAME:environment:NAME` or `repo:OWNER/NAME:pull_request`. A job that
//! names an environment has the second whatever started it. A repository may also choose other claims for it, each as
//! `KEY:VALUE`.

use serde_json::Value;

use super::preset_rule::{BY_STRANGERS, EVENT};
use super::{Advice, Identity};
use crate::domain::glob::Glob;

/// A pull request; runs of forks get such a token where the repository gives them write permissions.
const PULL_REQUEST: &str = "pull_request";
/// Its subjects. The name of an environment has no colon (GitHub writes `%3A`), and seldom many slashes.
const ITS_SUBJECTS: [&str; 4] = [
    "repo:*/*:pull_request",
    "repo:*/*:environment:*",
    "repo:*/*:environment:*/*",
    "repo:*/*:environment:*/*/*",
];
/// Its claims, and of each a value with names that nobody writes into an `except`.
const ITS_CLAIMS: [(&str, &str, &str); 3] = [
    ("ref", "refs/pull/*/merge", "refs/pull/\u{e000}/merge"),
    ("ref_type", "branch", "branch"),
    // Not `job_workflow_ref`: its run may call the workflow of any branch.
    (
        "workflow_ref",
        "**@refs/pull/*/merge",
        "\u{e000}@refs/pull/\u{e000}/merge",
    ),
];
/// What pins an identity to a part of a repository. A pattern for it that fits a name which nobody has thought of fits any.
const PARTS: [(&str, [&str; 2]); 3] = [
    ("environment", ["\u{e000}", "\u{e000}/\u{e000}"]),
    (
        "ref",
        ["refs/heads/\u{e000}", "refs/heads/\u{e000}/\u{e000}"],
    ),
    (
        "job_workflow_ref",
        ["**@refs/heads/\u{e000}", "**@refs/heads/\u{e000}/\u{e000}"],
    ),
];
/// What pins it to a repository, or to all of one owner.
const NUMBERS: [&str; 2] = ["repository_id", "repository_owner_id"];

impl Identity {
    pub(super) fn of_github(&self) -> Vec<Advice> {
        let subject = self.subject.as_str();
        let parts = || subject.split(':');
        let repository = parts().nth(1).unwrap_or_default();
        let owner = repository.split('/').next().unwrap_or_default();
        let is_numbered = owner.rsplit_once('@').is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        let is_one_of = NUMBERS.iter().any(|name| self.is_pinned_by(name, &[]));
        let is_part = PARTS.iter().any(|(name, any)| self.is_pinned_by(name, any));
        let is_short = parts().count() <= 3 && parts().next() == Some("repo");
        let advice = [
            (!is_numbered && !is_one_of, Advice::ReusedName),
            (!is_part, Advice::AnyBranch),
            (
                is_short && subject.ends_with('*') && !subject.contains("**"),
                Advice::ShortPattern,
            ),
            (self.fits_target(), Advice::Fork(BY_STRANGERS)),
            (self.fits_pull_request(), Advice::Fork(PULL_REQUEST)),
        ];
        let told = advice.into_iter().filter(|(is_so, _)| *is_so);
        told.map(|(_, advice)| advice).collect()
    }

    /// Whether the claim, by itself or in the subject, is one of a few values; what meets any of `open` is for any value.
    fn is_pinned_by(&self, claim: &str, open: &[&str]) -> bool {
        let is_open = |it: &Glob| open.iter().any(|open| meets(it, open));
        let parts = self.subject.as_str().split(':');
        let mut pairs = parts.clone().zip(parts.skip(1));
        let is_narrow = |value| {
            let value = Glob::parse(value);
            value.is_ok_and(|it| !it.is_for_anything() && !is_open(&it))
        };
        self.claims.pins(&[claim], is_open)
            || pairs.any(|(key, value)| key == claim && is_narrow(value))
    }

    /// Where no claim names the event, the preset refuses it anyhow.
    fn fits_target(&self) -> bool {
        self.claims.names(EVENT) && self.allows_event(BY_STRANGERS)
    }

    fn fits_pull_request(&self) -> bool {
        let mut subjects = ITS_SUBJECTS.iter();
        let is_subject =
            subjects.any(|it| meets(&self.subject, it)) || self.has_subject_of_any_run();
        let is_allowed = |(claim, all, one): &(&str, &str, &str)| {
            let all = Glob::parse(all);
            all.is_ok_and(|all| self.claims.allows_any(claim, &all))
                && !self.except.forbids(claim, &Value::from(*one))
        };
        is_subject && self.allows_event(PULL_REQUEST) && ITS_CLAIMS.iter().all(is_allowed)
    }

    fn allows_event(&self, event: &str) -> bool {
        let event = Value::from(event);
        self.claims.allows(EVENT, &event) && !self.except.forbids(EVENT, &event)
    }

    /// Whether the subject is of claims that the repository chose, and says nothing of what was run.
    fn has_subject_of_any_run(&self) -> bool {
        let subject = self.subject.as_str();
        let first = subject.split(':').next().unwrap_or(subject);
        first != "repo" && !first.contains('*') && !subject.contains("ref:")
    }
}

/// Whether some text is meant by both; each pattern above is one.
fn meets(glob: &Glob, pattern: &str) -> bool {
    Glob::parse(pattern).is_ok_and(|pattern| glob.meets(&pattern))
}

#[cfg(test)]
mod tests;
