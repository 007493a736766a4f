//! The line for a shell that gets a token for a client of `grantd dev`, or why there is none.

mod curl;

use std::path::Path;

pub use curl::quoted;
use curl::{by_secret, curl_line};

use super::CatalogClient;
use crate::crypto::secret_hash::PhcHash;
use crate::domain::audience::{Audience, SenderConstraint};
use crate::domain::client::{AuthMethod, ClientStatus};
use crate::domain::client_jwt::ASSERTION_TYPE;
use crate::domain::credential::{CredentialMaterial, StatedSecret};
use crate::domain::identifier::ClientId;
use crate::domain::secret_format::Secret;

/// What is printed in place of a secret of a catalog of one's own.
const PLACEHOLDER: &str = "SECRET";

/// What clients prove themselves with besides secrets, as words of a shell.
pub trait Words {
    /// A certificate and its private key: each a word that names a file.
    fn certificate(&self, client: &ClientId) -> Option<(String, String)>;

    /// An assertion (RFC 7523), within double quotes.
    fn assertion(&self, client: &ClientId) -> Option<String>;

    /// A DPoP proof for a POST to `endpoint`, within double quotes.
    fn proof(&self, endpoint: &str) -> Option<String>;
}

/// What lines are made of.
pub struct Lines<'a> {
    /// The token endpoint.
    pub endpoint: &'a str,
    /// The one where clients present certificates.
    pub mutual_endpoint: Option<&'a str>,
    /// What to trust at either, where it has a certificate of the throw-away CA.
    pub ca: &'a Path,
    /// What clients prove themselves with.
    pub words: &'a dyn Words,
    /// All that policies name.
    pub audiences: Vec<&'a Audience>,
    /// The secrets of the demo catalog, which everybody knows.
    pub demo: &'a [(ClientId, Secret)],
    /// Whether secrets of a catalog of one's own are shown as well.
    pub shows_secrets: bool,
    /// Whether `endpoint` has a certificate of the throw-away CA, as the mutual one always has.
    pub has_tls: bool,
}

/// A line, and what a reader has to put into it.
pub struct Line {
    /// For bash or zsh.
    pub text: String,
    /// What is to be put in, where anything is.
    pub note: Option<&'static str>,
}

