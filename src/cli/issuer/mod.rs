//! `grantd issuer list`, `show` and `test`.

mod found;
mod tested;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::listed::beside;
use crate::cli::output::{Output, print_rows, say};
use crate::cli::target::Where;
use crate::config::catalog::write::members;
use crate::domain::trusted_issuer::TrustedIssuer;
use found::{found, keys};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the issuers whose tokens count here
    List(List),
    /// Show one issuer, and what holds where its catalog states nothing
    Show(Show),
    /// Fetch the keys of one now, and judge a token of it without spending it
    Test(tested::Arguments),
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(super) struct Show {
    /// Its id
    issuer: String,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(arguments) => list(arguments).await?,
        Command::Show(arguments) => show(arguments).await?,
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

async fn show(arguments: &Show) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let issuer = &found(&opened, &arguments.issuer).await?;
    let in_force = json!({
        "keys": keys(issuer),
        "audience": issuer.audience.as_ref().or(opened.issuer.as_ref()),
        "algorithms": issuer.accepted_algorithms(),
        "max_lifetime": issuer.longest_lifetime(),
        "jti": issuer.jti_use(),
    });
    if arguments.at.output() == Output::Json {
        let shown = beside(json!(issuer), json!({ "in_force": in_force }));
        return Ok(say!("{shown:#}")?);
    }
    let mut stated = members(issuer);
    for (name, value) in in_force.as_object().into_iter().flatten() {
        stated.insert(name.clone(), value.clone());
    }
    if issuer.ca.is_some() {
        stated.insert("ca".to_owned(), json!("its own, in the catalog"));
    }
    let rows = stated
        .into_iter()
        .map(|(name, value)| vec![json!(name), value]);
    let rows: Vec<Vec<Value>> = rows.collect();
    Ok(print_rows(Output::Table, &["issuer", ""], &rows)?)
}
