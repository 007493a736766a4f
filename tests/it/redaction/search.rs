//! Looks for the marks of a run in everything that it kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::marks::{Kind, Mark};
use super::needles::{Needle, beginnings, needles};
use super::{MARKS, Run, Source, run};
use crate::harness::Database;
use crate::raw_sql::texts;

/// Names the log of the Postgres that the run used, in which it logged each statement.
const STATEMENTS: &str = "TEST_REDACTION_STATEMENTS";
/// Bytes before a finding that are shown.
const BEFORE: usize = 120;
/// Findings of one source that are shown.
const MOST: usize = 5;

/// The search for the marks of a run.
struct Search {
    needles: Vec<Needle>,
    machine: AhoCorasick,
}

impl Search {
    fn of(run: &Run) -> Self {
        let marks = std::fs::read_to_string(run.directory.join(MARKS)).unwrap();
        let marks = marks.lines().map(|it| serde_json::from_str(it).unwrap());
        let marks: Vec<Mark> = marks.collect();
        for kind in Kind::ALL {
            let count = marks.iter().filter(|it| it.kind == kind).count();
            println!("{count} marks: {kind:?}");
            assert!(
                count > 0,
                "no {kind:?} was noted: the run was none of all tests"
            );
        }
        let needles: Vec<Needle> = marks.iter().flat_map(needles).chain(beginnings()).collect();
        let machine = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(needles.iter().map(|it| &it.text))
            .unwrap();
        Self { needles, machine }
    }

    /// What was found in a file: which mark in which form, and what stands before it, once for each.
    fn found_in(&self, path: &Path) -> Vec<String> {
        let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        println!(
            "{} bytes: {}",
            file.metadata().unwrap().len(),
            path.display()
        );
        let mut found = BTreeMap::new();
        for at in self.machine.stream_find_iter(&file) {
            let at = at.unwrap();
            found.entry(at.pattern()).or_insert(at.start());
        }
        let shown = |(pattern, start): (&aho_corasick::PatternID, &usize)| {
            let Needle { kind, form, text } = &self.needles[pattern.as_usize()];
            let from = start.saturating_sub(BEFORE);
            let mut before = vec![0; start - from];
            file.read_exact_at(&mut before, from as u64).unwrap();
            let (before, text) = (
                String::from_utf8_lossy(&before),
                String::from_utf8_lossy(text),
            );
            format!(
                "{kind:?}, {form}, in {}: {before}>>>{text}<<<",
                path.display()
            )
        };
        found.iter().take(MOST).map(shown).collect()
    }
}

/// All rows of the schemas of the run, as texts.
async fn postgres(run: &Run) -> Vec<String> {
    let schemas = std::fs::read_to_string(run.directory.join(Source::Schemas.file()));
    let mut rows = Vec::new();
    for line in schemas.unwrap_or_default().lines() {
        let (url, schema) = line.split_once(' ').unwrap();
        let database = Database::at(url.to_owned());
        let tables = format!(
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = '{schema}'"
        );
        for table in texts(&database, &tables).await {
            let all = format!("SELECT it::text FROM \"{schema}\".\"{table}\" AS it");
            rows.extend(texts(&database, &all).await);
        }
    }
    rows
}

/// B-H08, OPERATING section 2: `./check` runs this after all tests, with the directory that they had.
#[tokio::test]
#[ignore = "needs TEST_REDACTION, the directory of a run of all tests; ./check sets it"]
async fn no_secret_assertion_token_or_key_is_in_anything_that_grantd_wrote_in_a_whole_run() {
    let run = run().expect("TEST_REDACTION is not set: it names the directory of a run");
    let rows = postgres(run).await;
    println!("{} rows on Postgres", rows.len());
    let of_postgres = run.directory.join("postgres");
    std::fs::write(&of_postgres, rows.join("\n")).unwrap();
    let search = Search::of(run);
    println!("{} needles", search.needles.len());
    let mut paths: Vec<PathBuf> = [
        Source::Log,
        Source::Servers,
        Source::Metrics,
        Source::Commands,
        Source::Sqlite,
    ]
    .map(|it| run.directory.join(it.file()))
    .to_vec();
    paths.push(of_postgres);
    match std::env::var_os(STATEMENTS) {
        Some(log) => paths.push(log.into()),
        None => {
            println!("the statements that Postgres got are not searched: it is none of ./check's");
        }
    }
    let found: Vec<String> = paths.iter().flat_map(|it| search.found_in(it)).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
