//! How single values are read: texts, numbers, durations, instants, names from a fixed set, paths.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnet::IpNet;

use super::document::{Located, Node};
use super::fault::{Place, Problem};
use super::file;
use crate::domain::shape::network as network_of;
use crate::domain::timestamp::Seconds;

/// The fault of a value of another type.
pub(super) const fn type_error(expected: &'static str, found: &Node) -> Problem {
    Problem::Type {
        expected,
        found: found.type_name(),
    }
}

/// Any text.
pub(super) fn text(value: Located) -> Result<String, Problem> {
    match value.node {
        Node::Text(text) => Ok(text),
        other => Err(type_error("text", &other)),
    }
}

/// A text that is one of a few.
pub(super) fn one_of<T: Copy>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl Fn(Located) -> Result<T, Problem> {
    move |value| {
        let text = text(value)?;
        all.iter()
            .copied()
            .find(|known| name(*known) == text)
            .ok_or_else(|| {
                let names: Vec<_> = all.iter().map(|known| name(*known)).collect();
                Problem::not_one_of(&text, &names)
            })
    }
}

/// True or false; as a word in an environment variable.
pub(super) fn boolean(value: Located) -> Result<bool, Problem> {
    match (value.node, value.place) {
        (Node::Boolean(flag), _) => Ok(flag),
        (Node::Text(text), Place::Environment(_)) => {
            text.parse().map_err(|_| Problem::Expected("true or false"))
        }
        (other, _) => Err(type_error("true or false", &other)),
    }
}

/// A whole number in `range`; as digits in an environment variable.
pub(super) fn number(range: RangeInclusive<u64>) -> impl Fn(Located) -> Result<u64, Problem> {
    move |value| {
        let number = match (value.node, value.place) {
            (Node::Integer(number), _) => u64::try_from(number).ok(),
            (Node::Text(text), Place::Environment(_)) => text.parse().ok(),
            (other, _) => return Err(type_error("a whole number", &other)),
        };
        number
            .filter(|it| range.contains(it))
            .ok_or_else(|| Problem::NumberRange(range.clone()))
    }
}

/// A duration in `range`, both ends in seconds.
pub(super) fn duration(range: RangeInclusive<u32>) -> impl Fn(Located) -> Result<Seconds, Problem> {
    move |value| {
        let Node::Text(text) = value.node else {
            return Err(type_error(
                "a duration as text, for example \"5m\"",
                &value.node,
            ));
        };
        let span: Seconds = text.parse()?;
        let bounds = Seconds::new(*range.start())..=Seconds::new(*range.end());
        if bounds.contains(&span) {
            Ok(span)
        } else {
            Err(Problem::DurationRange(bounds))
        }
    }
}

/// A network in CIDR form.
pub(super) fn network(value: Located) -> Result<IpNet, Problem> {
    network_of(&text(value)?).map_err(|error| Problem::Said(error.to_string()))
}

/// An `x5t#S256` as it is written: 43 characters of base64url.
pub(super) fn thumbprint(value: Located) -> Result<String, Problem> {
    fitting_thumbprint(text(value)?)
}

/// `text`, where it is such a thumbprint.
pub(super) fn fitting_thumbprint(text: String) -> Result<String, Problem> {
    match URL_SAFE_NO_PAD.decode(&text) {
        Ok(bytes) if bytes.len() == 32 => Ok(text),
        _ => Err(Problem::Thumbprint),
    }
}

/// The path of a file: relative to `base` in a document, to the working directory in the environment.
pub(super) fn path(base: &Path) -> impl Fn(Located) -> Result<PathBuf, Problem> {
    move |value| {
        let from_environment = matches!(value.place, Place::Environment(_));
        let text = text(value)?;
        path_in(
            if from_environment {
                Path::new("")
            } else {
                base
            },
            &text,
        )
    }
}

/// The path of a file, relative to `base`.
pub(super) fn path_in(base: &Path, text: &str) -> Result<PathBuf, Problem> {
    if text.is_empty() || text.contains('\0') {
        return Err(Problem::Expected("the path of a file"));
    }
    Ok(base.join(text))
}

/// The text of a small file, without one trailing line break.
pub(super) fn file_text(path: &Path) -> Result<String, Problem> {
    let mut text = file::text(path, file::SMALL).map_err(|error| Problem::File {
        path: path.display().to_string(),
        reason: error.to_string(),
    })?;
    if let Some(line) = text.strip_suffix('\n') {
        text.truncate(line.strip_suffix('\r').unwrap_or(line).len());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_loses_one_line_break_and_may_not_be_large() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        for (written, read) in [("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("", "")] {
            std::fs::write(&path, written).unwrap();
            assert_eq!(file_text(&path).unwrap(), read);
        }
        std::fs::write(&path, "x".repeat(1_048_577)).unwrap();
        assert!(
            file_text(&path)
                .unwrap_err()
                .to_string()
                .contains("larger than 1 MiB")
        );
    }
}
