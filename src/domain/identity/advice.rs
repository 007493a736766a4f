//! What an operator should know of an identity: the mistakes by which each platform's tokens are known to let strangers in.

use super::{ClaimRules, Identity};
use crate::domain::identifier::IssuerId;
use crate::domain::issuer_url::trust_domain_of;
use crate::domain::shown;
use crate::domain::trusted_issuer::{IssuerUse, Preset, TrustedIssuer, names};

/// Why an identity could never fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// Its issuer says nothing of workloads of another trust domain.
    #[error("the subject must begin with {0}/, the trust domain of its issuer")]
    OtherTrustDomain(String),
    /// A path that none of its workloads has.
    #[error(
        "no SPIFFE ID fits the subject: the parts of its path have letters, digits, '.', '-' and '_', and are not empty, \".\" \
         or \"..\""
    )]
    NoSpiffeId,
    /// An issuer that is nowhere.
    #[error("there is no issuer {issuer}{near}")]
    NoIssuer {
        /// Its id.
        issuer: IssuerId,
        /// What to do, as the end of a sentence.
        near: String,
    },
    /// An issuer whose tokens are no client's.
    #[error("the tokens of {0} are no client's: add \"client\" to its `use`")]
    NotForClients(IssuerId),
}

impl IdentityFault {
    /// The key of the identity that is wrong.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::OtherTrustDomain(_) | Self::NoSpiffeId => "subject",
            Self::NoIssuer { .. } | Self::NotForClients(_) => "issuer",
        }
    }

    /// Of an issuer that none of `known` is.
    #[must_use]
    pub fn no_issuer<'k>(issuer: &IssuerId, known: impl IntoIterator<Item = &'k IssuerId>) -> Self {
        Self::NoIssuer {
            issuer: issuer.clone(),
            near: names::instead_of(issuer, known),
        }
    }
}

/// By what an identity may be more than it is meant to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Advice {
    /// A GitHub repository by its name alone.
    #[error(
        "it names neither repository_id nor repository_owner_id: whoever takes the name once it is free is this client"
    )]
    ReusedName,
    /// Any branch of a GitHub repository.
    #[error(
        "it names no environment, ref or job_workflow_ref, or with a pattern for any: whoever may push any branch of the \
         repository is this client"
    )]
    AnyBranch,
    /// Workflows that strangers start.
    #[error(
        "a pull request from a fork fulfils it ({0}): state event_name in claims, or it in except"
    )]
    Fork(&'static str),
    /// A value that the platform never sends.
    #[error("{0}: the platform sends text, which no number equals: write it in quotation marks")]
    Number(String),
    /// A `*` that ends before what GitHub says of a branch or an environment.
    #[error(
        "no token of a branch or an environment fits its subject, for * stands for anything but : and /: write ** where any \
         may follow"
    )]
    ShortPattern,
    /// The account of pods that name none.
    #[error(
        "default is the account of every pod that names none: give the workload a service account of its own"
    )]
    DefaultAccount,
    /// Namespaces that there are not yet.
    #[error("its namespace is a pattern: whoever may make such a namespace is this client")]
    AnyNamespace,
}

impl Identity {
    /// Why no token of `issuer`, its issuer, could ever be this workload.
    ///
    /// # Errors
    /// See [`IdentityFault`].
    pub fn check_at(&self, issuer: &TrustedIssuer) -> Result<(), IdentityFault> {
        if !issuer.may_be(IssuerUse::Client) {
            return Err(IdentityFault::NotForClients(issuer.id.clone()));
        }
        if issuer.trust_domain().is_some() {
            self.check_spiffe(issuer.url.as_str())?;
        }
        Ok(())
    }

    fn check_spiffe(&self, trust_domain: &str) -> Result<(), IdentityFault> {
        let subject = self.subject.as_str();
        let rest = subject.strip_prefix(trust_domain);
        if !rest.is_some_and(|rest| rest.starts_with('/')) {
            return Err(IdentityFault::OtherTrustDomain(trust_domain.to_owned()));
        }
        // Where no ID has a letter in the place of each wildcard, none has anything else there.
        let id = trust_domain_of(&subject.replace('*', "x")).map(drop);
        id.ok_or(IdentityFault::NoSpiffeId)
    }

    /// What an operator should know of it at `issuer`, its issuer.
    #[must_use]
    pub fn advice_at(&self, issuer: &TrustedIssuer) -> Vec<Advice> {
        match issuer.preset {
            Preset::Github => [self.of_github(), self.of_texts()].concat(),
            Preset::Gitlab => self.of_texts(),
            Preset::Kubernetes => self.of_kubernetes(),
            Preset::Spiffe | Preset::Google | Preset::Azure | Preset::None => Vec::new(),
        }
    }

