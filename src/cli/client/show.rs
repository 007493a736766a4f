//! `grantd client show`: one screen that answers who a client is, where it is valid, how it proves itself, what it may
//! get, and how much of it it got lately.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::listed::{self, About};
use crate::cli::named;
use crate::cli::output::{Output, print_rows, say};
use crate::cli::target::Where;
use crate::cli::{credential, policy};
use crate::config::catalog::write::members;
use crate::operations::usage::issued_lately;

#[derive(Args, Debug)]
pub(in crate::cli) struct Show {
    /// The client's id
    client: String,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(arguments: &Show) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let known = named::client(&opened.store, &arguments.client).await?;
    let about = About::of(&opened.store, &known).await?;
    let now = opened.now().await?;
    let lately = issued_lately(&opened.store, &known.client.id, now).await?;
    if arguments.at.output() == Output::Json {
        let issued = json!({ "issued_in_hour": lately.hour, "issued_in_day": lately.day });
        let told = listed::beside(listed::client(&known, &about, now), issued);
        return Ok(say!("{told:#}")?);
    }
    let client = &known.client;
    let mut rows: Vec<Vec<Value>> = members(client)
        .into_iter()
        .map(|(name, value)| vec![json!(name), with_its_reach(&name, value)])
        .collect();
    let serves = (!about.serves.is_empty()).then(|| json!(about.serves));
    let more = [
        ("serves", json!(serves)),
        ("tokens_not_before", json!(client.tokens_not_before)),
        ("created_at", json!(client.created_at)),
        ("rotated_at", json!(client.rotated_at)),
        ("tokens in the last hour", json!(lately.hour)),
        ("tokens in the last day", json!(lately.day)),
    ];
    rows.extend(more.map(|(name, value)| vec![json!(name), value]));
    rows.retain(|row| row.last().is_some_and(|value| !value.is_null()));
    print_rows(Output::Table, &["client", ""], &rows)?;
    say!("")?;
    credential::print(&known, Output::Table, now)?;
    say!("")?;
    if known.policies.is_empty() {
        return Ok(say!("no policies: it gets no tokens")?);
    }
    let policies: Vec<_> = known
        .policies
        .iter()
        .map(|it| policy::Row::of(None, it, about.lifetime(it)))
        .collect();
    Ok(policy::print(&policies, Output::Table)?)
}

/// A bound on tokens is counted by each replica, their number is that of all: one must not be held against the other.
fn with_its_reach(name: &str, value: Value) -> Value {
    if name == "max_tokens_per_minute" && !value.is_null() {
        json!(format!(
            "{value}, counted by each replica; the tokens below are those of all"
        ))
    } else {
        value
    }
}
