//! `grantd policy allow`, `deny` and `list`: what a client may get at an API, and who may call it.

use std::io;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::by::{By, ByWithReason};
use super::changing::{is_changed, options};
use super::client::grants;
use super::exchange_arguments::{ExchangeArguments, sorted};
use super::listed::{About, beside};
use super::named::{self, audience_id, client_id};
use super::output::{Output, print_rows, say};
use super::target::{Opened, Where};
use crate::domain::client::{Client, GrantType};
use crate::domain::glob::Glob;
use crate::domain::identifier::{AudienceId, IssuerId};
use crate::domain::policy::Policy;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::timestamp::Seconds;
use crate::operations::change_policy::{Allowed, allow_policy, deny_policy};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Allow a client scopes at an audience, beside those that it has
    Allow(Allow),
    /// Deny a client an audience, or scopes of it; the tokens that it got are inactive within a second
    Deny(Deny),
    /// List policies: those of a client, or who may call an API
    List(List),
}

/// Examples for `--help`.
const EXAMPLES: &str = "Examples:
  grantd policy allow reports stock-api --scope stock:read --default-scope stock:read
  grantd policy allow orders-api stock-api --scope stock:read --exchange-from orders-api --exchange-lifetime 2m
  grantd policy deny reports stock-api --reason 'no longer needed'";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Allow {
    /// The client's id
    client: String,
    /// The audience
    audience: String,
    /// A scope of the audience; repeat it for several. If omitted, all that the audience has now
    #[arg(long = "scope", value_name = "SCOPE", value_parser = Scope::parse)]
    scopes: Vec<Scope>,
    /// One of these scopes, granted if a request names none; repeat it for several
    #[arg(long = "default-scope", value_name = "SCOPE", value_parser = Scope::parse)]
    default_scopes: Vec<Scope>,
    /// A grant that the policy holds for; repeat it for several. If omitted, each
    #[arg(long = "grant", value_name = "GRANT", value_parser = grants())]
    grants: Vec<GrantType>,
    #[command(flatten)]
    exchange: ExchangeArguments,
    /// A trusted issuer whose tokens are grants (jwt-bearer), in place of the one that was named before
    #[arg(long, value_name = "ISSUER", value_parser = IssuerId::parse)]
    issuer: Option<IssuerId>,
    /// Of whom these tokens may speak: a pattern of their `sub`; repeat it for several. If omitted, of anybody
    #[arg(long = "subject", value_name = "PATTERN", value_parser = Glob::parse, requires = "issuer")]
    of_issuer: Vec<Glob>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(super) struct Deny {
    /// The client's id
    client: String,
    /// The audience
    audience: String,
    /// A scope; repeat it for several. If omitted, the whole policy
    #[arg(long = "scope", value_name = "SCOPE", value_parser = Scope::parse)]
    scopes: Vec<Scope>,
    #[command(flatten)]
    by: ByWithReason,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(super) struct List {
    /// Those of one client
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Those for one audience
    #[arg(long, value_name = "ID")]
    audience: Option<String>,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Allow(arguments) => allow(arguments).await,
        Command::Deny(arguments) => deny(arguments).await,
        Command::List(arguments) => list(arguments).await,
    }
}

async fn allow(arguments: &Allow) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let allowed = Allowed {
        client: client_id(&arguments.client)?,
        audience: audience_id(&arguments.audience)?,
        scopes: arguments.scopes.iter().cloned().collect(),
        default_scopes: arguments.default_scopes.iter().cloned().collect(),
        grants: sorted(&arguments.grants),
        exchange: arguments.exchange.shape(),
        issuer: arguments.issuer.clone(),
        subjects: sorted(&arguments.of_issuer),
    };
    let actor = arguments.by.actor();
    let (plan, policy) = allow_policy(&opened.store, &allowed, options(&opened, &actor)).await?;
    is_changed(&plan);
    if policy.default_scopes.is_empty() {
        eprintln!("note: its requests must name their scopes, because there is no --default-scope");
    }
    if allowed.issuer.is_some() && policy.subjects.is_empty() {
        eprintln!(
            "note: tokens of this issuer are grants whoever they speak of, because there is no --subject"
        );
    }
    let Allowed {
        client, audience, ..
    } = &allowed;
    if arguments.at.output() == Output::Json {
        return Ok(say!(
            "{:#}",
            beside(json!(policy), json!({ "client": client }))
        )?);
    }
    Ok(say!("{client} may get at {audience}: {}", policy.scopes)?)
}

