//! `grantd issuer list` and `show`.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::listed::beside;
use super::output::{Output, counted, print_rows, say};
use super::target::Where;
use crate::config::catalog::write::members;
use crate::crypto::key_set::{KeySet, Publisher};
use crate::domain::identifier::IssuerId;
use crate::domain::shown;
use crate::domain::trusted_issuer::{IssuerKeys, TrustedIssuer};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the issuers whose tokens count here
    List(List),
    /// Show one issuer, and what holds where its catalog states nothing
    Show(Show),
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

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::List(arguments) => list(arguments).await,
        Command::Show(arguments) => show(arguments).await,
    }
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
    let id = IssuerId::parse(&arguments.issuer).context("ISSUER")?;
    let all = opened.store.load_issuers().await?.value;
    let Some(issuer) = all.iter().find(|it| it.id == id) else {
        let names = all.iter().map(|it| it.id.as_str());
        let near = shown::nearest(id.as_str(), names);
        let near = near.map_or_else(String::new, |near| format!("; the nearest is {near}"));
        bail!("there is no issuer {id}{near}; `grantd issuer list` shows those that there are");
    };
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

/// Where its keys are, in a word.
fn keys(issuer: &TrustedIssuer) -> String {
    match issuer.key_place() {
        None => "nowhere".to_owned(),
        Some(IssuerKeys::Set(text)) => {
            let set = KeySet::parse_of(Publisher::of(issuer), text.as_bytes());
            let number = set.map_or(0, |set| set.keys().len());
            format!("here, {}", counted(number, "key"))
        }
        Some(place) => place.as_str().to_owned(),
    }
}
