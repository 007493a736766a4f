//! `grantd client create`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::{Map, Value, json};

use crate::cli::by::By;
use crate::cli::changing::{is_changed, options};
use crate::cli::listed;
use crate::cli::named::{self, client_id};
use crate::cli::output::{Output, say};
use crate::cli::target::Where;
use crate::config::catalog::CatalogClient;
use crate::config::catalog::public_material::label;
use crate::domain::client::{AuthMethod, Client, GrantType};
use crate::operations::change_client::create_client;

/// Examples for `--help`.
const EXAMPLES: &str = "Examples:
  grantd client create reports --owner team-reports --config grantd.toml
  grantd client create billing --auth private_key_jwt --environment prod --config grantd.toml";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Create {
    /// The client's id: 1 to 255 printable ASCII characters
    client: String,
    /// A name for people
    #[arg(long, value_parser = label)]
    name: Option<String>,
    /// Who answers for it
    #[arg(long, value_parser = label)]
    owner: Option<String>,
    /// The environment it runs in; the claim `env` of its tokens
    #[arg(long, value_parser = label)]
    environment: Option<String>,
    /// The tenant it works for; the claim `tenant` of its tokens
    #[arg(long, value_parser = label)]
    tenant: Option<String>,
    /// How it may authenticate; repeat it for several ways. `client_secret_basic` if omitted
    #[arg(long, value_name = "METHOD", value_parser = methods())]
    auth: Vec<AuthMethod>,
    /// A grant that it may use; repeat it for several. `client_credentials` if omitted
    #[arg(long = "grant", value_name = "GRANT", value_parser = grants(), conflicts_with = "no_grants")]
    grants: Vec<GrantType>,
    /// It gets no tokens: it is an API that only introspects those that it receives
    #[arg(long)]
    no_grants: bool,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    at: Where,
}

fn methods() -> impl clap::builder::TypedValueParser<Value = AuthMethod> {
    among(AuthMethod::REGISTRABLE)
}

/// A method of authentication that is one of `known`.
pub(in crate::cli) fn among(
    known: &'static [AuthMethod],
) -> impl clap::builder::TypedValueParser<Value = AuthMethod> {
    PossibleValuesParser::new(known.iter().map(|it| it.as_str()))
        .try_map(|text| AuthMethod::from_text(&text).ok_or("no such method"))
}

pub(in crate::cli) fn grants() -> impl clap::builder::TypedValueParser<Value = GrantType> {
    let names = GrantType::ALL.iter().map(|it| it.as_str());
    PossibleValuesParser::new(names)
        .try_map(|text| GrantType::from_text(&text).ok_or("no such grant"))
}

impl Create {
    /// As a `[[client]]` of a catalog that states the same.
    fn client(&self) -> anyhow::Result<CatalogClient> {
        let mut shape = Map::new();
        shape.insert("id".to_owned(), json!(client_id(&self.client)?));
        let texts = [
            ("name", &self.name),
            ("owner", &self.owner),
            ("environment", &self.environment),
            ("tenant", &self.tenant),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(key, it)| Some((key.to_owned(), json!(it.as_ref()?))));
        shape.extend(texts);
        if !self.auth.is_empty() {
            shape.insert("auth".to_owned(), json!(self.auth));
        }
        if self.no_grants || !self.grants.is_empty() {
            shape.insert("grants".to_owned(), json!(self.grants));
        }
        let client: Client = serde_json::from_value(Value::Object(shape))?;
        Ok(CatalogClient::bare(client))
    }
}

pub(super) async fn run(arguments: &Create) -> anyhow::Result<()> {
    let client = arguments.client()?;
    let opened = arguments.at.target.open().await?;
    let actor = arguments.by.actor();
    let plan = create_client(&opened.store, client, options(&opened, &actor)).await?;
    is_changed(&plan);
    if arguments.at.output() == Output::Json {
        let known = named::client(&opened.store, &arguments.client).await?;
        let about = listed::About::of(&opened.store, &known).await?;
        return Ok(say!(
            "{:#}",
            listed::client(&known, &about, opened.now().await?)
        )?);
    }
    let id = &arguments.client;
    say!(
        "client {id} is created; give it a credential (grantd credential add-…) and a policy (grantd policy allow)"
    )?;
    Ok(())
}
