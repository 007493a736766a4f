//! Reads the files that an operator names: regular ones alone, and no more of them than fits. A pipe would never end, or
//! never begin, and a device fills the memory.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

/// The most bytes of a file with settings, a secret, keys or certificates.
pub const SMALL: u64 = 1 << 20;
/// The most bytes of a catalog: some hundred thousand clients.
pub const LARGE: u64 = 256 << 20;

/// The bytes of a regular file that has no more than `most`.
///
/// # Errors
/// What cannot be read, is no regular file, or is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Asked before it is opened: opening a pipe waits for its writer.
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let message = format!(
            "it is {}, not a regular file: write its content to a file",
            name(kind)
        );
        return Err(io::Error::other(message));
    }
    bounded(File::open(path)?, most)
}

/// As [`read`], for text.
///
/// # Errors
/// As [`read`]; also what is no UTF-8.
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    utf8(read(path, most)?)
}

/// The text that `input` gives, where it has no more than `most` bytes.
///
/// # Errors
/// What cannot be read, is no UTF-8, or is larger.
pub fn bounded_text(input: impl Read, most: u64) -> io::Result<String> {
    utf8(bounded(input, most)?)
}

fn bounded(input: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!(
            "it is larger than {} MiB",
            most >> 20
        )));
    }
    Ok(bytes)
}

fn utf8(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Whether users who are neither owner nor in the group can read a file: by its own mode and those of the directories
/// on the way, links resolved.
///
/// # Errors
/// What is not there.
pub fn others_can_read(path: &Path) -> io::Result<bool> {
    let real = fs::canonicalize(path)?;
    let lets_others = |path: &Path, bit| -> io::Result<bool> {
        Ok(fs::metadata(path)?.permissions().mode() & bit != 0)
    };
    if !lets_others(&real, 0o004)? {
        return Ok(false);
    }
    for directory in real.ancestors().skip(1) {
        if !lets_others(directory, 0o001)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_bounded_size_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, "abc").unwrap();
        assert_eq!(text(&path, 3).unwrap(), "abc");
        assert!(read(&path, 2).unwrap_err().to_string().contains("larger"));
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(read(&link, 3).unwrap(), b"abc");
        fs::write(&path, [0xff]).unwrap();
        assert!(
            text(&path, 3)
                .unwrap_err()
                .to_string()
                .contains("not UTF-8 text")
        );
        for (path, kind) in [
            (directory.path(), "a directory"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            let error = read(path, 3).unwrap_err().to_string();
            assert!(
                error.contains(kind) && error.contains("regular file"),
                "{error}"
            );
        }
    }

    #[test]
    fn others_can_read_what_is_open_to_them_all_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, "").unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for (of_directory, of_file, expected) in [
            (0o755, 0o644, true),
            (0o755, 0o640, false),
            (0o700, 0o644, false),
        ] {
            mode(directory.path(), of_directory);
            mode(&path, of_file);
            assert_eq!(others_can_read(&path).unwrap(), expected);
            assert_eq!(others_can_read(&link).unwrap(), expected);
        }
    }
}
