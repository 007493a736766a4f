//! `grantd explain`: every check of a request that was refused, or of one that nobody sent, and what to do about it.

mod recorded;
pub(super) mod screen;
mod unsent;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use uuid::Uuid;

use super::target::Where;
use super::text::text_of;
use crate::operations::authenticate_client::TrustedCas;
use crate::operations::explain::{explain_assertion, explain_token};
use unsent::Supposed;

/// How it is usually called.
const EXAMPLES: &str = "Examples:
  grantd explain 01a22362-1828-76b5-8cab-6385043eef47 --config grantd.toml
  grantd explain --client reports --audience documents --scope read --config grantd.toml
  grantd explain --client ledger --certificate ledger.pem --source 10.1.2.3 --config grantd.toml
  grantd explain --client orders-api --audience stock-api --subject-token token --config grantd.toml
  grantd explain --assertion assertion.jwt --config grantd.toml
  grantd explain --token - --as stock-api --config grantd.toml < token

Exit status: 0 where it would be granted, 1 where not, 3 where nothing is known";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    supposed: Supposed,
    /// The API that asks about the token [default: one that serves its audience]
    #[arg(long = "as", value_name = "CLIENT", conflicts_with_all = ["request", "client", "assertion"])]
    asked_by: Option<String>,
    #[command(flatten)]
    at: Where,
}

/// What is explained; exactly one of these.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// The `x-request-id` of an answer, which the log has as `request_id`
    #[arg(value_name = "REQUEST_ID", value_parser = request_id)]
    request: Option<Uuid>,
    /// Judge a token request of this client that nobody sent
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Judge a client assertion (`private_key_jwt`), without spending it; - is standard input
    #[arg(long, value_name = "FILE")]
    assertion: Option<PathBuf>,
    /// Say what introspection would answer of this token; - is standard input
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
}

/// Gives the exit status: 0 where it would be granted, 1 where not, 3 where nothing is known.
pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let opened = arguments.at.target.open().await?;
    let output = arguments.at.output();
    if let Some(client) = &arguments.what.client {
        return unsent::explain(&opened, (client, &arguments.supposed), output).await;
    }
    let explained = if let Some(path) = &arguments.what.assertion {
        let grantd = opened.replica(TrustedCas::default()).await?;
        explain_assertion(&grantd, &text_of(path)?).await?
    } else if let Some(path) = &arguments.what.token {
        let grantd = opened.replica(TrustedCas::default()).await?;
        explain_token(&grantd, &text_of(path)?, arguments.asked_by.as_deref()).await?
    } else {
        let id = arguments.what.request.unwrap_or_default();
        return recorded::explain(&opened, id, output).await;
    };
    screen::print(&explained, output)?;
    Ok(screen::status(&explained))
}

fn request_id(text: &str) -> Result<Uuid, String> {
    text.trim().parse().map_err(|_| {
        "write the id as the answer's header x-request-id and the log have it: a UUID such as \
         01a22362-1828-76b5-8cab-6385043eef47"
            .to_owned()
    })
}
