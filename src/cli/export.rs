//! `grantd export`: prints the database as a catalog that `apply` accepts, without any secret in clear.

use clap::Args;

use super::output::print;
use super::target::Target;
use crate::config::catalog::write::to_toml;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let audiences = opened.store.all_audiences().await?;
    let issuers = opened.store.load_issuers().await?.value;
    let clients = opened.store.all_clients().await?;
    print(format_args!("{}", to_toml(&audiences, &issuers, &clients)?))?;
    Ok(())
}
