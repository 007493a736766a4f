//! Every settings key: what a file may hold and which environment variables exist.

/// The keys that stand outside any table.
pub(super) const ROOT: &[&str] = &["issuer", "database_url", "database_url_file", "profile"];

/// Each table and its keys.
pub(super) const TABLES: &[(&str, &[&str])] = &[
    (
        "public",
        &[
            "listen",
            "tls_certificate_file",
            "tls_key_file",
            "allow_plain_http",
        ],
    ),
    (
        "mtls",
        &[
            "termination",
            "listen",
            "tls_certificate_file",
            "tls_key_file",
            "client_ca_files",
            "url",
        ],
    ),
    (
        "proxy",
        &[
            "networks",
            "thumbprints",
            "secret_header",
            "secret_file",
            "secret",
            "client_certificate",
            "client_address",
        ],
    ),
    ("operations", &["listen"]),
    ("sealing", &["key_file", "key", "old_key_files"]),
    ("tokens", &["max_lifetime"]),
    ("assertions", &["leeway"]),
    ("dpop", &["require_nonce"]),
    ("hashing", &["threads", "generated_queue", "imported_queue"]),
    ("cache", &["clients", "audiences", "verified_secrets"]),
    ("feed", &["poll_interval_ms", "max_staleness"]),
    (
        "database",
        &[
            "max_connections",
            "acquire_timeout",
            "statement_timeout",
            "lock_timeout",
            "prepared_statements",
        ],
    ),
    (
        "limits",
        &[
            "body_bytes",
            "header_bytes",
            "header_count",
            "header_timeout",
            "body_timeout",
            "idle_timeout",
            "connections",
            "requests",
            "drain_timeout",
            "first_byte_timeout",
            "tls_handshake_timeout",
        ],
    ),
    ("metadata", &["for_strict_readers", "extra"]),
    ("keys", &["jwks_max_age"]),
    ("log", &["format", "level"]),
];

/// What may stand at the top of the file: [`ROOT`] and the names of [`TABLES`].
pub(super) const TOP: &[&str] = &[
    "issuer",
    "database_url",
    "database_url_file",
    "profile",
    "public",
    "mtls",
    "proxy",
    "operations",
    "sealing",
    "tokens",
    "assertions",
    "dpop",
    "hashing",
    "cache",
    "feed",
    "database",
    "limits",
    "metadata",
    "keys",
    "log",
];

/// The keys of `table`.
pub(super) fn of(table: &str) -> &'static [&'static str] {
    TABLES
        .iter()
        .find(|(name, _)| *name == table)
        .map_or(&[], |(_, keys)| keys)
}

/// Every environment variable with the table (none: at the top) and the key that it sets.
pub(super) fn variables() -> impl Iterator<Item = (String, Option<&'static str>, &'static str)> {
    let top = ROOT.iter().map(|key| (variable(None, key), None, *key));
    let inner = TABLES.iter().flat_map(|(table, keys)| {
        keys.iter()
            .map(|key| (variable(Some(table), key), Some(*table), *key))
    });
    top.chain(inner)
}

fn variable(table: Option<&str>, key: &str) -> String {
    let name = table.map_or_else(|| key.to_owned(), |table| format!("{table}__{key}"));
    format!("{}{}", super::environment::PREFIX, name.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_level_is_the_root_keys_and_the_tables() {
        let expected: Vec<_> = ROOT
            .iter()
            .copied()
            .chain(TABLES.iter().map(|(name, _)| *name))
            .collect();
        assert_eq!(TOP, expected);
    }
}
