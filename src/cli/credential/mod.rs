//! `grantd credential`: its commands.

mod list;
mod retire;

pub(super) use list::print;

use clap::Subcommand;

use super::add_credential::{self, AddCertificate, AddKey, AddSecret, AddSubject};
use crate::crypto::client_key;
use crate::domain::credential::{Credential, CredentialMaterial};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a secret for a client, and print it this once
    AddSecret(AddSecret),
    /// Register public keys of a client: a JWK, a JWK set, or PEM
    AddKey(AddKey),
    /// Register a certificate of a client, whoever signed it (`self_signed_tls_client_auth`)
    AddCertificate(AddCertificate),
    /// Register the one subject of a client's certificates (`tls_client_auth`)
    AddSubject(AddSubject),
    /// List the credentials of a client, or those of all clients that expire, rest, or were never rotated
    List(list::List),
    /// Retire credentials: they are refused within a second, and their use is logged as an alert
    Retire(retire::Retire),
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::AddSecret(arguments) => add_credential::secret(arguments).await,
        Command::AddKey(arguments) => add_credential::key(arguments).await,
        Command::AddCertificate(arguments) => add_credential::certificate(arguments).await,
        Command::AddSubject(arguments) => add_credential::subject(arguments).await,
        Command::List(arguments) => list::run(arguments).await,
        Command::Retire(arguments) => retire::run(arguments).await,
    }
}

/// What tells a public credential from others of its kind: a key's `kid` or thumbprint, `x5t#S256`, the subject.
pub(super) fn name(credential: &Credential) -> Option<String> {
    match &credential.material {
        CredentialMaterial::Jwk(jwk) => Some(client_key::facts(jwk)?.name),
        other => other.public_value().map(str::to_owned),
    }
}
