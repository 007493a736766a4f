//! Writes the log on a thread of its own behind a bounded queue: a reader that stalls stops the log, and nothing else.
//!
//! Our own, because tracing-appender's writer drops lines as well, but tells nobody in the log.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;
use tracing_subscriber::fmt::MakeWriter;

use super::metrics::Counter;

/// What may wait to be written: some thousand lines.
const MOST_BYTES: usize = 1024 * 1024;
/// After so many lines it is told at the latest how many were dropped.
const TELL_EVERY: u64 = 256;
/// How long the end of the process waits for the reader.
const GOODBYE_TIME: Duration = Duration::from_secs(1);

thread_local! {
    /// Whether this is the thread that writes: its own lines need no queue, and would wait for itself.
    static IS_WRITER: Cell<bool> = const { Cell::new(false) };
}

/// The log of the process, once it has begun.
static LOG: OnceLock<Log> = OnceLock::new();

/// Begins to write to standard error. Lines go straight to it where no thread can be started.
pub(super) fn start() -> Log {
    LOG.get_or_init(|| Log::to(io::stderr, MOST_BYTES)).clone()
}

/// Writes a last text that must not wait behind a reader that stalls, and waits until all is written, for at most a
/// second. Before the log has begun it goes straight to standard error.
pub fn last_words(text: &str) {
    let Some(log) = LOG.get() else {
        let _ = io::stderr().write_all(text.as_bytes());
        return;
    };
    log.push(text.as_bytes());
    log.wait(GOODBYE_TIME);
}

/// Returns when the thread that writes has ended, which it never should; lines go straight to standard error from then
/// on. Where the log has not begun, it never returns.
pub async fn writer_ended() {
    match LOG.get() {
        Some(log) => log.ended().await,
        None => std::future::pending().await,
    }
}

/// How many lines were dropped since the start.
#[must_use]
pub fn dropped_lines() -> u64 {
    LOG.get().map_or(0, |log| log.0.dropped_in_all.get())
}

/// Where lines go; clones are the same one.
#[derive(Clone)]
pub(super) struct Log(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    ended: Notify,
    dropped_in_all: Counter,
    most_bytes: usize,
}

/// Held by the thread that writes: however that ends, it is told.
struct Writing(Arc<Shared>);

#[derive(Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    dropped: u64,
    written: u64,
    is_writing: bool,
    /// There is no thread that writes.
    is_direct: bool,
}

impl Log {
    /// Writes to what `sink` gives.
    fn to<W: Write + 'static>(sink: fn() -> W, most_bytes: usize) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            ended: Notify::new(),
            dropped_in_all: Counter::default(),
            most_bytes,
        });
        let own = Arc::clone(&shared);
        let started = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || {
                IS_WRITER.set(true);
                let writing = Writing(own);
                writing.0.write(&mut sink());
            });
        if started.is_err() {
            shared.queue.lock().is_direct = true;
        }
        Self(shared)
    }

    async fn ended(&self) {
        self.0.ended.notified().await;
    }

    /// Takes a line, or counts it where there is no room.
    fn push(&self, line: &[u8]) {
        let mut queue = self.0.queue.lock();
        if queue.is_direct {
            let _ = io::stderr().write_all(line);
        } else if queue.bytes.saturating_add(line.len()) > self.0.most_bytes {
            queue.dropped = queue.dropped.saturating_add(1);
            self.0.dropped_in_all.increment();
        } else {
            queue.bytes += line.len();
            queue.lines.push_back(line.to_vec());
            self.0.changed.notify_all();
        }
    }

    /// Waits until all is written.
    fn wait(&self, time: Duration) {
        let unwritten = |queue: &mut Queue| !queue.lines.is_empty() || queue.is_writing;
        let mut queue = self.0.queue.lock();
        self.0.changed.wait_while_for(&mut queue, unwritten, time);
    }
}

impl Shared {
    fn write(&self, sink: &mut dyn Write) {
        loop {
            let (line, dropped) = self.next();
            // A reader that is gone is no reason to stop: another may come.
            let _ = sink.write_all(&line).and_then(|()| sink.flush());
            if dropped > 0 {
                tracing::warn!(
                    dropped,
                    "log lines were dropped because nobody read them fast enough"
                );
            }
        }
    }

    /// The next line, and how many were dropped by then: it is written, so there is a reader again.
    fn next(&self) -> (Vec<u8>, u64) {
        let mut queue = self.queue.lock();
        queue.is_writing = false;
        loop {
            if let Some(line) = queue.lines.pop_front() {
                queue.bytes -= line.len();
                queue.is_writing = true;
                queue.written = queue.written.wrapping_add(1);
                let tells = queue.lines.is_empty() || queue.written.is_multiple_of(TELL_EVERY);
                let told = if tells { queue.dropped } else { 0 };
                queue.dropped -= told;
                return (line, told);
            }
            self.changed.notify_all();
            self.changed.wait(&mut queue);
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        queue.is_direct = true;
        queue.is_writing = false;
        queue.bytes = 0;
        for line in std::mem::take(&mut queue.lines) {
            let _ = io::stderr().write_all(&line);
        }
        drop(queue);
        self.0.changed.notify_all();
        self.0.ended.notify_one();
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line(self.clone())
    }
}

/// Gets each event in one piece.
pub(super) struct Line(Log);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if IS_WRITER.get() {
            return io::stderr().write(line);
        }
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static GATE: Mutex<()> = Mutex::new(());
    static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    /// A reader that stalls for as long as the gate is held.
    struct Slow;

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            drop(GATE.lock());
            WRITTEN.lock().extend(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_but_at_the_end_and_what_has_no_room_is_counted() {
        let log = Log::to(|| Slow, 10);
        let gate = GATE.lock();
        for line in [b"one ", b"two ", b"tri ", b"four", b"five"] {
            log.push(line);
        }
        // One of them may be out of the queue already, with the thread that waits for the gate.
        assert!((2..=3).contains(&log.0.queue.lock().dropped));
        log.wait(Duration::from_millis(10));
        assert!(WRITTEN.lock().is_empty());
        drop(gate);
        log.wait(Duration::from_mins(1));
        assert!(WRITTEN.lock().starts_with(b"one two "));
        assert_eq!(log.0.queue.lock().dropped, 0);
        assert!((2..=3).contains(&log.0.dropped_in_all.get()));
    }

    /// A reader at which the thread panics.
    struct Panicking;

    impl Write for Panicking {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            assert_eq!(line, b"");
            Ok(0)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_writer_that_panics_is_told_and_lines_go_on_without_it() {
        let log = Log::to(|| Panicking, 100);
        log.push(b"the first line\n");
        let told = tokio::time::timeout(Duration::from_mins(1), log.ended());
        assert!(told.await.is_ok());
        assert!(log.0.queue.lock().is_direct);
        log.push(b"a line of a test whose log lost its writer\n");
        log.wait(Duration::from_mins(1));
        assert!(log.0.queue.lock().lines.is_empty());
    }
}
