//! What an operator should know of an identity: the mistakes by which each platform's tokens are known to let strangers in.

use serde_json::Value;

use super::preset_rule::{BY_STRANGERS, EVENT};
use super::{ClaimRules, Identity};
use crate::domain::glob::Glob;
use crate::domain::identifier::IssuerId;
use crate::domain::shown;
use crate::domain::trusted_issuer::{IssuerUse, Preset, TrustedIssuer, names};

/// A pull request; runs of forks get such a token where the repository gives them write permissions.
const PULL_REQUEST: &str = "pull_request";

/// Why an identity could never fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// Its issuer says nothing of workloads of another trust domain.
    #[error("the subject must begin with {0}/, the trust domain of its issuer")]
    OtherTrustDomain(String),
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
            Self::OtherTrustDomain(_) => "subject",
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
        "it names no environment, ref or job_workflow_ref: whoever may push any branch of the repository is this client"
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
        let url = issuer.url.as_str();
        let rest = self.subject.as_str().strip_prefix(url);
        let is_within = rest.is_some_and(|rest| rest.starts_with('/'));
        if issuer.trust_domain().is_some() && !is_within {
            return Err(IdentityFault::OtherTrustDomain(url.to_owned()));
        }
        Ok(())
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

    fn of_github(&self) -> Vec<Advice> {
        let parts = || self.subject.as_str().split(':');
        let in_subject = |names: &[&str]| parts().any(|it| names.contains(&it));
        let pins = |names: &[&str]| {
            let in_claims = names.iter().any(|name| self.claims.pins(&[*name]));
            in_claims || in_subject(names)
        };
        let repository = parts().nth(1).unwrap_or_default();
        let owner = repository.split('/').next().unwrap_or_default();
        let is_numbered = owner.rsplit_once('@').is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        let mut advice = Vec::new();
        if !is_numbered && !pins(&["repository_id", "repository_owner_id"]) {
            advice.push(Advice::ReusedName);
        }
        if !pins(&["environment", "ref", "job_workflow_ref"]) {
            advice.push(Advice::AnyBranch);
        }
        let is_short = parts().count() <= 3 && parts().next() == Some("repo");
        let subject = self.subject.as_str();
        if is_short && subject.ends_with('*') && !subject.contains("**") {
            advice.push(Advice::ShortPattern);
        }
        advice.extend(self.event_of_forks().map(Advice::Fork));
        advice
    }

    /// An event of forks that fulfils it. Where no claim names the event, `pull_request_target` is refused anyhow; a
    /// `pull_request` has a subject of its own.
    fn event_of_forks(&self) -> Option<&'static str> {
        let fulfils = |event: &&str| {
            let value = Value::from(*event);
            self.claims.allows(EVENT, &value) && !self.except.forbids(EVENT, &value)
        };
        let is_named = self.claims.names(EVENT);
        let by_name = Some(BY_STRANGERS).filter(|_| is_named);
        let by_subject = Some(PULL_REQUEST).filter(|it| may_end_in(&self.subject, it));
        [by_name, by_subject].into_iter().flatten().find(fulfils)
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
        if is_pattern(parts.get(2)) && !self.claims.pins(&["kubernetes.io", "namespace"]) {
            advice.push(Advice::AnyNamespace);
        }
        advice
    }
}

/// Whether some text that `pattern` means ends in a part `:ending`.
fn may_end_in(pattern: &Glob, ending: &str) -> bool {
    let text = pattern.as_str();
    let last = text.rsplit(':').next().unwrap_or(text);
    let is_meant = Glob::parse(last).is_ok_and(|last| last.matches(ending));
    // `**` goes beyond a colon.
    let beyond = text
        .rsplit("**")
        .next()
        .filter(|rest| rest.len() < text.len());
    is_meant || beyond.is_some_and(|rest| !rest.contains(':') && ending_fits(rest, ending))
}

