//! What of the public listeners a request is for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::config::settings::Settings;

/// An endpoint, or a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Endpoint {
    /// `POST /oauth2/token`.
    Token,
    /// `POST /oauth2/introspect`.
    Introspection,
    /// `POST /oauth2/revoke`.
    Revocation,
    /// The public keys, at either place.
    Jwks,
    /// The discovery document, at any of its places.
    Metadata,
    /// All of them.
    Any,
}

impl Endpoint {
    /// The one at `path`; `None` where there is none that tests look at.
    pub(super) fn at(path: &str, settings: &Settings) -> Option<Self> {
        let base = settings.issuer.path();
        let below = |name: &str| path.strip_prefix(base) == Some(name);
        let well_known = |name: &str| below(name) || path.strip_suffix(base) == Some(name);
        match () {
            () if below("/oauth2/token") => Some(Self::Token),
            () if below("/oauth2/introspect") => Some(Self::Introspection),
            () if below("/oauth2/revoke") => Some(Self::Revocation),
            () if below("/oauth2/jwks") || path == "/.well-known/jwks.json" => Some(Self::Jwks),
            () if well_known("/.well-known/oauth-authorization-server") => Some(Self::Metadata),
            () if well_known("/.well-known/openid-configuration") => Some(Self::Metadata),
            () => None,
        }
    }

    /// Whether `other`, which is one alone, is meant.
    pub(super) fn covers(self, other: Self) -> bool {
        self == Self::Any || self == other
    }

    /// Whether requests to it name a client.
    pub(super) const fn knows_clients(self) -> bool {
        !matches!(self, Self::Jwks | Self::Metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::issuer::Issuer;
    use crate::domain::secret_format::Secret;

    #[test]
    fn an_endpoint_is_told_by_its_path() {
        let settings = |issuer| {
            let issuer = Issuer::parse(issuer, true).unwrap();
            Settings::new(issuer, Secret::new("sqlite::memory:".to_owned()))
        };
        let (plain, deep) = (
            settings("http://localhost"),
            settings("http://localhost/t/1"),
        );
        for (path, expected) in [
            ("/oauth2/token", Some(Endpoint::Token)),
            ("/oauth2/introspect", Some(Endpoint::Introspection)),
            ("/oauth2/revoke", Some(Endpoint::Revocation)),
            ("/oauth2/jwks", Some(Endpoint::Jwks)),
            (
                "/.well-known/oauth-authorization-server",
                Some(Endpoint::Metadata),
            ),
            (
                "/.well-known/openid-configuration",
                Some(Endpoint::Metadata),
            ),
            ("/oauth2/authorize", None),
            ("/", None),
        ] {
            assert_eq!(Endpoint::at(path, &plain), expected, "{path}");
            assert_eq!(
                Endpoint::at(&format!("/t/1{path}"), &deep),
                expected,
                "{path}"
            );
        }
        let inserted = "/.well-known/openid-configuration/t/1";
        assert_eq!(Endpoint::at(inserted, &deep), Some(Endpoint::Metadata));
        assert_eq!(
            Endpoint::at("/.well-known/jwks.json", &deep),
            Some(Endpoint::Jwks)
        );
        assert_eq!(Endpoint::at("/oauth2/token", &deep), None);
    }
}
