//! `grantd key`: the keys that sign tokens.

use std::io;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::by::{By, ByWithReason};
use super::confirm::Confirmation;
use super::output::{Output, counted, print_rows, say};
use super::target::{Opened, Where};
use crate::config::settings::{Feed, Keys, Tokens};
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::lineup::TakeOver;
use crate::domain::signing_key::periods::KeyPeriods;
use crate::domain::timestamp::Timestamp;
use crate::operations::actor::Actor;
use crate::operations::make_signing_keys::MakeKeyError;
use crate::operations::rotate_keys::{
    KeyRotation, ListedKey, Resealed, Turn, key_document, list_keys,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List all signing keys with their states and times
    List(List),
    /// Let the next key take over as soon as every verifier knows it
    Rotate(Rotate),
    /// Retire a key; the next one takes over
    Retire(Retire),
    /// Reseal all private keys with the first sealing key
    Reseal(Reseal),
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(super) struct Rotate {
    /// Only the key of this algorithm, for example ES256
    #[arg(long, value_name = "ALG")]
    algorithm: Option<SigningAlgorithm>,
    /// In two seconds, even if some verifiers do not know the next key yet
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    by: ByWithReason,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(super) struct Retire {
    /// The key's id, as `grantd key list` shows it
    kid: String,
    /// It has leaked: end it and all tokens that it signed, at once
    #[arg(long)]
    compromised: bool,
    #[command(flatten)]
    by: ByWithReason,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(super) struct Reseal {
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::List(arguments) => list(arguments).await,
        Command::Rotate(arguments) => rotate(arguments).await,
        Command::Retire(arguments) => retire(arguments).await,
        Command::Reseal(arguments) => reseal(arguments).await,
    }
}

/// What the settings say, or their defaults where only a URL is given.
fn periods(opened: &Opened) -> KeyPeriods {
    let defaults = || Keys::default().periods(&Feed::default(), &Tokens::default());
    opened.key_periods.unwrap_or_else(defaults)
}

fn rotation<'a>(opened: &'a Opened, by: &'a Actor) -> anyhow::Result<KeyRotation<'a>> {
    Ok(KeyRotation {
        store: &opened.store,
        sealing: opened.sealing.as_ref().ok_or(MakeKeyError::NoSealingKey)?,
        periods: periods(opened),
        by,
    })
}

async fn list(arguments: &List) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let keys = list_keys(&opened.store, opened.key_periods.as_ref()).await?;
    print_keys(&keys, arguments.at.output())?;
    Ok(())
}

fn print_keys(keys: &[ListedKey], output: Output) -> io::Result<()> {
    if output == Output::Json {
        let listed = keys.iter().map(|key| {
            let mut members = key_document(&key.kid, &key.life);
            members.insert("algorithm".to_owned(), json!(key.algorithm));
            members.insert("state".to_owned(), json!(key.state));
            members.insert("sealed_with".to_owned(), json!(key.sealed_with));
            Value::Object(members)
        });
        return say!("{:#}", Value::Array(listed.collect()));
    }
    let columns = [
        "kid",
        "algorithm",
        "state",
        "announced",
        "activates",
        "retires",
        "expires",
        "compromised",
        "sealed with",
    ];
    let row = |key: &ListedKey| {
        vec![
            json!(key.kid),
            json!(key.algorithm),
            json!(key.state),
            json!(key.life.announced_at),
            json!(key.life.activates_at),
            json!(key.life.retires_at),
            json!(key.life.expires_at),
            json!(key.life.compromised_at),
            json!(key.sealed_with),
        ]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    print_rows(output, &columns, &rows)
}

async fn rotate(arguments: &Rotate) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let actor = arguments.by.actor();
    let rotation = rotation(&opened, &actor)?;
    let when = if arguments.now {
        arguments.confirmation.ask(&now_means(&rotation.periods))?;
        TakeOver::Now
    } else {
        TakeOver::WhenKnown
    };
    let turns = rotation.rotate(arguments.algorithm, when).await?;
    print_turns(&turns, arguments.at.output())
}

fn now_means(periods: &KeyPeriods) -> String {
    format!(
        "The next key signs in two seconds, on every server. A verifier that cached the JWKS before that key was \
         announced, and that does not fetch it again for an unknown kid, refuses the new tokens until its cache is \
         older than jwks_max_age ({}). Without --now the next key waits until every verifier knows it.",
        periods.jwks_max_age
    )
}

async fn retire(arguments: &Retire) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let actor = arguments.by.actor();
    let rotation = rotation(&opened, &actor)?;
    let kid = &arguments.kid;
    arguments.confirmation.ask(&if arguments.compromised {
        format!(
            "The key {kid} leaves the JWKS, and every token that it signed is inactive at introspection, within a second. \
             The next key signs at once. A verifier that caches the JWKS accepts tokens of the leaked key until its \
             cache is older than jwks_max_age ({}): clear its cache or restart it.",
            rotation.periods.jwks_max_age
        )
    } else {
        format!(
            "The key {kid} signs nothing more once the next one takes over, for good. Its tokens stay valid until they \
             expire; if it leaked, add --compromised."
        )
    })?;
    let turn = rotation.retire(kid, arguments.compromised).await?;
    print_turns(&[turn], arguments.at.output())
}

