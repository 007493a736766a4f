//! `grantd credential`: its commands, and `list` and `retire`.

use std::io;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::add_credential::{self, AddCertificate, AddKey, AddSecret, AddSubject};
use super::client::find;
use super::listed;
use super::output::{Output, print_rows, say};
use super::target::Target;
use crate::crypto::client_key;
use crate::domain::credential::{Credential, CredentialMaterial};
use crate::domain::identifier::CredentialId;
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Timestamp;
use crate::operations::manage_credentials::retire_credential;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a secret for a client, and print it this once
    AddSecret(AddSecret),
    /// Register public keys of a client: a JWK, a JWK set, or PEM
    AddKey(AddKey),
    /// Register a certificate of a client, whoever signed it (`self_signed_tls_client_auth`)
    AddCertificate(AddCertificate),
    /// Register the one subject of a client's certificates (`tls_client_auth`)
    AddSubject(AddSubject),
    /// List the credentials of a client
    List(List),
    /// Retire a credential: it is refused within a second, and its use is logged as an alert
    Retire(Retire),
}

#[derive(Args, Debug)]
pub(super) struct List {
    /// The client's id
    client: String,
    /// A table for people, or JSON for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    output: Output,
    #[command(flatten)]
    target: Target,
}

#[derive(Args, Debug)]
pub(super) struct Retire {
    /// The credential's id, as `grantd credential list` shows it
    credential: String,
    /// It has leaked: also make the tokens issued for it inactive at introspection
    #[arg(long)]
    compromised: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::AddSecret(arguments) => add_credential::secret(arguments).await,
        Command::AddKey(arguments) => add_credential::key(arguments).await,
        Command::AddCertificate(arguments) => add_credential::certificate(arguments).await,
        Command::AddSubject(arguments) => add_credential::subject(arguments).await,
        Command::List(arguments) => list(arguments).await,
        Command::Retire(arguments) => retire(arguments).await,
    }
}

async fn list(arguments: &List) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let known = find(&opened.store, &arguments.client).await?;
    print(&known, arguments.output, opened.now().await?)?;
    Ok(())
}

async fn retire(arguments: &Retire) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let id = CredentialId::parse(&arguments.credential)?;
    let retired = retire_credential(&opened.store, &id, arguments.compromised).await?;
    say!("credential {id} of {} is retired", retired.client)?;
    let end = retired.tokens_end_at;
    if arguments.compromised {
        say!(
            "its tokens are inactive at introspection within a second; an API that verifies them by itself takes them \
             until {end} at the latest"
        )?;
    } else {
        say!(
            "tokens issued for it live until {end} at the latest; if it leaked, add --compromised"
        )?;
    }
    Ok(())
}

/// Prints the credentials of a client, as they stand at `now`.
pub(super) fn print(known: &KnownClient, output: Output, now: Timestamp) -> io::Result<()> {
    if output == Output::Json {
        let listed = known
            .credentials
            .iter()
            .map(|it| listed::credential(it, now));
        return say!("{:#}", Value::Array(listed.collect()));
    }
    let rows: Vec<Vec<Value>> = known
        .credentials
        .iter()
        .map(|credential| {
            vec![
                json!(credential.id.as_str()),
                json!(credential.kind().as_str()),
                json!(name(credential)),
                json!(credential.label),
                json!(credential.state(now)),
                json!(credential.expires_at.map(|at| at.to_string())),
                json!(credential.last_used_at.map(|at| at.to_string())),
            ]
        })
        .collect();
    let columns = [
        "credential",
        "kind",
        "name",
        "label",
        "state",
        "expires",
        "last used",
    ];
    print_rows(output, &columns, &rows)
}

/// What tells a public credential from others of its kind: a key's `kid` or thumbprint, `x5t#S256`, the subject.
pub(super) fn name(credential: &Credential) -> Option<String> {
    match &credential.material {
        CredentialMaterial::Jwk(jwk) => Some(client_key::facts(jwk)?.name),
        other => other.public_value().map(str::to_owned),
    }
}
