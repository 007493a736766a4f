//! The files of a catalog: those that the operator names, all of a folder, standard input, and what they include.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, glob_with};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::document::{self, Table};
use crate::config::fault::{Faults, Place, Problem};
use crate::config::file;
use crate::config::json_document;
use crate::config::shaped::{Many, Section, Stated};
use crate::domain::shown;

/// The path that means standard input.
pub const STANDARD_INPUT: &str = "-";
/// The name of [`STANDARD_INPUT`] in errors.
const STANDARD_INPUT_SHOWN: &str = "standard input";
/// How deep includes may be nested.
const MAX_DEPTH: usize = 16;
/// What a shell does: `*` stays in its folder, and leaves out what begins with a dot.
const AS_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// One file, read.
pub(super) struct Document {
    /// Its first line.
    pub(super) place: Place,
    pub(super) table: Table,
    /// What paths in it are relative to.
    pub(super) base: PathBuf,
}

/// The part of a file that names others.
#[derive(Default, Deserialize)]
struct Includes {
    #[serde(default)]
    include: Many<String>,
}

/// Reads files, each once, however often it is named.
pub(super) struct Files<'f> {
    faults: &'f Faults,
    documents: Vec<Document>,
    /// All files so far, by their real paths.
    seen: BTreeSet<PathBuf>,
    /// The file that is being read, the one that includes it, and so on.
    above: Vec<PathBuf>,
    bytes: usize,
}

impl<'f> Files<'f> {
    pub(super) const fn new(faults: &'f Faults) -> Self {
        Self {
            faults,
            documents: Vec::new(),
            seen: BTreeSet::new(),
            above: Vec::new(),
            bytes: 0,
        }
    }

    /// All that was read, in the order in which it was named; what a file includes comes behind it.
    pub(super) fn documents(self) -> Vec<Document> {
        self.documents
    }

    /// Reads a file, the `*.toml` of a folder in the order of their names, or standard input.
    pub(super) fn read(&mut self, path: &Path) {
        if path == Path::new(STANDARD_INPUT) {
            if self.seen.insert(path.to_owned()) {
                let text = file::bounded_text(io::stdin().lock(), file::LARGE);
                self.read_text(STANDARD_INPUT_SHOWN, text, Path::new(""));
            }
        } else {
            self.read_path(path, &Place::start_of(&path.display().to_string()));
        }
    }

    /// Reads `text`, whose name in errors is `name`; what it includes is relative to `base`.
    pub(super) fn read_text(&mut self, name: &str, text: io::Result<String>, base: &Path) {
        let place = Place::start_of(name);
        let text = match text {
            Ok(text) => text,
            Err(error) => return self.fault(&place, Problem::Unreadable(error.to_string())),
        };
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes as u64 > file::LARGE {
            return self.fault(&place, Problem::LargeCatalog(file::LARGE >> 20));
        }
        let parsed = document::parse(name, &text);
        drop(text);
        match parsed {
            Ok(table) => self.add(&place, table, base),
            Err(error) => self.faults.extend(error),
        }
    }

    /// Reads a JSON document; what it includes is relative to `base`.
    pub(super) fn read_json(&mut self, members: &Map<String, Value>, base: &Path) {
        match json_document::table(members) {
            Ok(table) => self.add(&Place::Member("".into()), table, base),
            Err(error) => self.faults.extend(error),
        }
    }

    /// Takes a document, whose place is `place`, and what it includes.
    fn add(&mut self, place: &Place, mut table: Table, base: &Path) {
        let taken = Table(BTreeMap::from_iter(table.0.remove_entry("include")));
        self.documents.push(Document {
            place: place.clone(),
            table,
            base: base.to_owned(),
        });
        let mut shared = Section::new(String::new(), (place, &taken), self.faults);
        let includes: Includes = shared.read().unwrap_or_default();
        for Stated { line, value } in includes.include.0 {
            self.include(&value, &place.on_line(line), base);
        }
    }

    /// Reads a file or folder; `from` is where it is named.
    fn read_path(&mut self, path: &Path, from: &Place) {
        if path.is_dir() {
            match within(path, "*.toml").and_then(|pattern| matching(&pattern)) {
                Ok(files) if files.is_empty() => {
                    self.fault(from, Problem::EmptyFolder(path.display().to_string()));
                }
                Ok(files) => files.iter().for_each(|file| self.read_file(file, from)),
                Err(problem) => self.fault(from, problem),
            }
        } else {
            self.read_file(path, from);
        }
    }

    fn read_file(&mut self, path: &Path, from: &Place) {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.above.contains(&real) {
            let again = path.display().to_string();
            return self.fault(from, Problem::IncludeLoop(again));
        }
        if self.above.len() > MAX_DEPTH {
            return self.fault(from, Problem::IncludeDepth(MAX_DEPTH));
        }
        if !self.seen.insert(real.clone()) {
            return;
        }
        self.above.push(real);
        let name = path.display().to_string();
        let base = path.parent().unwrap_or(Path::new(""));
        self.read_text(&name, file::text(path, file::LARGE), base);
        self.above.pop();
    }

    /// Reads what `pattern` names; with a wildcard the file itself is not meant.
    fn include(&mut self, pattern: &str, place: &Place, base: &Path) {
        let found = within(base, pattern).and_then(|pattern| matching(&pattern));
        let found = match found {
            Ok(found) => found,
            Err(problem) => return self.fault(place, problem),
        };
        let is_wild = pattern != Pattern::escape(pattern);
        let is_itself = |it: &PathBuf| {
            let itself = self.above.last();
            is_wild && itself.is_some_and(|itself| it.canonicalize().ok().as_ref() == Some(itself))
        };
        let others: Vec<PathBuf> = found.into_iter().filter(|it| !is_itself(it)).collect();
        if others.is_empty() {
            self.fault(place, Problem::IncludesNothing(shown::plain(pattern)));
        }
        for path in others {
            self.read_path(&path, place);
        }
    }

    fn fault(&self, place: &Place, problem: Problem) {
        self.faults.report(place, "", problem);
    }
}

/// The pattern, as seen from the working directory; the folder's own name is no pattern.
fn within(base: &Path, pattern: &str) -> Result<String, Problem> {
    if base == Path::new("") || Path::new(pattern).is_absolute() {
        return Ok(pattern.to_owned());
    }
    let base = base.to_str().ok_or(Problem::FolderName)?;
    let base = Pattern::escape(base.trim_end_matches('/'));
    Ok(format!("{base}/{pattern}"))
}

/// What a pattern names, in the order of names.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, Problem> {
    let paths =
        glob_with(pattern, AS_A_SHELL).map_err(|error| Problem::Pattern(error.msg.to_owned()))?;
    let unreadable = |error: glob::GlobError| Problem::File {
        path: error.path().display().to_string(),
        reason: error.error().to_string(),
    };
    paths.map(|path| path.map_err(unreadable)).collect()
}
