//! Issuers beside our own: `staging`, and those that a test makes, each with keys of its own.
//!
//! One that was removed and is made again has the keys that it had: grantd trusts such issuers by `[[issuer]]`, and asks for
//! the keys of one at most every ten seconds, as everybody who keeps a JWKS.

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

/// All of them.
#[derive(Debug)]
pub(in crate::control) struct OtherIssuers(Mutex<All>);

#[derive(Debug)]
struct All {
    /// Those that there are, by name.
    there: BTreeMap<String, Arc<OtherIssuer>>,
    /// Those that were, by name and by whom they played, for their keys.
    gone: BTreeMap<(String, Option<Provider>), Arc<OtherIssuer>>,
}

impl All {
    /// The one of that name that was there before, or a new one.
    fn make(&mut self, name: &str, provider: Option<Provider>) -> Arc<OtherIssuer> {
        let before = self.gone.remove(&(name.to_owned(), provider));
        let made = before.unwrap_or_else(|| OtherIssuer::new(name, provider));
        if let Some(other) = self.there.insert(name.to_owned(), Arc::clone(&made)) {
            self.bury(other);
        }
        made
    }

    /// Remembers one that is there no more.
    fn bury(&mut self, issuer: Arc<OtherIssuer>) {
        if self.gone.len() >= MOST {
            self.gone.clear();
        }
        let name = (issuer.name.clone(), issuer.provider);
        self.gone.insert(name, issuer);
    }
}

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
        Self(Mutex::new(All {
            there: BTreeMap::from([(STAGING.to_owned(), staging)]),
            gone: BTreeMap::new(),
        }))
    }
}

impl OtherIssuers {
    /// Those that there are, in the order of their names.
    pub(in crate::control) fn all(&self) -> Vec<Arc<OtherIssuer>> {
        self.0.lock().there.values().cloned().collect()
    }

    /// The one of that name.
    ///
    /// # Errors
    /// 404.
    pub(in crate::control) fn named(&self, name: &str) -> Result<Arc<OtherIssuer>, Fault> {
        let all = &self.0.lock().there;
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
        match all.there.get(name) {
            Some(there) if there.provider == provider => return Ok(Arc::clone(there)),
            Some(_) if name == STAGING => {
                return Err(Fault::conflict(
                    "staging plays no provider: name another issuer",
                ));
            }
            None if all.there.len() >= MOST => {
                return Err(Fault::conflict(format!(
                    "there are {MOST} issuers already: delete some"
                )));
            }
            _ => {}
        }
        Ok(all.make(name, provider))
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
        let mut all = self.0.lock();
        if let Some(issuer) = all.there.remove(name) {
            all.bury(issuer);
        }
        Ok(())
    }

    /// Removes all but `staging`.
    pub(in crate::control) fn forget(&self) {
        let mut all = self.0.lock();
        let staging = all.there.remove(STAGING);
        for (_, issuer) in std::mem::take(&mut all.there) {
            all.bury(issuer);
        }
        all.there.extend(staging.map(|it| (STAGING.to_owned(), it)));
    }

    /// Forgets the keys of those that were removed.
    pub(in crate::control) fn forget_keys(&self) {
        self.0.lock().gone.clear();
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
