//! `grantd issuer test`: the keys of an issuer as they are now, and what a token of it would come to.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::found::{found, keys};
use crate::cli::explain::screen;
use crate::cli::output::{Output, cell, counted, print_rows, say};
use crate::cli::target::Where;
use crate::cli::text::text_of;
use crate::domain::profile::Profile;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::operations::authenticate_client::TrustedCas;
use crate::operations::explain::{Explained, explain_assertion};
use crate::operations::test_issuer::{FoundKeys, TestedIssuer, keys_stored_at, test_issuer};

/// How it is usually called.
const EXAMPLES: &str = "Examples:
  grantd issuer test github --config grantd.toml
  grantd issuer test github --assertion token.jwt --config grantd.toml
  kubectl create token orders | grantd issuer test cluster --assertion - --config grantd.toml

It asks from this machine, with its proxies and its bearer_token_file; each server asks for itself.

Exit status: 0 where there are keys, and the token would be accepted; 1 where not";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// Its id
    issuer: String,
    /// Judge a token of it as a client assertion, without spending it; - is standard input
    #[arg(long, value_name = "FILE")]
    assertion: Option<PathBuf>,
    #[command(flatten)]
    at: Where,
}

/// All that is known after a test.
struct Report {
    issuer: TrustedIssuer,
    profile: Profile,
    now: Timestamp,
    /// Since when its keys stand in the database, where they do.
    stored_at: Option<Timestamp>,
    tested: TestedIssuer,
    assertion: Option<Explained>,
}

