//! The command line, over the same operations as the server. Exit status: 0 done, 1 refused or failed, 2 wrong usage; 3
//! where `explain` knows nothing.

#![expect(clippy::print_stderr, reason = "printing is what a command line does")]

mod apply;
mod audience;
mod audit;
mod by;
mod changing;
mod check_config;
mod client;
mod color;
mod confirm;
mod credential;
mod data_directory;
mod dev;
mod dev_certificates;
mod dev_control;
mod dev_keys;
mod dev_public;
mod dev_screen;
mod dev_words;
mod error_text;
mod exchange_arguments;
mod explain;
mod export;
mod health;
mod issuer;
mod key;
mod listed;
mod listen_address;
mod manual;
mod migrate;
mod named;
mod output;
mod plan_screen;
mod policy;
mod replica;
mod serve;
mod sign_token;
mod standard_input;
mod target;
mod text;
mod token;
mod token_usage;
mod usage;
mod verify_api;

use std::io;
use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};

use crate::telemetry::last_words;
use error_text::told;

/// grantd: an OAuth 2.0 authorization server for machines.
#[derive(Debug, Parser)]
#[command(version, about, disable_help_subcommand = true)]
struct Cli {
    /// When to use colours: auto, always or never
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true,
        display_order = 900
    )]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an identity provider for a laptop or a CI job: embedded database, demo clients, one command
    Dev(dev::Arguments),
    /// Run a replica of the token issuer, configured by a file and by GRANTD_ variables
    Serve(serve::Arguments),
    /// Upgrade the database schema to this version
    Migrate(migrate::Arguments),
    /// Make the database match a catalog of audiences, clients and policies
    Apply(apply::Arguments),
    /// Print the database as a catalog, with hashes in place of secrets
    Export(export::Arguments),
    /// Check settings and catalogs without changing or contacting anything
    CheckConfig(check_config::Arguments),
    /// Ask a running server whether it is ready
    Health(health::Arguments),
    /// Make, list, show, disable and delete clients
    #[command(subcommand)]
    Client(client::Command),
    /// List, add and retire the secrets, keys and certificates of clients
    #[command(subcommand)]
    Credential(credential::Command),
    /// Make, list, show and delete audiences
    #[command(subcommand)]
    Audience(audience::Command),
    /// List, show and test the issuers whose tokens count here
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// Say what a client may get at an API, and who may call it
    #[command(subcommand)]
    Policy(policy::Command),
    /// List, rotate, retire and reseal the keys that sign tokens
    #[command(subcommand)]
    Key(key::Command),
    /// Inspect and revoke tokens; make client assertions and DPoP proofs
    #[command(subcommand)]
    Token(token::Command),
    /// Show who got how many tokens, what was refused, and which clients do not cache
    Usage(token_usage::Arguments),
    /// Show the audit log: who changed what, who was refused, and what needs a look
    Audit(audit::Arguments),
    /// Say why a request was refused, or would be, check by check
    Explain(explain::Arguments),
    /// Fire tokens with one flaw each at an API, and tell which it accepts
    VerifyApi(verify_api::Arguments),
    /// Print a completion script for your shell
    Completions(manual::Completions),
    /// Print the manual pages, or write them to a directory
    Manual(manual::Manual),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = usage::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("grantd: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(cli.command));
    // Whatever still runs in the background is of no use any more.
    runtime.shutdown_background();
    let (code, last) = match result {
        Ok(code) => (code, String::new()),
        Err(error) if is_reader_gone(&error) => (ExitCode::FAILURE, String::new()),
        Err(error) => (
            ExitCode::FAILURE,
            format!("{} {}\n", color::error("grantd:"), told(&error)),
        ),
    };
    // Behind what the log still has to write.
    last_words(&last);
    code
}

/// Whether only the pipe that we print to failed, because its reader (such as `head`) has seen enough.
fn is_reader_gone(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Dev(arguments) => dev::run(arguments).await?,
        Command::Serve(arguments) => serve::run(arguments).await?,
        Command::Migrate(arguments) => migrate::run(&arguments).await?,
        Command::Apply(arguments) => return apply::run(&arguments).await,
        Command::Export(arguments) => export::run(&arguments).await?,
        Command::CheckConfig(arguments) => check_config::run(&arguments)?,
        Command::Health(arguments) => return health::run(&arguments).await,
        Command::Client(command) => client::run(&command).await?,
        Command::Credential(command) => credential::run(&command).await?,
        Command::Key(command) => key::run(&command).await?,
        Command::Audience(command) => audience::run(&command).await?,
        Command::Issuer(command) => return issuer::run(&command).await,
        Command::Policy(command) => policy::run(&command).await?,
        Command::Token(command) => token::run(&command).await?,
        Command::Usage(arguments) => token_usage::run(&arguments).await?,
        Command::Audit(arguments) => audit::run(&arguments).await?,
        Command::Explain(arguments) => return explain::run(&arguments).await,
        Command::VerifyApi(arguments) => return Ok(verify_api::run(&arguments).await),
        Command::Completions(arguments) => manual::completions(&arguments)?,
        Command::Manual(arguments) => manual::manual(&arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}
