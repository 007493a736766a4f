//! A method of client authentication as a client registers it: `auth` of a `[[client]]`.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::AuthMethod;
use crate::domain::shape;

/// The names of [`AuthMethod::REGISTRABLE`].
const NAMES: &[&str] = &[
    AuthMethod::ClientSecretBasic.as_str(),
    AuthMethod::ClientSecretPost.as_str(),
    AuthMethod::PrivateKeyJwt.as_str(),
    AuthMethod::TlsClientAuth.as_str(),
    AuthMethod::SelfSignedTlsClientAuth.as_str(),
];

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Registrable(AuthMethod);

impl<'de> Deserialize<'de> for Registrable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match AuthMethod::from_text(&text) {
            Some(AuthMethod::Federated) => Err(Error::custom(
                "no client registers federated: write private_key_jwt, as which a foreign token is presented; a \
                 [[client.identity]] says whose, and `methods` of a policy may name federated",
            )),
            Some(method) => Ok(Self(method)),
            None => Err(Error::unknown_variant(&text, NAMES)),
        }
    }
}

/// A method, or a list of at least one.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<AuthMethod>, D::Error> {
    let methods: Vec<Registrable> = shape::one_or_many(deserializer)?;
    Ok(methods.into_iter().map(|it| it.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::client::Client;

    fn read(method: &str) -> Result<Client, serde_json::Error> {
        serde_json::from_value(serde_json::json!({ "id": "orders", "auth": [method] }))
    }

    #[test]
    fn every_method_but_federated_can_be_registered() {
        let registrable = AuthMethod::REGISTRABLE.iter().map(|it| it.as_str());
        assert!(registrable.eq(NAMES.iter().copied()));
        for method in AuthMethod::ALL {
            let client = read(method.as_str());
            assert_eq!(client.is_ok(), AuthMethod::REGISTRABLE.contains(method));
        }
        let told = read("federated").unwrap_err().to_string();
        assert!(told.contains("write private_key_jwt"), "{told}");
        let told = read("mtls").unwrap_err().to_string();
        assert!(!told.contains("federated"), "{told}");
    }

    #[test]
    fn a_foreign_token_is_for_clients_of_private_key_jwt() {
        for method in AuthMethod::REGISTRABLE {
            let client = read(method.as_str()).unwrap();
            assert!(client.may_use(*method));
            let may = client.may_use(AuthMethod::Federated);
            assert_eq!(may, *method == AuthMethod::PrivateKeyJwt, "{method}");
        }
    }
}
