//! `grantd apply`: brings the database to what a catalog states, and says what it did.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::by::By;
use super::changing::options;
use super::plan_screen::Shown;
use super::target::{Opened, Target};
use crate::config::absent_secrets::AbsentSecrets;
use crate::config::catalog::{Catalog, CatalogOptions};
use crate::operations::apply_catalog::{ApplyOptions, apply_catalog};

/// Examples for `--help`.
const EXAMPLES: &str = "Examples:
  grantd apply catalog.toml --config grantd.toml --dry-run
  grantd apply audiences.toml teams/ --config grantd.toml --dry-run --detailed-exit-code
  grantd apply catalog.toml --config grantd.toml --prune";

/// The exit status of `--detailed-exit-code` if something changes.
const CHANGES: u8 = 2;

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Files of the catalog, folders (every *.toml in them), or - for standard input; all together are one catalog
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    shown: Shown,
    /// Also remove what the catalog does not mention
    #[arg(long)]
    prune: bool,
    /// Let --prune remove up to N clients and up to N audiences; without it no more than two or a tenth of them
    #[arg(long, value_name = "N", requires = "prune")]
    allow_removals: Option<usize>,
    /// Exit with 0 if nothing changes, with 2 if something does or would, with 1 on an error
    #[arg(long)]
    detailed_exit_code: bool,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let absent = AbsentSecrets::default();
    let opened = if arguments.shown.dry_run {
        arguments.target.open_to_look(&absent).await?
    } else {
        arguments.target.open().await?
    };
    for name in absent.names() {
        eprintln!("warning: {name} is absent here, so it was not checked");
    }
    let catalog = read(arguments, &opened)?;
    let actor = arguments.by.actor();
    let options = ApplyOptions {
        dry_run: arguments.shown.dry_run,
        prune: arguments.prune,
        allow_removals: arguments.allow_removals.unwrap_or(0),
        ..options(&opened, &actor)
    };
    let (plan, _) = apply_catalog(&opened.store, &catalog, options).await?;
    arguments.shown.print(&plan)?;
    if let Some(refusal) = plan.refusal {
        return Err(refusal).context("this would be refused");
    }
    Ok(if arguments.detailed_exit_code && plan.changes() > 0 {
        ExitCode::from(CHANGES)
    } else {
        ExitCode::SUCCESS
    })
}

/// The catalog. A dry run may be far from its secrets, as in a pull request.
fn read(arguments: &Arguments, opened: &Opened) -> anyhow::Result<Catalog> {
    let environment = |name: &str| std::env::var(name).ok();
    let options = if opened.is_dev {
        CatalogOptions::dev(&environment)
    } else {
        CatalogOptions::strict(&environment)
    };
    let absent = AbsentSecrets::default();
    let options = CatalogOptions {
        absent: arguments.shown.dry_run.then_some(&absent),
        ..options
    };
    Ok(Catalog::read(&arguments.files, &options)?)
}
