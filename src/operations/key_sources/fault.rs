//! Why keys cannot be had where they should be, and what to do about it.

use crate::crypto::key_set::KeySetError;
use crate::crypto::strict_json::StrictJsonError;
use crate::domain::key_source::KeySourceFault;
use crate::fetch::FetchFault;

/// Why a place of keys gives none. Its text is what the log and `/readyz` say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysFault {
    /// No preset knows a place, and the catalog states none.
    #[error("nobody said where they are: write keys in the catalog")]
    Nowhere,
    /// What stands in the catalog is no URL of keys.
    #[error("{0}")]
    Url(KeySourceFault),
    /// The set did not come.
    #[error("{0}")]
    Fetch(FetchFault),
    /// What came is of no use.
    #[error("{0}")]
    Set(KeySetError),
    /// The metadata did not come.
    #[error("its metadata: {0}")]
    Metadata(FetchFault),
    /// The metadata is no JSON object.
    #[error("its metadata is {0}")]
    MetadataForm(StrictJsonError),
    /// The metadata is that of another issuer; of which.
    #[error("its metadata is that of {0}: write this as url")]
    OfAnother(String),
    /// The metadata has no `issuer`.
    #[error("its metadata names no issuer")]
    NoIssuer,
    /// The metadata has no `jwks_uri`.
    #[error("its metadata has no jwks_uri")]
    NoJwksUri,
    /// Its `jwks_uri` is no URL of keys.
    #[error("its jwks_uri: {0}")]
    JwksUri(KeySourceFault),
    /// Its `jwks_uri` is without TLS, and the metadata came by TLS.
    #[error("its jwks_uri does not begin with https://")]
    PlainJwksUri,
}

/// Where there is another place than the metadata of the issuer.
const ELSEWHERE: &str =
    "where its keys stand elsewhere, write their URL, or a file of them, as keys into the catalog";

impl KeysFault {
    /// What an operator does about it; nothing where its text says that already.
    #[must_use]
    pub const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Nowhere | Self::Url(_) | Self::OfAnother(_) => None,
            Self::Fetch(fault) | Self::Metadata(fault) => of_fetch(fault),
            Self::Set(fault) => Some(of_set(fault)),
            Self::MetadataForm(_)
            | Self::NoIssuer
            | Self::NoJwksUri
            | Self::JwksUri(_)
            | Self::PlainJwksUri => Some(ELSEWHERE),
        }
    }
}

const fn of_fetch(fault: &FetchFault) -> Option<&'static str> {
    Some(match fault {
        FetchFault::NoRoots(_) | FetchFault::Plain | FetchFault::Redirect(_) => return None,
        FetchFault::Ca => "name the PEM file of its server's CAs as ca_file, and apply the catalog",
        FetchFault::Token(_) => {
            "each server reads bearer_token_file itself: put the file there, readable for grantd; this command reads that of \
             this machine"
        }
        FetchFault::Url => "write another URL as keys into the catalog",
        FetchFault::Slow | FetchFault::Broken(_) => {
            "see whether this machine reaches it: the name, a firewall, the proxies in HTTPS_PROXY and NO_PROXY; where the \
             certificate is not trusted, name its CA as ca_file"
        }
        FetchFault::Status(401 | 403) => {
            "it wants to know who asks: name the file of a token as bearer_token_file, and let its account read the keys"
        }
        // 408, 425 and 429 pass; any other 4xx is about what was asked for.
        FetchFault::Status(400..=407 | 409..=424 | 426..=428 | 430..=499) => ELSEWHERE,
        FetchFault::Status(_) => "try again later, or ask whoever runs it",
        FetchFault::Large => "keys is to be the URL of the JWK set itself",
    })
}

const fn of_set(fault: &KeySetError) -> &'static str {
    match fault {
        KeySetError::Json(_) | KeySetError::NoSet => {
            "keys is to be the URL of the JWK set itself; where the metadata of the issuer name it, write \"discovery\""
        }
        KeySetError::TooMany | KeySetError::SharedKid(_) => {
            "whoever publishes the set has to correct it; until then write a file of the right keys as keys into the catalog"
        }
        KeySetError::NoneUsable(_) => {
            "look whether it is the set of the keys that sign its tokens; symmetric keys and those for encryption never count"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_an_answer_passes_or_is_about_the_url_is_told_apart() {
        for (status, is_elsewhere) in [
            (400, true),
            (404, true),
            (405, true),
            (410, true),
            (451, true),
            (408, false),
            (425, false),
            (429, false),
            (500, false),
            (503, false),
        ] {
            let remedy = KeysFault::Fetch(FetchFault::Status(status)).remedy();
            assert_eq!(remedy == Some(ELSEWHERE), is_elsewhere, "{status}");
        }
    }
}
