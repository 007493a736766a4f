//! `grantd token inspect`: what an access token says, and whether it would be accepted; `grantd token revoke`.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::by::ByWithReason;
use super::output::{Output, say};
use super::sign_token::{self, Assertion, Proof};
use super::target::{Opened, Target, Where};
use crate::crypto::compact::CompactJws;
use crate::crypto::opaque_token::OpaqueTokens;
use crate::domain::access_token::{AccessToken, OPAQUE_PREFIX, is_jti};
use crate::domain::timestamp::Timestamp;
use crate::operations::inspect_token::inspect_token;
use crate::operations::own_token::MadeBy;
use crate::operations::revoke_token::revoke_by_name;

/// A line on standard error: standard output has the token's JSON alone. If its reader has gone, nobody wants remarks.
macro_rules! remark {
    ($($text:tt)*) => {
        let _ = writeln!(std::io::stderr(), $($text)*);
    };
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show a token's header and claims; with a database, also check signature, times and revocation. An opaque token
    /// opens with the sealing key of its server alone
    Inspect(Inspect),
    /// Revoke tokens by their jti: they are inactive at introspection within a second
    Revoke(Revoke),
    /// Make a client assertion (`private_key_jwt`, RFC 7523) from a private key
    Assertion(Assertion),
    /// Make a DPoP proof (RFC 9449) from a private key
    Proof(Proof),
}

#[derive(Args, Debug)]
pub(super) struct Inspect {
    /// The token; read from standard input if omitted, which keeps it out of the shell history
    token: Option<String>,
    #[command(flatten)]
    target: Target,
}

#[derive(Args, Debug)]
pub(super) struct Revoke {
    /// The `jti` claim of each token
    #[arg(value_name = "JTI", required = true, value_parser = jti)]
    jtis: Vec<String>,
    #[command(flatten)]
    by: ByWithReason,
    #[command(flatten)]
    at: Where,
}

fn jti(text: &str) -> anyhow::Result<String> {
    if !is_jti(text) {
        bail!(
            "a jti of grantd is 10 characters, a dot and 22 characters; `grantd token inspect` shows that of a token"
        );
    }
    Ok(text.to_owned())
}

async fn revoke(arguments: &Revoke) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    revoke_by_name(&opened.store, &arguments.jtis, &arguments.by.actor()).await?;
    if arguments.at.output() == Output::Json {
        return Ok(say!("{:#}", json!({ "revoked": arguments.jtis }))?);
    }
    for jti in &arguments.jtis {
        say!("token {jti} is inactive at introspection within a second")?;
    }
    Ok(())
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Inspect(arguments) => inspect(arguments).await,
        Command::Revoke(arguments) => revoke(arguments).await,
        Command::Assertion(arguments) => sign_token::assertion(arguments),
        Command::Proof(arguments) => sign_token::proof(arguments),
    }
}

async fn inspect(arguments: &Inspect) -> anyhow::Result<()> {
    let text = match &arguments.token {
        Some(token) => token.clone(),
        None => from_standard_input()?,
    };
    let text = text.trim();
    if text.starts_with(OPAQUE_PREFIX) {
        return inspect_opaque(arguments, text).await;
    }
    let token = CompactJws::parse(text).context("this is not a signed JWT")?;
    say!(
        "{:#}",
        json!({ "header": token.header(), "claims": token.claims() })
    )?;
    for name in ["iat", "exp"] {
        if let Some(at) = token.claims().get(name).and_then(Value::as_i64) {
            remark_time(name, at);
        }
    }
    if arguments.target.is_named() {
        return judge(&arguments.target.open().await?, text, None).await;
    }
    remark!(
        "not checked: name a database (--data, --config, --database-url) to check the signature"
    );
    Ok(())
}

fn remark_time(name: &str, at: i64) {
    remark!("{name}: {}", Timestamp::from_unix(at));
}

async fn inspect_opaque(arguments: &Inspect, text: &str) -> anyhow::Result<()> {
    const NO_KEY: &str =
        "this token is opaque: name the server that sealed it (--data, --config) to open it";
    if !arguments.target.is_named() {
        bail!(NO_KEY);
    }
    let opened = arguments.target.open().await?;
    let (Some(sealing), Some(issuer)) = (&opened.sealing, &opened.issuer) else {
        bail!(NO_KEY);
    };
    let tokens = OpaqueTokens::new(issuer, sealing);
    if let Ok(held) = tokens.open(text) {
        let claims: AccessToken = serde_json::from_slice(&held.claims)
            .context("the server sealed this, but it is no access token")?;
        say!(
            "{:#}",
            json!({ "sealing_key": held.key_id, "claims": claims })
        )?;
        remark_time("iat", claims.iat);
        remark_time("exp", claims.exp);
    }
    judge(&opened, text, Some(&tokens)).await
}

pub(super) fn from_standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut text)?;
    Ok(text)
}

/// Says what introspection would answer, by the code that answers there.
async fn judge(opened: &Opened, text: &str, opaque: Option<&OpaqueTokens>) -> anyhow::Result<()> {
    let by = (opened.issuer.as_deref(), opaque);
    match inspect_token(&opened.store, text, by).await? {
        Ok(token) => {
            let made_by = match &token.made_by {
                MadeBy::Signature(kid) => format!("signature: right, by {kid}"),
                MadeBy::Seal(id) => format!("seal: right, by the sealing key {id}"),
            };
            remark!("{made_by}");
            remark!(
                "accepted: not expired, not revoked, client {} is active; the clients in served_by of {} are told that it is active",
                token.holder,
                token.audience
            );
            Ok(())
        }
        Err(fault) => {
            let finding = fault.explain();
            let remedy = finding
                .remedy
                .map(|it| format!("; {it}"))
                .unwrap_or_default();
            bail!(
                "inactive: expected {}, found {}{remedy}",
                finding.check.expected(),
                finding.found
            )
        }
    }
}
