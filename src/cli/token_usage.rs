//! `grantd usage`: who got how many tokens, what was refused, and what a client that caches would not have asked for.

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use super::output::{Output, print_rows, say};
use super::target::Where;
use crate::domain::identifier::ClientId;
use crate::domain::timestamp::Seconds;
use crate::operations::usage::ISSUED;
use crate::store::token_usage::{UsageCount, UsageCounts, UsageKey};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Only this client
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// How far back: 30m, 24h, 7d; older than a day it is counted by the hour, and kept for 35 days
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: Seconds,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let since = opened.now().await?.minus(arguments.since);
    let client = arguments.client.as_deref();
    let usage = opened.store.token_usage(since, client).await?;
    if let Some(client) = client.filter(|_| usage.is_empty()) {
        let id = ClientId::parse(client)?;
        if opened.store.load_client(&id).await?.value.is_none() {
            bail!("there is no client {client}; `grantd client list` shows those that there are");
        }
    }
    print_rows(arguments.at.output(), &COLUMNS, &rows(&usage))?;
    if arguments.at.output() == Output::Table {
        say!("\n{}", summary(&usage, arguments.since))?;
    }
    Ok(())
}

const COLUMNS: [&str; 6] = [
    "client",
    "audience",
    "credential",
    "outcome",
    "count",
    "wasted",
];

fn rows(usage: &UsageCounts) -> Vec<Vec<Value>> {
    let row = |(key, count): (&UsageKey, &UsageCount)| {
        vec![
            json!(key.client),
            json!(key.audience),
            json!(key.credential),
            json!(key.outcome),
            json!(count.count),
            json!(count.wasted),
        ]
    };
    usage.iter().map(row).collect()
}

fn summary(usage: &UsageCounts, since: Seconds) -> String {
    let (mut issued, mut refused) = (UsageCount::default(), UsageCount::default());
    for (key, count) in usage {
        if key.outcome == ISSUED {
            issued.add(*count);
        } else {
            refused.add(*count);
        }
    }
    let percent = (issued.wasted * 100).checked_div(issued.count).unwrap_or(0);
    format!(
        "in the last {since}: {} tokens issued, {} of them ({percent} %) while an equal one had more than half of its \
         life left; {} requests refused",
        issued.count, issued.wasted, refused.count
    )
}
