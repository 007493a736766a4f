//! Where keys come from, and how they are read there.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::fault::KeysFault;
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

/// The least and the most that a set is good for without asking again, and what it is where its server says nothing.
const LEAST_AGE: Duration = Duration::from_mins(1);
const MOST_AGE: Duration = Duration::from_hours(1);
const USUAL_AGE: Duration = Duration::from_mins(5);

/// A set that was just read.
#[derive(Clone, Debug)]
pub(in super::super) struct Fresh {
    pub(in super::super) set: Arc<KeySet>,
    /// What its server says of its age: in the set itself, or by `Cache-Control`.
    pub(in super::super) max_age: Option<Duration>,
    /// The URL where it was; none where it is in the database.
    pub(in super::super) url: Option<String>,
}

impl Fresh {
    /// How long it is used without asking again.
    pub(in super::super) fn good_for(&self) -> Duration {
        let age = self.max_age.unwrap_or(USUAL_AGE);
        age.clamp(LEAST_AGE, MOST_AGE)
    }
}

impl Place {
    /// Whether what stands there never changes: it is in the database.
    pub(super) const fn is_here(&self) -> bool {
        matches!(self, Self::OfIssuer(issuer) if matches!(issuer.keys, Some(IssuerKeys::Set(_))))
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn read(&self, fetcher: &Fetcher) -> Result<Fresh, KeysFault> {
        match self {
            Self::OfClient(source) => fetch(fetcher, Publisher::Client, source).await,
            Self::OfIssuer(issuer) => read_of(issuer, fetcher).await,
        }
    }
}

async fn read_of(issuer: &TrustedIssuer, fetcher: &Fetcher) -> Result<Fresh, KeysFault> {
    let publisher = Publisher::of(issuer);
    match issuer.key_place() {
        Some(IssuerKeys::Set(text)) => {
            let set = parsed(publisher, text.into()).await?;
            Ok(Fresh {
                set,
                max_age: None,
                url: None,
            })
        }
        Some(IssuerKeys::Url(url)) => fetch(fetcher, publisher, &source(issuer, &url)?).await,
        Some(IssuerKeys::Discovery) => {
            let issued_by = issuer.url.as_str();
            let base = issued_by.trim_end_matches('/');
            let metadata = source(issuer, &format!("{base}/.well-known/openid-configuration"))?;
            let document = fetcher.fetch(&metadata).await;
            let document = document.map_err(KeysFault::Metadata)?;
            let source = named_by(&document.body, issued_by, &metadata)?;
            fetch(fetcher, publisher, &source).await
        }
        None => Err(KeysFault::Nowhere),
    }
}

/// A URL of an issuer, with what goes along when it is asked.
fn source(issuer: &TrustedIssuer, url: &str) -> Result<KeySource, KeysFault> {
    let source = KeySource::parse(url).map_err(KeysFault::Url)?;
    let token = issuer.bearer_token_file.clone();
    Ok(source
        .with_ca(issuer.ca.clone())
        .with_bearer_token_file(token))
}

async fn fetch(
    fetcher: &Fetcher,
    publisher: Publisher,
    source: &KeySource,
) -> Result<Fresh, KeysFault> {
    let document = fetcher.fetch(source).await.map_err(KeysFault::Fetch)?;
    let set = parsed(publisher, document.body).await?;
    Ok(Fresh {
        max_age: set.refresh_hint().or(document.max_age),
        set,
        url: Some(source.url().to_owned()),
    })
}

/// Many RSA keys take a while.
async fn parsed(publisher: Publisher, text: Vec<u8>) -> Result<Arc<KeySet>, KeysFault> {
    let set = blocking(move || KeySet::parse_of(publisher, &text)).await;
    Ok(Arc::new(set.map_err(KeysFault::Set)?))
}

/// The URL of keys in the metadata of `issuer` (`OpenID` Connect Discovery 1.0 section 4.3), fetched as the metadata were;
/// our token goes to the server of the metadata alone.
fn named_by(document: &[u8], issuer: &str, metadata: &KeySource) -> Result<KeySource, KeysFault> {
    let document = parse_object(document).map_err(KeysFault::MetadataForm)?;
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    match text("issuer") {
        Some(named) if named == issuer => {}
        Some(named) => return Err(KeysFault::OfAnother(shown::plain(named))),
        None => return Err(KeysFault::NoIssuer),
    }
    let url = text("jwks_uri").ok_or(KeysFault::NoJwksUri)?;
    let source = KeySource::parse(url).map_err(KeysFault::JwksUri)?;
    if source.is_plain() && !metadata.is_plain() {
        return Err(KeysFault::PlainJwksUri);
    }
    let token = metadata
        .bearer_token_file()
        .filter(|_| source.is_beside(metadata));
    let token = token.map(str::to_owned);
    let ca = metadata.ca().map(str::to_owned);
    Ok(source.with_ca(ca).with_bearer_token_file(token))
}
