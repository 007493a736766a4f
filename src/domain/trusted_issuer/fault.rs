//! What is wrong with an issuer whose shape is right.

use super::{IssuerKeys, JtiUse, Preset, TrustedIssuer};
use crate::domain::timestamp::Seconds;

/// The longest `aud`, in bytes.
const MAX_AUDIENCE: usize = 1024;

/// What an issuer cannot state, at least not together.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerFault {
    #[error("with preset = \"spiffe\" the url is a trust domain, for example spiffe://example.org")]
    NoTrustDomain,
    #[error("the url is a trust domain of SPIFFE: write preset = \"spiffe\"")]
    NotSpiffe,
    #[error(
        "a trust domain says nowhere where its bundle is: name its URL, or its file as \"file:bundle.json\""
    )]
    NoBundle,
    #[error("the list is empty; name at least one, or leave it out")]
    NoAlgorithm,
    #[error("an audience has 1 to {MAX_AUDIENCE} characters")]
    Audience,
    #[error("the keys are here, so nothing is fetched: remove it, or name the URL of the keys")]
    NothingFetched,
    #[error("expected the absolute path of a file: each server reads it, wherever it was started")]
    RelativePath,
}

/// The longest life of tokens that may be used again and again without a word to the operator, in seconds.
const REUSED_LIFETIME: u32 = 3600;

/// What an operator should know of an issuer that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerAdvice {
    /// A stolen token serves its thief for all of its life.
    #[error(
        "with jti = \"ignore\" a token of it that somebody took serves him for up to {0}: lower max_lifetime to what its \
         tokens have, bind the clients' tokens, or name their networks"
    )]
    ReusedLong(Seconds),
    /// What is known of the platform is not used.
    #[error(
        "its url is that of a platform that grantd knows: write preset = \"{preset}\", which has the defaults for its tokens and \
         warns of identities that let strangers in{more}",
        preset = .0,
        more = .0.refuses()
    )]
    NoPreset(Preset),
}

impl TrustedIssuer {
    /// What an operator should know of it. A long life and `jti` that both are its preset's are not told.
    #[must_use]
    pub fn advice(&self) -> Vec<IssuerAdvice> {
        let is_bare = self.preset == Preset::None;
        let platform = Preset::of_url(self.url.as_str()).filter(|_| is_bare);
        let advice = [platform.map(IssuerAdvice::NoPreset), self.is_reused_long()];
        advice.into_iter().flatten().collect()
    }

    fn is_reused_long(&self) -> Option<IssuerAdvice> {
        let lifetime = self.longest_lifetime();
        let is_stated = self.jti.is_some() || self.max_lifetime.is_some();
        let is_long = self.jti_use() == JtiUse::Ignore && lifetime.get() > REUSED_LIFETIME;
        (is_stated && is_long).then_some(IssuerAdvice::ReusedLong(lifetime))
    }

    /// What is wrong with it, each with the key that it is wrong in.
    #[must_use]
    pub fn faults(&self) -> Vec<(&'static str, IssuerFault)> {
        let is_spiffe = (
            self.preset == Preset::Spiffe,
            self.url.trust_domain().is_some(),
        );
        let place = self.key_place();
        let keys_are_here = matches!(place, Some(IssuerKeys::Set(_)));
        let is_discovered = matches!(place, None | Some(IssuerKeys::Discovery));
        let audience = self.audience.as_deref();
        let token_file = self.bearer_token_file.as_deref();
        let faults = [
            (
                "url",
                IssuerFault::NoTrustDomain,
                is_spiffe == (true, false),
            ),
            ("preset", IssuerFault::NotSpiffe, is_spiffe == (false, true)),
            (
                "keys",
                IssuerFault::NoBundle,
                is_spiffe == (true, true) && is_discovered,
            ),
            (
                "algorithms",
                IssuerFault::NoAlgorithm,
                self.algorithms.as_ref().is_some_and(Vec::is_empty),
            ),
            (
                "audience",
                IssuerFault::Audience,
                audience.is_some_and(|it| !(1..=MAX_AUDIENCE).contains(&it.len())),
            ),
            (
                "ca",
                IssuerFault::NothingFetched,
                self.ca.is_some() && keys_are_here,
            ),
            (
                "bearer_token_file",
                IssuerFault::NothingFetched,
                token_file.is_some() && keys_are_here,
            ),
            (
                "bearer_token_file",
                IssuerFault::RelativePath,
                token_file.is_some_and(|it| !it.starts_with('/') || it.contains('\0')),
            ),
        ];
        let found = faults.into_iter().filter(|(.., is_so)| *is_so);
        found.map(|(key, fault, _)| (key, fault)).collect()
    }

