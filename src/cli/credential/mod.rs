//! `grantd credential`: its commands.

mod add;
mod list;
mod retire;

pub(super) use list::print;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a secret for a client, and print it this once
    AddSecret(add::AddSecret),
    /// Register public keys of a client: a JWK, a JWK set, or PEM
    AddKey(add::AddKey),
    /// Register a certificate of a client, whoever signed it (`self_signed_tls_client_auth`)
    AddCertificate(add::AddCertificate),
    /// Register the one subject of a client's certificates (`tls_client_auth`)
    AddSubject(add::AddSubject),
    /// List the credentials of a client, or those of all clients that expire, are unused, or were never rotated
    List(list::List),
    /// Retire credentials: they are refused within a second, and their use is logged as an alert
    Retire(retire::Retire),
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::AddSecret(arguments) => add::secret(arguments).await,
        Command::AddKey(arguments) => add::key(arguments).await,
        Command::AddCertificate(arguments) => add::certificate(arguments).await,
        Command::AddSubject(arguments) => add::subject(arguments).await,
        Command::List(arguments) => list::run(arguments).await,
        Command::Retire(arguments) => retire::run(arguments).await,
    }
}
