//! `grantd client list` and `grantd client show`.

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use super::listed;
use super::output::{Output, print_rows, say};
use super::target::Target;
use crate::config::catalog::write::members;
use crate::domain::identifier::ClientId;
use crate::domain::known_client::KnownClient;

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
        say!("{:#}", listed::client(&known, opened.now().await?))?;
        return Ok(());
    }
    let client = &known.client;
    let mut rows = rows(client);
    let times = [
        ("tokens_not_before", Some(client.tokens_not_before)),
        ("created_at", Some(client.created_at)),
        ("rotated_at", client.rotated_at),
    ];
    rows.extend(times.map(|(name, at)| vec![json!(name), json!(at)]));
    rows.retain(|row| row.last().is_some_and(|value| !value.is_null()));
    print_rows(Output::Table, &["client", ""], &rows)?;
    say!("")?;
    super::credential::print(&known, Output::Table, opened.now().await?)?;
    say!("")?;
    let policies: Vec<_> = known.policies.iter().map(members).collect();
    let Some(first) = policies.first() else {
        return Ok(say!("no policies: it gets no tokens")?);
    };
    let columns: Vec<String> = first.keys().map(|key| key.replace('_', " ")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows = policies
        .iter()
        .map(|policy| policy.values().cloned().collect());
    let rows: Vec<Vec<Value>> = rows.collect();
    print_rows(Output::Table, &columns, &rows)?;
    Ok(())
}

/// A row for each key of a shape.
fn rows(shape: &impl Serialize) -> Vec<Vec<Value>> {
    let members = members(shape).into_iter();
    members
        .map(|(name, value)| vec![json!(name), value])
        .collect()
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
