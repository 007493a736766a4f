//! `grantd issuer list`, `show` and `test`.

mod found;
mod show;
mod tested;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::output::{Output, print_rows, say};
use crate::cli::target::Where;
use crate::domain::trusted_issuer::TrustedIssuer;
use found::keys;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the issuers whose tokens count here
    List(List),
    /// Show one issuer, what holds where its catalog states nothing, and who relies on it
    Show(show::Arguments),
    /// Fetch the keys of one now, and judge a token of it without spending it
    Test(tested::Arguments),
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(arguments) => list(arguments).await?,
        Command::Show(arguments) => show::run(arguments).await?,
        Command::Test(arguments) => return tested::run(arguments).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &List) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let all = opened.store.load_issuers().await?.value;
    if arguments.at.output() == Output::Json {
        return Ok(say!("{:#}", json!(all))?);
    }
    let row = |it: &TrustedIssuer| {
        vec![
            json!(it.id),
            json!(it.uses),
            json!(it.url),
            json!(it.preset),
            json!(keys(it)),
            json!(it.longest_lifetime()),
            json!(it.jti_use()),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let columns = ["id", "use", "url", "preset", "keys", "max lifetime", "jti"];
    Ok(print_rows(arguments.at.output(), &columns, &rows)?)
}
