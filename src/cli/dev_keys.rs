//! The keys of `grantd dev`: one for each client of `private_key_jwt` without a key, and one for DPoP proofs. They lie
//! in the data directory and outlive the process where that does.

use std::path::{Path, PathBuf};

use super::data_directory::DataDirectory;
use super::dev_certificates::name;
use crate::config::catalog::{Catalog, CatalogClient, Placed};
use crate::crypto::jws::private_key::ClientPrivateKey;
use crate::crypto::public_jwk::PublicJwk;
use crate::domain::audience::SenderConstraint;
use crate::domain::client::AuthMethod;
use crate::domain::credential::{CredentialMaterial, PublicMaterial};
use crate::domain::identifier::ClientId;

/// The key for proofs: any will do, so all clients share it.
const DPOP: &str = "dpop.jwk.json";

/// Where everything lies.
#[derive(Debug)]
pub(super) struct DevKeys {
    clients: Vec<(ClientId, PathBuf)>,
    /// There where a client needs proofs.
    pub(super) dpop: Option<PathBuf>,
}

impl DevKeys {
    /// Makes what is not there yet; where `registers`, a key that was made is registered beside what the catalog states.
    pub(super) fn make(
        data: &DataDirectory,
        catalog: &mut Catalog,
        registers: bool,
    ) -> anyhow::Result<Self> {
        let mut clients = Vec::new();
        let proven = |it: &&mut CatalogClient| it.auth_methods.contains(&AuthMethod::PrivateKeyJwt);
        for client in catalog.clients.iter_mut().filter(proven) {
            let file = name(client, "jwk.json");
            let path = data.path().join(&file);
            if registers && !client.states_assertion_proof() {
                let key = key(data, &file)?;
                let material = PublicMaterial::Jwk(key.public_jwk().to_string());
                client.credentials.push(Placed::made_by_dev(material));
            } else if !path.exists() {
                continue;
            }
            let made = key(data, &file)?.public().thumbprint();
            if thumbprints(client).any(|it| it == made) {
                clients.push((client.id.clone(), path));
            }
        }
        let dpop = needs_proofs(catalog)
            .then(|| key(data, DPOP).map(|_| data.path().join(DPOP)))
            .transpose()?;
        Ok(Self { clients, dpop })
    }

    /// The private key of a client, where it was made here.
    pub(super) fn of(&self, id: &ClientId) -> Option<&Path> {
        let made = self.clients.iter().find(|(client, _)| client == id);
        made.map(|(_, path)| path.as_path())
    }
}

/// RFC 7638, of the keys that a client has registered.
fn thumbprints(client: &CatalogClient) -> impl Iterator<Item = String> {
    client
        .credentials
        .iter()
        .filter_map(|it| match &it.material {
            CredentialMaterial::Jwk(jwk) => Some(PublicJwk::parse(jwk).ok()?.thumbprint()),
            _ => None,
        })
}

fn needs_proofs(catalog: &Catalog) -> bool {
    let takes = [SenderConstraint::Dpop, SenderConstraint::Any];
    let mut audiences = catalog.audiences.iter().map(|it| &it.value);
    audiences.any(|it| takes.contains(&it.sender_constraint))
        || catalog.clients.iter().any(|it| it.dpop_bound_access_tokens)
}

/// The private key in the file `name`, made where there is none.
fn key(data: &DataDirectory, name: &str) -> anyhow::Result<ClientPrivateKey> {
    let make = || Ok(ClientPrivateKey::generate()?);
    data.kept(name, make, |text| Ok(ClientPrivateKey::parse(text, None)?))
}
