//! `grantd token inspect`: what an access token says, and whether it would be accepted.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::say;
use super::sign_token::{self, Assertion, Proof};
use super::target::{Opened, Target};
use crate::crypto::compact::CompactJws;
use crate::crypto::jws::Verifier;
use crate::crypto::public_jwk::PublicJwk;
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show header and claims of a token; with a database also whether signature, time and revocation hold
    Inspect(Inspect),
    /// Make a client assertion (`private_key_jwt`, RFC 7523) from a private key
    Assertion(Assertion),
    /// Make a DPoP proof (RFC 9449) from a private key
    Proof(Proof),
}

#[derive(Args, Debug)]
pub(super) struct Inspect {
    /// The token; without it standard input is read, so that no token stands in the shell's history
    token: Option<String>,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Inspect(arguments) => inspect(arguments).await,
        Command::Assertion(arguments) => sign_token::assertion(arguments),
        Command::Proof(arguments) => sign_token::proof(arguments),
    }
}

async fn inspect(arguments: &Inspect) -> anyhow::Result<()> {
    let text = match &arguments.token {
        Some(token) => token.clone(),
        None => from_standard_input()?,
    };
    let token = CompactJws::parse(text.trim()).context("this is no signed JWT")?;
    say!(
        "{:#}",
        json!({ "header": token.header(), "claims": token.claims() })
    )?;
    for name in ["iat", "exp"] {
        if let Some(at) = token.claims().get(name).and_then(Value::as_i64) {
            say!("{name}: {}", Timestamp::from_unix(at))?;
        }
    }
    if arguments.target.is_named() {
        return judge(&arguments.target.open().await?, &token).await;
    }
    say!("not checked: name a database (--data, --config, --database-url) to check the signature")?;
    Ok(())
}

fn from_standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut text)?;
    Ok(text)
}

async fn judge(opened: &Opened, token: &CompactJws) -> anyhow::Result<()> {
    let kid = token.kid().context("it names no key (kid)")?;
    let keys = opened.store.load_signing_keys().await?.value;
    let Some(key) = keys.iter().find(|key| key.kid == kid) else {
        bail!("its key {kid} is not one of this issuer's");
    };
    let verifier = Verifier::new(key.algorithm, &PublicJwk::parse(&key.public_jwk)?)?;
    if token.alg() != key.algorithm.as_str()
        || !verifier.verify(token.signing_input(), token.signature())
    {
        bail!("its signature is wrong");
    }
    say!("signature: right, by {kid}")?;
    let claim = |name: &str| token.claims().get(name);
    let issuer = claim("iss").and_then(Value::as_str).unwrap_or_default();
    if let Some(own) = opened.issuer.as_ref().filter(|own| *own != issuer) {
        bail!("its issuer is {issuer:?}, and the server is {own:?} now");
    }
    let expires_at = claim("exp").and_then(Value::as_i64).unwrap_or_default();
    if opened.now().await? >= Timestamp::from_unix(expires_at) {
        bail!("it has expired");
    }
    let jti = claim("jti")
        .and_then(Value::as_str)
        .context("it has no jti")?;
    if opened.store.is_revoked(jti).await? {
        bail!("it was revoked");
    }
    let client = claim("client_id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let known = super::client::find(&opened.store, client).await?;
    let issued_at = claim("iat").and_then(Value::as_i64).unwrap_or_default();
    if Timestamp::from_unix(issued_at) <= known.client.tokens_not_before {
        bail!("it was issued before all tokens of {client} were killed");
    }
    say!(
        "accepted: not expired, not revoked, client {client} is {}",
        known.client.status
    )?;
    Ok(())
}
