//! What this test binary logs, at every level and from every thread: each line that holds a watched mark is kept.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

use crate::redaction;

/// A mark that is looked for, and the lines that hold it.
struct Watched {
    mark: String,
    lines: Arc<Mutex<Vec<String>>>,
}

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());
static BEGUN: OnceLock<bool> = OnceLock::new();

/// The lines that held one mark since it is watched.
pub(crate) struct Watch(Arc<Mutex<Vec<String>>>);

/// Watches for `mark`, which nothing but this test should use.
pub(crate) fn watch(mark: &str) -> Watch {
    assert!(begin(), "nothing else of the tests takes the log");
    let lines = Arc::default();
    let watched = Watched {
        mark: mark.to_owned(),
        lines: Arc::clone(&lines),
    };
    WATCHED.lock().unwrap().push(watched);
    Watch(lines)
}

/// Takes the log of this binary from now on, unless something else has it.
pub(crate) fn begin() -> bool {
    *BEGUN.get_or_init(|| {
        let log = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| Lines);
        log.try_init().is_ok()
    })
}

impl Watch {
    /// Each a whole event, as it was written.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Gets each event in one piece.
struct Lines;

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        redaction::keep(redaction::Source::Log, event);
        let text = String::from_utf8_lossy(event);
        for watched in WATCHED.lock().unwrap().iter() {
            if text.contains(&watched.mark) {
                watched
                    .lines
                    .lock()
                    .unwrap()
                    .push(text.clone().into_owned());
            }
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