impl Lines<'_> {
    /// # Errors
    /// Why no line could work, in a few words.
    pub fn of(&self, client: &CatalogClient) -> Result<Line, &'static str> {
        if client.status == ClientStatus::Disabled {
            return Err("is disabled");
        }
        if client.grants.is_empty() {
            return Err("gets no tokens, it only introspects");
        }
        let (proof, endpoint, note) = self.proof(client)?;
        let trust = self.trust(endpoint);
        let dpop = self.dpop(client, endpoint)?;
        let text = curl_line(client, &format!("{trust}{proof}{dpop}"), endpoint);
        let text = text.ok_or("has no policy, so it gets nothing")?;
        Ok(Line { text, note })
    }

    /// What proves the client, where, and what is to be put in.
    fn proof(
        &self,
        client: &CatalogClient,
    ) -> Result<(String, &str, Option<&'static str>), &'static str> {
        if let Some((proof, note)) = self.secret(client) {
            return Ok((proof, self.endpoint, note));
        }
        if let Some((certificate, key)) = self.words.certificate(&client.id)
            && let Some(endpoint) = self.mutual_endpoint
        {
            let id = quoted(format_args!("client_id={}", client.id));
            let proof = format!("--cert {certificate} --key {key} --data-urlencode {id}");
            return Ok((proof, endpoint, None));
        }
        let has = |method| client.auth_methods.contains(&method);
        if has(AuthMethod::PrivateKeyJwt) {
            let mut materials = client.credentials.iter().map(|it| &it.material);
            let is_foreign = materials.any(|it| it.identity().is_some());
            let assertion = self.words.assertion(&client.id).ok_or(if is_foreign {
                "authenticates with a token that its platform gives to it alone"
            } else {
                "authenticates with a key that is not here: `grantd token assertion` signs with it"
            })?;
            let proof = format!(
                "-d client_assertion_type={ASSERTION_TYPE} -d client_assertion=\"{assertion}\""
            );
            return Ok((proof, self.endpoint, None));
        }
        Err(if has(AuthMethod::TlsClientAuth) {
            "authenticates with a certificate that is not here"
        } else {
            "has no credential to authenticate with"
        })
    }

    /// What to trust at `endpoint`.
    fn trust(&self, endpoint: &str) -> String {
        if !self.has_tls && Some(endpoint) != self.mutual_endpoint {
            return String::new();
        }
        format!("--cacert {} ", quoted(self.ca.display()))
    }

    /// Shown where everybody knows it; else the reader knows it.
    fn secret(&self, client: &CatalogClient) -> Option<(String, Option<&'static str>)> {
        let mut materials = client.credentials.iter().map(|it| &it.material);
        let stated = materials.find_map(|material| match material {
            CredentialMaterial::Secret(stated) => Some(stated),
            _ => None,
        })?;
        let (secret, note) = match stated {
            StatedSecret::Clear(secret) => (Some(secret), "put its secret in place of SECRET"),
            StatedSecret::Phc(_) | StatedSecret::Absent => (
                None,
                "put its secret in place of SECRET: only the hash is stored",
            ),
        };
        if let Some(known) = self.known_secret(client) {
            return Some((by_secret(client, (known, known))?, None));
        }
        let form = secret.map_or(PLACEHOLDER, Secret::expose);
        if self.shows_secrets && secret.is_some() {
            return Some((by_secret(client, (form, form))?, None));
        }
        Some((by_secret(client, (form, PLACEHOLDER))?, Some(note)))
    }

    /// The secret of a client in clear, where the catalog states it so or everybody knows it.
    #[must_use]
    pub fn clear_secret(&self, client: &CatalogClient) -> Option<Secret> {
        let known = || Some(Secret::new(self.known_secret(client)?.to_owned()));
        client.clear_secret().cloned().or_else(known)
    }

    /// A secret of the demo, where it is still the client's.
    fn known_secret(&self, client: &CatalogClient) -> Option<&str> {
        let (_, known) = self.demo.iter().find(|(id, _)| *id == client.id)?;
        let is_known = |material: &CredentialMaterial<StatedSecret>| match material {
            CredentialMaterial::Secret(StatedSecret::Clear(secret)) => {
                secret.expose() == known.expose()
            }
            CredentialMaterial::Secret(StatedSecret::Phc(hash)) => {
                hash.parse::<PhcHash>().is_ok_and(|hash| hash.verify(known))
            }
            _ => false,
        };
        let mut in_force = client
            .credentials
            .iter()
            .filter(|it| it.retired_at.is_none());
        in_force
            .any(|it| is_known(&it.material))
            .then(|| known.expose())
    }

    /// The header with a proof, where the client's first audience or the client itself wants its tokens bound.
    fn dpop(&self, client: &CatalogClient, endpoint: &str) -> Result<String, &'static str> {
        let is_mutual = Some(endpoint) == self.mutual_endpoint;
        match self.constraint(client) {
            _ if client.dpop_bound_access_tokens => {}
            SenderConstraint::Dpop => {}
            SenderConstraint::Any if !is_mutual => {}
            SenderConstraint::Mtls if !is_mutual => {
                return Err("needs a certificate to bind its tokens to, which is not here");
            }
            _ => return Ok(String::new()),
        }
        let proof = self.words.proof(endpoint);
        let proof = proof.ok_or("needs a key to bind its tokens to, which is not here")?;
        Ok(format!(" -H \"DPoP: {proof}\""))
    }

    fn constraint(&self, client: &CatalogClient) -> SenderConstraint {
        let first = client.policies.first().map(|it| &it.audience);
        let mut audiences = self.audiences.iter();
        audiences
            .find(|audience| Some(&audience.id) == first)
            .map_or(SenderConstraint::None, |audience| {
                audience.sender_constraint
            })
    }
}
