//! `grantd explain --client`: a token request that nobody sent.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;

use super::screen;
use crate::cli::client::among;
use crate::cli::output::{Output, say};
use crate::cli::target::Opened;
use crate::cli::text::text_of;
use crate::config::file;
use crate::crypto::certificates::CertificateChain;
use crate::domain::client::{AuthMethod, GrantType};
use crate::operations::authenticate_client::TrustedCas;
use crate::operations::caller::{Caller, ClientCertificate};
use crate::operations::explain::{Explained, Supposed as Request, explain_unsent};
use crate::server::client_ca_files::ClientCaFiles;

/// With these there is no such request.
const OTHERS: [&str; 3] = ["request", "assertion", "token"];

/// What is supposed of the request.
#[derive(Args, Debug)]
pub(super) struct Supposed {
    /// The audience that it asks for
    #[arg(long, value_name = "A", conflicts_with_all = OTHERS)]
    audience: Option<String>,
    /// A scope that it asks for; repeat it for several
    #[arg(long, value_name = "S", conflicts_with_all = OTHERS)]
    scope: Vec<String>,
    /// How the client proves itself [default: each of its methods in turn]
    #[arg(long, value_name = "M", value_parser = among(AuthMethod::ALL), conflicts_with_all = OTHERS)]
    method: Option<AuthMethod>,
    /// The address that it comes from [default: 127.0.0.1]
    #[arg(long, value_name = "IP", conflicts_with_all = OTHERS)]
    source: Option<IpAddr>,
    /// Its `grant_type`, in full or short [default: `token-exchange` with a subject token, else `client_credentials`]
    #[arg(long, value_name = "G", conflicts_with_all = OTHERS)]
    grant: Option<String>,
    /// It asks for whom this token is: subject token of an exchange, or assertion of jwt-bearer; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = OTHERS)]
    subject_token: Option<PathBuf>,
    /// It brings a DPoP proof, by its own key
    #[arg(long, conflicts_with_all = OTHERS)]
    dpop: bool,
    /// Its connection has this certificate: a chain in PEM, the client's own first
    #[arg(long, value_name = "FILE", conflicts_with_all = OTHERS)]
    certificate: Option<PathBuf>,
}

pub(super) async fn explain(
    opened: &Opened,
    (client, supposed): (&str, &Supposed),
    output: Output,
) -> anyhow::Result<ExitCode> {
    if opened.sealing.is_none() {
        bail!(
            "whether a key can sign is judged as well, and there is no sealing key: set [sealing] key_file (or \
             GRANTD_SEALING__KEY_FILE) as on the servers"
        );
    }
    if supposed.subject_token.is_some()
        && supposed.grant() == GrantType::ClientCredentials.parameter()
    {
        bail!(
            "--subject-token is for --grant token-exchange and jwt-bearer; by client_credentials a client asks for itself"
        );
    }
    let certificate = supposed.certificate()?;
    let client_cas = TrustedCas::default();
    if certificate.is_some() {
        let mutual = opened.server_settings()?.mtls;
        let files = mutual.map(|it| it.client_ca_files).unwrap_or_default();
        ClientCaFiles::load(files, client_cas.clone())?;
    }
    let grantd = opened.replica(client_cas).await?;
    let caller = Caller {
        source: supposed.source.unwrap_or(Ipv4Addr::LOCALHOST.into()),
        proxy: None,
        certificate,
        hashing_turn: std::sync::Arc::default(),
    };
    let subject_token = supposed.subject_token.as_deref().map(text_of).transpose()?;
    let scope = supposed.scope.join(" ");
    let mut explained = Vec::new();
    let methods = match supposed.method {
        Some(method) => vec![method],
        None => grantd.methods_of(client).await?,
    };
    for method in methods {
        let request = Request {
            client,
            method,
            grant: supposed.grant(),
            subject_token: subject_token.as_deref(),
            scope: Some(scope.as_str()).filter(|it| !it.is_empty()),
            audience: supposed.audience.as_deref(),
            brings_proof: supposed.dpop,
        };
        explained.push(explain_unsent(&grantd, request, &caller).await?);
    }
    print(explained, output)
}

impl Supposed {
    /// As a request names it; a word that names no grant is judged as it stands.
    fn grant(&self) -> &str {
        let usual = match self.subject_token {
            Some(_) => GrantType::TokenExchange,
            None => GrantType::ClientCredentials,
        };
        match &self.grant {
            None => usual.parameter(),
            Some(name) => GrantType::from_text(name).map_or(name, |it| it.parameter()),
        }
    }

    fn certificate(&self) -> anyhow::Result<Option<ClientCertificate>> {
        let Some(path) = &self.certificate else {
            return Ok(None);
        };
        let shown = path.display();
        let pem = file::read(path, file::SMALL)
            .with_context(|| format!("the certificate {shown} cannot be read"))?;
        let chain = CertificateChain::from_pem(&pem)
            .with_context(|| format!("{shown} holds no certificate in PEM form"))?;
        Ok(Some(ClientCertificate { chain }))
    }
}

/// By each method. It is granted where it would be by one of them.
fn print(mut explained: Vec<Explained>, output: Output) -> anyhow::Result<ExitCode> {
    let best = explained.iter().position(Explained::is_granted);
    if output == Output::Table {
        for (number, one) in explained.iter().enumerate() {
            if number > 0 {
                say!("")?;
            }
            screen::print(one, output)?;
        }
    }
    let mut best = explained.remove(best.unwrap_or(0));
    let code = screen::status(&best);
    if output == Output::Json {
        best.about.push(("other_methods", json!(explained)));
        screen::print(&best, output)?;
    }
    Ok(code)
}
