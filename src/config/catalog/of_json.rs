//! Catalogs and clients as JSON, with the keys that they have in TOML.

use serde_json::{Map, Value};

use super::files::Files;
use super::{Catalog, CatalogClient, CatalogOptions, read};
use crate::config::fault::{ConfigError, Faults, Place};
use crate::config::json_document;

impl Catalog {
    /// Reads a JSON object with the keys of a catalog, which places in errors are paths in; paths of files are relative to
    /// the base of `options`.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn of_json(
        members: &Map<String, Value>,
        options: &CatalogOptions<'_>,
    ) -> Result<Self, ConfigError> {
        let faults = Faults::default();
        let mut files = Files::new(&faults);
        files.read_json(members, &options.base);
        let catalog = Self::of(&files.documents(), options, &faults);
        faults.or(Some(catalog))
    }
}

impl CatalogClient {
    /// Reads a JSON object with the keys of a `[[client]]`.
    ///
    /// # Errors
    /// As of [`Catalog::of_json`].
    pub fn of_json(
        members: &Map<String, Value>,
        options: &CatalogOptions<'_>,
    ) -> Result<Self, ConfigError> {
        let table = json_document::table(members)?;
        let faults = Faults::default();
        let at = (&Place::Member("".into()), &table);
        let client = read::client(at, &[], (options, &faults));
        faults.or(client)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::credential::{CredentialMaterial, StatedSecret};

    fn read(catalog: &Value) -> Result<Catalog, ConfigError> {
        let none = |_: &str| None;
        Catalog::of_json(catalog.as_object().unwrap(), &CatalogOptions::dev(&none))
    }

    fn catalog() -> Value {
        json!({
            "audience": [{ "id": "api", "scopes": ["read"], "token_lifetime": "5m" }],
            "client": [{
                "id": "orders", "name": null, "secret": "a secret", "claims": { "n": [1, 2.5, { "x": true }] },
                "policy": [{ "audience": "api", "scopes": ["read"], "default_scopes": ["read"] }],
            }],
        })
    }

    #[test]
    fn a_catalog_in_json_is_the_one_in_toml() {
        let read = read(&catalog()).unwrap();
        let text = r#"
            [[audience]]
            id = "api"
            scopes = ["read"]
            token_lifetime = "5m"
            [[client]]
            id = "orders"
            secret = "a secret"
            claims = { n = [1, 2.5, { x = true }] }
            [[client.policy]]
            audience = "api"
            scopes = ["read"]
            default_scopes = ["read"]
        "#;
        let none = |_: &str| None;
        let other = Catalog::parse("c.toml", text, &CatalogOptions::dev(&none)).unwrap();
        assert_eq!(read.audiences[0].value, other.audiences[0].value);
        let (read, other) = (&read.clients[0], &other.clients[0]);
        assert_eq!(read.client, other.client);
        assert_eq!(read.policies[0].value, other.policies[0].value);
        assert!(matches!(
            &read.credentials[0].material,
            CredentialMaterial::Secret(StatedSecret::Clear(secret)) if secret.expose() == "a secret"
        ));
    }

    #[test]
    fn a_fault_tells_the_members_that_lead_to_it() {
        for (pointer, wrong, place, told) in [
            (
                "/client/0",
                ("secrt", json!("x")),
                "client[0].secrt",
                "the nearest known one is `secret`",
            ),
            (
                "/client/0/policy/0",
                ("scopes", json!("read")),
                "client[0].policy[0].scopes",
                "expected a list",
            ),
            (
                "/client/0/policy/0",
                ("scopes", json!(["write"])),
                "client[0].policy[0].scopes",
                "write",
            ),
            (
                "/client/0",
                ("claims", json!({ "a": [null] })),
                "client[0].claims.a[0]",
                "null means nothing",
            ),
            (
                "/audience/0",
                ("token_lifetime", json!(u64::MAX)),
                "audience[0].token_lifetime",
                "64 bits",
            ),
            (
                "",
                ("clients", json!([])),
                "clients",
                "the nearest known one is `client`",
            ),
        ] {
            let mut catalog = catalog();
            let at = catalog
                .pointer_mut(pointer)
                .unwrap()
                .as_object_mut()
                .unwrap();
            at.insert(wrong.0.to_owned(), wrong.1);
            let error = read(&catalog).unwrap_err();
            let mut places = error.faults().iter().map(|it| it.place.to_string());
            assert!(places.any(|it| it == place), "{place}: {error}");
            assert!(error.to_string().contains(told), "{error}");
        }
    }

    #[test]
    fn a_client_alone_is_read_too() {
        let none = |_: &str| None;
        let options = CatalogOptions::dev(&none);
        let read = |client: Value| CatalogClient::of_json(client.as_object().unwrap(), &options);
        let client = read(catalog()["client"][0].clone()).unwrap();
        assert_eq!((client.id.as_str(), client.policies.len()), ("orders", 1));
        let error = read(json!({ "id": "a", "policy": [{ "audience": 1 }] })).unwrap_err();
        assert_eq!(error.faults()[0].place.to_string(), "policy[0].audience");
        let error = read(json!({ "name": "A" })).unwrap_err();
        assert!(error.to_string().contains("write the client_id"), "{error}");
    }
}
