//! The example file `config/grantd.toml`, made of the declarations.

use super::declare::{Key, Table};
use super::keys;

/// The most characters of a line.
const WIDTH: usize = 110;

const HEAD: [&str; 5] = [
    "Settings of `grantd serve`: every key, with its purpose.",
    "",
    "A line that begins with \"# default: \" shows the default, followed by the allowed range. An unknown key is an error.",
    "An environment variable overrides a key: GRANTD_ and the key in capitals, with two underscores between table and \
     key, for example GRANTD_PUBLIC__LISTEN. A list in a variable is separated by commas.",
    "Paths in this file are relative to it; paths in variables are relative to the working directory. Durations are a \
     whole number with a unit: 90s, 5m, 1h.",
];

/// The file whole.
#[must_use]
pub fn example() -> String {
    let mut text = String::new();
    for line in HEAD {
        comment(&mut text, line);
    }
    for table in &keys::TABLES {
        explain(&mut text, table);
    }
    text
}

fn explain(text: &mut String, table: &Table) {
    if !table.name.is_empty() {
        text.push('\n');
        comment(text, &joined(table.doc));
        *text += &["[", table.name, "]\n"].concat();
    }
    for key in (table.explained)() {
        if table.name.is_empty() && !key.doc.is_empty() {
            text.push('\n');
        }
        if !key.doc.is_empty() {
            comment(text, &joined(key.doc));
        }
        *text += &line(&key);
    }
}

/// The key with a value, and what that may be.
fn line(key: &Key) -> String {
    let range = match &key.range {
        Some([least, most]) => format!("  # {least} to {most}").replace('"', ""),
        None => String::new(),
    };
    format!("{}{} = {}{range}\n", key.mark, key.name, key.value)
}

/// One paragraph of the lines of a doc comment.
fn joined(doc: &[&str]) -> String {
    doc.iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Adds a paragraph as comment lines that are not too wide.
fn comment(text: &mut String, paragraph: &str) {
    let mut line = String::from("#");
    for word in paragraph.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            *text += &line;
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line += word;
    }
    *text += &line;
    text.push('\n');
}