    /// The URL that is asked for its keys, or for where they are; none where nothing is fetched.
    #[must_use]
    pub fn fetched_from(&self) -> Option<String> {
        match self.key_place()? {
            IssuerKeys::Discovery => Some(self.url.to_string()),
            IssuerKeys::Url(url) => Some(url),
            IssuerKeys::Set(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn issuer(id: &str, url: &str, more: &Value) -> TrustedIssuer {
        let mut document = json!({ "id": id, "url": url });
        for (key, value) in more.as_object().unwrap() {
            document[key] = value.clone();
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn what_contradicts_itself_is_told_by_its_key() {
        use IssuerFault::{
            Audience, NoAlgorithm, NoBundle, NoTrustDomain, NotSpiffe, NothingFetched, RelativePath,
        };
        let (https, spiffe) = ("https://ci.example", "spiffe://example.org");
        let here = "{\"keys\":[]}";
        for (url, more, expected) in [
            (https, json!({}), vec![]),
            (
                https,
                json!({ "preset": "kubernetes", "ca": "x", "bearer_token_file": "/run/t" }),
                vec![],
            ),
            (
                spiffe,
                json!({ "preset": "spiffe", "keys": "https://a.example/" }),
                vec![],
            ),
            (spiffe, json!({ "preset": "spiffe", "keys": here }), vec![]),
            (
                spiffe,
                json!({ "preset": "spiffe" }),
                vec![("keys", NoBundle)],
            ),
            (
                spiffe,
                json!({ "preset": "spiffe", "keys": "discovery" }),
                vec![("keys", NoBundle)],
            ),
            (
                https,
                json!({ "preset": "spiffe", "keys": here }),
                vec![("url", NoTrustDomain)],
            ),
            (spiffe, json!({}), vec![("preset", NotSpiffe)]),
            (
                https,
                json!({ "algorithms": [] }),
                vec![("algorithms", NoAlgorithm)],
            ),
            (
                https,
                json!({ "audience": "" }),
                vec![("audience", Audience)],
            ),
            (
                https,
                json!({ "audience": "x".repeat(MAX_AUDIENCE + 1) }),
                vec![("audience", Audience)],
            ),
            (
                https,
                json!({ "bearer_token_file": "token" }),
                vec![("bearer_token_file", RelativePath)],
            ),
            (
                https,
                json!({ "keys": here, "ca": "x", "bearer_token_file": "/run/t" }),
                vec![
                    ("ca", NothingFetched),
                    ("bearer_token_file", NothingFetched),
                ],
            ),
        ] {
            assert_eq!(issuer("ci", url, &more).faults(), expected, "{url} {more}");
        }
    }

    #[test]
    fn a_token_that_counts_for_long_and_often_is_told() {
        for (more, told) in [
            (json!({}), None),
            (json!({ "jti": "ignore" }), None),
            (json!({ "jti": "ignore", "max_lifetime": "2h" }), Some("2h")),
            (json!({ "preset": "kubernetes" }), None),
            (
                json!({ "preset": "kubernetes", "max_lifetime": "61m" }),
                Some("61m"),
            ),
            (
                json!({ "preset": "kubernetes", "max_lifetime": "1h" }),
                None,
            ),
            (json!({ "preset": "kubernetes", "jti": "if_present" }), None),
            (json!({ "preset": "azure", "jti": "ignore" }), Some("25h")),
        ] {
            let advice = issuer("ci", "https://ci.example", &more).advice();
            let lifetimes: Vec<_> = advice
                .iter()
                .map(|it| match it {
                    IssuerAdvice::ReusedLong(lifetime) => lifetime.to_string(),
                    IssuerAdvice::NoPreset(_) => it.to_string(),
                })
                .collect();
            assert_eq!(lifetimes.first().map(String::as_str), told, "{more}");
        }
    }

    #[test]
    fn a_platform_without_its_preset_is_told() {
        for (url, platform) in [
            (
                "https://token.actions.githubusercontent.com",
                Some(Preset::Github),
            ),
            (
                "https://token.actions.githubusercontent.com/acme",
                Some(Preset::Github),
            ),
            ("https://gitlab.com", Some(Preset::Gitlab)),
            ("https://accounts.google.com", Some(Preset::Google)),
            (
                "https://login.microsoftonline.com/8a1f/v2.0",
                Some(Preset::Azure),
            ),
            ("https://login.microsoftonline.com/8a1f", None),
            ("https://token.actions.githubusercontent.com.evil", None),
            ("https://gitlab.example", None),
        ] {
            let advice = |more: &Value| issuer("ci", url, more).advice();
            let expected: Vec<_> = platform.map(IssuerAdvice::NoPreset).into_iter().collect();
            assert_eq!(advice(&json!({})), expected, "{url}");
            if let Some(preset) = platform {
                let stated = json!({ "preset": preset.as_str() });
                assert_eq!(advice(&stated), [], "{url}");
            }
        }
        let github = IssuerAdvice::NoPreset(Preset::Github).to_string();
        assert!(github.ends_with("strangers in, and refuses pull_request_target"));
        let gitlab = IssuerAdvice::NoPreset(Preset::Gitlab).to_string();
        assert!(gitlab.ends_with("strangers in"), "{gitlab}");
    }
}
