//! Signs what a test wants: header and claims as a real token has them, with what differs laid over at the end.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::our_keys;
use crate::control::fault::Fault;
use crate::control::state::Control;
use crate::crypto::jws::deviant::{Deviant, hs256};
use crate::crypto::jws::held_key::HeldKey;
use crate::crypto::jws::private_key::ClientPrivateKey;
use crate::crypto::jws::{JwsError, Signer};
use crate::crypto::public_jwk::PublicJwk;
use crate::crypto::public_key_pem::to_pem;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::deviation::{Algorithm, Deviation, KeyChoice, SignatureForm, lay_over};

/// What signs a token.
pub(in crate::control) enum Key {
    /// A key of our issuer.
    Ours(Arc<Signer>),
    /// A key of another issuer, or of nobody.
    Held(Arc<HeldKey>),
    /// A key that a test brought.
    Given(Box<ClientPrivateKey>),
}

/// A token, and what it says.
#[derive(Clone, Debug)]
pub(in crate::control) struct Signed {
    pub(in crate::control) token: String,
    pub(in crate::control) header: Map<String, Value>,
    pub(in crate::control) claims: Map<String, Value>,
}

impl Key {
    /// The key of our issuer, or of nobody, that `choice` means.
    ///
    /// # Errors
    /// 400 for a JWK that is no private key, 503.
    pub(in crate::control) async fn chosen(
        control: &Control,
        choice: &KeyChoice,
        algorithm: SigningAlgorithm,
    ) -> Result<Self, Fault> {
        Ok(match choice {
            KeyChoice::Active => Self::Ours(our_keys::active(control, algorithm).await?),
            KeyChoice::Next => Self::Ours(our_keys::next(control, algorithm).await?),
            KeyChoice::Retired => Self::Ours(our_keys::retired(control, algorithm).await?.signer),
            KeyChoice::Unknown => Self::Held(control.mint().strangers.key(algorithm).await?),
            KeyChoice::Given(jwk) => Self::given(jwk, None)?,
        })
    }

    /// The private key in a JWK.
    ///
    /// # Errors
    /// 400.
    pub(in crate::control) fn given(
        jwk: &str,
        algorithm: Option<SigningAlgorithm>,
    ) -> Result<Self, Fault> {
        let read = ClientPrivateKey::parse(jwk, algorithm);
        let read = read.map_err(|error| Fault::invalid(error.to_string()).at("key"))?;
        Ok(Self::Given(Box::new(read)))
    }

    fn client_key(&self) -> Option<&ClientPrivateKey> {
        match self {
            Self::Ours(_) => None,
            Self::Held(held) => Some(held.key()),
            Self::Given(key) => Some(key),
        }
    }

    /// The public half, where it is a key that was made here or given.
    pub(in crate::control) fn public(&self) -> Option<&PublicJwk> {
        self.client_key().map(ClientPrivateKey::public)
    }

    /// What its tokens call it.
    pub(in crate::control) fn kid(&self) -> String {
        match self {
            Self::Ours(signer) => signer.kid().to_owned(),
            Self::Held(held) => held.key().kid(),
            Self::Given(key) => key.kid(),
        }
    }

    fn algorithm(&self) -> SigningAlgorithm {
        match self {
            Self::Ours(signer) => signer.algorithm(),
            Self::Held(held) => held.key().algorithm(),
            Self::Given(key) => key.algorithm(),
        }
    }

    fn sign(&self, input: &str) -> Result<String, JwsError> {
        match self {
            Self::Ours(signer) => signer.sign(input),
            Self::Held(held) => held.key().sign_input(input),
            Self::Given(key) => key.sign_input(input),
        }
    }

    /// The public half as PEM.
    fn public_pem(&self, control: &Control) -> Option<String> {
        if let Some(key) = self.public() {
            return to_pem(key);
        }
        let ring = control.grantd().keys()?;
        to_pem(&PublicJwk::parse(ring.jwk(&self.kid())?).ok()?)
    }

    /// A token of these claims by this key, as `deviation` wants it.
    ///
    /// # Errors
    /// 503.
    pub(in crate::control) fn sign_token(
        &self,
        control: &Control,
        (typ, claims): (Option<&str>, Map<String, Value>),
        deviation: &Deviation,
    ) -> Result<Signed, Fault> {
        let (alg, form) = match deviation.algorithm {
            Some(Algorithm::None) => ("none", SignatureForm::Empty),
            Some(Algorithm::Hs256) => ("HS256", deviation.signature),
            Some(Algorithm::Signing(_)) | None => (self.algorithm().as_str(), deviation.signature),
        };
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!(alg));
        header.insert("kid".to_owned(), json!(self.kid()));
        header.extend(typ.map(|typ| ("typ".to_owned(), json!(typ))));
        lay_over(&mut header, &deviation.header);
        let mut claims = claims;
        lay_over(&mut claims, &deviation.claims);
        let signed = payload(&claims, deviation.again.as_ref());
        lay_over(&mut claims, &deviation.after_signing);
        let deviant = Deviant {
            header: &header,
            signed: &signed,
            sent: &payload(&claims, deviation.again.as_ref()),
            form,
        };
        let token = match deviation.algorithm {
            Some(Algorithm::Hs256) => {
                let pem = self.public_pem(control);
                let pem = pem.ok_or_else(|| Fault::unavailable(&"the key has no PEM form"))?;
                deviant.compact(|input| Ok(hs256(&pem, input)))
            }
            _ => deviant.compact(|input| self.sign(input)),
        };
        Ok(Signed {
            token: token.map_err(|error| Fault::unavailable(&error))?,
            header,
            claims,
        })
    }
}

/// The claims as JSON text, with one of them once more behind the others.
fn payload(claims: &Map<String, Value>, again: Option<&(&'static str, Value)>) -> String {
    let text = Value::Object(claims.clone()).to_string();
    match (again, text.strip_suffix('}')) {
        (Some((name, value)), Some(open)) => {
            let comma = if claims.is_empty() { "" } else { "," };
            format!("{open}{comma}{}:{value}}}", json!(name))
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_stands_a_second_time_behind_all_others() {
        let claims = json!({ "aud": "a", "sub": "s" });
        let claims = claims.as_object().unwrap();
        let text = payload(claims, Some(&("aud", json!(["b"]))));
        assert!(text.ends_with(r#","aud":["b"]}"#), "{text}");
        assert_eq!(text.matches("\"aud\"").count(), 2);
        let last: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(last["aud"], json!(["b"]), "what serde_json takes");
        assert_eq!(payload(&Map::new(), Some(&("a", json!(1)))), r#"{"a":1}"#);
    }
}
