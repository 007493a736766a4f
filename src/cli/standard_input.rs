//! The end of standard input: whoever starts `grantd dev` and holds the other end of that pipe ends it by ending, even
//! by SIGKILL, after which no program can clean up.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use tokio::sync::oneshot;

use crate::config::catalog::STANDARD_INPUT;

/// Waits until standard input ends or cannot be read. What comes in is thrown away. A thread of its own reads, because
/// the process would not end while one of the runtime's still did.
///
/// # Errors
/// There can be no further thread.
pub(super) fn closed() -> io::Result<impl Future<Output = ()> + Send> {
    let (ended, end) = oneshot::channel();
    thread::Builder::new()
        .name("standard-input".to_owned())
        .spawn(move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = ended.send(());
        })?;
    Ok(async {
        let _ = end.await;
    })
}

/// # Errors
/// The catalog comes from standard input, which has then ended.
pub(super) fn must_be_free(catalog: &[PathBuf]) -> anyhow::Result<()> {
    anyhow::ensure!(
        !catalog.iter().any(|path| path == Path::new(STANDARD_INPUT)),
        "--catalog - reads standard input to its end, at which --until-stdin-closes would stop: write the catalog \
         to a file"
    );
    Ok(())
}
