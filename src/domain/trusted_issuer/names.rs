//! The names of issuers and of clients, which must not be one: by `iss` a token is either's, and by `sub`, too.

use std::collections::BTreeMap;

use super::TrustedIssuer;
use crate::domain::foreign_name;
use crate::domain::identifier::IssuerId;
use crate::domain::issuer_url::IssuerUrl;
use crate::domain::shown;

/// A name that two parties would share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameClash {
    /// Nobody could say whose a token is.
    #[error("issuer {0} has this url already: a token says by its `iss` alone whose it is")]
    SharedUrl(String),
    /// Its tokens would look like ours.
    #[error("this is our own issuer: trust nobody who calls himself so")]
    Ourselves,
    /// An assertion with that `iss` is a client's own, or its subjects stand in our tokens as that client.
    #[error(
        "there is a client {0}: no client id may be an issuer's url, or begin with its id and \"|\""
    )]
    Client(String),
    /// An assertion with that `iss` is a trusted issuer's.
    #[error("this is the url of the trusted issuer {0}; call the client otherwise")]
    IssuerUrl(String),
    /// Its subjects stand in our tokens under that beginning (`ISSUER|SUBJECT`).
    #[error(
        "the trusted issuer {0} has subjects of that form: a client id may not begin with \"{0}|\"; call the client otherwise"
    )]
    Subject(String),
}

/// What to do about `issuer`, which none of `known` is, as the end of a sentence.
#[must_use]
pub fn instead_of<'k>(issuer: &IssuerId, known: impl IntoIterator<Item = &'k IssuerId>) -> String {
    let known = known.into_iter().map(IssuerId::as_str);
    shown::nearest(issuer.as_str(), known).map_or_else(
        || ": state it as an [[issuer]]".to_owned(),
        |near| format!("; the nearest is {near}"),
    )
}

/// The names of issuers that clients must not have.
#[derive(Debug, Default)]
pub struct IssuerNames<'i> {
    by_id: BTreeMap<&'i str, &'i TrustedIssuer>,
    by_url: BTreeMap<&'i str, &'i TrustedIssuer>,
}

impl<'i> IssuerNames<'i> {
    /// Adds those of one more.
    pub fn add(&mut self, issuer: &'i TrustedIssuer) {
        self.by_id.insert(issuer.id.as_str(), issuer);
        self.by_url.insert(issuer.url.as_str(), issuer);
    }

    /// The issuer of that URL.
    #[must_use]
    pub fn of_url(&self, url: &IssuerUrl) -> Option<&'i TrustedIssuer> {
        self.by_url.get(url.as_str()).copied()
    }

    /// Why no client may be called `id`, and by whose fault.
    #[must_use]
    pub fn clash(&self, id: &str) -> Option<(&'i TrustedIssuer, NameClash)> {
        if let Some(issuer) = self.by_url.get(id) {
            return Some((issuer, NameClash::IssuerUrl(issuer.id.to_string())));
        }
        let issuer = self.by_id.get(foreign_name::issuer_of(id)?.as_str())?;
        Some((issuer, NameClash::Subject(issuer.id.to_string())))
    }
}

impl<'i> FromIterator<&'i TrustedIssuer> for IssuerNames<'i> {
    fn from_iter<I: IntoIterator<Item = &'i TrustedIssuer>>(issuers: I) -> Self {
        let mut names = Self::default();
        for issuer in issuers {
            names.add(issuer);
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FED-03: no client is called like an issuer, or like a subject of one.
    #[test]
    fn a_client_id_is_neither_an_issuer_nor_a_subject_of_one() {
        let ci: TrustedIssuer =
            serde_json::from_str(r#"{"id":"ci","url":"https://ci.example"}"#).unwrap();
        let names: IssuerNames<'_> = [&ci].into_iter().collect();
        let told = |id: &str| {
            names.clash(id).map(|(issuer, clash)| {
                assert_eq!(issuer, &ci);
                clash
            })
        };
        let id = || "ci".to_owned();
        assert_eq!(told("https://ci.example"), Some(NameClash::IssuerUrl(id())));
        for subject in ["ci|", "ci|repo:acme/shop", "ci||"] {
            assert_eq!(told(subject), Some(NameClash::Subject(id())), "{subject}");
        }
        for free in ["ci", "cix|a", "xci|a", "CI|a", "https://ci.example/", "|ci"] {
            assert_eq!(told(free), None, "{free}");
        }
    }
}
