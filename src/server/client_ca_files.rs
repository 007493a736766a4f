//! The files of the client CAs, read again when they change.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::file;
use crate::crypto::certificates::authorities::{ClientCas, InvalidCas};
use crate::operations::Grantd;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// PEM files with the client CAs; all of them count.
#[derive(Debug)]
pub struct ClientCaFiles {
    files: Vec<PathBuf>,
    seen: Vec<Vec<u8>>,
}

/// Why a file gives no client CAs.
#[derive(Debug, thiserror::Error)]
pub enum ClientCaError {
    /// It cannot be read.
    #[error("cannot read the client CA file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// It holds something else.
    #[error("the client CA file {} holds {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: InvalidCas,
    },
}

impl ClientCaFiles {
    /// Reads the files, and lets `grantd` trust what is in them; `None` where there are no files.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else.
    pub fn load(files: Vec<PathBuf>, grantd: &Grantd) -> Result<Option<Self>, ClientCaError> {
        if files.is_empty() {
            return Ok(None);
        }
        let mut this = Self {
            files,
            seen: Vec::new(),
        };
        this.look(grantd)?;
        Ok(Some(this))
    }

    /// Looks at the files for ever. The last good ones stay in use while the new ones are no good, which is said
    /// once for each change.
    pub(super) async fn keep_fresh(mut self, grantd: &Grantd) {
        let mut said = None;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.look(grantd) {
                Ok(()) => said = None,
                Err(error) => {
                    let error = error.to_string();
                    if said.as_ref() != Some(&error) {
                        tracing::error!(error, "the client CAs of before stay in use");
                        said = Some(error);
                    }
                }
            }
        }
    }

    /// Whether the files hold client CAs.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn check(files: &[PathBuf]) -> Result<(), ClientCaError> {
        for (path, content) in files.iter().zip(contents(files)?) {
            ClientCas::none()
                .add_pem(&content)
                .map_err(|source| ClientCaError::Invalid {
                    path: path.clone(),
                    source,
                })?;
        }
        Ok(())
    }

    /// Takes the files where their contents changed; one that was emptied since the start has no CA any more.
    fn look(&mut self, grantd: &Grantd) -> Result<(), ClientCaError> {
        let contents = contents(&self.files)?;
        if contents == self.seen {
            return Ok(());
        }
        let mut cas = ClientCas::none();
        let mut emptied = 0;
        for (path, content) in self.files.iter().zip(&contents) {
            // Who empties a file takes its CAs away. At the start an empty one is a mistake.
            if content.trim_ascii().is_empty() && !self.seen.is_empty() {
                emptied += 1;
                continue;
            }
            cas.add_pem(content)
                .map_err(|source| ClientCaError::Invalid {
                    path: path.clone(),
                    source,
                })?;
        }
        grantd.trust_client_cas(cas);
        if emptied == self.files.len() {
            tracing::warn!("no client CA is left: nobody proves itself by tls_client_auth");
        } else if !self.seen.is_empty() {
            tracing::info!(files = self.files.len() - emptied, "client CAs read");
        }
        self.seen = contents;
        Ok(())
    }
}

fn contents(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, ClientCaError> {
    let read = |path: &PathBuf| {
        file::read(path, file::SMALL).map_err(|source| ClientCaError::Read {
            path: path.clone(),
            source,
        })
    };
    files.iter().map(read).collect()
}
