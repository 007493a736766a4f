//! The line of `grantd dev`'s screen that gets a token for a client as it is printed, or why there is none.

use std::path::Path;

use super::curl_line::{by_secret, curl_line, quoted};
use super::dev_certificates::DevCertificates;
use super::dev_keys::DevKeys;
use crate::config::catalog::{CatalogClient, Placed};
use crate::crypto::secret_hash::PhcHash;
use crate::domain::audience::{Audience, SenderConstraint};
use crate::domain::client::{AuthMethod, ClientStatus};
use crate::domain::credential::{CredentialMaterial, StatedSecret};
use crate::domain::identifier::ClientId;
use crate::domain::secret_format::Secret;

/// What is printed in place of a secret of a catalog of one's own.
const PLACEHOLDER: &str = "SECRET";

/// What lines are made of.
pub(super) struct Lines<'a> {
    pub(super) issuer: &'a str,
    pub(super) endpoint: &'a str,
    pub(super) mutual_endpoint: Option<&'a str>,
    pub(super) certificates: &'a DevCertificates,
    pub(super) keys: &'a DevKeys,
    pub(super) audiences: &'a [Placed<Audience>],
    /// The secrets of the demo catalog, which everybody knows.
    pub(super) demo: &'a [(ClientId, Secret)],
    /// Whether secrets of a catalog of one's own are shown as well.
    pub(super) shows_secrets: bool,
    /// Whether `endpoint` has a certificate of the throw-away CA, as the mutual one always has.
    pub(super) has_tls: bool,
}

/// A line, and what a reader has to put into it.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) note: Option<&'static str>,
}

impl Lines<'_> {
    /// # Errors
    /// Why no line could work, in a few words.
    pub(super) fn of(&self, client: &CatalogClient) -> Result<Line, &'static str> {
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
        if let Some(made) = self.certificates.of(&client.id)
            && let Some(endpoint) = self.mutual_endpoint
        {
            let proof = format!(
                "--cert {} --key {} --data-urlencode {}",
                quoted(made.certificate.display()),
                quoted(made.key.display()),
                quoted(format_args!("client_id={}", client.id)),
            );
            return Ok((proof, endpoint, None));
        }
        let has = |method| client.auth_methods.contains(&method);
        if has(AuthMethod::PrivateKeyJwt) {
            let key = self.keys.of(&client.id);
            let key = key.ok_or(
                "authenticates with a key that is not here: `grantd token assertion` signs with it",
            )?;
            return Ok((self.assertion(client, key), self.endpoint, None));
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
        format!("--cacert {} ", quoted(self.certificates.ca.display()))
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
    pub(super) fn clear_secret(&self, client: &CatalogClient) -> Option<Secret> {
        let mut materials = client.credentials.iter().map(|it| &it.material);
        let stated = materials.find_map(|material| match material {
            CredentialMaterial::Secret(StatedSecret::Clear(secret)) => Some(secret.clone()),
            _ => None,
        });
        stated.or_else(|| {
            self.known_secret(client)
                .map(|it| Secret::new(it.to_owned()))
        })
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

    fn assertion(&self, client: &CatalogClient, key: &Path) -> String {
        format!(
            "-d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
             -d client_assertion=\"$({} token assertion {} --key {} --audience {})\"",
            program(),
            quoted(&client.id),
            quoted(key.display()),
            quoted(self.issuer),
        )
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
        let key = self.keys.dpop.as_ref();
        let key = key.ok_or("needs a key to bind its tokens to, which is not here")?;
        Ok(format!(
            " -H \"DPoP: $({} token proof --key {} --url {})\"",
            program(),
            quoted(key.display()),
            quoted(endpoint),
        ))
    }

    fn constraint(&self, client: &CatalogClient) -> SenderConstraint {
        let first = client.policies.first().map(|it| &it.audience);
        let mut audiences = self.audiences.iter().map(|it| &it.value);
        audiences
            .find(|audience| Some(&audience.id) == first)
            .map_or(SenderConstraint::None, |audience| {
                audience.sender_constraint
            })
    }
}

/// How this program is called from a shell: by its name where that finds it.
fn program() -> String {
    let Ok(own) = std::env::current_exe() else {
        return "grantd".to_owned();
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join("grantd"))
        .find(|file| file.is_file());
    let found = found.and_then(|file| file.canonicalize().ok());
    if found == own.canonicalize().ok() {
        "grantd".to_owned()
    } else {
        quoted(own.display())
    }
}
