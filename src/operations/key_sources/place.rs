//! Where keys come from, and how they are read there.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::crypto::key_set::{KeySet, Publisher};
use crate::crypto::strict_json::parse_object;
use crate::domain::identifier::{ClientId, CredentialId, IssuerId};
use crate::domain::key_source::KeySource;
use crate::domain::shown;
use crate::domain::trusted_issuer::{IssuerKeys, TrustedIssuer};
use crate::fetch::Fetcher;
use crate::operations::background::blocking;

/// Whose keys they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// Those of a client, which a credential of it names.
    Client(ClientId, CredentialId),
    /// Those of a trusted issuer.
    Issuer(IssuerId),
}

impl Whose {
    /// The credential that names them, where one does.
    pub(super) fn credential(&self) -> Option<&str> {
        match self {
            Self::Client(_, credential) => Some(credential.as_str()),
            Self::Issuer(_) => None,
        }
    }
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client(client, _) => write!(f, "client {client}"),
            Self::Issuer(issuer) => write!(f, "issuer {issuer}"),
        }
    }
}

/// Where they are.
#[derive(Debug)]
pub(super) enum Place {
    /// Where a credential of a client says, which never changes.
    OfClient(KeySource),
    /// Where a trusted issuer, as it was then, says.
    OfIssuer(TrustedIssuer),
}

/// A set that was just read.
pub(super) struct Fresh {
    pub(super) set: Arc<KeySet>,
    pub(super) max_age: Option<Duration>,
}

impl Place {
    /// Whether what stands there never changes: it is in the database.
    pub(super) const fn is_here(&self) -> bool {
        matches!(self, Self::OfIssuer(issuer) if matches!(issuer.keys, Some(IssuerKeys::Set(_))))
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// Why there are none, as a sentence.
    pub(super) async fn read(&self, fetcher: &Fetcher) -> Result<Fresh, String> {
        match self {
            Self::OfClient(source) => fetch(fetcher, Publisher::Client, source).await,
            Self::OfIssuer(issuer) => read_of(issuer, fetcher).await,
        }
    }
}

async fn read_of(issuer: &TrustedIssuer, fetcher: &Fetcher) -> Result<Fresh, String> {
    let publisher = Publisher::of(issuer);
    match issuer.key_place() {
        Some(IssuerKeys::Set(text)) => parsed(publisher, text.into(), None).await,
        Some(IssuerKeys::Url(url)) => fetch(fetcher, publisher, &source(issuer, &url)?).await,
        Some(IssuerKeys::Discovery) => {
            let issued_by = issuer.url.as_str();
            let base = issued_by.trim_end_matches('/');
            let metadata = source(issuer, &format!("{base}/.well-known/openid-configuration"))?;
            let document = fetcher.fetch(&metadata).await;
            let document = document.map_err(|fault| format!("its metadata: {fault}"))?;
            let source = named_by(&document.body, issued_by, &metadata)?;
            fetch(fetcher, publisher, &source).await
        }
        None => Err("nobody said where they are: write keys in the catalog".to_owned()),
    }
}

/// A URL of an issuer, with what goes along when it is asked.
fn source(issuer: &TrustedIssuer, url: &str) -> Result<KeySource, String> {
    let source = KeySource::parse(url).map_err(|fault| fault.to_string())?;
    let token = issuer.bearer_token_file.clone();
    Ok(source
        .with_ca(issuer.ca.clone())
        .with_bearer_token_file(token))
}

async fn fetch(
    fetcher: &Fetcher,
    publisher: Publisher,
    source: &KeySource,
) -> Result<Fresh, String> {
    let document = fetcher.fetch(source).await;
    let document = document.map_err(|fault| fault.to_string())?;
    parsed(publisher, document.body, document.max_age).await
}

/// Many RSA keys take a while.
async fn parsed(
    publisher: Publisher,
    text: Vec<u8>,
    max_age: Option<Duration>,
) -> Result<Fresh, String> {
    let set = blocking(move || KeySet::parse_of(publisher, &text)).await;
    let set = set.map_err(|error| error.to_string())?;
    Ok(Fresh {
        max_age: set.refresh_hint().or(max_age),
        set: Arc::new(set),
    })
}

/// The URL of keys in the metadata of `issuer` (`OpenID` Connect Discovery 1.0 section 4.3), fetched as the metadata were;
/// our token goes to the server of the metadata alone.
fn named_by(document: &[u8], issuer: &str, metadata: &KeySource) -> Result<KeySource, String> {
    let document = parse_object(document).map_err(|error| format!("its metadata is {error}"))?;
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    match text("issuer") {
        Some(named) if named == issuer => {}
        Some(named) => {
            let named = shown::plain(named);
            return Err(format!(
                "its metadata is that of {named}: write this as url"
            ));
        }
        None => return Err("its metadata names no issuer".to_owned()),
    }
    let url = text("jwks_uri").ok_or("its metadata has no jwks_uri")?;
    let source = KeySource::parse(url).map_err(|fault| format!("its jwks_uri: {fault}"))?;
    if source.is_plain() && !metadata.is_plain() {
        return Err("its jwks_uri does not begin with https://".to_owned());
    }
    let token = metadata
        .bearer_token_file()
        .filter(|_| source.is_beside(metadata));
    let token = token.map(str::to_owned);
    let ca = metadata.ca().map(str::to_owned);
    Ok(source.with_ca(ca).with_bearer_token_file(token))
}
