//! Files that are read again when they change: what was made of them last is kept while they are no good.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::file_fault::FileFault;
use super::reload::Reload;
use crate::config::file;
use crate::crypto::digest::sha256;
use crate::operations::background::blocking;
use crate::operations::reloads::{Reloadable, Reloads};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The bytes of one file, which may be a private key.
pub(super) type Content = Zeroizing<Vec<u8>>;

/// When files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Start,
    Change,
}

/// What the files are, in plain words.
#[derive(Clone, Copy, Debug)]
pub(super) struct What {
    /// One of the files: `client CA file`.
    pub(super) file: &'static str,
    /// What is made of all of them: `client CAs`.
    pub(super) made: &'static str,
    /// Under which name it is counted.
    pub(super) counted: Reloadable,
}

type Make<T> = dyn Fn(&[Content], Moment) -> Result<T, FileFault> + Send + Sync;

/// SHA-256 of each file, or why they could not be read. Contents are compared, not times: a certificate and its key are
/// often replaced within one second.
type Seen = Result<Vec<[u8; 32]>, String>;

/// What is made of some files.
pub(super) struct Watched<T> {
    what: What,
    paths: Vec<PathBuf>,
    make: Box<Make<T>>,
    current: ArcSwap<T>,
    seen: Mutex<Seen>,
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// Reads the files for the first time; `make` makes of their contents, in the order of `paths`, what is used.
    pub(super) fn load(
        what: What,
        paths: Vec<PathBuf>,
        make: impl Fn(&[Content], Moment) -> Result<T, FileFault> + Send + Sync + 'static,
    ) -> Result<Arc<Self>, FileFault> {
        let contents = read(what, &paths)?;
        let value = make(&contents, Moment::Start)?;
        Ok(Arc::new(Self {
            what,
            paths,
            make: Box::new(make),
            current: ArcSwap::from_pointee(value),
            seen: Mutex::new(Ok(digests(&contents))),
        }))
    }

    /// The newest good one.
    pub(super) fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Watches the files, until the process ends. A slow disk holds up no request.
    pub(super) async fn keep_fresh(self: Arc<Self>, reloads: Arc<Reloads>) {
        reloads.succeeded(self.what.counted);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let (this, reloads) = (Arc::clone(&self), Arc::clone(&reloads));
            blocking(move || this.look(&reloads)).await;
        }
    }

    /// Takes what the files hold where that changed; each change is told once.
    pub(super) fn look(&self, reloads: &Reloads) {
        self.take(reloads, false);
    }

    fn take(&self, reloads: &Reloads, also_unchanged: bool) {
        let contents = read(self.what, &self.paths);
        let now = match &contents {
            Ok(contents) => Ok(digests(contents)),
            Err(error) => Err(error.to_string()),
        };
        let mut seen = self.seen.lock();
        if *seen == now && !also_unchanged {
            return;
        }
        *seen = now;
        let What { made, counted, .. } = self.what;
        match contents.and_then(|contents| (self.make)(&contents, Moment::Change)) {
            Ok(value) => {
                self.current.store(Arc::new(value));
                reloads.succeeded(counted);
                tracing::info!(files = self.names(), "reloaded the {made}");
            }
            Err(error) => {
                reloads.failed(counted);
                tracing::error!("keeping the previous {made}: {error}");
            }
        }
    }

    fn names(&self) -> String {
        let names = self.paths.iter().map(|path| path.display().to_string());
        names.collect::<Vec<_>>().join(", ")
    }
}

impl<T: Send + Sync + 'static> Reload for Watched<T> {
    fn reload(&self, reloads: &Reloads) {
        self.take(reloads, true);
    }
}

/// The contents of the files, in their order.
pub(super) fn read(what: What, paths: &[PathBuf]) -> Result<Vec<Content>, FileFault> {
    let read = |path: &PathBuf| match file::read(path, file::SMALL) {
        Ok(content) => Ok(Zeroizing::new(content)),
        Err(source) => Err(FileFault::Read {
            what: what.file,
            path: path.clone(),
            source,
        }),
    };
    paths.iter().map(read).collect()
}

fn digests(contents: &[Content]) -> Vec<[u8; 32]> {
    contents.iter().map(|content| sha256(content)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::clock::Clock;

    const TEST: What = What {
        file: "number file",
        made: "number",
        counted: Reloadable::Certificate,
    };

    /// Makes a number of a file, and counts how often it was asked.
    fn number(path: PathBuf) -> (Arc<Watched<u32>>, Arc<Mutex<Vec<Moment>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        let fault = path.clone();
        let make = move |contents: &[Content], moment| {
            told.lock().push(moment);
            let text = str::from_utf8(&contents[0]).unwrap();
            text.parse().map_err(|_| FileFault::NoKey(fault.clone()))
        };
        (Watched::load(TEST, vec![path], make).unwrap(), asked)
    }

    #[test]
    fn the_last_good_content_is_kept_and_each_change_is_judged_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, "1").unwrap();
        let (watched, asked) = number(path.clone());
        let reloads = Reloads::new(Clock::system());
        let looks = |content: Option<&str>| {
            match content {
                Some(content) => fs::write(&path, content).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            watched.look(&reloads);
            watched.look(&reloads);
            *watched.current()
        };
        assert_eq!(looks(Some("1")), 1);
        assert_eq!(*asked.lock(), [Moment::Start]);
        assert_eq!(looks(Some("2")), 2);
        assert_eq!(looks(Some("bad")), 2);
        assert_eq!(looks(None), 2);
        assert_eq!(asked.lock().len(), 3);
        assert_eq!(looks(Some("2")), 2);
        assert_eq!(looks(Some("3")), 3);
        assert_eq!(asked.lock().len(), 5);
        // Told to, it reads what is unchanged once more.
        watched.reload(&reloads);
        assert_eq!(asked.lock().len(), 6);
        assert_eq!(reloads.all()[&Reloadable::Certificate].failures, 2);
    }
}
