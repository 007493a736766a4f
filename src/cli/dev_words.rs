//! What the clients of `grantd dev` prove themselves with, as words of a shell: the files of the data directory.

use super::dev_certificates::DevCertificates;
use super::dev_keys::DevKeys;
use crate::config::catalog::token_line::{Words, quoted};
use crate::domain::identifier::ClientId;

/// The files, and whom assertions are for.
pub(super) struct FilesAsWords<'a> {
    pub(super) issuer: &'a str,
    pub(super) certificates: &'a DevCertificates,
    pub(super) keys: &'a DevKeys,
}

impl Words for FilesAsWords<'_> {
    fn certificate(&self, client: &ClientId) -> Option<(String, String)> {
        let made = self.certificates.of(client)?;
        Some((
            quoted(made.certificate.display()),
            quoted(made.key.display()),
        ))
    }

    fn assertion(&self, client: &ClientId) -> Option<String> {
        let key = self.keys.of(client)?;
        Some(format!(
            "$({} token assertion {} --key {} --audience {})",
            program(),
            quoted(client),
            quoted(key.display()),
            quoted(self.issuer),
        ))
    }

    fn proof(&self, endpoint: &str) -> Option<String> {
        let key = self.keys.dpop.as_ref()?;
        Some(format!(
            "$({} token proof --key {} --url {})",
            program(),
            quoted(key.display()),
            quoted(endpoint),
        ))
    }
}

/// How this program is called from a shell: by its name where that finds it.
fn program() -> String {
    let Ok(own) = std::env::current_exe() else {
        return "grantd".to_owned();
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join("grantd"))
        .find(|file| file.is_file());
    let found = found.and_then(|file| file.canonicalize().ok());
    if found == own.canonicalize().ok() {
        "grantd".to_owned()
    } else {
        quoted(own.display())
    }
}
