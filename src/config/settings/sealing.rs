//! The table `[sealing]`: where the sealing keys come from.

use std::path::{Path, PathBuf};

use super::declare::{Declared as _, section};
use crate::config::document::Located;
use crate::config::fault::Problem;
use crate::config::section::Section;
use crate::config::value;
use crate::domain::secret_format::Secret;

section! {
    /// What seals the private signing keys in the database.
    pub(super) struct SealingTable = "sealing" {
        /// 32 raw bytes, or 43 or 44 characters of base64: `(umask 077 && openssl rand -base64 32 > sealing.key)`. A
        /// file that other users can read is refused.
        key_file: Option<PathBuf>, written "\"sealing.key\"";
        /// The base64 text itself, instead of a file; best set with `GRANTD_SEALING__KEY`.
        key: Option<Secret>, by inline, shown "\"…\"";
        /// Previous keys: they still open what they sealed.
        old_key_files: Vec<PathBuf>;
    }
}

/// What seals the signing keys in the database.
#[derive(Clone, Debug, Default)]
pub struct Sealing {
    /// Seals and opens; a command that needs it and finds none says so.
    pub key: Option<SealingSource>,
    /// Only open.
    pub old_key_files: Vec<PathBuf>,
}

/// Where a sealing key comes from: 32 raw bytes, or 43 or 44 characters base64.
#[derive(Clone, Debug)]
pub enum SealingSource {
    /// From a file, which may hold either form.
    File(PathBuf),
    /// From the settings themselves, in base64.
    Inline(Secret),
}

/// The table `[sealing]`.
pub(super) fn sealing(table: &mut Section<'_>, base: &Path) -> Sealing {
    let sealing = SealingTable::read(table, base);
    let fault = |key, problem| table.fault(&table.place_of(key), key, problem);
    if sealing.key_file.is_some() && sealing.key.is_some() {
        fault("key", Problem::Both("key_file"));
    }
    let key = sealing
        .key_file
        .map(SealingSource::File)
        .or(sealing.key.map(SealingSource::Inline));
    if key.is_none() && !sealing.old_key_files.is_empty() {
        fault("old_key_files", Problem::Without("key_file"));
    }
    Sealing {
        key,
        old_key_files: sealing.old_key_files,
    }
}

fn inline(located: Located, _: &Path) -> Result<Secret, Problem> {
    let text = value::text(located)?;
    if matches!(text.len(), 43 | 44) {
        Ok(Secret::new(text))
    } else {
        Err(Problem::Expected(
            "32 bytes in base64 (43 or 44 characters)",
        ))
    }
}
