//! `grantd completions` and `grantd manual`: made from the same description as `--help`.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use super::Cli;
use super::output::{print, say};

#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Args, Debug)]
pub(super) struct Manual {
    /// Write one file per command here, such as grantd-client-list.1; otherwise print all pages
    directory: Option<PathBuf>,
}

pub(super) fn completions(arguments: &Completions) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "grantd", &mut script);
    print(format_args!("{}", String::from_utf8(script)?))?;
    Ok(())
}

pub(super) fn manual(arguments: &Manual) -> anyhow::Result<()> {
    let mut root = Cli::command();
    root.build();
    let mut pages = Vec::new();
    gather(&root, &mut pages)?;
    let Some(directory) = &arguments.directory else {
        for (_, page) in pages {
            print(format_args!("{page}"))?;
        }
        return Ok(());
    };
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;
    for (name, page) in &pages {
        let path = directory.join(format!("{name}.1"));
        fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    say!("{} pages in {}", pages.len(), directory.display())?;
    Ok(())
}

/// The page of `command` and those of all below it, each with its name, such as `grantd-client`.
fn gather(command: &Command, pages: &mut Vec<(String, String)>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    pages.push((name.to_owned(), page));
    command
        .get_subcommands()
        .try_for_each(|below| gather(below, pages))
}
