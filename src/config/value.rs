//! What single values must be: thumbprints, paths, and the texts of files that they name.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::fault::Problem;
use super::file;

/// `text`, where it is an `x5t#S256` as it is written: 43 characters of base64url.
pub(super) fn thumbprint(text: String) -> Result<String, Problem> {
    match URL_SAFE_NO_PAD.decode(&text) {
        Ok(bytes) if bytes.len() == 32 => Ok(text),
        _ => Err(Problem::Expected(
            "an x5t#S256 thumbprint: 43 characters base64url of the SHA-256 of the DER form",
        )),
    }
}

/// The path of a file, relative to `base`.
pub(super) fn path(base: &Path, text: String) -> Result<PathBuf, Problem> {
    if text.is_empty() || text.contains('\0') {
        return Err(Problem::Expected("the path of a file"));
    }
    Ok(base.join(text))
}

/// The text of a small file, without one trailing line break.
pub(super) fn file_text(path: &Path) -> Result<String, Problem> {
    let mut text = file::text(path, file::SMALL).map_err(|error| Problem::File {
        path: path.display().to_string(),
        reason: error.to_string(),
    })?;
    if let Some(line) = text.strip_suffix('\n') {
        text.truncate(line.strip_suffix('\r').unwrap_or(line).len());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_loses_one_line_break_and_may_not_be_large() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        for (written, read) in [("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("", "")] {
            std::fs::write(&path, written).unwrap();
            assert_eq!(file_text(&path).unwrap(), read);
        }
        std::fs::write(&path, "x".repeat(1_048_577)).unwrap();
        assert!(
            file_text(&path)
                .unwrap_err()
                .to_string()
                .contains("larger than 1 MiB")
        );
    }
}