    /// Of a platform all of whose own claims are texts.
    fn of_texts(&self) -> Vec<Advice> {
        let numbers = [&self.claims, &self.except];
        let numbers = numbers.into_iter().flat_map(ClaimRules::numbers);
        numbers
            .map(|path| Advice::Number(shown::plain(&path)))
            .collect()
    }

    fn of_kubernetes(&self) -> Vec<Advice> {
        let parts: Vec<&str> = self.subject.as_str().split(':').collect();
        let mut advice = Vec::new();
        if parts.last() == Some(&"default") {
            advice.push(Advice::DefaultAccount);
        }
        let is_pattern = |part: Option<&&str>| part.is_none_or(|part| part.contains('*'));
        if is_pattern(parts.get(2)) && !self.claims.pins(&["kubernetes.io", "namespace"], |_| false)
        {
            advice.push(Advice::AnyNamespace);
        }
        advice
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn issuer(preset: &str, url: &str) -> TrustedIssuer {
        let keys = "https://a.example/";
        let document = json!({ "id": "x", "preset": preset, "url": url, "keys": keys });
        serde_json::from_value(document).unwrap()
    }

    /// `rules` has `claims` and `except`, where these are stated.
    fn identity(subject: &str, rules: Value) -> Identity {
        let mut document = rules;
        document["issuer"] = json!("x");
        document["subject"] = json!(subject);
        serde_json::from_value(document).unwrap()
    }

    fn told(preset: &str, subject: &str, claims: &Value) -> Vec<Advice> {
        let issuer = issuer(preset, "https://a.example");
        identity(subject, json!({ "claims": claims })).advice_at(&issuer)
    }

    #[test]
    fn a_number_is_told_where_the_platform_sends_text() {
        for preset in ["github", "gitlab"] {
            let advice = told(
                preset,
                "repo:acme@65/shop@74:ref:x",
                &json!({ "repository_id": 74, "a": { "b": ["x", 1] } }),
            );
            let numbers = ["a.b", "repository_id"].map(|it| Advice::Number(it.to_owned()));
            assert_eq!(advice, numbers);
        }
        assert_eq!(
            told(
                "kubernetes",
                "system:serviceaccount:a:b",
                &json!({ "n": 1 })
            ),
            vec![]
        );
    }

    #[test]
    fn a_service_account_of_everybody_is_told() {
        use Advice::{AnyNamespace, DefaultAccount};
        let namespace = json!({ "kubernetes.io": { "namespace": "shop" } });
        for (subject, claims, expected) in [
            ("system:serviceaccount:shop:orders", json!({}), vec![]),
            (
                "system:serviceaccount:*:default",
                json!({}),
                vec![DefaultAccount, AnyNamespace],
            ),
            (
                "system:serviceaccount:shop:default",
                json!({}),
                vec![DefaultAccount],
            ),
            (
                "system:serviceaccount:shop-*:orders",
                json!({}),
                vec![AnyNamespace],
            ),
            ("system:serviceaccount:shop-*:orders", namespace, vec![]),
            ("system:serviceaccount:**", json!({}), vec![AnyNamespace]),
            ("**", json!({}), vec![AnyNamespace]),
        ] {
            assert_eq!(told("kubernetes", subject, &claims), expected, "{subject}");
        }
    }

    /// FED-16.
    #[test]
    fn a_spiffe_id_is_of_the_trust_domain_of_its_issuer() {
        let spiffe = issuer("spiffe", "spiffe://example.org");
        let check = |subject: &str| identity(subject, json!({})).check_at(&spiffe).is_ok();
        assert!(check("spiffe://example.org/ns/shop/sa/orders"));
        assert!(check("spiffe://example.org/ns/*/sa/orders"));
        for other in [
            "spiffe://example.org",
            "spiffe://example.org.evil/a",
            "spiffe://other.example/a",
            "spiffe://**/a",
            "**",
            "repo:acme/shop",
        ] {
            assert!(!check(other), "{other}");
        }
        let fault = |subject: &str| identity(subject, json!({})).check_at(&spiffe).err();
        for (path, fits) in [
            ("ns/*/sa/**", true),
            ("**", true),
            ("*/*", true),
            (".*/..*/...", true),
            ("a//b", false),
            ("a//**", false),
            ("../b", false),
            ("a/.", false),
            ("a/", false),
            ("**/", false),
            ("", false),
            ("a%20b", false),
            ("a?b=*", false),
            ("a:8/*", false),
        ] {
            let expected = (!fits).then_some(IdentityFault::NoSpiffeId);
            assert_eq!(
                fault(&format!("spiffe://example.org/{path}")),
                expected,
                "{path}"
            );
        }
        let https = issuer("none", "https://a.example");
        let any = identity("anything", json!({}));
        assert_eq!(any.check_at(&https), Ok(()));
    }
}
