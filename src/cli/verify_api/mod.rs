//! `grantd verify-api`: fires the battery of `grantd dev` at an API that trusts its tokens, and tells where it is open.

mod advice;
mod aside;
mod battery;
mod http;
mod judge;
mod refused_good;
mod report;
mod session;
mod target;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Uri};
use serde::Deserialize;

use super::color;
use super::error_text::told;
use super::output::print;
use crate::clock::Clock;
use crate::domain::battery::Case;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::scope::ScopeSet;
use crate::domain::shown;
use crate::domain::timestamp::Seconds;
use aside::tell;
use battery::ControlListener;
use http::Http;
use report::{Form, Report};
use session::{Battery, Choice, Session};
use target::Target;

/// Wrong usage, a moved clock, an API that does not take what is good: nothing was found out.
const NO_RESULT: u8 = 2;

/// How it is usually called.
const EXAMPLES: &str = "Examples:
  grantd dev --ready-file ready.json &
  grantd verify-api http://127.0.0.1:8090/documents --audience archive-api --ready-file ready.json
  grantd verify-api http://127.0.0.1:8000/prices --audience pricing-api --scope pricing:read \\
    --control http://127.0.0.1:43211 --report sarif --output verify-api.sarif

Exit status: 0 no holes and no faults, 1 some, 2 nothing was found out.";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The URL of one request that a right token allows
    url: Uri,
    /// The API's audience in the catalog of `grantd dev`
    #[arg(long, value_parser = AudienceId::parse)]
    audience: AudienceId,
    /// What the request needs, separated by spaces [default: the client's default scopes]
    #[arg(long, value_parser = ScopeSet::parse)]
    scope: Option<ScopeSet>,
    /// Whose tokens are sent [default: the first client with a policy for the audience]
    #[arg(long, value_name = "ID", value_parser = ClientId::parse)]
    client: Option<ClientId>,
    /// The method of the request [default: GET, or POST with --data]
    #[arg(long)]
    method: Option<Method>,
    /// A header of the request, once for each
    #[arg(long, value_name = "K: V", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,
    /// The body of the request
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Where `grantd dev` is steered, as its screen and its ready file say
    #[arg(
        long,
        value_name = "URL",
        env = "GRANTD_CONTROL",
        hide_env_values = true
    )]
    control: Option<String>,
    /// The ready file of `grantd dev`, which says that
    #[arg(long, value_name = "FILE", conflicts_with = "control")]
    ready_file: Option<PathBuf>,
    /// The API asks grantd about each token: try also what is revoked
    #[arg(long)]
    introspects: bool,
    /// The API takes tokens that are bound to a key (RFC 9449)
    #[arg(long, conflicts_with = "mtls")]
    dpop: bool,
    /// The API takes tokens that are bound to a client certificate (RFC 8705)
    #[arg(long)]
    mtls: bool,
    /// Trust an API whose certificate is signed by these CAs, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How long one answer may take
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    timeout: Seconds,
    /// Try these alone, and `good`
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = case)]
    only: Vec<Case>,
    /// Leave these out
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = case)]
    skip: Vec<Case>,
    /// Try an API on this other machine
    #[arg(long, value_name = "HOST")]
    allow_host: Option<String>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t, hide_possible_values = false)]
    report: Form,
    /// Write the report to this file instead
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(arguments: &Arguments) -> ExitCode {
    match verified(arguments).await {
        Ok(report) if report.is_clean() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            tell(&format!("{} {}", color::error("grantd:"), told(&error)));
            ExitCode::from(NO_RESULT)
        }
    }
}

async fn verified(arguments: &Arguments) -> anyhow::Result<Report> {
    let target = arguments.target()?;
    let http = Http::new(arguments.ca_file.as_deref(), arguments.timeout.duration())?;
    let control = ControlListener {
        url: arguments.control()?,
        http: Http::new(None, CONTROL_PATIENCE.duration())?,
    };
    let session = Session {
        control: &control,
        http: &http,
        parameters: arguments.parameters(&target)?,
        audience: arguments.audience.as_str(),
        target: &target,
        choice: Choice {
            only: arguments.only.clone(),
            skip: arguments.skip.clone(),
        },
        clock: Clock::system(),
        battery: Battery::default(),
    };
    let report = session.run().await?;
    arguments.give(&report)?;
    Ok(report)
}

