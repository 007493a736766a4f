//! From the tree of a settings document to [`Settings`], table by table.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{
    Assertions, Cache, Database, Dpop, Feed, Hashing, Keys, Limits, Log, LogFormat, LogLevel,
    Sealing, SealingKey, Settings, Tokens, environment, keys, listeners, metadata, proxy,
    sqlite_path,
};
use crate::config::absent_secrets::AbsentSecrets;
use crate::config::document::{Located, Table};
use crate::config::fault::{ConfigError, Faults, Place, Problem};
use crate::config::section::{self, Section};
use crate::config::value;
use crate::domain::database_url::DatabaseUrl;
use crate::domain::issuer::Issuer;
use crate::domain::profile::Profile;
use crate::domain::secret_format::Secret;
use crate::domain::timestamp::Seconds;

/// The longest time-out that makes sense, in seconds.
const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;

/// Reads everything; `place` is the document itself.
pub(super) fn settings(
    (mut table, place): (Table, Place),
    base: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
    absent: Option<&AbsentSecrets>,
) -> Result<Settings, ConfigError> {
    let faults = Faults::with(absent.cloned());
    let service_links = environment::overlay(&mut table, variables, &faults);
    let mut root = Section::new(String::new(), (place, table), keys::TOP, &faults);
    let settings = build(&mut root, base);
    faults.or(settings.map(|settings| Settings {
        service_links,
        ..settings
    }))
}

fn build(root: &mut Section<'_>, base: &Path) -> Option<Settings> {
    let profile = root.read("profile", value::one_of(Profile::ALL, Profile::as_str));
    let profile = profile.unwrap_or(Profile::Default);
    let public = listeners::public(&mut inner(root, "public"), base);
    let mtls_at = root.has("mtls");
    let mtls = mtls_at
        .as_ref()
        .and_then(|_| listeners::mutual(&mut inner(root, "mtls"), (base, public.as_ref())));
    let proxy = root
        .has("proxy")
        .and_then(|_| proxy::proxy(&mut inner(root, "proxy"), base, mtls.as_ref()));
    let operations = listeners::operations(
        &mut inner(root, "operations"),
        public.as_ref(),
        mtls.as_ref(),
    );
    let issuer = issuer(
        root,
        profile,
        public.as_ref().is_some_and(|it| it.allow_plain_http),
    );
    if let (Some(mtls), Some(place)) = (&mtls, &mtls_at) {
        proxy::check_termination(root, place, (mtls, proxy.as_ref(), issuer.as_ref()));
    }
    let database_url = database_url(root, base);
    let sealing = sealing(&mut inner(root, "sealing"), base);
    let tokens = tokens(&mut inner(root, "tokens"));
    let assertions = assertions(&mut inner(root, "assertions"));
    let dpop = dpop(&mut inner(root, "dpop"));
    let hashing = hashing(&mut inner(root, "hashing"));
    let cache = cache(&mut inner(root, "cache"));
    let feed = feed(&mut inner(root, "feed"));
    let database = database(&mut inner(root, "database"));
    let limits = limits(&mut inner(root, "limits"));
    let metadata = metadata::metadata(&mut inner(root, "metadata"));
    let keys = keys_table(&mut inner(root, "keys"));
    let log = log(&mut inner(root, "log"));
    Some(Settings {
        profile,
        issuer: issuer?,
        database_url: database_url?,
        public: public?,
        mtls,
        proxy,
        operations,
        sealing,
        tokens,
        assertions,
        dpop,
        hashing,
        cache,
        feed,
        database,
        limits,
        metadata,
        keys,
        log,
        service_links: Vec::new(),
    })
}

/// The table `name`; an absent one is empty.
fn inner<'f>(root: &mut Section<'f>, name: &'static str) -> Section<'f> {
    let place = root.place().clone();
    let table = root
        .read(name, section::table)
        .unwrap_or((place, Table::default()));
    Section::new(format!("{name}."), table, keys::of(name), root.faults())
}

