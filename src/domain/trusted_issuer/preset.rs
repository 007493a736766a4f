//! What is known of the platforms that most people trust: each is a default where a catalog states nothing.

use super::{IssuerKeys, JtiUse};
use crate::domain::accepted_algorithm::AcceptedAlgorithm::{self, Es384, Es512, Ours};
use crate::domain::algorithm::SigningAlgorithm::{EdDsa, Es256, Ps256, Rs256};
use crate::domain::client::named;
use crate::domain::timestamp::Seconds;

named! {
    /// A platform.
    Preset {
        /// GitHub Actions.
        Github = "github",
        /// GitLab CI/CD.
        Gitlab = "gitlab",
        /// A Kubernetes cluster.
        Kubernetes = "kubernetes",
        /// A trust domain of SPIFFE.
        Spiffe = "spiffe",
        /// Google Cloud.
        Google = "google",
        /// Microsoft Entra ID.
        Azure = "azure",
        /// Anybody else.
        None = "none",
    }
}

impl Preset {
    /// Where the keys of the issuer `url` are; none for SPIFFE, whose bundles are wherever somebody put them.
    pub(super) fn keys(self, url: &str) -> Option<IssuerKeys> {
        match self {
            Self::Kubernetes => Some(IssuerKeys::Url(format!("{url}/openid/v1/jwks"))),
            Self::Spiffe => None,
            _ => Some(IssuerKeys::Discovery),
        }
    }

    /// The platform whose tokens say this `iss`, where it is the same for all of its users or its tenants.
    pub(super) fn of_url(url: &str) -> Option<Self> {
        let (github, azure) = (
            "https://token.actions.githubusercontent.com",
            "https://login.microsoftonline.com/",
        );
        // An enterprise may have an `iss` with its name.
        let is_github = |rest: &str| rest.is_empty() || rest.starts_with('/');
        let is_azure = |rest: &str| rest.ends_with("/v2.0");
        match url {
            "https://gitlab.com" => Some(Self::Gitlab),
            "https://accounts.google.com" => Some(Self::Google),
            _ if url.strip_prefix(github).is_some_and(is_github) => Some(Self::Github),
            _ if url.strip_prefix(azure).is_some_and(is_azure) => Some(Self::Azure),
            _ => None,
        }
    }

    pub(super) const fn algorithms(self) -> &'static [AcceptedAlgorithm] {
        match self {
            Self::Github | Self::Gitlab | Self::Google | Self::Azure => &[Ours(Rs256)],
            Self::Kubernetes => &[Ours(Rs256), Ours(Es256)],
            Self::Spiffe => &[Ours(Rs256), Ours(Es256), Es384, Es512, Ours(Ps256)],
            Self::None => &[Ours(Rs256), Ours(Es256), Ours(Ps256), Ours(EdDsa)],
        }
    }

    /// What else its identities have, as the end of a sentence.
    pub(super) const fn refuses(self) -> &'static str {
        match self {
            Self::Github => ", and refuses pull_request_target",
            _ => "",
        }
    }

    pub(super) const fn max_lifetime(self) -> Seconds {
        match self {
            Self::Gitlab => Seconds::new(24 * 3600),
            Self::Kubernetes | Self::Azure => Seconds::new(25 * 3600),
            _ => Seconds::new(3600),
        }
    }

    pub(super) const fn jti(self) -> JtiUse {
        match self {
            Self::Kubernetes | Self::Spiffe | Self::Google | Self::Azure => JtiUse::Ignore,
            Self::Github | Self::Gitlab | Self::None => JtiUse::IfPresent,
        }
    }
}