/// Whether `ending` may be what the pattern `rest` means behind anything.
fn ending_fits(rest: &str, ending: &str) -> bool {
    Glob::parse(&format!("**{rest}")).is_ok_and(|rest| rest.matches(ending))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn a_github_identity_is_pinned_by_numbers_and_to_a_branch() {
        use Advice::{AnyBranch, ReusedName};
        let pinned = json!({ "repository_id": "74", "ref": "refs/heads/main" });
        for (subject, claims, expected) in [
            (
                "repo:acme@65/shop@74:environment:production",
                json!({}),
                vec![],
            ),
            ("repo:acme@65/*:ref:refs/heads/main", json!({}), vec![]),
            (
                "repo:acme/shop:**",
                pinned.clone(),
                vec![Advice::Fork("pull_request")],
            ),
            ("repo:acme/shop:ref:refs/heads/main", pinned.clone(), vec![]),
            (
                "repo:acme/shop:*",
                pinned.clone(),
                vec![Advice::ShortPattern, Advice::Fork("pull_request")],
            ),
            ("repo:acme/*", pinned.clone(), vec![Advice::ShortPattern]),
            ("repo:acme/*:ref:refs/heads/main", pinned.clone(), vec![]),
            (
                "repo:acme/shop:environment:*",
                pinned.clone(),
                vec![Advice::Fork("pull_request")],
            ),
            (
                "repo:acme/shop:ref:refs/heads/main",
                json!({}),
                vec![ReusedName],
            ),
            (
                "repo:acme/shop:environment:production",
                json!({ "repository_owner_id": "65" }),
                vec![],
            ),
            ("repository_id:74:ref:refs/heads/main", json!({}), vec![]),
            ("repo:acme@65/shop@74:release", json!({}), vec![AnyBranch]),
            (
                "repo:acme@/shop:release",
                json!({}),
                vec![ReusedName, AnyBranch],
            ),
            // What fits everything pins nothing.
            (
                "repo:acme/shop:release",
                json!({ "repository_id": "*", "ref": ["refs/heads/main", "**"] }),
                vec![ReusedName, AnyBranch],
            ),
            (
                "repo:acme@65/shop@74:release",
                json!({ "job_workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main" }),
                vec![],
            ),
        ] {
            assert_eq!(
                told("github", subject, &claims),
                expected,
                "{subject} {claims}"
            );
        }
        assert_eq!(told("none", "repo:acme/shop:**", &json!({})), vec![]);
    }

    /// FED-15.
    #[test]
    fn a_github_identity_that_a_pull_request_from_a_fork_fulfils_is_told() {
        let github = issuer("github", "https://a.example");
        let fork = |subject: &str, claims: &Value, except: &Value| {
            let pinned = json!({ "repository_id": "74", "ref": "refs/heads/main" });
            let mut all = pinned.as_object().unwrap().clone();
            all.extend(claims.as_object().unwrap().clone());
            let rules = json!({ "claims": all, "except": except });
            let advice = identity(subject, rules).advice_at(&github);
            advice.into_iter().find_map(|it| match it {
                Advice::Fork(event) => Some(event),
                _ => None,
            })
        };
        let main = "repo:acme/shop:ref:refs/heads/main";
        let none = || json!({});
        let (request, target) = (Some("pull_request"), Some("pull_request_target"));
        for (subject, claims, except, expected) in [
            (main, none(), none(), None),
            (main, json!({ "event_name": "push" }), none(), None),
            (
                main,
                json!({ "event_name": ["push", "pull_request_target"] }),
                none(),
                target,
            ),
            (main, json!({ "event_name": "*" }), none(), target),
            (
                main,
                none(),
                json!({ "event_name": ["pull_request", "pull_request_target"] }),
                None,
            ),
            (main, none(), json!({ "event_name": "pull_request" }), None),
            (
                "repo:acme/shop:*",
                none(),
                json!({ "event_name": "pull_request*" }),
                None,
            ),
            (
                "repo:acme/shop:*",
                json!({ "event_name": ["push", "pull_request"] }),
                none(),
                request,
            ),
            (
                "repo:acme/shop:*",
                json!({ "event_name": "push" }),
                none(),
                None,
            ),
            ("repo:acme/shop:*", none(), none(), request),
            ("repo:acme/shop:**", none(), none(), request),
            ("repo:acme/**", none(), none(), request),
            ("repo:acme/**_request", none(), none(), request),
            ("repo:acme/**:pull_*", none(), none(), request),
            ("repo:acme/shop:pull_request", none(), none(), request),
            ("repo:acme/**:ref:refs/heads/main", none(), none(), None),
            ("repo:acme/**/main", none(), none(), None),
        ] {
            assert_eq!(
                fork(subject, &claims, &except),
                expected,
                "{subject} {claims} {except}"
            );
        }
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
        let https = issuer("none", "https://a.example");
        let any = identity("anything", json!({}));
        assert_eq!(any.check_at(&https), Ok(()));
    }
}
