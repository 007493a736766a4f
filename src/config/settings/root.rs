//! What stands outside any table: the issuer, the database and the profile.

use std::path::{Path, PathBuf};

use super::declare::{names, section};
use super::sqlite_path;
use crate::config::document::Located;
use crate::config::fault::{Place, Problem};
use crate::config::section::Section;
use crate::config::value;
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
        database_url_file: Option<PathBuf>, shown "\"/run/secrets/grantd_database_url\"";
        /// The security profile: `default`, or `fapi2` for the FAPI 2.0 Security Profile: no client secrets, no RS256,
        /// every token bound to its sender. A catalog that contradicts the profile is refused. With `fapi2`, TLS 1.2
        /// allows only the suites that RFC 9325 recommends, ECDHE with AES-GCM; TLS 1.3 is the same in both.
        profile: Profile = Profile::Default;
    }
}
names!(Profile);

fn database_url(located: Located, base: &Path) -> Result<Secret, Problem> {
    // A variable has no place of its own: there it is relative to the working directory.
    let base = match located.place {
        Place::Environment(_) => Path::new(""),
        _ => base,
    };
    checked_database_url(base, value::text(located)?)
}

fn checked_database_url(base: &Path, text: String) -> Result<Secret, Problem> {
    DatabaseUrl::parse(&text).map_err(Problem::DatabaseUrl)?;
    Ok(Secret::new(sqlite_path::below(base, text)))
}

impl Root {
    /// The issuer, which the profile fapi2 wants by https, and by http only stands on loopback or where a proxy speaks
    /// TLS.
    pub(super) fn issuer(&self, root: &Section<'_>, allow_plain_http: bool) -> Option<Issuer> {
        let place = root.place_of("issuer");
        let fault = |problem| root.fault(&place, "issuer", problem);
        if root.has("issuer").is_none() {
            let remedy =
                "write the URL that clients reach, for example \"https://auth.internal.example\"";
            fault(Problem::Missing(remedy));
        }
        let issuer = Issuer::parse(self.issuer.as_ref()?, allow_plain_http)
            .map_err(|error| fault(error.into()))
            .ok()?;
        if self.profile == Profile::Fapi2 && !issuer.is_https() {
            fault(Problem::Expected(
                "an https URL: the profile fapi2 requires it",
            ));
        }
        Some(issuer)
    }

    /// The database's URL, from one of its two keys; a stand-in where it may be absent, and is.
    pub(super) fn database(&self, root: &Section<'_>) -> Option<Secret> {
        match (
            [root.has("database_url"), root.has("database_url_file")],
            root.faults().absent(),
        ) {
            ([Some(_), Some(place)], _) => {
                root.fault(&place, "database_url_file", Problem::Both("database_url"));
            }
            ([None, None], Some(absent)) => absent.note("database_url"),
            ([None, None], None) => {
                let remedy = "write postgres://… or sqlite://…, or use database_url_file";
                root.fault(root.place(), "database_url", Problem::Missing(remedy));
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
            .or_else(|| Self::stand_in(root))
    }

    /// Nobody uses it.
    fn stand_in(root: &Section<'_>) -> Option<Secret> {
        let may_be_absent = root.faults().absent().is_some();
        may_be_absent.then(|| Secret::new("sqlite::memory:".to_owned()))
    }
}
