//! What stands outside any table: the issuer, the database and the profile.

use std::path::{Path, PathBuf};

use super::declare::{base_of, path, section};
use super::sqlite_path;
use crate::config::fault::Problem;
use crate::config::shaped::{Section, Stated};
use crate::domain::database_url::DatabaseUrl;
use crate::domain::issuer::Issuer;
use crate::domain::profile::Profile;
use crate::domain::secret_format::Secret;

section! {
    pub(super) struct Root = "" {
        /// The URL of this server, compared byte for byte: it is the `iss` of tokens, the `issuer` of the metadata and
        /// the start of every endpoint's URL. No trailing slash.
        issuer: Option<String>, written "\"https://auth.internal.example\"";
        /// The database: `postgres://…` or `sqlite://PATH`, where PATH is relative to this file. Of several hosts, as
        /// in `postgres://grantd@a:5432,b:5432/grantd`, grantd uses the one that accepts writes.
        database_url: Option<Secret>, by database_url, written "\"postgres://grantd@localhost/grantd\"";
        /// A file with the URL, to keep the password out of this file.
        database_url_file: Option<PathBuf>, by path, shown "\"/run/secrets/grantd_database_url\"";
        /// The security profile: `default`, or `fapi2` for the FAPI 2.0 Security Profile: no client secrets, no RS256,
        /// every token bound to its sender. A catalog that contradicts the profile is refused. With `fapi2`, TLS 1.2
        /// allows only the suites that RFC 9325 recommends, ECDHE with AES-GCM; TLS 1.3 is the same in both.
        profile: Profile = Profile::Default;
    }
}

fn database_url(text: Stated<String>, base: &Path) -> Result<Option<Secret>, Problem> {
    checked_database_url(base_of(text.line, base), text.value).map(Some)
}

fn checked_database_url(base: &Path, text: String) -> Result<Secret, Problem> {
    DatabaseUrl::parse(&text)?;
    Ok(Secret::new(sqlite_path::below(base, text)))
}

impl Root {
    /// The issuer, which the profile fapi2 wants by https, and by http only stands on loopback or where a proxy speaks
    /// TLS.
    pub(super) fn issuer(&self, root: &Section<'_>, allow_plain_http: bool) -> Option<Issuer> {
        if root.has("issuer").is_none() {
            let remedy =
                "write the URL that clients reach, for example \"https://auth.internal.example\"";
            root.fault_of("issuer", Problem::Missing(remedy));
        }
        let issuer = Issuer::parse(self.issuer.as_ref()?, allow_plain_http)
            .map_err(|error| root.fault_of("issuer", error))
            .ok()?;
        if self.profile == Profile::Fapi2 && !issuer.is_https() {
            let expected = "an https URL: the profile fapi2 requires it";
            root.fault_of("issuer", Problem::Expected(expected));
        }
        Some(issuer)
    }

    /// The database's URL, from one of its two keys; a stand-in where it may be absent, and is.
    pub(super) fn database(&self, root: &Section<'_>) -> Option<Secret> {
        match (
            [root.has("database_url"), root.has("database_url_file")],
            root.faults().absent(),
        ) {
            ([Some(_), Some(_)], _) => {
                root.fault_of("database_url_file", Problem::Both("database_url"));
            }
            ([None, None], Some(absent)) => absent.note("database_url"),
            ([None, None], None) => {
                let remedy = "write postgres://… or sqlite://…, or use database_url_file";
                root.fault_of("database_url", Problem::Missing(remedy));
            }
            _ => {}
        }
        let of_file = |path: &PathBuf| {
            let beside = path.parent().unwrap_or(Path::new(""));
            root.secret_file("database_url_file", path, |text| {
                checked_database_url(beside, text)
            })
        };
        self.database_url_file
            .as_ref()
            .and_then(of_file)
            .or_else(|| self.database_url.clone())
            // Nobody uses it.
            .or_else(|| {
                let stand_in = Secret::new("sqlite::memory:".to_owned());
                root.faults().absent().map(|_| stand_in)
            })
    }
}
