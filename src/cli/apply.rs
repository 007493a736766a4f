//! `grantd apply`: brings the database to what a catalog states, and says what it did.

use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::output::say;
use super::target::{Opened, Target};
use crate::config::catalog::{Catalog, CatalogOptions};
use crate::operations::apply_catalog::{Action, ApplyOptions, Plan, apply_catalog};
use crate::operations::make_signing_keys::ACTIVATION_DELAY;

/// How it is usually called.
const EXAMPLES: &str = "Examples:
  grantd apply catalog.toml --config grantd.toml --dry-run
  grantd apply catalog.toml --config grantd.toml --prune";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The catalog file
    file: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Also remove what the catalog does not mention
    #[arg(long)]
    prune: bool,
    /// Let --prune remove up to N clients and up to N audiences; without it no more than two or a tenth of them
    #[arg(long, value_name = "N", requires = "prune")]
    allow_removals: Option<usize>,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let catalog = read(arguments, &opened)?;
    let options = ApplyOptions {
        dry_run: arguments.dry_run,
        prune: arguments.prune,
        allow_removals: arguments.allow_removals.unwrap_or(0),
        profile: opened.profile,
        imported_cost: opened.imported_cost(),
        sealing: opened.sealing.as_ref(),
        key_delay: ACTIVATION_DELAY,
    };
    let (plan, _) = apply_catalog(&opened.store, &catalog, options).await?;
    print(&plan, arguments.dry_run)?;
    match plan.refusal {
        Some(refusal) => Err(refusal).context("this would be refused"),
        None => Ok(()),
    }
}

fn read(arguments: &Arguments, opened: &Opened) -> anyhow::Result<Catalog> {
    let environment = |name: &str| std::env::var(name).ok();
    let options = if opened.is_dev {
        CatalogOptions::dev(&environment)
    } else {
        CatalogOptions::strict(&environment)
    };
    Ok(Catalog::read(&arguments.file, &options)?)
}

fn print(plan: &Plan, dry_run: bool) -> io::Result<()> {
    for step in &plan.steps {
        let members = if step.members.is_empty() {
            String::new()
        } else {
            format!(" ({})", step.members.join(", "))
        };
        let hint = match step.action {
            Action::Kept => " (not in the catalog; --prune removes it)",
            _ => "",
        };
        say!(
            "{:<9} {} {}{members}{hint}",
            step.action.as_str(),
            step.subject,
            step.name
        )?;
    }
    for warning in &plan.warnings {
        eprintln!("warning: {warning}");
    }
    let counts = [Action::Created, Action::Changed, Action::Removed].map(|it| plan.count(it));
    let done = match (counts, dry_run) {
        ([0, 0, 0], _) => "nothing to do",
        (_, true) => "would be done",
        (_, false) => "done",
    };
    let [created, changed, removed] = counts;
    let (unchanged, kept) = (plan.count(Action::Unchanged), plan.count(Action::Kept));
    say!(
        "{done}: {created} created, {changed} changed, {removed} removed, {unchanged} unchanged, {kept} kept"
    )
}
