//! Keys that are made when they are first asked for, one for each algorithm, and kept as long as the process runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::control::fault::Fault;
use crate::crypto::jws::held_key::HeldKey;
use crate::domain::algorithm::SigningAlgorithm;
use crate::operations::background::blocking;

/// One key for each algorithm.
#[derive(Debug, Default)]
pub(in crate::control) struct KeyCabinet(Mutex<BTreeMap<SigningAlgorithm, Arc<HeldKey>>>);

impl KeyCabinet {
    /// The key for `algorithm`.
    ///
    /// # Errors
    /// 503 where it cannot be made.
    pub(in crate::control) async fn key(
        &self,
        algorithm: SigningAlgorithm,
    ) -> Result<Arc<HeldKey>, Fault> {
        let mut keys = self.0.lock().await;
        if let Some(key) = keys.get(&algorithm) {
            return Ok(Arc::clone(key));
        }
        let made = new_key(algorithm).await?;
        keys.insert(algorithm, Arc::clone(&made));
        Ok(made)
    }

    /// The public halves of all keys so far, as a JWKS whose keys are for `use_of_keys`.
    pub(in crate::control) async fn jwks(&self, use_of_keys: &str) -> Value {
        let keys = self.0.lock().await;
        let jwks: Vec<Value> = keys
            .values()
            .map(|key| {
                let mut jwk = key.public_jwk();
                if let Some(members) = jwk.as_object_mut() {
                    members.insert("use".to_owned(), json!(use_of_keys));
                }
                jwk
            })
            .collect();
        json!({ "keys": jwks })
    }
}

/// A key that nobody else has. RSA takes some 100 ms of a processor.
///
/// # Errors
/// 503 where it cannot be made.
pub(in crate::control) async fn new_key(
    algorithm: SigningAlgorithm,
) -> Result<Arc<HeldKey>, Fault> {
    let made = blocking(move || HeldKey::generate(algorithm)).await;
    Ok(Arc::new(made.map_err(|error| Fault::unavailable(&error))?))
}