async fn deny(arguments: &Deny) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let pair = (
        &client_id(&arguments.client)?,
        &audience_id(&arguments.audience)?,
    );
    let scopes: ScopeSet = arguments.scopes.iter().cloned().collect();
    let actor = arguments.by.actor();
    let (plan, left) = deny_policy(&opened.store, pair, &scopes, options(&opened, &actor)).await?;
    is_changed(&plan);
    let (client, audience) = pair;
    if arguments.at.output() == Output::Json {
        let left = left.map_or_else(
            || json!({ "audience": audience, "scopes": [] }),
            |it| json!(it),
        );
        return Ok(say!("{:#}", beside(left, json!({ "client": client })))?);
    }
    let left = left.map_or_else(|| "nothing".to_owned(), |it| it.scopes.to_string());
    Ok(say!(
        "{client} may get at {audience}: {left}; the tokens that it got there are inactive at introspection within a second"
    )?)
}

/// A policy as it is listed.
pub(super) struct Row {
    client: Option<Value>,
    policy: Value,
    lifetime: Option<Seconds>,
}

impl Row {
    /// A policy with its client where several are listed, and with how long its tokens live.
    pub(super) fn of(client: Option<&Client>, policy: &Policy, lifetime: Option<Seconds>) -> Self {
        let client = client.map(|it| {
            json!({
                "client": it.id,
                "owner": it.owner,
                "environment": it.environment,
                "client_status": it.status,
            })
        });
        Self {
            client,
            policy: json!(policy),
            lifetime,
        }
    }

    fn members(&self) -> Value {
        let client = self.client.clone().unwrap_or_default();
        let lifetime = json!({ "tokens_live": self.lifetime });
        beside(beside(client, self.policy.clone()), lifetime)
    }
}

/// The columns of a listing: the first ones only where it is of several clients.
const OF_CLIENT: [&str; 4] = ["client", "owner", "environment", "client_status"];
const OF_POLICY: [&str; 12] = [
    "audience",
    "scopes",
    "default_scopes",
    "tokens_live",
    "networks",
    "methods",
    "grants",
    "exchange",
    "issuer",
    "subjects",
    "claims",
    "enabled",
];

pub(super) fn print(rows: &[Row], output: Output) -> io::Result<()> {
    let rows_of_members: Vec<Value> = rows.iter().map(Row::members).collect();
    if output == Output::Json {
        return say!("{:#}", Value::Array(rows_of_members));
    }
    let has_clients = rows.first().is_none_or(|row| row.client.is_some());
    let columns: Vec<&str> = OF_CLIENT
        .into_iter()
        .filter(|_| has_clients)
        .chain(OF_POLICY)
        .collect();
    let cells = |row: &Value| columns.iter().map(|column| row[column].clone()).collect();
    let cells: Vec<Vec<Value>> = rows_of_members.iter().map(cells).collect();
    let titles: Vec<String> = columns.iter().map(|it| it.replace('_', " ")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    print_rows(output, &titles, &cells)
}

async fn list(arguments: &List) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let audience = arguments.audience.as_deref().map(audience_id).transpose()?;
    let rows = match (&arguments.client, &audience) {
        (Some(client), audience) => of_client(&opened, client, audience.as_ref()).await?,
        (None, Some(audience)) => at_audience(&opened, audience).await?,
        (None, None) => all(&opened).await?,
    };
    Ok(print(&rows, arguments.at.output())?)
}

async fn of_client(
    opened: &Opened,
    client: &str,
    audience: Option<&AudienceId>,
) -> anyhow::Result<Vec<Row>> {
    let known = named::client(&opened.store, client).await?;
    let about = About::of(&opened.store, &known).await?;
    let is_meant = |it: &&Policy| audience.is_none_or(|audience| &it.audience == audience);
    let policies = known.policies.iter().filter(is_meant);
    Ok(policies
        .map(|it| Row::of(Some(&known.client), it, about.lifetime(it)))
        .collect())
}

/// Who may call an API.
pub(super) async fn at_audience(opened: &Opened, id: &AudienceId) -> anyhow::Result<Vec<Row>> {
    let audience = named::audience(&opened.store, id).await?;
    let policies = opened.store.policies_at(id).await?;
    let row = |(client, policy): &(Client, Policy)| {
        let lifetime = policy.token_lifetime.unwrap_or(audience.token_lifetime);
        Row::of(Some(client), policy, Some(lifetime))
    };
    Ok(policies.iter().map(row).collect())
}

async fn all(opened: &Opened) -> anyhow::Result<Vec<Row>> {
    let audiences = opened.store.all_audiences().await?;
    let mut rows = Vec::new();
    for known in opened.store.all_clients().await? {
        for policy in &known.policies {
            let found = audiences.binary_search_by(|it| it.id.cmp(&policy.audience));
            let of_audience = found.ok().and_then(|at| audiences.get(at));
            let lifetime = policy
                .token_lifetime
                .or(of_audience.map(|it| it.token_lifetime));
            rows.push(Row::of(Some(&known.client), policy, lifetime));
        }
    }
    Ok(rows)
}
