//! `grantd issuer show`: an issuer, what holds where its catalog states nothing, and who relies on it.

use clap::Args;
use serde_json::{Value, json};

use super::found::{found, keys};
use crate::cli::listed::beside;
use crate::cli::output::{Output, print_rows, say};
use crate::cli::target::{Opened, Where};
use crate::config::catalog::write::members;
use crate::domain::credential::Credential;
use crate::domain::identifier::{ClientId, IssuerId};
use crate::domain::policy::Policy;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::TrustedIssuer;

/// So many identities, and so many policies, are listed; the others are counted.
const MOST: usize = 50;

#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    /// Its id
    issuer: String,
    #[command(flatten)]
    at: Where,
}

/// Who relies on an issuer.
struct Reliance {
    identities: Part,
    policies: Part,
}

/// The first of what there is.
struct Part {
    columns: [Column; 4],
    number: usize,
    listed: Vec<Value>,
}

/// The name of a member, and what stands above it in a table.
type Column = (&'static str, &'static str);

const OF_IDENTITIES: [Column; 4] = [
    ("client", "identity of"),
    ("credential", "credential"),
    ("state", "state"),
    ("subject", "subject"),
];
const OF_POLICIES: [Column; 4] = [
    ("client", "policy of"),
    ("audience", "audience"),
    ("use", "use"),
    ("enabled", "enabled"),
];

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let issuer = &found(&opened, &arguments.issuer).await?;
    let reliance = Reliance::on(&opened, issuer).await?;
    let in_force = json!({
        "keys": keys(issuer),
        "audience": issuer.audience.as_ref().or(opened.issuer.as_ref()),
        "algorithms": opened.profile.algorithms_of(issuer).collect::<Vec<_>>(),
        "max_lifetime": issuer.longest_lifetime(),
        "jti": issuer.jti_use(),
    });
    if arguments.at.output() == Output::Json {
        let more = json!({
            "in_force": in_force,
            "identities": reliance.identities.listed,
            "identity_count": reliance.identities.number,
            "policies": reliance.policies.listed,
            "policy_count": reliance.policies.number,
        });
        return Ok(say!("{:#}", beside(json!(issuer), more))?);
    }
    print(issuer, &in_force)?;
    if reliance.identities.number + reliance.policies.number == 0 {
        say!("\nnobody relies on it: no client has an identity of it, and no policy names it")?;
    }
    reliance.identities.print()?;
    reliance.policies.print()
}

fn print(issuer: &TrustedIssuer, in_force: &Value) -> anyhow::Result<()> {
    let mut stated = members(issuer);
    for (name, value) in in_force.as_object().into_iter().flatten() {
        stated.insert(name.clone(), value.clone());
    }
    if issuer.ca.is_some() {
        stated.insert("ca".to_owned(), json!("its own, in the catalog"));
    }
    let rows = stated
        .into_iter()
        .map(|(name, value)| vec![json!(name), value]);
    let rows: Vec<Vec<Value>> = rows.collect();
    Ok(print_rows(Output::Table, &["issuer", ""], &rows)?)
}

impl Reliance {
    async fn on(opened: &Opened, issuer: &TrustedIssuer) -> anyhow::Result<Self> {
        let (store, now) = (&opened.store, opened.now().await?);
        let most = i64::try_from(MOST)?;
        let identities = store.identities_after(&issuer.id, None, most).await?;
        let number = store.count_identities(&issuer.id).await?;
        let policies = store.policies_from(&issuer.id).await?;
        Ok(Self {
            identities: Part {
                columns: OF_IDENTITIES,
                number: usize::try_from(number)?,
                listed: identities.iter().map(|it| identity(it, now)).collect(),
            },
            policies: Part {
                columns: OF_POLICIES,
                number: policies.len(),
                listed: policies
                    .iter()
                    .take(MOST)
                    .map(|it| policy(it, &issuer.id))
                    .collect(),
            },
        })
    }
}

fn identity((client, credential): &(ClientId, Credential), now: Timestamp) -> Value {
    let subject = credential.material.identity().map(|it| &it.subject);
    json!({
        "client": client,
        "credential": credential.id,
        "state": credential.state(now),
        "subject": subject.map(ToString::to_string),
    })
}

fn policy((client, policy): &(ClientId, Policy), issuer: &IssuerId) -> Value {
    json!({
        "client": client,
        "audience": policy.audience,
        "use": policy.uses_of(issuer),
        "enabled": policy.enabled,
    })
}

impl Part {
    fn print(&self) -> anyhow::Result<()> {
        if self.listed.is_empty() {
            return Ok(());
        }
        let row = |it: &Value| {
            let cells = self.columns.iter();
            let cells = cells.map(|(name, _)| it.get(*name).cloned().unwrap_or_default());
            cells.collect()
        };
        let rows: Vec<Vec<Value>> = self.listed.iter().map(row).collect();
        say!("")?;
        print_rows(Output::Table, &self.columns.map(|(_, title)| title), &rows)?;
        match self.number.saturating_sub(self.listed.len()) {
            0 => Ok(()),
            more => Ok(say!("and {more} more")?),
        }
    }
}
