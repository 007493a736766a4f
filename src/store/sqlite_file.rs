//! The file of a SQLite database: made by a migration alone, and for its owner alone. SQLite gives the mode of the file
//! to those beside it (`-wal`, `-shm`), whatever the umask.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sqlx::sqlite::SqliteConnectOptions;

use super::error::StoreError;

/// For the owner alone: it holds hashes of secrets.
const MODE: u32 = 0o600;

/// Where the database lies; `None` where it is no SQLite database in a file.
pub(super) fn of(url: &str) -> Option<PathBuf> {
    if !url.starts_with("sqlite:") || url.contains(":memory:") || url.contains("mode=memory") {
        return None;
    }
    Some(
        SqliteConnectOptions::from_str(url)
            .ok()?
            .get_filename()
            .to_owned(),
    )
}

/// Makes the file where there is none.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    let made = || match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)
    {
        // The umask may have taken from it.
        Ok(file) => file.set_permissions(Permissions::from_mode(MODE)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    };
    made().map_err(|source| StoreError::File {
        path: path.to_owned(),
        source,
    })
}
