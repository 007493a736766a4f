//! Issuers beside our own: `staging`, and those that a test makes, each with keys of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::key_cabinet::KeyCabinet;
use crate::control::fault::Fault;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::provider::Provider;

/// The one that is always there: what a token of another environment looks like.
pub(in crate::control) const STAGING: &str = "staging";
/// At most so many at once.
const MOST: usize = 100;
/// The most characters of a name.
const LONGEST_NAME: usize = 64;

/// All of them, by name.
#[derive(Debug)]
pub(in crate::control) struct OtherIssuers(Mutex<BTreeMap<String, Arc<OtherIssuer>>>);

/// One of them.
#[derive(Debug)]
pub(in crate::control) struct OtherIssuer {
    /// As it is called in paths.
    pub(in crate::control) name: String,
    /// Whom it plays, if anybody.
    pub(in crate::control) provider: Option<Provider>,
    /// What signs its tokens.
    pub(in crate::control) keys: KeyCabinet,
}

impl OtherIssuer {
    fn new(name: &str, provider: Option<Provider>) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            provider,
            keys: KeyCabinet::default(),
        })
    }

    /// The `iss` of its tokens, where the control interface is reached at `control`.
    pub(in crate::control) fn url(&self, control: &str) -> String {
        format!("{control}/_test/issuers/{}", self.name)
    }

    /// What signs its tokens where nobody says.
    pub(in crate::control) fn algorithm(&self) -> SigningAlgorithm {
        let of_provider = self.provider.map(Provider::algorithm);
        of_provider.unwrap_or(SigningAlgorithm::Es256)
    }
}

impl Default for OtherIssuers {
    fn default() -> Self {
        let staging = OtherIssuer::new(STAGING, None);
        Self(Mutex::new(BTreeMap::from([(STAGING.to_owned(), staging)])))
    }
}

impl OtherIssuers {
    /// Those that there are, in the order of their names.
    pub(in crate::control) fn all(&self) -> Vec<Arc<OtherIssuer>> {
        self.0.lock().values().cloned().collect()
    }

    /// The one of that name.
    ///
    /// # Errors
    /// 404.
    pub(in crate::control) fn named(&self, name: &str) -> Result<Arc<OtherIssuer>, Fault> {
        let all = self.0.lock();
        let unknown = || Fault::unknown("issuer", name, all.keys().map(String::as_str));
        all.get(name).cloned().ok_or_else(unknown)
    }

    /// Makes it, or leaves the one that is there if it plays the same.
    ///
    /// # Errors
    /// 400 for a name that is none, 409 where there are too many, and where `staging` shall be somebody else.
    pub(in crate::control) fn put(
        &self,
        name: &str,
        provider: Option<Provider>,
    ) -> Result<Arc<OtherIssuer>, Fault> {
        check_name(name)?;
        let mut all = self.0.lock();
        match all.get(name) {
            Some(there) if there.provider == provider => return Ok(Arc::clone(there)),
            Some(_) if name == STAGING => {
                return Err(Fault::conflict(
                    "staging plays no provider: name another issuer",
                ));
            }
            None if all.len() >= MOST => {
                return Err(Fault::conflict(format!(
                    "there are {MOST} issuers already: delete some"
                )));
            }
            _ => {}
        }
        let made = OtherIssuer::new(name, provider);
        all.insert(name.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// Removes it.
    ///
    /// # Errors
    /// 404, and 409 for `staging`.
    pub(in crate::control) fn remove(&self, name: &str) -> Result<(), Fault> {
        self.named(name)?;
        if name == STAGING {
            return Err(Fault::conflict("staging is always there"));
        }
        self.0.lock().remove(name);
        Ok(())
    }

    /// Removes all but `staging`.
    pub(in crate::control) fn forget(&self) {
        self.0.lock().retain(|name, _| name == STAGING);
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_letter) {
        Ok(())
    } else {
        Err(Fault::invalid(format!(
            "an issuer's name is 1 to {LONGEST_NAME} of a-z, 0-9 and -"
        )))
    }
}
