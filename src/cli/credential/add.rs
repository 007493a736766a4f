//! `grantd credential add-secret`, `add-key`, `add-certificate` and `add-subject`.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Map, Value, json};

use super::list;
use crate::cli::by::By;
use crate::cli::named;
use crate::cli::output::say;
use crate::cli::target::{Opened, Target, Where};
use crate::config::catalog::public_material;
use crate::config::file;
use crate::crypto::public_jwk::PublicJwk;
use crate::crypto::public_key_pem;
use crate::domain::credential::{CredentialKind, PublicMaterial, SubjectKind};
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::operations::manage_credentials::{Expiry, NewCredential};
use crate::operations::register_credentials::{add_secret, register_credentials};

#[derive(Args, Debug)]
pub(in crate::cli) struct AddSecret {
    /// The client's id
    client: String,
    #[command(flatten)]
    life: Life,
    #[command(flatten)]
    target: Target,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AddKey {
    /// The client's id
    client: String,
    /// A JWK, a JWK set, or public keys in PEM form; - for standard input
    file: PathBuf,
    /// The `kid` of a key that has none; its thumbprint if omitted
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    kid: Option<String>,
    #[command(flatten)]
    new: New,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AddCertificate {
    /// The client's id
    client: String,
    #[command(flatten)]
    certificate: Certificate,
    #[command(flatten)]
    new: New,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Certificate {
    /// The certificate in PEM form, of a chain the first; - for standard input
    file: Option<PathBuf>,
    /// Its x5t#S256 instead: base64url of the SHA-256 of its DER form
    #[arg(long, value_name = "X5T_S256", allow_hyphen_values = true)]
    thumbprint: Option<String>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AddSubject {
    /// The client's id
    client: String,
    #[command(flatten)]
    subject: Attribute,
    #[command(flatten)]
    new: New,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Attribute {
    /// The distinguished name (RFC 4514), such as CN=ledger,O=Example
    #[arg(long, value_name = "DN")]
    subject_dn: Option<String>,
    /// A DNS name among the alternative names
    #[arg(long, value_name = "NAME")]
    san_dns: Option<String>,
    /// A URI among the alternative names, such as a SPIFFE id
    #[arg(long, value_name = "URI")]
    san_uri: Option<String>,
    /// An IP address among the alternative names
    #[arg(long, value_name = "ADDRESS")]
    san_ip: Option<String>,
    /// An e-mail address among the alternative names
    #[arg(long, value_name = "ADDRESS")]
    san_email: Option<String>,
}

/// What belongs to every new credential that is no secret.
#[derive(Args, Debug)]
struct New {
    #[command(flatten)]
    life: Life,
    #[command(flatten)]
    at: Where,
}

#[derive(Args, Debug)]
struct Life {
    /// A name for people, such as 2026-Q4
    #[arg(long, value_parser = public_material::label)]
    label: Option<String>,
    /// Not accepted before: 2026-12-31T00:00:00Z, or Unix seconds
    #[arg(long, value_name = "INSTANT")]
    active_from: Option<Timestamp>,
    /// Not accepted from then on: an instant as above
    #[arg(long, value_name = "INSTANT", conflicts_with = "expires_in")]
    expires_at: Option<Timestamp>,
    /// How long it is accepted: 90d, 12h
    #[arg(long, value_name = "DURATION")]
    expires_in: Option<Seconds>,
    #[command(flatten)]
    by: By,
}

impl Life {
    fn of_new(&self, opened: &Opened) -> NewCredential {
        NewCredential {
            label: self.label.clone(),
            active_from: self.active_from,
            expiry: self
                .expires_at
                .map(Expiry::At)
                .or(self.expires_in.map(Expiry::In)),
            profile: opened.profile,
            by: self.by.actor(),
        }
    }
}

pub(super) async fn secret(arguments: &AddSecret) -> anyhow::Result<()> {
    let opened = arguments.target.open().await?;
    let known = named::client(&opened.store, &arguments.client).await?;
    let new = arguments.life.of_new(&opened);
    let (id, secret) = add_secret(&opened.store, &known.client.id, &new).await?;
    say!("{}", secret.expose())?;
    eprintln!(
        "credential {id} of {}; the secret is not shown again",
        known.client.id
    );
    Ok(())
}

pub(super) async fn key(arguments: &AddKey) -> anyhow::Result<()> {
    let keys = keys(&text_of(&arguments.file)?, arguments.kid.as_deref());
    let keys = keys.with_context(|| shown(&arguments.file))?;
    register((&arguments.client, &arguments.new), keys).await
}

pub(super) async fn certificate(arguments: &AddCertificate) -> anyhow::Result<()> {
    let material = match (
        &arguments.certificate.thumbprint,
        &arguments.certificate.file,
    ) {
        (Some(thumbprint), _) => public_material::thumbprint(thumbprint).context("--thumbprint")?,
        (None, Some(file)) => {
            public_material::certificate(&text_of(file)?).with_context(|| shown(file))?
        }
        (None, None) => bail!("give a FILE or a --thumbprint"),
    };
    register((&arguments.client, &arguments.new), vec![material]).await
}

pub(super) async fn subject(arguments: &AddSubject) -> anyhow::Result<()> {
    let given = &arguments.subject;
    let named = [
        (SubjectKind::Dn, "--subject-dn", &given.subject_dn),
        (SubjectKind::Dns, "--san-dns", &given.san_dns),
        (SubjectKind::Uri, "--san-uri", &given.san_uri),
        (SubjectKind::Ip, "--san-ip", &given.san_ip),
        (SubjectKind::Email, "--san-email", &given.san_email),
    ];
    let materials = named
        .into_iter()
        .filter_map(|(kind, option, value)| Some((kind, option, value.as_deref()?)))
        .map(|(kind, option, value)| public_material::subject(kind, value).context(option))
        .collect::<Result<Vec<_>, _>>()?;
    for material in &materials {
        if let PublicMaterial::Subject(name) = material
            && let Some(warning) = name.warning()
        {
            eprintln!("warning: {warning}");
        }
    }
    register((&arguments.client, &arguments.new), materials).await
}

async fn register(
    (client, new): (&str, &New),
    materials: Vec<PublicMaterial>,
) -> anyhow::Result<()> {
    let opened = new.at.target.open().await?;
    let known = named::client(&opened.store, client).await?;
    let life = new.life.of_new(&opened);
    let done = register_credentials(&opened.store, &known.client.id, materials, &life).await?;
    for credential in &done.credentials {
        let kid = list::name(credential).filter(|_| credential.kind() == CredentialKind::Jwk);
        let kid = kid
            .map(|kid| format!("; its kid is {kid}"))
            .unwrap_or_default();
        eprintln!("credential {} of {}{kid}", credential.id, known.client.id);
    }
    for other in &done.shared_with {
        eprintln!(
            "warning: {other} has a key of these as well: whoever holds it can act as either of them"
        );
    }
    let added = KnownClient {
        credentials: done.credentials,
        ..known
    };
    list::print(&added, new.at.output(), opened.now().await?)?;
    Ok(())
}

/// The keys of a JWK, a JWK set, or a PEM text; `kid` names the only one.
fn keys(text: &str, kid: Option<&str>) -> anyhow::Result<Vec<PublicMaterial>> {
    let keys = if public_key_pem::is_pem(text) {
        let keys = public_key_pem::public_keys(text)?;
        let jwks: Vec<_> = keys.iter().map(PublicJwk::key_members).collect();
        public_material::keys(&json!({ "keys": jwks }).to_string())?
    } else {
        public_material::keys(text)?
    };
    let Some(kid) = kid else { return Ok(keys) };
    let [PublicMaterial::Jwk(key)] = &keys[..] else {
        bail!("--kid names one key, and there are several");
    };
    let mut members: Map<String, Value> = serde_json::from_str(key)?;
    if members.get("kid").is_some_and(|own| own != kid) {
        bail!("the key has a kid of its own: leave --kid out");
    }
    members.insert("kid".to_owned(), json!(kid));
    Ok(public_material::keys(&Value::Object(members).to_string())?)
}

/// The text of a small file, or of standard input.
fn text_of(path: &Path) -> anyhow::Result<String> {
    let read = if path == Path::new("-") {
        public_material::text(io::stdin())
    } else {
        file::text(path, file::SMALL)
    };
    read.with_context(|| format!("cannot read {}", shown(path)))
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}
