//! `grantd client list` and `grantd client show`.

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::{Output, print_rows, say};
use super::target::Target;
use crate::domain::client::Client;
use crate::domain::identifier::ClientId;
use crate::domain::known_client::KnownClient;
use crate::domain::policy::Policy;
use crate::domain::scope::Scope;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List all clients
    List(List),
    /// Show one client with its credentials and policies
    Show(Show),
}

#[derive(Args, Debug)]
pub(super) struct List {
    /// A table for people, or JSON for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    output: Output,
    #[command(flatten)]
    target: Target,
}

#[derive(Args, Debug)]
pub(super) struct Show {
    /// The client's id
    client: String,
    /// A table for people, or JSON for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    output: Output,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::List(arguments) => list(arguments).await,
        Command::Show(arguments) => show(arguments).await,
    }
}

async fn list(arguments: &List) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let rows: Vec<Vec<Value>> = opened
        .store
        .all_clients()
        .await?
        .iter()
        .map(|known| {
            let client = &known.client;
            vec![
                json!(client.id.as_str()),
                json!(client.name),
                json!(client.owner),
                json!(client.environment),
                json!(client.status.as_str()),
                json!(known.credentials.len()),
                json!(known.policies.len()),
            ]
        })
        .collect();
    let columns = [
        "id",
        "name",
        "owner",
        "environment",
        "status",
        "credentials",
        "policies",
    ];
    print_rows(arguments.output, &columns, &rows)?;
    Ok(())
}

async fn show(arguments: &Show) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let known = find(&opened.store, &arguments.client).await?;
    if arguments.output == Output::Json {
        say!("{:#}", document(&known))?;
        return Ok(());
    }
    let members = members(&known.client);
    let rows: Vec<Vec<Value>> = members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| vec![json!(name), value])
        .collect();
    print_rows(Output::Table, &["client", ""], &rows)?;
    say!("")?;
    super::credential::print(&known, Output::Table, opened.now().await?)?;
    say!("")?;
    let rows: Vec<Vec<Value>> = known.policies.iter().map(policy_row).collect();
    print_rows(Output::Table, POLICY_COLUMNS, &rows)?;
    Ok(())
}

/// The client of this id, or what to do.
pub(super) async fn find(store: &crate::store::Store, id: &str) -> anyhow::Result<KnownClient> {
    let unknown =
        || anyhow!("there is no client {id}; `grantd client list` shows those that there are");
    let id = ClientId::parse(id).map_err(|_| unknown())?;
    store
        .load_client(&id)
        .await?
        .value
        .filter(|known| known.client.status != crate::domain::client::ClientStatus::Deleted)
        .ok_or_else(unknown)
}

fn members(client: &Client) -> Vec<(&'static str, Value)> {
    let texts = |items: Vec<&'static str>| json!(items);
    vec![
        ("id", json!(client.id.as_str())),
        ("name", json!(client.name)),
        ("owner", json!(client.owner)),
        ("environment", json!(client.environment)),
        ("tenant", json!(client.tenant)),
        ("status", json!(client.status.as_str())),
        (
            "grants",
            texts(client.grants.iter().map(|it| it.as_str()).collect()),
        ),
        (
            "auth",
            texts(client.auth_methods.iter().map(|it| it.as_str()).collect()),
        ),
        ("claims", Value::Object(client.claims.clone())),
        (
            "tokens_not_before",
            json!(client.tokens_not_before.to_string()),
        ),
        ("created_at", json!(client.created_at.to_string())),
        (
            "rotated_at",
            json!(client.rotated_at.map(|at| at.to_string())),
        ),
    ]
}

const POLICY_COLUMNS: &[&str] = &[
    "audience",
    "scopes",
    "default scopes",
    "token lifetime",
    "claims",
    "networks",
    "methods",
    "enabled",
];

fn policy_row(policy: &Policy) -> Vec<Value> {
    let networks: Vec<String> = policy.networks.iter().map(ToString::to_string).collect();
    let methods: Vec<&str> = policy.methods.iter().map(|it| it.as_str()).collect();
    vec![
        json!(policy.audience.as_str()),
        json!(policy.scopes.iter().map(Scope::as_str).collect::<Vec<_>>()),
        json!(
            policy
                .default_scopes
                .iter()
                .map(Scope::as_str)
                .collect::<Vec<_>>()
        ),
        json!(policy.token_lifetime.map(|span| span.to_string())),
        Value::Object(policy.claims.clone()),
        json!(networks),
        json!(methods),
        json!(policy.enabled),
    ]
}

fn document(known: &KnownClient) -> Value {
    let mut document: serde_json::Map<String, Value> = members(&known.client)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let credentials: Vec<Value> = known
        .credentials
        .iter()
        .map(super::credential::document)
        .collect();
    let policies: Vec<Value> = known
        .policies
        .iter()
        .map(|policy| {
            let names = POLICY_COLUMNS.iter().map(|column| column.replace(' ', "_"));
            Value::Object(names.zip(policy_row(policy)).collect())
        })
        .collect();
    document.insert("credentials".to_owned(), json!(credentials));
    document.insert("policies".to_owned(), json!(policies));
    Value::Object(document)
}
