//! The security profile of a server: its own rules, or those of the FAPI 2.0 Security Profile for client
//! credentials. What a profile forbids is refused where it is written, and again where it would be used.

use super::accepted_algorithm::AcceptedAlgorithm;
use super::algorithm::SigningAlgorithm;
use super::audience::{Audience, SenderConstraint};
use super::client::{AssertionAudience, AuthMethod, Client, named};
use super::identifier::ClientId;
use super::trusted_issuer::TrustedIssuer;

named! {
    /// The profile.
    Profile {
        /// grantd's own rules.
        Default = "default",
        /// The FAPI 2.0 Security Profile: no shared secrets, no RSA PKCS #1, every token bound to its sender.
        Fapi2 = "fapi2",
    }
}

/// What a profile forbids of a client, an audience or a setting: a sentence that says what to do.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// A client that may use a shared secret.
    #[error(
        "client {client}: the profile fapi2 forbids {method}; register private_key_jwt or mutual TLS"
    )]
    Method { client: String, method: AuthMethod },
    #[error(
        "client {0}: the profile fapi2 takes the issuer alone as aud; remove its assertion_audience"
    )]
    AssertionAudience(String),
    /// A key that is registered for an algorithm alone that the profile does not take.
    #[error(
        "client {client}: the profile {profile} forbids {algorithm}, and the key {kid} is registered for that alone; {}",
        other_than(*.algorithm)
    )]
    Key {
        profile: Profile,
        client: String,
        kid: String,
        algorithm: AcceptedAlgorithm,
    },
    /// An issuer none of whose tokens it takes.
    #[error(
        "issuer {issuer}: the profile {profile} takes no tokens that are signed by {forbidden}: where the issuer signs by \
         ES256, EdDSA or PS256 as well, name that in algorithms; else trust it on a server of another profile"
    )]
    Issuer {
        profile: Profile,
        issuer: String,
        forbidden: String,
    },
    /// An audience whose tokens are signed with RSA PKCS #1.
    #[error(
        "audience {audience}: the profile fapi2 forbids {algorithm}; use ES256, EdDSA or PS256"
    )]
    Algorithm {
        audience: String,
        algorithm: SigningAlgorithm,
    },
    #[error(
        "audience {0}: the profile fapi2 binds every token; set sender_constraint to mtls, dpop or any"
    )]
    Bearer(String),
}

/// What a client does about a key for an algorithm that the profile does not take.
const fn other_than(algorithm: AcceptedAlgorithm) -> &'static str {
    match algorithm {
        AcceptedAlgorithm::Es384 | AcceptedAlgorithm::Es512 => {
            "register a key on P-256 or Ed25519, or an RSA key"
        }
        _ => "write alg PS256, or leave alg out",
    }
}

impl Profile {
    /// The methods of client authentication that it allows.
    #[must_use]
    pub const fn allows_method(self, method: AuthMethod) -> bool {
        match self {
            Self::Default => true,
            Self::Fapi2 => !matches!(
                method,
                AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost
            ),
        }
    }

    /// The algorithms of tokens that it allows.
    #[must_use]
    pub const fn allows_algorithm(self, algorithm: SigningAlgorithm) -> bool {
        match self {
            Self::Default => true,
            Self::Fapi2 => !matches!(algorithm, SigningAlgorithm::Rs256),
        }
    }