fn issuer(root: &mut Section<'_>, profile: Profile, allow_plain_http: bool) -> Option<Issuer> {
    let remedy = "write the URL that clients reach, for example \"https://auth.internal.example\"";
    let parse = |text: &str| Issuer::parse(text, allow_plain_http);
    let place = root.place_of("issuer");
    let issuer = root.required("issuer", remedy, value::parsed_by(parse))?;
    if profile == Profile::Fapi2 && !issuer.is_https() {
        root.fault(
            &place,
            "issuer",
            Problem::Expected("an https URL, as the profile fapi2 wants"),
        );
    }
    Some(issuer)
}

fn database_url(root: &mut Section<'_>, base: &Path) -> Option<Secret> {
    let place = root.place_of("database_url_file");
    let from_file = root.secret_file("database_url_file", base, |path, text| {
        checked_database_url(path.parent().unwrap_or(Path::new("")), text)
    });
    if place != *root.place() {
        if root.take("database_url").is_some() {
            root.fault(&place, "database_url_file", Problem::Both("database_url"));
        }
        return from_file.or_else(|| stand_in(root));
    }
    if root.has("database_url").is_none()
        && let Some(absent) = root.faults().absent()
    {
        absent.note("database_url");
        return stand_in(root);
    }
    let remedy = "write postgres://… or sqlite://…, or use database_url_file";
    root.required("database_url", remedy, |located| {
        // A variable has no place of its own: there it is relative to the working directory.
        let from_file = !matches!(located.place, Place::Environment(_));
        checked_database_url(
            if from_file { base } else { Path::new("") },
            value::text(located)?,
        )
    })
}

/// For a URL that may be absent; nobody uses it.
fn stand_in(root: &Section<'_>) -> Option<Secret> {
    let is_allowed = root.faults().absent().is_some();
    is_allowed.then(|| Secret::new("sqlite::memory:".to_owned()))
}

fn checked_database_url(base: &Path, text: String) -> Result<Secret, Problem> {
    DatabaseUrl::parse(&text).map_err(Problem::DatabaseUrl)?;
    Ok(Secret::new(sqlite_path::below(base, text)))
}

fn sealing(table: &mut Section<'_>, base: &Path) -> Sealing {
    let place = table.place_of("key");
    let file = table
        .read("key_file", value::path(base))
        .map(SealingKey::File);
    let inline = table.read("key", sealing_key);
    if file.is_some() && inline.is_some() {
        table.fault(&place, "key", Problem::Both("key_file"));
    }
    let old_at = table.place_of("old_key_files");
    let old_key_files: Vec<PathBuf> = table
        .list("old_key_files", value::path(base))
        .unwrap_or_default();
    let key = file.or(inline);
    if key.is_none() && !old_key_files.is_empty() {
        table.fault(&old_at, "old_key_files", Problem::Without("key_file"));
    }
    Sealing { key, old_key_files }
}

fn sealing_key(located: Located) -> Result<SealingKey, Problem> {
    let text = value::text(located)?;
    if matches!(text.len(), 43 | 44) {
        Ok(SealingKey::Inline(Secret::new(text)))
    } else {
        Err(Problem::Expected(
            "32 bytes in base64, which are 43 or 44 characters",
        ))
    }
}

fn tokens(table: &mut Section<'_>) -> Tokens {
    Tokens {
        max_lifetime: span(table, "max_lifetime", HOUR, 1..=DAY),
    }
}

fn dpop(table: &mut Section<'_>) -> Dpop {
    Dpop {
        require_nonce: table.read("require_nonce", value::boolean).unwrap_or(false),
    }
}

fn hashing(table: &mut Section<'_>) -> Hashing {
    Hashing {
        threads: table.read("threads", size(1..=1024)),
        generated_queue: count(table, "generated_queue", 1024, 1..=1_000_000),
        imported_queue: count(table, "imported_queue", 64, 1..=100_000),
    }
}

