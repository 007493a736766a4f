//! The run that looks for secrets (OPERATING section 2). Where `TEST_REDACTION` names a directory, the tests note there
//! what must be seen nowhere, and keep what grantd writes meanwhile: the log of every server at `trace`, metrics, what
//! commands print, and databases. `./check` has its one run of all tests do so, and then looks for the one in the other.

mod marks;
mod needles;
mod search;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use grantd::operations::Grantd;
use grantd::telemetry::metrics::{Exposition, Format};

use self::marks::{Kind, Mark};
pub(crate) use self::marks::{answered, asked, key, public, stated, texts};
use self::needles::looked_for;

/// The directory of the run.
const DIRECTORY: &str = "TEST_REDACTION";
/// The file with the marks in it.
const MARKS: &str = "marks";

/// Where what grantd writes comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The log of replicas inside the test binary.
    Log,
    /// The logs of servers that are processes.
    Servers,
    /// What `/metrics` answers.
    Metrics,
    /// What commands print.
    Commands,
    /// SQLite databases as they are on the disk.
    Sqlite,
    /// The schemas on Postgres, one a line.
    Schemas,
}

impl Source {
    const fn file(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Servers => "servers",
            Self::Metrics => "metrics",
            Self::Commands => "commands",
            Self::Sqlite => "sqlite",
            Self::Schemas => "schemas",
        }
    }
}

/// The run, of all test processes that have this directory.
struct Run {
    directory: PathBuf,
    noted: Mutex<HashSet<Mark>>,
    public: Mutex<HashSet<Vec<u8>>>,
}

fn run() -> Option<&'static Run> {
    static RUN: OnceLock<Option<Run>> = OnceLock::new();
    let begin = || {
        let directory = PathBuf::from(std::env::var_os(DIRECTORY)?);
        std::fs::create_dir_all(&directory).unwrap();
        Some(Run {
            directory,
            noted: Mutex::default(),
            public: Mutex::default(),
        })
    };
    RUN.get_or_init(begin).as_ref()
}

impl Run {
    /// The end of a file, which is written in whole pieces.
    fn end_of(&self, file: &str) -> File {
        let path = self.directory.join(file);
        let mut options = OpenOptions::new();
        options.append(true).create(true).open(path).unwrap()
    }

    fn note(&self, kind: Kind, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        let is_public = self.public.lock().unwrap().contains(looked_for(&bytes));
        let mark = Mark { kind, bytes };
        if !is_public && mark.is_telling() && self.noted.lock().unwrap().insert(mark.clone()) {
            let line = serde_json::to_string(&mark).unwrap() + "\n";
            self.end_of(MARKS).write_all(line.as_bytes()).unwrap();
        }
    }
}

/// Takes the log of this binary, where this is such a run.
pub(crate) fn begin() {
    if is_on() {
        let _ = crate::captured_log::begin();
    }
}

/// Notes a schema of Postgres, to look at in the end.
pub(crate) fn keep_schema(url: &str, schema: &str) {
    keep(Source::Schemas, format!("{url} {schema}\n").as_bytes());
}

/// Whether this is such a run.
pub(crate) fn is_on() -> bool {
    run().is_some()
}

/// Keeps what grantd has written.
pub(crate) fn keep(source: Source, written: &[u8]) {
    if let Some(run) = run() {
        run.end_of(source.file()).write_all(written).unwrap();
    }
}

/// Keeps a file, where it is there.
pub(crate) fn keep_file(source: Source, path: &Path) {
    if is_on()
        && let Ok(written) = std::fs::read(path)
    {
        keep(source, &written);
    }
}

/// Keeps a SQLite database, with what is not in its file yet.
pub(crate) fn keep_sqlite(path: &Path) {
    let log = path.with_extension("db-wal");
    for file in [path, &log] {
        keep_file(Source::Sqlite, file);
    }
}

/// Keeps the databases in a directory, and what servers there wrote to their standard error.
pub(crate) fn keep_place(directory: &Path) {
    let entries = is_on().then(|| std::fs::read_dir(directory));
    for entry in entries.into_iter().flatten().flatten().flatten() {
        let path = entry.path();
        match path.extension().and_then(std::ffi::OsStr::to_str) {
            Some("err") => keep_file(Source::Servers, &path),
            Some("db") => keep_sqlite(&path),
            _ if entry.file_type().is_ok_and(|it| it.is_dir()) => keep_place(&path),
            _ => {}
        }
    }
}

/// Lets a server log all that it can, unless the test says what it logs.
pub(crate) fn log_all(command: &mut Command) {
    let is_grantd = command.get_program() == env!("CARGO_BIN_EXE_grantd");
    let is_log = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("GRANTD_LOG");
    let is_said = command.get_envs().any(|(name, _)| is_log(name));
    if is_on() && is_grantd && !is_said {
        command.env("GRANTD_LOG", "trace");
    }
}

/// Keeps what a command of grantd has printed, unless it is there to print a secret.
pub(crate) fn keep_output(command: &Command, output: &std::process::Output) {
    if !is_on() || command.get_program() != env!("CARGO_BIN_EXE_grantd") {
        return;
    }
    let arguments: Vec<_> = command.get_args().map(|it| it.to_string_lossy()).collect();
    let words: Vec<&str> = arguments.iter().take(2).map(|it| &**it).collect();
    match words[..] {
        ["credential", "add-secret"] => marks::printed(&output.stdout),
        ["token", "assertion" | "proof"] | ["dev", ..] => {}
        _ => {
            let line = format!("\n$ grantd {}\n", words.join(" "));
            keep(Source::Commands, line.as_bytes());
            keep(Source::Commands, &output.stdout);
            keep(Source::Commands, &output.stderr);
        }
    }
}

/// Keeps the numbers of a replica when it goes.
pub(crate) struct Numbers(pub(crate) Arc<Grantd>);

impl Drop for Numbers {
    fn drop(&mut self) {
        if is_on() {
            let mut to = Exposition::new(Format::Text);
            self.0.expose(&mut to);
            keep(Source::Metrics, to.finish().as_ref());
        }
    }
}