/// Gives the exit status: 0 where there are keys, and the token, if one is given, would be accepted.
pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let opened = arguments.at.target.open().await?;
    let issuer = found(&opened, &arguments.issuer).await?;
    let (tested, assertion) = if let Some(path) = &arguments.assertion {
        let assertion = text_of(path)?;
        let grantd = opened.replica(TrustedCas::default()).await?;
        let tested = grantd.test_issuer(&issuer).await;
        let explained = explain_assertion(&grantd, &assertion).await?;
        (tested, Some(explained))
    } else {
        let tested = test_issuer(&issuer, opened.profile, opened.is_dev).await;
        (tested, None)
    };
    let now = opened.now().await?;
    let report = Report {
        stored_at: keys_stored_at(&opened.store, &issuer, now).await?,
        issuer,
        profile: opened.profile,
        now,
        tested,
        assertion,
    };
    match arguments.at.output() {
        Output::Json => say!("{:#}", report.json())?,
        Output::Table => report.print()?,
    }
    Ok(if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Report {
    fn is_good(&self) -> bool {
        let is_accepted = |it: &Explained| it.is_granted() && self.other_issuer(it).is_none();
        self.trouble().is_none() && self.assertion.as_ref().is_none_or(is_accepted)
    }

    /// Why no token of it can be verified, and what to do about it.
    fn trouble(&self) -> Option<(String, Option<&'static str>)> {
        match &self.tested.result {
            Err(fault) => {
                let told = format!("keys could not be fetched: {fault}");
                Some((told, fault.remedy()))
            }
            Ok(found) if !found.serves() => Some((
                "none of the keys is for an algorithm that the issuer may sign with".to_owned(),
                Some(match self.profile {
                    Profile::Default => {
                        "add what its keys are for to the issuer's algorithms in the catalog"
                    }
                    Profile::Fapi2 => {
                        "the profile fapi2 takes ES256, EdDSA and PS256 alone: where its keys are for one of these, add \
                         that to the issuer's algorithms in the catalog"
                    }
                }),
            )),
            Ok(_) => None,
        }
    }

    /// That a token is none of this issuer.
    fn other_issuer(&self, explained: &Explained) -> Option<String> {
        let issuer = &self.issuer.id;
        match explained.text("issuer") {
            Some(id) if id == issuer.as_str() => None,
            Some(id) => Some(format!("the assertion is not of {issuer}, but of {id}")),
            None => Some(format!(
                "the assertion is not of {issuer}: its iss is not {}",
                self.issuer.url
            )),
        }
    }

    fn age(&self) -> Option<i64> {
        let stored_at = self.stored_at?;
        Some(self.now.unix().saturating_sub(stored_at.unix()))
    }

    fn json(&self) -> Value {
        let trouble = self.trouble();
        let (why, remedy) = trouble.map_or((None, None), |(why, remedy)| (Some(why), remedy));
        let found = self.tested.result.as_ref().ok();
        let other = self.assertion.as_ref();
        let other = other.and_then(|it| self.other_issuer(it));
        let mut report = Map::new();
        for (name, value) in [
            ("issuer", json!(self.issuer.id)),
            ("place", json!(keys(&self.issuer))),
            ("took_milliseconds", json!(self.tested.took.as_millis())),
            ("stored_at", json!(self.stored_at)),
            ("age_seconds", json!(self.age())),
            ("why", json!(why)),
            ("remedy", json!(remedy)),
            ("found", json!(found)),
            ("not_of_issuer", json!(other)),
            ("assertion", json!(self.assertion)),
        ] {
            report.insert(name.to_owned(), value);
        }
        report.into()
    }

    fn print(&self) -> anyhow::Result<()> {
        print_rows(Output::Table, &["issuer", ""], &self.rows())?;
        if let Ok(found) = &self.tested.result {
            print_keys(found)?;
        }
        if let Some((why, remedy)) = self.trouble() {
            say!("\n{}", cell(&json!(why)))?;
            if let Some(remedy) = remedy {
                say!("\nwhat to do: {remedy}")?;
            }
        }
        if let Some(explained) = &self.assertion {
            say!("")?;
            if let Some(other) = self.other_issuer(explained) {
                say!("{other}\n")?;
            }
            screen::print(explained, Output::Table)?;
        }
        Ok(())
    }

    fn rows(&self) -> Vec<Vec<Value>> {
        let mut rows = vec![
            ("id", json!(self.issuer.id)),
            ("keys", json!(keys(&self.issuer))),
        ];
        let found = self.tested.result.as_ref().ok();
        let url = found.and_then(|it| it.url.as_ref());
        rows.extend(url.map(|url| ("fetched from", json!(url))));
        if self.issuer.fetched_from().is_some() {
            let took = format!("{} ms", self.tested.took.as_millis());
            rows.push(("took", json!(took)));
        }
        rows.extend(
            found
                .and_then(refresh)
                .map(|it| ("fetched again", json!(it))),
        );
        if let (Some(at), Some(age)) = (self.stored_at, self.age()) {
            rows.push(("stored", json!(format!("{at}, {age} s ago"))));
        }
        let rows = rows.into_iter();
        rows.map(|(name, value)| vec![json!(name), value]).collect()
    }
}

/// When servers ask again, and who said so.
fn refresh(found: &FoundKeys) -> Option<String> {
    let after = found.refresh_seconds?;
    Some(match (found.refresh_by, found.refresh_stated_seconds) {
        (Some(by), Some(stated)) if stated == after => format!("after {after} s, by its {by}"),
        (Some(by), Some(stated)) => {
            format!("after {after} s; its {by} says {stated} s, and it is from 1m to 1h")
        }
        _ => format!("after {after} s; it says nothing of its age"),
    })
}

fn print_keys(found: &FoundKeys) -> anyhow::Result<()> {
    if !found.keys.is_empty() {
        let rows = found.keys.iter().map(|key| {
            let algorithms = if key.algorithms.is_empty() {
                json!("none that the issuer may sign with")
            } else {
                json!(key.algorithms)
            };
            vec![json!(key.kid), algorithms, json!(key.not_of_issuer)]
        });
        let rows: Vec<Vec<Value>> = rows.collect();
        say!("")?;
        print_rows(
            Output::Table,
            &["kid", "verifies", "not of this issuer"],
            &rows,
        )?;
    }
    if found.authorities > 0 {
        let number = counted(found.authorities, "CA");
        say!("\n{number} of X.509-SVIDs")?;
    }
    if !found.left_out.is_empty() {
        let rows = found.left_out.iter();
        let rows: Vec<_> = rows
            .map(|key| vec![json!(key.kid), json!(key.why)])
            .collect();
        say!("")?;
        print_rows(Output::Table, &["kid", "left out because"], &rows)?;
    }
    Ok(())
}