fn cache(table: &mut Section<'_>) -> Cache {
    let mut most = |key, default| {
        table
            .read(key, value::number(0..=10_000_000))
            .unwrap_or(default)
    };
    Cache {
        clients: most("clients", 10_000),
        audiences: most("audiences", 1000),
        verified_secrets: most("verified_secrets", 10_000),
    }
}

fn feed(table: &mut Section<'_>) -> Feed {
    // At least twice a second, so that a change holds everywhere within one.
    let poll = table
        .read("poll_interval_ms", value::number(10..=500))
        .unwrap_or(250);
    Feed {
        poll_interval: Duration::from_millis(poll),
        max_staleness: span(table, "max_staleness", 30, 2..=HOUR),
    }
}

fn database(table: &mut Section<'_>) -> Database {
    let connections = |located: Located| {
        value::number(1..=1000)(located).map(|it| u32::try_from(it).unwrap_or(u32::MAX))
    };
    Database {
        max_connections: table.read("max_connections", connections).unwrap_or(10),
        acquire_timeout: span(table, "acquire_timeout", 2, 1..=60),
        statement_timeout: span(table, "statement_timeout", 5, 1..=60),
        lock_timeout: span(table, "lock_timeout", 2, 1..=60),
        prepared_statements: table
            .read("prepared_statements", value::boolean)
            .unwrap_or(true),
    }
}

fn limits(table: &mut Section<'_>) -> Limits {
    Limits {
        body_bytes: count(table, "body_bytes", 16_384, 1024..=1_048_576),
        header_bytes: count(table, "header_bytes", 73_728, 8192..=1_048_576),
        header_count: count(table, "header_count", 64, 16..=1000),
        header_timeout: span(table, "header_timeout", 20, 1..=HOUR),
        body_timeout: span(table, "body_timeout", 10, 1..=HOUR),
        idle_timeout: span(table, "idle_timeout", 22, 1..=HOUR),
        connections: count(table, "connections", 4096, 1..=1_000_000),
        requests: count(table, "requests", 5120, 8..=2_000_000),
        drain_timeout: span(table, "drain_timeout", 10, 0..=HOUR),
        first_byte_timeout: span(table, "first_byte_timeout", 10, 1..=HOUR),
        tls_handshake_timeout: span(table, "tls_handshake_timeout", 10, 1..=HOUR),
    }
}

fn keys_table(table: &mut Section<'_>) -> Keys {
    Keys {
        jwks_max_age: span(table, "jwks_max_age", 300, 0..=DAY),
    }
}

fn assertions(table: &mut Section<'_>) -> Assertions {
    // The FAPI 2.0 profile lets 10 seconds pass and 60 fail.
    Assertions {
        leeway: span(table, "leeway", 10, 0..=60),
    }
}

fn log(table: &mut Section<'_>) -> Log {
    let format = table.read("format", value::one_of(LogFormat::ALL, LogFormat::as_str));
    let level = table.read("level", value::one_of(LogLevel::ALL, LogLevel::as_str));
    Log {
        format: format.unwrap_or(LogFormat::Text),
        level: level.unwrap_or(LogLevel::Info),
    }
}

fn span(
    table: &mut Section<'_>,
    key: &str,
    default: u32,
    range: std::ops::RangeInclusive<u32>,
) -> Seconds {
    table
        .read(key, value::duration(range))
        .unwrap_or(Seconds::new(default))
}

fn count(
    table: &mut Section<'_>,
    key: &str,
    default: usize,
    range: std::ops::RangeInclusive<u64>,
) -> usize {
    table.read(key, size(range)).unwrap_or(default)
}

fn size(range: std::ops::RangeInclusive<u64>) -> impl Fn(Located) -> Result<usize, Problem> {
    move |located| {
        let number = value::number(range.clone())(located)?;
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    }
}