fn print_turns(turns: &[Turn], output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        let turns = turns.iter().map(Turn::document);
        say!("{:#}", Value::Array(turns.collect()))?;
        return Ok(());
    }
    for turn in turns {
        say!("{}", sentence(turn))?;
    }
    Ok(())
}

fn sentence(turn: &Turn) -> String {
    let instant = |at: Option<Timestamp>| match at {
        Some(at) if at <= turn.now => "now".to_owned(),
        Some(at) => at.to_string(),
        None => "further notice".to_owned(),
    };
    let mut parts = vec![format!("{}:", turn.algorithm)];
    if let Some((kid, life)) = &turn.current {
        parts.push(match life.activates_at {
            Some(at) if at > turn.now => format!("{kid} signs from {at} on;"),
            _ => format!("{kid} signs;"),
        });
    }
    if let Some((kid, life)) = &turn.ended {
        parts.push(if life.compromised_at.is_some() {
            format!("{kid} and its tokens are dead;")
        } else if life.activates_at.is_none() {
            format!("{kid} never signed, and has left the JWKS;")
        } else {
            let (end, leave) = (instant(life.retires_at), instant(life.expires_at));
            format!(
                "{kid} signs until {end} and leaves the JWKS {};",
                until(&leave)
            )
        });
    }
    if let Some((kid, _)) = &turn.next {
        parts.push(format!("{kid} is announced as the next"));
    }
    parts.join(" ").trim_end_matches(';').to_owned()
}

/// `now`, or `at` an instant.
fn until(instant: &str) -> String {
    if instant == "now" {
        instant.to_owned()
    } else {
        format!("at {instant}")
    }
}

async fn reseal(arguments: &Reseal) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let actor = arguments.by.actor();
    let resealed = rotation(&opened, &actor)?
        .reseal()
        .await
        .context("no key was resealed")?;
    let Resealed {
        sealed,
        unchanged,
        left,
        key_id,
    } = &resealed;
    if arguments.at.output() == Output::Json {
        let document = json!({
            "sealed_with": key_id, "resealed": sealed, "unchanged": unchanged, "left": left,
        });
        say!("{document:#}")?;
        return Ok(());
    }
    say!(
        "{} resealed with {key_id}, {unchanged} unchanged",
        counted(sealed.len(), "signing key")
    )?;
    if !left.is_empty() {
        say!(
            "left unchanged, because no sealing key opens them and their time is over: {}",
            left.join(" ")
        )?;
    }
    if !sealed.is_empty() {
        say!(
            "once every server has {key_id} as its key_file, the old sealing key can go from old_key_files"
        )?;
    }
    Ok(())
}
