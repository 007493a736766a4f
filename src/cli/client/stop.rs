//! `grantd client disable`, `enable`, `delete` and `revoke-tokens`.

use clap::Args;
use serde_json::json;

use crate::cli::by::{By, ByWithReason};
use crate::cli::changing::{is_changed, options};
use crate::cli::confirm::Confirmation;
use crate::cli::listed;
use crate::cli::named::{self, client_id};
use crate::cli::output::{Output, counted, say};
use crate::cli::target::{Opened, Where};
use crate::operations::change_client::{
    delete_client, disable_client, enable_client, revoke_tokens_of_client,
};

#[derive(Args, Debug)]
pub(in crate::cli) struct Disable {
    /// The client's id
    client: String,
    #[command(flatten)]
    by: ByWithReason,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Enable {
    /// The client's id
    client: String,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Delete {
    /// The client's id
    client: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    by: ByWithReason,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RevokeTokens {
    /// The client's id
    client: String,
    #[command(flatten)]
    by: ByWithReason,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn disable(arguments: &Disable) -> anyhow::Result<()> {
    let (opened, id) = (
        arguments.at.target.open().await?,
        client_id(&arguments.client)?,
    );
    let actor = arguments.by.actor();
    let plan = disable_client(&opened.store, &id, options(&opened, &actor)).await?;
    let told = if is_changed(&plan) {
        format!(
            "client {id} is disabled: it gets no tokens, and those it has are inactive at introspection within a second"
        )
    } else {
        format!("client {id} was disabled already")
    };
    tell(&opened, &arguments.client, (&arguments.at, told)).await
}

pub(super) async fn enable(arguments: &Enable) -> anyhow::Result<()> {
    let (opened, id) = (
        arguments.at.target.open().await?,
        client_id(&arguments.client)?,
    );
    let actor = arguments.by.actor();
    let plan = enable_client(&opened.store, &id, options(&opened, &actor)).await?;
    let told = if is_changed(&plan) {
        format!("client {id} is enabled: it may get new tokens, and its old ones stay inactive")
    } else {
        format!("client {id} was enabled already")
    };
    tell(&opened, &arguments.client, (&arguments.at, told)).await
}

pub(super) async fn revoke_tokens(arguments: &RevokeTokens) -> anyhow::Result<()> {
    let (opened, id) = (
        arguments.at.target.open().await?,
        client_id(&arguments.client)?,
    );
    let actor = arguments.by.actor();
    revoke_tokens_of_client(&opened.store, &id, options(&opened, &actor)).await?;
    let told = format!(
        "all tokens of {id} are inactive at introspection within a second; it may get new ones"
    );
    tell(&opened, &arguments.client, (&arguments.at, told)).await
}

pub(super) async fn delete(arguments: &Delete) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let known = named::client(&opened.store, &arguments.client).await?;
    let id = &known.client.id;
    arguments.confirmation.ask(&format!(
        "This deletes client {id} with {} and {}.",
        counted(known.credentials.len(), "credential"),
        match known.policies.len() {
            1 => "1 policy".to_owned(),
            number => format!("{number} policies"),
        },
    ))?;
    let actor = arguments.by.actor();
    let plan = delete_client(&opened.store, id, options(&opened, &actor)).await?;
    is_changed(&plan);
    if arguments.at.output() == Output::Json {
        return Ok(say!("{:#}", json!({ "id": id, "status": "deleted" }))?);
    }
    say!("client {id} is deleted; its tokens are inactive at introspection within a second")?;
    Ok(())
}

/// The sentence, or the client as it is now.
async fn tell(opened: &Opened, client: &str, (at, told): (&Where, String)) -> anyhow::Result<()> {
    if at.output() == Output::Table {
        return Ok(say!("{told}")?);
    }
    let known = named::client(&opened.store, client).await?;
    let about = listed::About::of(&opened.store, &known).await?;
    Ok(say!(
        "{:#}",
        listed::client(&known, &about, opened.now().await?)
    )?)
}
