//! The files of the client CAs, read again when they change.

use std::path::PathBuf;
use std::sync::Arc;

use super::file_fault::FileFault;
use super::reload::Reload;
use super::watched::{self, Content, Moment, Watched, What};
use crate::crypto::certificates::authorities::ClientCas;
use crate::operations::authenticate_client::TrustedCas;
use crate::operations::reloads::{Reloadable, Reloads};

const WHAT: What = What {
    file: "client CA file",
    made: "client CAs",
    counted: Reloadable::ClientCa,
};

/// PEM files with the client CAs; all of them count.
pub struct ClientCaFiles(Arc<Watched<()>>);

impl ClientCaFiles {
    /// Reads the files and trusts what is in them; `None` where there are no files.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else.
    pub fn load(files: Vec<PathBuf>, trusted: TrustedCas) -> Result<Option<Self>, FileFault> {
        if files.is_empty() {
            return Ok(None);
        }
        let paths = files.clone();
        let trust = move |contents: &[Content], moment| {
            trusted.trust(cas(&files, contents, moment)?);
            Ok(())
        };
        Ok(Some(Self(Watched::load(WHAT, paths, trust)?)))
    }

    /// Watches the files, until the process ends.
    pub(super) async fn keep_fresh(self, reloads: Arc<Reloads>) {
        self.0.keep_fresh(reloads).await;
    }

    /// What reads the files again at once.
    pub(super) fn reload(&self) -> Arc<dyn Reload> {
        Arc::clone(&self.0) as Arc<dyn Reload>
    }

    /// Whether the files hold client CAs.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn check(files: &[PathBuf]) -> Result<(), FileFault> {
        let contents = watched::read(WHAT, files)?;
        cas(files, &contents, Moment::Start).map(drop)
    }
}

/// The CAs in all files. A file that was emptied has none; at the start an empty one is a mistake.
fn cas(files: &[PathBuf], contents: &[Content], moment: Moment) -> Result<ClientCas, FileFault> {
    let mut cas = ClientCas::none();
    let is_emptied =
        |content: &Content| moment == Moment::Change && content.trim_ascii().is_empty();
    for (path, content) in files.iter().zip(contents) {
        if !is_emptied(content) {
            cas.add_pem(content).map_err(|source| FileFault::NoCas {
                path: path.clone(),
                source,
            })?;
        }
    }
    if contents.iter().all(is_emptied) {
        tracing::warn!(
            "the client CA files hold no certificate any more: every client that uses tls_client_auth is refused"
        );
    }
    Ok(cas)
}
