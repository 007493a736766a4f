//! `grantd credential retire`: at once, or what nobody uses any more.

use anyhow::bail;
use clap::Args;
use serde_json::json;

use crate::cli::by::ByWithReason;
use crate::cli::named;
use crate::cli::output::{Output, say};
use crate::cli::target::Where;
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Seconds;
use crate::operations::retire_credentials::{
    Judged, Kept, Retirement, Selected, retire_credentials,
};

/// Uses are written down up to a minute late, so less than two minutes of silence says nothing.
const SHORTEST_SILENCE: Seconds = Seconds::new(120);

/// Examples for `--help`.
const EXAMPLES: &str = "Examples:
  grantd credential retire k3v9x0q2ma --config grantd.toml
  grantd credential retire k3v9x0q2ma --compromised --reason 'found in a log' --config grantd.toml
  grantd credential retire --client reports --when-unused 24h --config grantd.toml";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Retire {
    /// Ids of credentials, as `grantd credential list` shows them
    #[arg(value_name = "CREDENTIAL", required_unless_present = "client")]
    credentials: Vec<String>,
    /// The live ones of this client instead, but never the last of them
    #[arg(
        long,
        value_name = "ID",
        requires = "when_unused",
        conflicts_with = "credentials"
    )]
    client: Option<String>,
    /// They have leaked: also make the tokens issued for them inactive at introspection
    #[arg(long)]
    compromised: bool,
    /// Only those unused for this long, at least 2m; it says who still uses the others
    #[arg(long, value_name = "DURATION", value_parser = silence)]
    when_unused: Option<Seconds>,
    #[command(flatten)]
    by: ByWithReason,
    #[command(flatten)]
    at: Where,
}

fn silence(text: &str) -> anyhow::Result<Seconds> {
    let span: Seconds = text.parse()?;
    if span < SHORTEST_SILENCE {
        bail!("uses are noted up to a minute late: give {SHORTEST_SILENCE} or more");
    }
    Ok(span)
}

pub(super) async fn run(arguments: &Retire) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let selected = if let Some(client) = &arguments.client {
        Selected::LiveOf(named::client(&opened.store, client).await?.client.id)
    } else {
        let ids = arguments.credentials.iter();
        Selected::Named(
            ids.map(|id| CredentialId::parse(id))
                .collect::<Result<_, _>>()?,
        )
    };
    let actor = arguments.by.actor();
    let retirement = Retirement {
        when_unused: arguments.when_unused,
        compromised: arguments.compromised,
        by: &actor,
    };
    let judged = retire_credentials(&opened.store, &selected, retirement).await?;
    if arguments.at.output() == Output::Json {
        say!("{:#}", json!(judged))?;
    } else {
        for it in &judged {
            tell(it, arguments.compromised)?;
        }
        if judged.is_empty() {
            say!("it has no live credential")?;
        }
    }
    let kept = judged.iter().filter(|it| it.kept.is_some()).count();
    if kept > 0 && matches!(selected, Selected::Named(_)) {
        bail!(
            "{kept} of {} are not retired, because they are in use",
            judged.len()
        );
    }
    Ok(())
}

fn tell(it: &Judged, compromised: bool) -> anyhow::Result<()> {
    let Judged {
        credential, client, ..
    } = it;
    let used = match (it.last_used_at, it.last_used_from) {
        (Some(at), Some(from)) => format!("last used at {at} from {from}"),
        (Some(at), None) => format!("last used at {at}"),
        (None, _) => "never used".to_owned(),
    };
    match it.kept {
        Some(Kept::InUse) => say!("credential {credential} of {client} stays: {used}")?,
        Some(Kept::New) => {
            say!("credential {credential} of {client} stays: it is new, and {used}")?;
        }
        Some(Kept::Last) => {
            say!("credential {credential} of {client} stays: it is the last live one; {used}")?;
        }
        None => {
            say!("credential {credential} of {client} is retired; {used}")?;
            let end = it
                .tokens_end_at
                .map(|at| at.to_string())
                .unwrap_or_default();
            if compromised {
                say!(
                    "its tokens are inactive at introspection within a second; an API that verifies them by itself \
                     accepts them until {end} at the latest"
                )?;
            } else {
                say!(
                    "tokens issued for it live until {end} at the latest; if it leaked, add --compromised"
                )?;
            }
        }
    }
    Ok(())
}
