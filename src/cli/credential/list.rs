//! `grantd credential list`: the credentials of a client, or those of all clients that need a look.

use std::borrow::Cow;
use std::io;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::listed::{self, beside};
use crate::cli::named;
use crate::cli::output::{Output, print_rows, say};
use crate::cli::target::Where;
use crate::crypto::client_key;
use crate::domain::credential::{Credential, CredentialMaterial};
use crate::domain::identifier::ClientId;
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::credentials::Listed;

/// Examples for `--help`.
const EXAMPLES: &str = "Examples:
  grantd credential list reports --config grantd.toml
  grantd credential list --expiring 30d --config grantd.toml
  grantd credential list --unused 90d --output json --config grantd.toml";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct List {
    /// The client's id; those of all clients if omitted
    client: Option<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
#[group(multiple = false)]
struct Which {
    /// Only live ones that expire within this time: 30d
    #[arg(long, value_name = "DURATION")]
    expiring: Option<Seconds>,
    /// Only live ones that have been there, unused, for this long: 90d
    #[arg(long, value_name = "DURATION")]
    unused: Option<Seconds>,
    /// Only live ones that were never rotated: their client has no other of the kind, not even a retired one
    #[arg(long)]
    never_rotated: bool,
}

impl Which {
    fn at(&self, now: Timestamp) -> Listed {
        match (self.expiring, self.unused) {
            (Some(within), _) => Listed::Expiring {
                now,
                until: now.plus(within),
            },
            (None, Some(span)) => Listed::UnusedSince {
                now,
                since: now.minus(span),
            },
            (None, None) if self.never_rotated => Listed::NeverRotated { now },
            (None, None) => Listed::All,
        }
    }
}

pub(super) async fn run(arguments: &List) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let known = match &arguments.client {
        Some(client) => Some(named::client(&opened.store, client).await?),
        None => None,
    };
    let now = opened.now().await?;
    let client = known.as_ref().map(|it| &it.client.id);
    let found = opened
        .store
        .list_credentials(arguments.which.at(now), client)
        .await?;
    if known.is_some() {
        let credentials: Vec<&Credential> = found.iter().map(|(_, it)| it).collect();
        return Ok(print_all(&credentials, arguments.at.output(), now)?);
    }
    Ok(print_of_clients(&found, arguments.at.output(), now)?)
}

/// What tells a public credential from others of its kind: a key's `kid` or thumbprint, `x5t#S256`, the subject;
/// of an identity also its issuer.
pub(super) fn name(credential: &Credential) -> Option<String> {
    match &credential.material {
        CredentialMaterial::Jwk(jwk) => Some(client_key::facts(jwk)?.name),
        CredentialMaterial::Identity(identity) => {
            Some(format!("{} {}", identity.issuer, identity.subject))
        }
        other => other.public_value().map(Cow::into_owned),
    }
}

/// Prints the credentials of a client, as they stand at `now`.
pub(in crate::cli) fn print(known: &KnownClient, output: Output, now: Timestamp) -> io::Result<()> {
    print_all(&known.credentials.iter().collect::<Vec<_>>(), output, now)
}

const COLUMNS: [&str; 9] = [
    "credential",
    "kind",
    "name",
    "label",
    "state",
    "made",
    "expires",
    "last used",
    "from",
];

fn cells(credential: &Credential, now: Timestamp) -> Vec<Value> {
    let instant = |at: Option<Timestamp>| json!(at.map(|at| at.to_string()));
    vec![
        json!(credential.id.as_str()),
        json!(credential.kind().as_str()),
        json!(name(credential)),
        json!(credential.label),
        json!(credential.state(now)),
        instant(Some(credential.created_at)),
        instant(credential.expires_at),
        instant(credential.last_used_at),
        json!(credential.last_used_from),
    ]
}

fn print_all(credentials: &[&Credential], output: Output, now: Timestamp) -> io::Result<()> {
    if output == Output::Json {
        let listed = credentials.iter().map(|it| listed::credential(it, now));
        return say!("{:#}", Value::Array(listed.collect()));
    }
    let rows: Vec<_> = credentials.iter().map(|it| cells(it, now)).collect();
    print_rows(output, &COLUMNS, &rows)
}

fn print_of_clients(
    found: &[(ClientId, Credential)],
    output: Output,
    now: Timestamp,
) -> io::Result<()> {
    if output == Output::Json {
        let listed = found
            .iter()
            .map(|(client, it)| beside(json!({ "client": client }), listed::credential(it, now)));
        return say!("{:#}", Value::Array(listed.collect()));
    }
    let row = |(client, it): &(ClientId, Credential)| {
        let mut row = vec![json!(client)];
        row.extend(cells(it, now));
        row
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    print_rows(output, &[&["client"], &COLUMNS[..]].concat(), &rows)
}
