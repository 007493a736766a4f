//! `grantd client`: its commands, and `list`.

mod create;
mod show;
mod stop;

pub(super) use create::{among, grants};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::print_rows;
use super::target::Where;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a client, without credentials and policies
    Create(create::Create),
    /// List all clients
    List(List),
    /// Show one client: its owner, where it is valid, how it proves itself, what it may get
    ///
    /// Each replica counts `max_tokens_per_minute` for itself. The tokens in the last hour and day are those of all
    /// replicas together.
    Show(show::Show),
    /// Stop a client; its tokens are inactive at introspection within a second
    Disable(stop::Disable),
    /// Let a client authenticate again; none of its old tokens is revived
    Enable(stop::Enable),
    /// Delete a client with its credentials and policies; its tokens are inactive within a second
    Delete(stop::Delete),
    /// Make all tokens of a client inactive at introspection; it may get new ones
    RevokeTokens(stop::RevokeTokens),
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Create(arguments) => create::run(arguments).await,
        Command::List(arguments) => list(arguments).await,
        Command::Show(arguments) => show::run(arguments).await,
        Command::Disable(arguments) => stop::disable(arguments).await,
        Command::Enable(arguments) => stop::enable(arguments).await,
        Command::Delete(arguments) => stop::delete(arguments).await,
        Command::RevokeTokens(arguments) => stop::revoke_tokens(arguments).await,
    }
}

async fn list(arguments: &List) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
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
    print_rows(arguments.at.output(), &columns, &rows)?;
    Ok(())
}
