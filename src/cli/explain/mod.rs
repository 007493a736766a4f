//! `grantd explain`: every check of a request that was refused, and what to do about it.

mod recorded;
mod screen;

use std::process::ExitCode;

use clap::Args;
use uuid::Uuid;

use super::target::Where;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The `x-request-id` of the answer, which the log has as `request_id`
    #[arg(value_name = "REQUEST_ID", value_parser = request_id)]
    request: Uuid,
    #[command(flatten)]
    at: Where,
}

/// Gives the exit status: 0 where it would be granted, 1 where not, 3 where nothing is known.
pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let opened = arguments.at.target.open().await?;
    recorded::explain(&opened, arguments.request, arguments.at.output()).await
}

fn request_id(text: &str) -> Result<Uuid, String> {
    text.trim().parse().map_err(|_| {
        "write the id as the answer's header x-request-id and the log have it: a UUID such as \
         01a22362-1828-76b5-8cab-6385043eef47"
            .to_owned()
    })
}
