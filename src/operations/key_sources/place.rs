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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A set of this publisher at a URL.
    Set(Publisher, KeySource),
    /// Where the metadata of this issuer, at this URL, says.
    Metadata(String, KeySource),
    /// In the database.
    Here(Publisher, String),
    /// Nobody said.
    Nowhere,
}

/// A set that was just read.
pub(super) struct Fresh {
    pub(super) set: Arc<KeySet>,
    pub(super) max_age: Option<Duration>,
}

impl Place {
    /// That of the keys of an issuer.
    pub(super) fn of(issuer: &TrustedIssuer) -> Self {
        let publisher = Publisher::of(issuer);
        let source = |url: &str| {
            let source = KeySource::parse(url).ok()?;
            let token = issuer.bearer_token_file.clone();
            Some(
                source
                    .with_ca(issuer.ca.clone())
                    .with_bearer_token_file(token),
            )
        };
        let place = match issuer.key_place() {
            Some(IssuerKeys::Set(text)) => Some(Self::Here(publisher, text)),
            Some(IssuerKeys::Url(url)) => source(&url).map(|it| Self::Set(publisher, it)),
            Some(IssuerKeys::Discovery) => {
                let url = issuer.url.as_str();
                let metadata = format!(
                    "{}/.well-known/openid-configuration",
                    url.trim_end_matches('/')
                );
                source(&metadata).map(|it| Self::Metadata(url.to_owned(), it))
            }
            None => None,
        };
        place.unwrap_or(Self::Nowhere)
    }

    /// Whether what stands there never changes.
    pub(super) const fn is_here(&self) -> bool {
        matches!(self, Self::Here(..))
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// Why there are none, as a sentence.
    pub(super) async fn read(&self, fetcher: &Fetcher) -> Result<Fresh, String> {
        match self {
            Self::Set(publisher, source) => fetch(fetcher, *publisher, source).await,
            Self::Metadata(issuer, metadata) => {
                let document = fetcher.fetch(metadata).await;
                let document = document.map_err(|fault| format!("its metadata: {fault}"))?;
                let source = named_by(&document.body, issuer, metadata)?;
                fetch(fetcher, Publisher::Issuer, &source).await
            }
            Self::Here(publisher, text) => parsed(*publisher, text.clone().into(), None).await,
            Self::Nowhere => {
                Err("nobody said where they are: write keys in the catalog".to_owned())
            }
        }
    }
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
