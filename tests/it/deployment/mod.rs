//! What `deploy/` and the Compose file say is run with the real program: arguments, variables, settings, catalog and
//! files of each container, with its ports and probes. `tests/e2e/kubernetes` checks the manifests as Kubernetes does.

use std::fs;

use serde_json::Value;

use crate::source_tree::root;

mod compose;
mod container;
mod kubernetes;
mod ordinary_role;

/// The documents of a YAML file of the repository.
fn documents(path: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join(path)).unwrap();
    serde_saphyr::from_multiple(&text).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// The list at a JSON pointer.
#[track_caller]
fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.unwrap_or_else(|| panic!("no list {pointer} in {value}"))
}

/// The text at a JSON pointer.
#[track_caller]
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text {pointer} in {value}"))
}

/// The number at a JSON pointer.
#[track_caller]
fn number(value: &Value, pointer: &str) -> u64 {
    let found = value.pointer(pointer).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("no number {pointer} in {value}"))
}

/// The texts of the list at a JSON pointer.
#[track_caller]
fn texts<'v>(value: &'v Value, pointer: &str) -> Vec<&'v str> {
    let texts = list(value, pointer).iter().map(Value::as_str);
    texts
        .collect::<Option<_>>()
        .unwrap_or_else(|| panic!("not only texts at {pointer} in {value}"))
}