    /// The `alg` values of client assertions that it takes: those of proofs, and in the profile
    /// `default` those of SHA-384.
    #[must_use]
    pub const fn assertion_algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Default => &[
                "ES256", "EdDSA", "Ed25519", "PS256", "RS256", "ES384", "PS384", "RS384",
            ],
            Self::Fapi2 => self.proof_algorithms(),
        }
    }

    /// The `alg` values of DPoP proofs that it takes. RFC 9864 gave `EdDSA` with Ed25519 a second name.
    #[must_use]
    pub const fn proof_algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Default => &["ES256", "EdDSA", "Ed25519", "PS256", "RS256"],
            Self::Fapi2 => &["ES256", "EdDSA", "Ed25519", "PS256"],
        }
    }

    /// The `alg` values of tokens of trusted issuers that it takes; the issuer narrows them.
    #[must_use]
    pub const fn foreign_algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Default => &[
                "ES256", "EdDSA", "Ed25519", "PS256", "RS256", "ES384", "PS384", "RS384", "ES512",
                "RS512",
            ],
            Self::Fapi2 => self.proof_algorithms(),
        }
    }

    /// The algorithms of those of its tokens that it takes.
    pub fn algorithms_of(self, issuer: &TrustedIssuer) -> impl Iterator<Item = AcceptedAlgorithm> {
        let taken = self.foreign_algorithms();
        let by_issuer = issuer.accepted_algorithms().iter().copied();
        by_issuer.filter(|it| taken.contains(&it.as_str()))
    }

    /// Whether every token must be bound to its sender.
    #[must_use]
    pub const fn binds_every_token(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// Whether an assertion's `aud` must be a text: a list of one is refused.
    #[must_use]
    pub const fn wants_audience_as_text(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// What it forbids of a client.
    #[must_use]
    pub fn contradiction_of_client(self, client: &Client) -> Option<Contradiction> {
        let id = client.id.to_string();
        let mut methods = client.auth_methods.iter();
        if let Some(method) = methods.find(|method| !self.allows_method(**method)) {
            return Some(Contradiction::Method {
                client: id,
                method: *method,
            });
        }
        let lax = client.assertion_audience == AssertionAudience::IssuerOrTokenEndpoint;
        (self == Self::Fapi2 && lax).then_some(Contradiction::AssertionAudience(id))
    }

    /// What it forbids of a client's key that is registered for these algorithms.
    #[must_use]
    pub fn contradiction_of_key(
        self,
        client: &ClientId,
        kid: &str,
        algorithms: &[AcceptedAlgorithm],
    ) -> Option<Contradiction> {
        let taken = self.assertion_algorithms();
        let usable = algorithms.iter().any(|it| taken.contains(&it.as_str()));
        // Of several one is always taken.
        let algorithm = *algorithms.first().filter(|_| !usable)?;
        Some(Contradiction::Key {
            profile: self,
            client: client.to_string(),
            kid: kid.to_owned(),
            algorithm,
        })
    }

    /// What it forbids of a trusted issuer.
    #[must_use]
    pub fn contradiction_of_issuer(self, issuer: &TrustedIssuer) -> Option<Contradiction> {
        let by_issuer = issuer.accepted_algorithms().iter();
        let forbidden = || by_issuer.map(|it| it.as_str()).collect::<Vec<_>>();
        let usable = self.algorithms_of(issuer).next().is_some();
        (!usable).then(|| Contradiction::Issuer {
            profile: self,
            issuer: issuer.id.to_string(),
            forbidden: forbidden().join(", "),
        })
    }

    /// What it forbids of an audience.
    #[must_use]
    pub fn contradiction_of_audience(self, audience: &Audience) -> Option<Contradiction> {
        let (id, algorithm) = (audience.id.to_string(), audience.algorithm);
        if !self.allows_algorithm(algorithm) {
            return Some(Contradiction::Algorithm {
                audience: id,
                algorithm,
            });
        }
        let bearer = audience.sender_constraint == SenderConstraint::None;
        (self.binds_every_token() && bearer).then_some(Contradiction::Bearer(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fapi2_allows_no_secret_and_no_rsa_pkcs1() {
        let methods = |profile: Profile| -> Vec<&str> {
            let allowed = AuthMethod::ALL
                .iter()
                .filter(|method| profile.allows_method(**method));
            allowed.map(|method| method.as_str()).collect()
        };
        assert_eq!(methods(Profile::Default).len(), AuthMethod::ALL.len());
        assert_eq!(
            methods(Profile::Fapi2),
            [
                "private_key_jwt",
                "tls_client_auth",
                "self_signed_tls_client_auth",
                "federated",
            ]
        );
        let forbidden: Vec<_> = SigningAlgorithm::ALL
            .into_iter()
            .filter(|algorithm| !Profile::Fapi2.allows_algorithm(*algorithm))
            .collect();
        assert_eq!(forbidden, [SigningAlgorithm::Rs256]);
    }

    #[test]
    fn a_key_for_what_fapi2_forbids_alone_is_told_with_what_to_do() {
        let client = ClientId::parse("worker").unwrap();
        let found = |algorithms: &[AcceptedAlgorithm]| {
            let found = Profile::Fapi2.contradiction_of_key(&client, "old", algorithms);
            found.map(|it| it.to_string())
        };
        let (rs256, ps256) = (
            SigningAlgorithm::Rs256.into(),
            SigningAlgorithm::Ps256.into(),
        );
        assert_eq!(found(&[rs256, AcceptedAlgorithm::Rs384, ps256]), None);
        for (algorithm, advice) in [
            (
                rs256,
                "forbids RS256, and the key old is registered for that alone; write alg PS256",
            ),
            (AcceptedAlgorithm::Ps384, "forbids PS384, and the key old"),
            (
                AcceptedAlgorithm::Es384,
                "for that alone; register a key on P-256",
            ),
        ] {
            let told = found(&[algorithm]).unwrap();
            assert!(told.contains(advice), "{told}");
            let default = Profile::Default.contradiction_of_key(&client, "old", &[algorithm]);
            assert_eq!(default, None);
        }
    }
}
