//! The plan of `grantd apply` as a person reads it: a line a step, below it what changes, and the counts at the end.

use std::io;

use clap::Args;
use serde_json::{Map, Value};

use super::output::{Form, Output, cell, say};
use crate::operations::apply_catalog::{Action, Change, Plan, Step};

/// The actions that are counted, in that order.
const COUNTED: [Action; 5] = [
    Action::Created,
    Action::Changed,
    Action::Removed,
    Action::Unchanged,
    Action::Kept,
];

/// What of a plan is shown, and how.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Shown {
    /// Show what would change, and change nothing; secrets that are absent here are not compared
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Also list what stays as it is
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    form: Form,
}

impl Shown {
    pub(super) fn print(self, plan: &Plan) -> io::Result<()> {
        match self.form.output {
            Output::Table => self.print_text(plan),
            Output::Json => self.print_json(plan),
        }
    }

    fn steps(self, plan: &Plan) -> impl Iterator<Item = &Step> {
        let steps = plan.steps.iter();
        steps.filter(move |step| self.verbose || step.action != Action::Unchanged)
    }

    fn print_text(self, plan: &Plan) -> io::Result<()> {
        for step in self.steps(plan) {
            let action = step.action.as_str();
            let name = cell(&Value::from(step.name.as_str()));
            say!("{action:<9} {} {name}{}", step.subject, hint(step.action))?;
            for change in &step.changes {
                say!("          {}: {}", change.key, told(change))?;
            }
        }
        for warning in &plan.warnings {
            eprintln!("warning: {warning}");
        }
        let done = match (plan.changes(), self.dry_run) {
            (0, _) => "nothing to do",
            (_, true) => "would be done",
            (_, false) => "done",
        };
        say!("{done}: {}", counts(plan))
    }

    fn print_json(self, plan: &Plan) -> io::Result<()> {
        let steps: Vec<&Step> = self.steps(plan).collect();
        say!("{:#}", plan.document(self.dry_run, &steps))
    }
}

const fn hint(action: Action) -> &'static str {
    match action {
        Action::Kept => " (not in the catalog; --prune removes it)",
        Action::NotCompared => " (a secret of the catalog is absent here, and may be this one)",
        _ => "",
    }
}

fn counts(plan: &Plan) -> String {
    let mut counts: Vec<String> = COUNTED
        .iter()
        .map(|action| format!("{} {action}", plan.count(*action)))
        .collect();
    let uncompared = plan.count(Action::NotCompared);
    if uncompared > 0 {
        counts.push(format!("{uncompared} {}", Action::NotCompared));
    }
    counts.join(", ")
}

/// For lists and tables what is added and removed; for anything else the old and the new value.
fn told(change: &Change) -> String {
    match (&change.old, &change.new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => list(old, new),
        (Some(Value::Object(old)), Some(Value::Object(new))) => table(old, new),
        // The scopes of an audience are a list where none has a description.
        (Some(Value::Array(old)), Some(Value::Object(new))) => table(&names(old), new),
        (Some(Value::Object(old)), Some(Value::Array(new))) => table(old, &names(new)),
        (old, new) => format!("{} → {}", shown(old.as_ref()), shown(new.as_ref())),
    }
}

fn list(old: &[Value], new: &[Value]) -> String {
    let added = new.iter().filter(|it| !old.contains(it));
    let removed = old.iter().filter(|it| !new.contains(it));
    let added = added.map(|it| format!("+ {}", shown(Some(it))));
    let removed = removed.map(|it| format!("- {}", shown(Some(it))));
    let parts: Vec<String> = added.chain(removed).collect();
    if parts.is_empty() {
        format!("{} → {}", listed(old), listed(new))
    } else {
        parts.join(", ")
    }
}

/// The same members in another order, or one of them twice.
fn listed(all: &[Value]) -> String {
    let all: Vec<String> = all.iter().map(|it| shown(Some(it))).collect();
    format!("[{}]", all.join(", "))
}

fn table(old: &Map<String, Value>, new: &Map<String, Value>) -> String {
    let name = |key: &str| cell(&Value::from(key));
    let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
    let added = added.map(|(key, value)| match value.as_str() {
        Some("") => format!("+ {}", name(key)),
        _ => format!("+ {} = {}", name(key), shown(Some(value))),
    });
    let removed = old.keys().filter(|key| !new.contains_key(*key));
    let removed = removed.map(|key| format!("- {}", name(key)));
    let both = old
        .iter()
        .filter_map(|(key, before)| Some((key, before, new.get(key)?)));
    let changed = both
        .filter(|(_, before, after)| before != after)
        .map(|(key, before, after)| {
            let (before, after) = (shown(Some(before)), shown(Some(after)));
            format!("{} {before} → {after}", name(key))
        });
    let parts: Vec<String> = added.chain(removed).chain(changed).collect();
    parts.join(", ")
}

fn names(list: &[Value]) -> Map<String, Value> {
    let names = list.iter().filter_map(Value::as_str);
    names
        .map(|name| (name.to_owned(), Value::from("")))
        .collect()
}

/// A value as it may be shown: control characters are escaped.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "\"\"".to_owned(),
        Some(Value::Array(list)) => listed(list),
        Some(Value::Object(_)) => value.map(Value::to_string).unwrap_or_default(),
        Some(plain) => cell(plain),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_told_by_what_it_adds_and_takes() {
        let told = |old: Value, new: Value| {
            let value = |it: Value| (!it.is_null()).then_some(it);
            told(&Change {
                key: String::new(),
                old: value(old),
                new: value(new),
            })
        };
        for (old, new, expected) in [
            (json!("5m"), json!("2m"), "5m → 2m"),
            (Value::Null, json!("team-x"), "none → team-x"),
            (json!("a\u{1b}[2J"), Value::Null, "a\\u{1b}[2J → none"),
            (json!(true), json!(false), "true → false"),
            (json!(["a", "b"]), json!(["b", "c"]), "+ c, - a"),
            (json!(["a", "b"]), json!(["b", "a"]), "[a, b] → [b, a]"),
            (json!(["a"]), json!({ "a": "", "b": "All" }), "+ b = All"),
            (json!({ "a": "x" }), json!(["a"]), "a x → \"\""),
            (
                json!({ "level": 1, "gone": 2 }),
                json!({ "level": [2], "new": { "x": true } }),
                "+ new = {\"x\":true}, - gone, level 1 → [2]",
            ),
        ] {
            assert_eq!(told(old, new), expected);
        }
    }
}
