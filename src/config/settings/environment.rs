//! Environment variables over the settings file: `GRANTD_PUBLIC__LISTEN` sets `listen` of `[public]`.

use super::keys::{self, PREFIX};
use super::service_links::is_service_link;
use crate::config::document::{Entry, Located, Node, Table};
use crate::config::fault::{Faults, Place, Problem, shown_variable};
use crate::domain::shown::nearest;

/// Variables of our prefix that the command line reads, and those by which test kits find a program or a running one.
const ELSEWHERE: [&str; 6] = [
    "GRANTD_ACTOR",
    "GRANTD_BIN",
    "GRANTD_CONFIG",
    "GRANTD_CONTROL",
    "GRANTD_DATA",
    "GRANTD_LOG",
];

/// Puts each `GRANTD_` variable in the place of the file's value; an unknown one is a fault, unless Kubernetes made it:
/// gives the names of these.
pub(super) fn overlay(
    table: &mut Table,
    environment: impl IntoIterator<Item = (String, String)>,
    faults: &Faults,
) -> Vec<String> {
    let mut passed_over = Vec::new();
    let known: Vec<_> = keys::variables().collect();
    for (name, value) in environment {
        if !name.starts_with(PREFIX) || ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        let variables = known.iter().map(|(variable, ..)| variable.as_str());
        let place = Place::Environment(shown_variable(&name, variables).into());
        if let Some((_, inside, key)) = known.iter().find(|(variable, ..)| *variable == name) {
            set(table, (*inside, key), &place, value);
        } else if is_service_link(&name, &value) {
            passed_over.push(name);
        } else {
            faults.report(&place, "", unknown(&name, &known));
        }
    }
    passed_over
}

type Variable = (String, Option<&'static str>, &'static str);

fn unknown(name: &str, known: &[Variable]) -> Problem {
    let near = nearest(name, known.iter().map(|(variable, ..)| variable.as_str()));
    Problem::UnknownVariable(near.unwrap_or_default().to_owned())
}

fn set(table: &mut Table, (inside, key): (Option<&str>, &str), place: &Place, value: String) {
    let located = |node| Entry {
        key: place.clone(),
        value: Located::new(place.clone(), node),
    };
    let entry = located(Node::Text(value));
    let Some(inside) = inside else {
        table.0.insert(key.to_owned(), entry);
        return;
    };
    let inner = table
        .0
        .entry(inside.to_owned())
        .or_insert_with(|| located(Node::Table(Table::default())));
    // A value that is no table stays as it is: reading it reports the fault.
    if let Node::Table(inner) = &mut inner.value.node {
        inner.0.insert(key.to_owned(), entry);
    }
}
