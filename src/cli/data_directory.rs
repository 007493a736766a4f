//! The data directory of `grantd dev`: database, sealing key, and the issuer that it had.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tempfile::{NamedTempFile, TempDir};
use zeroize::Zeroizing;

use crate::config::file;
use crate::config::settings::sqlite_url;
use crate::crypto::sealing::{SealingKey, SealingKeys};

/// For the owner alone.
const PRIVATE: u32 = 0o700;

/// Held by the `grantd dev` that works on the directory, whose pid stands in it.
const LOCK: &str = "dev.pid";

/// A data directory, which goes with the process where it is a temporary one.
pub(super) struct DataDirectory {
    path: PathBuf,
    temporary: Option<TempDir>,
    /// The system gives the lock back when the process ends, however it ends.
    _lock: Option<File>,
}

impl DataDirectory {
    /// A private directory, removed when it is dropped.
    pub(super) fn temporary() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("grantd-")
            .permissions(fs::Permissions::from_mode(PRIVATE))
            .tempdir()
            .context("cannot make a temporary directory")?;
        // The umask may have taken from it.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(PRIVATE))?;
        Ok(Self {
            path: directory.path().to_owned(),
            temporary: Some(directory),
            _lock: None,
        })
    }

    /// The directory at `path` for this process alone, made where it is not there.
    pub(super) fn locked(path: &Path) -> anyhow::Result<Self> {
        if !path.is_dir() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(PRIVATE)
                .create(path)
                .with_context(|| format!("cannot make the directory {}", path.display()))?;
            fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE))?;
        }
        check_private(path)?;
        Ok(Self {
            path: path.to_owned(),
            temporary: None,
            _lock: Some(lock(path)?),
        })
    }

    /// The directory at `path` of a `grantd dev` that ran before.
    pub(super) fn existing(path: &Path) -> anyhow::Result<Self> {
        if !path.join("grantd.db").is_file() {
            bail!(
                "there is no grantd data in {}: start `grantd dev --data {0}` first",
                path.display()
            );
        }
        check_private(path)?;
        Ok(Self {
            path: path.to_owned(),
            temporary: None,
            _lock: None,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is removed when the process ends.
    pub(super) const fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The URL of its database.
    pub(super) fn database_url(&self) -> String {
        sqlite_url(&self.path.join("grantd.db"))
    }

    /// The sealing key, made where there is none.
    pub(super) fn sealing(&self) -> anyhow::Result<SealingKeys> {
        let make = || Ok(SealingKey::generate().to_text());
        let read = |text: &str| Ok(SealingKeys::new(SealingKey::parse(text.as_bytes())?));
        let keys = self.kept("sealing.key", make, read)?;
        let path = self.path.join("sealing.key");
        if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
            bail!(
                "other users can read or write the sealing key {}, which opens the signing keys: chmod 600 {0}",
                path.display()
            );
        }
        Ok(keys)
    }

    /// What `read` makes of the file `name`; where there is none, `make` gives its text.
    pub(super) fn kept<T>(
        &self,
        name: &str,
        make: impl FnOnce() -> anyhow::Result<Zeroizing<String>>,
        read: impl FnOnce(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let path = self.path.join(name);
        if !path.exists() {
            self.put_new(name, make()?.as_bytes())?;
        }
        let text = file::text(&path, file::SMALL)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        read(&Zeroizing::new(text)).with_context(|| format!("{} cannot be used", path.display()))
    }

    /// The issuer of the last start.
    pub(super) fn issuer(&self) -> Option<String> {
        let text = file::text(&self.path.join("issuer"), file::SMALL).ok()?;
        Some(text.trim().to_owned())
    }

    /// The issuer of the last start, where another one was remembered; and remembers `issuer`.
    pub(super) fn remember_issuer(&self, issuer: &str) -> anyhow::Result<Option<String>> {
        let before = self.issuer();
        self.put("issuer", format!("{issuer}\n").as_bytes())?;
        Ok(before.filter(|before| before != issuer))
    }

    /// Writes a file whole before it takes the place of one that is there.
    pub(super) fn put(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        self.written(content)?.persist(self.path.join(name))?;
        Ok(())
    }

    /// Writes a file whole before it gets its name; where another process was first, its file stays.
    pub(super) fn put_new(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let file = self.written(content)?;
        // What goes with the process need not survive the machine.
        if !self.is_temporary() {
            file.as_file().sync_all()?;
        }
        match file.persist_noclobber(self.path.join(name)) {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error.error.into()),
        }
    }

    /// A file that has no name yet.
    fn written(&self, content: &[u8]) -> anyhow::Result<NamedTempFile> {
        let mut file = NamedTempFile::new_in(&self.path)
            .with_context(|| format!("cannot write in {}", self.path.display()))?;
        file.write_all(content)?;
        Ok(file)
    }
}

/// Two processes on one directory would answer for two issuers without knowing of each other.
fn lock(directory: &Path) -> anyhow::Result<File> {
    let path = directory.join(LOCK);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.take(32).read_to_string(&mut pid)?;
            bail!(
                "another `grantd dev` is using {} (pid {}): stop it, or use another --data DIR",
                directory.display(),
                pid.trim()
            );
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

/// A reader of the directory could read what is made in it; links are followed.
fn check_private(path: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(path)
        .with_context(|| format!("the directory {} cannot be read", path.display()))?
        .permissions()
        .mode();
    if mode & 0o007 != 0 {
        bail!(
            "other users can look into the data directory {}, which holds keys and hashes of secrets: chmod 700 {0}",
            path.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealing_key_is_made_once_and_is_private() {
        let directory = DataDirectory::temporary().unwrap();
        let first = directory.sealing().unwrap().first.id();
        assert_eq!(directory.sealing().unwrap().first.id(), first);
        let mode = fs::metadata(directory.path().join("sealing.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        directory.put_new("sealing.key", b"another").unwrap();
        assert_eq!(directory.sealing().unwrap().first.id(), first);
    }

    #[test]
    fn an_issuer_that_changed_is_told() {
        let directory = DataDirectory::temporary().unwrap();
        assert_eq!(directory.remember_issuer("http://a").unwrap(), None);
        assert_eq!(directory.remember_issuer("http://a").unwrap(), None);
        assert_eq!(
            directory.remember_issuer("http://b").unwrap().as_deref(),
            Some("http://a")
        );
    }

    #[test]
    fn a_temporary_directory_goes() {
        let directory = DataDirectory::temporary().unwrap();
        let path = directory.path().to_owned();
        assert!(directory.is_temporary() && path.is_dir());
        drop(directory);
        assert!(!path.exists());
    }
}
