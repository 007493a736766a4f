//! The path in a `sqlite:` URL: relative to the file in which the URL stands, as every other path there.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_encode};

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// The URL of the SQLite database at `path`, with whatever would mean something else in a URL escaped.
#[must_use]
pub fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}", escaped(path))
}

/// `url` with a relative SQLite path below `base`; any other as it is.
pub(super) fn below(base: &Path, url: String) -> String {
    let Some(path) = url.strip_prefix("sqlite:") else {
        return url;
    };
    let path = path.trim_start_matches("//");
    let is_relative = !path.is_empty() && !path.starts_with(['/', ':', '?']);
    if !is_relative || base.as_os_str().is_empty() {
        return url;
    }
    let base = escaped(base).to_string();
    format!("sqlite://{}/{path}", base.trim_end_matches('/'))
}

fn escaped(path: &Path) -> PercentEncode<'_> {
    percent_encode(path.as_os_str().as_bytes(), ESCAPED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_lies_beside_the_file_that_says_it() {
        for (base, url, expected) in [
            (
                "/etc/grantd",
                "sqlite://grantd.db",
                "sqlite:///etc/grantd/grantd.db",
            ),
            (
                "/etc/grantd/",
                "sqlite:data/a%20b.db",
                "sqlite:///etc/grantd/data/a%20b.db",
            ),
            (
                "etc",
                "sqlite://../grantd.db?mode=ro",
                "sqlite://etc/../grantd.db?mode=ro",
            ),
            ("/a b?c", "sqlite://x.db", "sqlite:///a%20b%3Fc/x.db"),
            ("/", "sqlite://x.db", "sqlite:///x.db"),
            ("", "sqlite://grantd.db", "sqlite://grantd.db"),
            ("/etc", "sqlite:///var/grantd.db", "sqlite:///var/grantd.db"),
            ("/etc", "sqlite::memory:", "sqlite::memory:"),
            ("/etc", "postgres://h/d", "postgres://h/d"),
        ] {
            assert_eq!(
                below(Path::new(base), url.to_owned()),
                expected,
                "{base} {url}"
            );
        }
    }

    #[test]
    fn any_path_fits_into_a_url() {
        let url = sqlite_url(Path::new("/a b?c%41#ü/grantd.db"));
        assert_eq!(url, "sqlite:///a%20b%3Fc%2541%23%C3%BC/grantd.db");
    }
}
