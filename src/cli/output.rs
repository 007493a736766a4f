//! Listings: a table for people, or JSON for programs.

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

/// The form of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Prints rows whose cells stand under `columns`.
pub(super) fn print_rows(output: Output, columns: &[&str], rows: &[Vec<Value>]) {
    match output {
        Output::Table => print_table(columns, rows),
        Output::Json => {
            let objects: Vec<Value> = rows.iter().map(|row| object(columns, row)).collect();
            println!("{:#}", Value::Array(objects));
        }
    }
}

fn print_table(columns: &[&str], rows: &[Vec<Value>]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| column.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(cell));
    }
    println!("{table}");
}

/// What a cell shows; control characters are escaped, so that no name can play with the terminal.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.escape_debug().to_string().replace("\\\"", "\""),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn object(columns: &[&str], row: &[Value]) -> Value {
    let members = columns.iter().map(|column| column.replace(' ', "_")).zip(row.iter().cloned());
    Value::Object(members.collect())
}
