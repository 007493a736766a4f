//! `grantd audience create`, `list`, `show` and `delete`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::by::{By, ByWithReason};
use super::changing::{is_changed, options};
use super::confirm::Confirmation;
use super::named::{self, audience_id, client_id};
use super::output::{Output, print_rows, say};
use super::policy;
use super::target::Where;
use crate::config::catalog::write::members;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::{Audience, JwtTyp, SenderConstraint, TokenFormat};
use crate::domain::scope::Scope;
use crate::domain::timestamp::Seconds;
use crate::operations::change_audience::{create_audience, delete_audience};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an audience: an API that clients may get tokens for
    Create(Create),
    /// List all audiences
    List(List),
    /// Show one audience, and who may call it
    Show(Show),
    /// Delete an audience and every policy for it; their tokens are inactive within a second
    Delete(Delete),
}

/// Examples for `--help`.
const EXAMPLES: &str = "Examples:
  grantd audience create stock-api --scope stock:read --scope stock:write --served-by stock-api";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Create {
    /// Its id, the `aud` of its tokens: a name, or an absolute URI
    audience: String,
    /// A scope that it has; repeat it for several
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = Scope::parse)]
    scopes: Vec<Scope>,
    /// How long its tokens live; 5m if omitted
    #[arg(long, value_name = "DURATION")]
    token_lifetime: Option<Seconds>,
    /// The most that a policy may give; 15m if omitted
    #[arg(long, value_name = "DURATION")]
    max_token_lifetime: Option<Seconds>,
    /// What its tokens are; jwt if omitted
    #[arg(long, value_parser = one_of(TokenFormat::ALL.iter().map(|it| it.as_str())))]
    format: Option<String>,
    /// What signs its tokens; ES256 if omitted
    #[arg(long, value_parser = one_of(SigningAlgorithm::ALL.iter().map(|it| it.as_str())))]
    algorithm: Option<String>,
    /// The `typ` of its tokens; at+jwt if omitted
    #[arg(long, value_name = "TYP", value_parser = one_of(JwtTyp::ALL.iter().map(|it| it.as_str())))]
    jwt_typ: Option<String>,
    /// What its tokens must be bound to; none if omitted
    #[arg(long, value_name = "WHAT", value_parser = one_of(SenderConstraint::ALL.iter().map(|it| it.as_str())))]
    sender_constraint: Option<String>,
    /// A client that may introspect its tokens; repeat it for several
    #[arg(long, value_name = "CLIENT")]
    served_by: Vec<String>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    at: Where,
}

fn one_of(texts: impl Iterator<Item = &'static str>) -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(texts.collect::<Vec<_>>())
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(super) struct Show {
    /// The audience
    audience: String,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(super) struct Delete {
    /// The audience
    audience: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    by: ByWithReason,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Create(arguments) => create(arguments).await,
        Command::List(arguments) => list(arguments).await,
        Command::Show(arguments) => show(arguments).await,
        Command::Delete(arguments) => delete(arguments).await,
    }
}

impl Create {
    /// As an `[[audience]]` of a catalog that states the same.
    fn audience(&self) -> anyhow::Result<Audience> {
        let mut shape = Map::new();
        let mut state = |key: &str, value: Value| {
            if !value.is_null() {
                shape.insert(key.to_owned(), value);
            }
        };
        state("id", json!(audience_id(&self.audience)?));
        state("scopes", json!(self.scopes));
        state("token_lifetime", json!(self.token_lifetime));
        state("max_token_lifetime", json!(self.max_token_lifetime));
        state("format", json!(self.format));
        state("algorithm", json!(self.algorithm));
        state("jwt_typ", json!(self.jwt_typ));
        state("sender_constraint", json!(self.sender_constraint));
        let servers = self.served_by.iter().map(|id| client_id(id));
        state(
            "served_by",
            json!(servers.collect::<anyhow::Result<Vec<_>>>()?),
        );
        let audience: Audience = serde_json::from_value(Value::Object(shape))?;
        match audience.fault() {
            Some(fault) => Err(fault.into()),
            None => Ok(audience),
        }
    }
}

async fn create(arguments: &Create) -> anyhow::Result<()> {
    let audience = arguments.audience()?;
    let opened = arguments.at.target.open().await?;
    let actor = arguments.by.actor();
    let plan = create_audience(&opened.store, audience.clone(), options(&opened, &actor)).await?;
    is_changed(&plan);
    if arguments.at.output() == Output::Json {
        return Ok(say!("{:#}", json!(audience))?);
    }
    let id = &audience.id;
    Ok(say!(
        "audience {id} is created; allow clients to get tokens for it: grantd policy allow CLIENT {id}"
    )?)
}

async fn list(arguments: &List) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let all = opened.store.all_audiences().await?;
    if arguments.at.output() == Output::Json {
        return Ok(say!("{:#}", json!(all))?);
    }
    let row = |it: &Audience| {
        let scopes: Vec<&Scope> = it.scopes.keys().collect();
        vec![
            json!(it.id),
            json!(scopes),
            json!(it.token_lifetime),
            json!(it.format),
            json!(it.algorithm),
            json!(it.sender_constraint),
            json!(it.served_by),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let columns = [
        "id",
        "scopes",
        "tokens live",
        "format",
        "algorithm",
        "sender constraint",
        "served by",
    ];
    Ok(print_rows(arguments.at.output(), &columns, &rows)?)
}

async fn show(arguments: &Show) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let id = audience_id(&arguments.audience)?;
    let audience = named::audience(&opened.store, &id).await?;
    if arguments.at.output() == Output::Json {
        return Ok(say!("{:#}", json!(audience))?);
    }
    let rows: Vec<Vec<Value>> = members(&audience)
        .into_iter()
        .map(|(name, value)| vec![json!(name), value])
        .collect();
    print_rows(Output::Table, &["audience", ""], &rows)?;
    say!("")?;
    let policies = policy::at_audience(&opened, &id).await?;
    if policies.is_empty() {
        return Ok(say!("no policies: nobody gets tokens for it")?);
    }
    Ok(policy::print(&policies, Output::Table)?)
}

async fn delete(arguments: &Delete) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let id = audience_id(&arguments.audience)?;
    named::audience(&opened.store, &id).await?;
    let callers = opened.store.policies_at(&id).await?.len();
    let callers = match callers {
        1 => "1 client".to_owned(),
        number => format!("{number} clients"),
    };
    let question = format!("This deletes audience {id} and the policies of {callers} for it.");
    arguments.confirmation.ask(&question)?;
    let actor = arguments.by.actor();
    let plan = delete_audience(&opened.store, &id, options(&opened, &actor)).await?;
    is_changed(&plan);
    if arguments.at.output() == Output::Json {
        return Ok(say!("{:#}", json!({ "id": id, "status": "deleted" }))?);
    }
    Ok(say!(
        "audience {id} is deleted; tokens for it are inactive at introspection within a second"
    )?)
}
