//! Reads the command line, and suggests what was meant if it is wrong.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _, Error, FromArgMatches as _};

use super::{Cli, color};
use crate::domain::shown;

/// How other programs are asked for JSON.
const OTHERWISE: [&str; 4] = ["--json", "-j", "--format", "-o"];

/// The command line of the process; a wrong one ends it with status 2, a question for help with 0.
pub(super) fn parse() -> Cli {
    let arguments = spelled_out(std::env::args_os().collect());
    let choice = color::choose(&arguments);
    let matches = Cli::command()
        .color(choice)
        .try_get_matches_from(&arguments);
    matches
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches))
        .unwrap_or_else(|error| without_secrets(with_tip(error, &arguments)).exit())
}

/// `grantd help issuer` means `grantd issuer --help`, as with other programs.
fn spelled_out(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|word| word == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}

/// Hides a word that may be a secret: it stands in the wrong place, and what a command prints is kept by many a CI job.
fn without_secrets(mut error: Error) -> Error {
    for place in [
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ] {
        let Some(ContextValue::String(word)) = error.get(place) else {
            continue;
        };
        if shown::may_be_secret(word) && !word.starts_with('-') {
            let shown = shown::unknown_url(word);
            error.insert(place, ContextValue::String(shown));
        }
    }
    error
}

/// Names our own option where JSON was asked for in another way.
fn with_tip(mut error: Error, arguments: &[OsString]) -> Error {
    let found = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    let asks_for_json = error.kind() == ErrorKind::UnknownArgument
        && found.is_some_and(|found| OTHERWISE.contains(&found.as_str()));
    if asks_for_json {
        let tip = if has_output(&Cli::command(), arguments) {
            "JSON is printed with `--output json`"
        } else {
            "this command has no JSON form"
        };
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![tip.into()]),
        );
    }
    error
}

/// Whether the command that `arguments` name knows `--output`.
fn has_output(root: &Command, arguments: &[OsString]) -> bool {
    let named = arguments.iter().skip(1).fold(root, |command, word| {
        command.find_subcommand(word).unwrap_or(command)
    });
    named
        .get_arguments()
        .any(|argument| argument.get_long() == Some("output"))
}
