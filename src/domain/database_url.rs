//! The URL of the database: `sqlite:…`, or `postgres://…` with one host or several, of which the one that can write
//! is used.

use super::secret_format::Secret;

/// What may stand after the `?` of a Postgres URL: what the driver reads. It ignores everything else, and what is
/// asked for and ignored (`channel_binding=require`) is worse than an error.
const PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];
/// A host by parameter counts for the whole URL, so there it can be one only.
const OF_ONE_HOST: [&str; 3] = ["host", "hostaddr", "port"];

/// Where the data lies.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// Postgres: one URL for each host, never empty. They differ in host and port only, and may hold a password.
    Postgres(Vec<Secret>),
    /// SQLite: the URL as it was given.
    Sqlite(String),
}

/// Why a text is no URL of a database. The text may hold a password, so little of it is repeated.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlFault {
    #[error("expected a URL that begins with postgres://, postgresql:// or sqlite:")]
    Scheme,
    #[error("each host has a name and at most one port, as in postgres://USER@a:5432,b:5432/NAME")]
    Host,
    /// Several hosts where one belongs.
    #[error(
        "write several hosts before the database name, as in postgres://USER@a:5432,b:5432/NAME, not in `{0}`"
    )]
    SeveralHostsIn(&'static str),
    #[error("unknown parameter {0}: remove it from the URL")]
    Parameter(String),
    #[error(
        "target_session_attrs must be read-write, primary or absent: grantd needs the database that can write"
    )]
    TargetSessionAttrs,
}

impl DatabaseUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlFault> {
        if text.starts_with("sqlite:") {
            return Ok(Self::Sqlite(text.to_owned()));
        }
        let known = ["postgres://", "postgresql://"];
        let rest = known.iter().find_map(|scheme| text.strip_prefix(scheme));
        Ok(Self::Postgres(postgres(
            rest.ok_or(DatabaseUrlFault::Scheme)?,
        )?))
    }
}

fn postgres(rest: &str) -> Result<Vec<Secret>, DatabaseUrlFault> {
    let authority_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(authority_ends);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let at = if authority.contains('@') { "@" } else { "" };
    let query = parameters(query)?;
    hosts_of(hosts)?
        .into_iter()
        .map(|host| {
            Ok(Secret::new(format!(
                "postgres://{user}{at}{host}{path}{query}"
            )))
        })
        .collect()
}

/// The hosts, each with its port where it has one. Without any the driver's own default counts.
fn hosts_of(text: &str) -> Result<Vec<&str>, DatabaseUrlFault> {
    let hosts: Vec<&str> = text.split(',').collect();
    let is_host = |host: &&str| {
        let port_begins = host
            .rfind(':')
            .filter(|colon| !host[*colon..].contains(']'));
        let (name, port) =
            port_begins.map_or((*host, None), |at| (&host[..at], host.get(at + 1..)));
        port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
            && (!name.is_empty() || hosts.len() == 1)
    };
    if hosts.iter().all(is_host) {
        Ok(hosts)
    } else {
        Err(DatabaseUrlFault::Host)
    }
}

/// The parameters for the driver, with their `?`.
fn parameters(query: &str) -> Result<String, DatabaseUrlFault> {
    let mut kept = Vec::new();
    for parameter in query.split('&').filter(|it| !it.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name == "target_session_attrs" {
            if !["read-write", "primary"].contains(&value) {
                return Err(DatabaseUrlFault::TargetSessionAttrs);
            }
            continue;
        }
        let is_several = value.contains(',') || value.to_ascii_lowercase().contains("%2c");
        if let Some(name) = OF_ONE_HOST.iter().find(|it| **it == name && is_several) {
            return Err(DatabaseUrlFault::SeveralHostsIn(name));
        }
        if !PARAMETERS.contains(&name) && !name.starts_with("options[") {
            return Err(DatabaseUrlFault::Parameter(shown(name)));
        }
        kept.push(parameter);
    }
    if kept.is_empty() {
        Ok(String::new())
    } else {
        Ok(format!("?{}", kept.join("&")))
    }
}

/// A name that looks like one: a part of a password that lost its escape does not belong into an error.
fn shown(name: &str) -> String {
    let is_name = name.len() <= 32
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'));
    if is_name {
        name.to_owned()
    } else {
        "after the `?`".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<String> {
        match DatabaseUrl::parse(text) {
            Ok(DatabaseUrl::Postgres(urls)) => {
                urls.iter().map(|url| url.expose().to_owned()).collect()
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn several_hosts_share_all_but_host_and_port() {
        assert_eq!(
            urls("postgresql://u:p%40@a:5432,b,[::1]:5433/db?sslmode=disable&options=-c%20x%3Dy"),
            [
                "postgres://u:p%40@a:5432/db?sslmode=disable&options=-c%20x%3Dy",
                "postgres://u:p%40@b/db?sslmode=disable&options=-c%20x%3Dy",
                "postgres://u:p%40@[::1]:5433/db?sslmode=disable&options=-c%20x%3Dy",
            ]
        );
    }

    #[test]
    fn one_host_stays_as_it_is_whatever_its_form() {
        for text in [
            "postgres://u@a/db",
            "postgres:///db",
            "postgres://a",
            "postgres://u@[::1]/db",
            "postgres://u@%2Fvar%2Frun%2Fpostgresql/db",
            "postgres:///db?host=/var/run/postgresql&user=u",
        ] {
            assert_eq!(urls(text), [text]);
        }
        assert!(matches!(
            DatabaseUrl::parse("sqlite://a.db?mode=rwc"),
            Ok(DatabaseUrl::Sqlite(_))
        ));
    }

    #[test]
    fn the_session_that_grantd_needs_anyway_may_be_asked_for() {
        for value in ["read-write", "primary"] {
            let text = format!("postgres://a,b/db?target_session_attrs={value}&sslmode=require");
            assert_eq!(
                urls(&text),
                [
                    "postgres://a/db?sslmode=require",
                    "postgres://b/db?sslmode=require"
                ]
            );
        }
        for value in ["any", "standby", "read-only", "prefer-standby", ""] {
            let text = format!("postgres://a,b/db?target_session_attrs={value}");
            assert_eq!(
                DatabaseUrl::parse(&text).unwrap_err(),
                DatabaseUrlFault::TargetSessionAttrs
            );
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        use DatabaseUrlFault as Fault;
        for (text, fault) in [
            ("mysql://a/db", Fault::Scheme),
            ("postgres:a", Fault::Scheme),
            ("postgres://u@a,,b/db", Fault::Host),
            ("postgres://u@a:x/db", Fault::Host),
            ("postgres://u@a:5432,b:65536/db", Fault::Host),
            ("postgres://u@a:5432,:5433/db", Fault::Host),
            ("postgres://u@a/db?host=a,b", Fault::SeveralHostsIn("host")),
            (
                "postgres://u@a/db?port=1%2C2",
                Fault::SeveralHostsIn("port"),
            ),
            (
                "postgres://u@a/db?channel_binding=require",
                Fault::Parameter("channel_binding".into()),
            ),
            (
                "postgres://u:pa?Ss1word@a/db",
                Fault::Parameter("after the `?`".into()),
            ),
        ] {
            assert_eq!(DatabaseUrl::parse(text).unwrap_err(), fault, "{text}");
        }
    }
}
