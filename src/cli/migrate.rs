//! `grantd migrate`: brings the database schema to this version.

use clap::Args;

use super::output::say;
use super::target::Target;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let opened = arguments.target.open_unchecked()?;
    opened.store.migrate().await?;
    say!("the database schema is up to date")?;
    Ok(())
}