/// Keys of RSA take a while.
const CONTROL_PATIENCE: Seconds = Seconds::new(30);

impl Arguments {
    fn target(&self) -> anyhow::Result<Target> {
        let body = match &self.data {
            None => Bytes::new(),
            Some(path) => {
                let read = fs::read(path).with_context(|| format!("--data {}", path.display()));
                read?.into()
            }
        };
        let usual = match self.data {
            None => Method::GET,
            Some(_) => Method::POST,
        };
        let target = Target {
            url: self.url.clone(),
            method: self.method.clone().unwrap_or(usual),
            headers: self.header.clone(),
            body,
        };
        target.check(self.allow_host.as_deref())?;
        target.htu()?;
        if self.mtls && self.url.scheme_str() != Some("https") {
            bail!("a client certificate needs https: name the API's https URL with --mtls");
        }
        Ok(target)
    }

    /// The URL of the control listener, without a slash at its end.
    fn control(&self) -> anyhow::Result<String> {
        let url = match (&self.control, &self.ready_file) {
            (Some(url), _) => url.clone(),
            (None, Some(path)) => {
                in_ready_file(path).with_context(|| format!("--ready-file {}", path.display()))?
            }
            (None, None) => bail!(
                "say where grantd dev is: --control URL, as its screen shows it, or --ready-file FILE"
            ),
        };
        let bare = url.trim_end_matches('/').trim_end_matches("/_test");
        Ok(bare.to_owned())
    }

    fn parameters(&self, target: &Target) -> anyhow::Result<Vec<(&'static str, String)>> {
        let mut parameters = vec![
            ("audience", self.audience.to_string()),
            ("method", target.method.to_string()),
            ("url", target.htu()?),
        ];
        parameters.extend(self.scope.as_ref().map(|it| ("scope", it.to_string())));
        parameters.extend(self.client.as_ref().map(|it| ("client_id", it.to_string())));
        let binding = [(self.dpop, "dpop"), (self.mtls, "mtls")];
        let binding = binding.into_iter().find(|(is_wanted, _)| *is_wanted);
        parameters.extend(binding.map(|(_, name)| ("binding", name.to_owned())));
        if self.introspects {
            parameters.push(("introspects", "true".to_owned()));
        }
        Ok(parameters)
    }

    /// Prints the report; where it goes to a file, in one line.
    fn give(&self, report: &Report) -> anyhow::Result<()> {
        let Some(path) = &self.output else {
            let written = report.written(self.report, color::on_standard_output());
            return Ok(print(format_args!("{written}"))?);
        };
        fs::write(path, report.written(self.report, false))
            .with_context(|| format!("cannot write {}", path.display()))?;
        tell(&format!("{}: {}", report.summary(), path.display()));
        Ok(())
    }
}

fn in_ready_file(path: &std::path::Path) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Ready {
        control: Option<String>,
    }

    let text = fs::read_to_string(path)?;
    let ready: Ready = serde_json::from_str(&text)?;
    ready.control.ok_or_else(|| {
        anyhow!("that grantd dev has no control listener: start it without --no-control")
    })
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let form = "write a header as 'Name: value'";
    let (name, value) = text.split_once(':').ok_or(form)?;
    let name = name.trim().parse().map_err(|_| form)?;
    Ok((name, value.trim().parse().map_err(|_| form)?))
}

fn case(text: &str) -> Result<Case, String> {
    let names = || Case::ALL.iter().map(|case| case.as_str());
    Case::from_text(text).ok_or_else(|| {
        let nearest = shown::nearest(text, names()).unwrap_or_default();
        format!("the battery has no such entry; nearest: {nearest}")
    })
}
