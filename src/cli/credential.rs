//! `grantd credential add-secret`, `list` and `retire`.

use std::io;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::find;
use super::output::{Output, print_rows, say};
use super::target::Target;
use crate::domain::credential::{Credential, CredentialMaterial, CredentialState};
use crate::domain::identifier::CredentialId;
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::operations::manage_credentials::{NewSecret, add_secret, retire_credential};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a secret for a client and print it: once, now, and never again
    AddSecret(AddSecret),
    /// List what a client proves itself with
    List(List),
    /// Retire a credential: it is refused at once, and its use raises an alert
    Retire(Retire),
}

#[derive(Args, Debug)]
pub(super) struct AddSecret {
    /// The client's id
    client: String,
    /// A name for people, such as 2026-Q4
    #[arg(long)]
    label: Option<String>,
    /// How long it is accepted: 90d, 12h
    #[arg(long, value_name = "DURATION")]
    expires_in: Option<Seconds>,
    #[command(flatten)]
    target: Target,
}

#[derive(Args, Debug)]
pub(super) struct List {
    /// The client's id
    client: String,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

#[derive(Args, Debug)]
pub(super) struct Retire {
    /// The credential's id, as `grantd credential list` shows it
    credential: String,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::AddSecret(arguments) => add(arguments).await,
        Command::List(arguments) => list(arguments).await,
        Command::Retire(arguments) => retire(arguments).await,
    }
}

async fn add(arguments: &AddSecret) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let known = find(&opened.store, &arguments.client).await?;
    let now = opened.clock.now();
    let new = NewSecret {
        label: arguments.label.clone(),
        expires_at: arguments.expires_in.map(|span| now.plus(span)),
    };
    let (id, secret) = add_secret((&opened.store, &opened.clock), &known.client.id, new).await?;
    say!("{}", secret.expose())?;
    eprintln!("credential {id} of {}; the secret is not shown again", known.client.id);
    Ok(())
}

async fn list(arguments: &List) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let known = find(&opened.store, &arguments.client).await?;
    print(&known, arguments.output, opened.clock.now())?;
    Ok(())
}

async fn retire(arguments: &Retire) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let id = CredentialId::parse(&arguments.credential)?;
    let client = retire_credential((&opened.store, &opened.clock), &id).await?;
    say!("credential {id} of {client} is retired")?;
    Ok(())
}

/// Prints the credentials of a client, as they stand at `now`.
pub(super) fn print(known: &KnownClient, output: Output, now: Timestamp) -> io::Result<()> {
    if output == Output::Json {
        let documents: Vec<Value> = known.credentials.iter().map(document).collect();
        return say!("{:#}", Value::Array(documents));
    }
    let rows: Vec<Vec<Value>> = known
        .credentials
        .iter()
        .map(|credential| {
            vec![
                json!(credential.id.as_str()),
                json!(credential.kind().as_str()),
                json!(credential.label),
                json!(state(credential, now)),
                json!(credential.expires_at.map(|at| at.to_string())),
                json!(credential.last_used_at.map(|at| at.to_string())),
            ]
        })
        .collect();
    print_rows(output, &["credential", "kind", "label", "state", "expires", "last used"], &rows)
}

/// A credential as JSON: what is public of it, never a hash.
pub(super) fn document(credential: &Credential) -> Value {
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let material = match &credential.material {
        CredentialMaterial::Secret(hash) => json!({ "form": hash.form.as_str() }),
        CredentialMaterial::Jwk(jwk) => json!({ "jwk": jwk }),
        CredentialMaterial::Certificate(thumbprint) => json!({ "x5t#S256": thumbprint }),
        CredentialMaterial::Subject(name) => json!({ name.kind.as_str(): name.value }),
    };
    json!({
        "id": credential.id.as_str(),
        "kind": credential.kind().as_str(),
        "label": credential.label,
        "material": material,
        "active_from": text(credential.active_from),
        "expires_at": text(credential.expires_at),
        "retired_at": text(credential.retired_at),
        "created_at": text(Some(credential.created_at)),
        "last_used_at": text(credential.last_used_at),
    })
}

fn state(credential: &Credential, now: Timestamp) -> &'static str {
    match credential.state(now) {
        CredentialState::Live => "live",
        CredentialState::NotYetActive => "not yet active",
        CredentialState::Expired => "expired",
        CredentialState::Retired => "retired",
    }
}
