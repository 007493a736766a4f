//! The issuer that a command names, and where its keys are.

use anyhow::{Context as _, bail};

use crate::cli::output::counted;
use crate::cli::target::Opened;
use crate::crypto::key_set::{KeySet, Publisher};
use crate::domain::identifier::IssuerId;
use crate::domain::shown;
use crate::domain::trusted_issuer::{IssuerKeys, TrustedIssuer};

/// The issuer of this id.
pub(super) async fn found(opened: &Opened, id: &str) -> anyhow::Result<TrustedIssuer> {
    let id = IssuerId::parse(id).context("ISSUER")?;
    let mut all = opened.store.load_issuers().await?.value;
    let Some(place) = all.iter().position(|it| it.id == id) else {
        let names = all.iter().map(|it| it.id.as_str());
        let near = shown::nearest(id.as_str(), names);
        let near = near.map_or_else(String::new, |near| format!("; the nearest is {near}"));
        bail!("there is no issuer {id}{near}; `grantd issuer list` shows those that there are");
    };
    Ok(all.swap_remove(place))
}

/// Where its keys are, in a word.
pub(super) fn keys(issuer: &TrustedIssuer) -> String {
    match issuer.key_place() {
        None => "nowhere".to_owned(),
        Some(IssuerKeys::Set(text)) => {
            let set = KeySet::parse_of(Publisher::of(issuer), text.as_bytes());
            let number = set.map_or(0, |set| set.keys().len());
            format!("here, {}", counted(number, "key"))
        }
        Some(place) => place.as_str().to_owned(),
    }
}
