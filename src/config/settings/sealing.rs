//! The table `[sealing]`: where the sealing keys come from.

use std::path::{Path, PathBuf};

use super::declare::{Declared as _, path, paths, section};
use crate::config::fault::Problem;
use crate::config::shaped::Section;
use crate::domain::secret_format::Secret;

section! {
    /// What seals the private signing keys in the database.
    pub struct Sealing = "sealing" {
        /// 32 raw bytes, or 43 or 44 characters of base64: `(umask 077 && openssl rand -base64 32 > sealing.key)`. A
        /// file that other users can read is refused.
        key_file: Option<PathBuf>, by path, written "\"sealing.key\"";
        /// The base64 text itself, instead of a file; best set with `GRANTD_SEALING__KEY`.
        key: Option<Secret>, by inline, shown "\"…\"";
        /// Previous keys: they still open what they sealed.
        old_key_files: Vec<PathBuf>, by paths;
    }
}

/// The table `[sealing]`.
pub(super) fn sealing(table: &mut Section<'_>, base: &Path) -> Sealing {
    let sealing = Sealing::read(table, base);
    match (&sealing.key_file, &sealing.key) {
        (Some(_), Some(_)) => table.fault_of("key", Problem::Both("key_file")),
        (None, None) if !sealing.old_key_files.is_empty() => {
            table.fault_of("old_key_files", Problem::Without("key_file"));
        }
        _ => {}
    }
    sealing
}

fn inline(text: String, _: &Path) -> Result<Option<Secret>, Problem> {
    if matches!(text.len(), 43 | 44) {
        Ok(Some(Secret::new(text)))
    } else {
        Err(Problem::Expected(
            "32 bytes in base64 (43 or 44 characters)",
        ))
    }
}
