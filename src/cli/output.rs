//! Standard output: lines, and listings as a table for people or as JSON for programs.

use std::fmt;
use std::io::{self, Write as _};

use super::color;
use clap::{Args, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

/// Prints a line. Unlike `println!` it does not panic where the reader has gone, as `head` does.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::output::print(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(super) use say;

/// Prints text as it is.
///
/// # Errors
/// Standard output cannot be written; for a secret that means that nobody has it.
pub(super) fn print(text: fmt::Arguments<'_>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_fmt(text)?;
    output.flush()
}

/// A number with what it counts: `1 client`, `2 clients`.
pub(super) fn counted(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// The option that says how a command tells what it found or did.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Form {
    /// Text for people, or JSON for programs
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "table|json",
        hide_possible_values = true
    )]
    pub(super) output: Output,
}

/// How a command tells it: to people in a table or in sentences, to programs as JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    #[default]
    Table,
    Json,
}

/// Prints rows whose cells stand under `columns`.
pub(super) fn print_rows(output: Output, columns: &[&str], rows: &[Vec<Value>]) -> io::Result<()> {
    match output {
        Output::Table => print_table(columns, rows),
        Output::Json => {
            let objects: Vec<Value> = rows.iter().map(|row| object(columns, row)).collect();
            say!("{:#}", Value::Array(objects))
        }
    }
}

fn print_table(columns: &[&str], rows: &[Vec<Value>]) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| column.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(cell));
    }
    let table = table.to_string();
    let (head, rows) = table.split_once('\n').unwrap_or((&table, ""));
    say!("{}", color::bold(head))?;
    if rows.is_empty() {
        return Ok(());
    }
    say!("{rows}")
}

/// What a cell shows; control characters are escaped, so that no name can manipulate the terminal.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => {
            let escaped = text.escape_debug().to_string();
            escaped.replace("\\\"", "\"").replace("\\'", "'")
        }
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn object(columns: &[&str], row: &[Value]) -> Value {
    let members = columns
        .iter()
        .map(|column| column.replace(' ', "_"))
        .zip(row.iter().cloned());
    Value::Object(members.collect())
}
