//! Why a policy does not hold for a request; such a policy counts as absent.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::exchange::SubjectSource;
use super::{Exchange, Policy};
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::foreign_name;
use crate::domain::glob::Glob;
use crate::domain::identifier::{AudienceId, IssuerId};

/// What the conditions of a policy are held against.
#[derive(Clone, Copy, Debug)]
pub struct Circumstance<'a> {
    /// Where the request comes from.
    pub source: IpAddr,
    /// How its client authenticated.
    pub method: AuthMethod,
    /// By which grant, and for whom.
    pub purpose: Purpose<'a>,
}

/// For whom a client asks.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// For itself.
    Itself,
    /// For whom a token is that it got.
    Exchange {
        /// What the token is for, or who issued it.
        from: &'a SubjectSource,
        /// The `sub` of what is issued for it.
        subject: &'a str,
    },
    /// For whom a trusted issuer's token speaks of.
    Assertion {
        /// The issuer.
        issuer: &'a IssuerId,
        /// Its name for the subject: the token's `sub`.
        subject: &'a str,
    },
}

/// Why a policy does not hold for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is switched off.
    Disabled,
    /// It is for other networks.
    Network(IpAddr),
    /// It is for other methods of authentication.
    Method(AuthMethod),
    /// It is for other grants, or says nothing of this one.
    Grant(GrantType),
    /// It is for tokens from elsewhere.
    From(SubjectSource),
    /// It is for other subjects.
    Subject(String),
}

/// A policy that does not hold, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheld {
    /// What it is for.
    pub audience: AudienceId,
    /// Why it does not hold.
    pub obstacle: Obstacle,
}

impl Purpose<'_> {
    /// The grant that is asked for.
    #[must_use]
    pub const fn grant(&self) -> GrantType {
        match self {
            Self::Itself => GrantType::ClientCredentials,
            Self::Exchange { .. } => GrantType::TokenExchange,
            Self::Assertion { .. } => GrantType::JwtBearer,
        }
    }
}

impl Policy {
    /// What keeps it from holding.
    #[must_use]
    pub fn obstacle(&self, it: &Circumstance<'_>) -> Option<Obstacle> {
        let grant = it.purpose.grant();
        self.obstacle_to_any((it.source, it.method), grant)
            .or_else(|| match it.purpose {
                Purpose::Itself => None,
                Purpose::Exchange { from, subject } => match &self.exchange {
                    Some(exchange) => exchange.obstacle(from, subject),
                    None => Some(Obstacle::Grant(grant)),
                },
                Purpose::Assertion { issuer, subject } => self.assertion_obstacle(issuer, subject),
            })
    }

    /// What keeps it from holding for any request by that grant, for whomever it may be, that comes from there and whose
    /// client authenticated so.
    #[must_use]
    pub fn obstacle_to_any(
        &self,
        (source, method): (IpAddr, AuthMethod),
        grant: GrantType,
    ) -> Option<Obstacle> {
        let within = |network: &IpNet| network.contains(&source.to_canonical());
        let says_how = match grant {
            GrantType::ClientCredentials => true,
            GrantType::TokenExchange => self.exchange.is_some(),
            GrantType::JwtBearer => self.issuer.is_some(),
        };
        if !self.enabled {
            Some(Obstacle::Disabled)
        } else if !self.networks.is_empty() && !self.networks.iter().any(within) {
            Some(Obstacle::Network(source))
        } else if !self.methods.is_empty() && !self.methods.contains(&method) {
            Some(Obstacle::Method(method))
        } else if !says_how || !self.grants.is_empty() && !self.grants.contains(&grant) {
            Some(Obstacle::Grant(grant))
        } else {
            None
        }
    }

    fn assertion_obstacle(&self, issuer: &IssuerId, subject: &str) -> Option<Obstacle> {
        let trusted = self.issuer.as_ref();
        if trusted.is_none() {
            Some(Obstacle::Grant(GrantType::JwtBearer))
        } else if trusted != Some(issuer) {
            Some(Obstacle::From(SubjectSource::Issuer(issuer.clone())))
        } else if is_of_another(&self.subjects, |it| it.matches(subject)) {
            Some(Obstacle::Subject(subject.to_owned()))
        } else {
            None
        }
    }
}

impl Exchange {
    fn obstacle(&self, from: &SubjectSource, subject: &str) -> Option<Obstacle> {
        if !self.from.contains(from) {
            Some(Obstacle::From(from.clone()))
        } else if is_of_another(&self.subjects, |it| self.means(it, from, subject)) {
            Some(Obstacle::Subject(subject.to_owned()))
        } else {
            None
        }
    }

    /// Whether `pattern` means the subject. Where all tokens come from issuers it is written as the issuer calls it, or with
    /// the issuer before that, and never both: else who is called `a|admin` by one issuer would be the `admin` of another.
    /// Beside tokens of ours a name without its issuer would also mean a client of ours.
    fn means(&self, pattern: &Glob, from: &SubjectSource, subject: &str) -> bool {
        let SubjectSource::Issuer(issuer) = from else {
            return is_named_by(pattern, subject);
        };
        let is_issuer = |it: &SubjectSource| matches!(it, SubjectSource::Issuer(_));
        let is_before = |it: &SubjectSource| match it {
            SubjectSource::Issuer(it) => foreign_name::of(it, pattern.beginning()).is_some(),
            SubjectSource::Audience(_) => false,
        };
        if !self.from.iter().all(is_issuer) || self.from.iter().any(is_before) {
            is_named_by(pattern, subject)
        } else {
            foreign_name::of(issuer, subject).is_some_and(|name| pattern.matches(name))
        }
    }
}

/// Whether `pattern` means whom we call `subject`. Whom an issuer knows is meant where it has that issuer's beginning, or
/// begins with a wildcard: `web*` are the clients that are called so, and not everybody whom an issuer `web` knows.
fn is_named_by(pattern: &Glob, subject: &str) -> bool {
    let is_meant = |issuer: IssuerId| {
        pattern.begins_with_wildcard() || foreign_name::of(&issuer, pattern.beginning()).is_some()
    };
    pattern.matches(subject) && foreign_name::issuer_of(subject).is_none_or(is_meant)
}

fn is_of_another(subjects: &[Glob], is_meant: impl Fn(&Glob) -> bool) -> bool {
    !subjects.is_empty() && !subjects.iter().any(is_meant)
}

impl fmt::Display for Unheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, whose policy is ", self.audience)?;
        match &self.obstacle {
            Obstacle::Disabled => f.write_str("disabled"),
            Obstacle::Network(source) => write!(f, "not for the network of {source}"),
            Obstacle::Method(method) => write!(f, "not for {method}"),
            Obstacle::Grant(grant) => write!(f, "not for {grant}"),
            Obstacle::From(SubjectSource::Audience(audience)) => {
                write!(f, "not for tokens that are for {audience}")
            }
            Obstacle::From(SubjectSource::Issuer(issuer)) => {
                write!(f, "not for tokens of the issuer {issuer}")
            }
            Obstacle::Subject(subject) => write!(f, "not for the subject {subject}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASIC: AuthMethod = AuthMethod::ClientSecretBasic;

    fn source(text: &str) -> SubjectSource {
        SubjectSource::parse(text).unwrap()
    }

    fn policy() -> Policy {
        Policy::bare(AudienceId::parse("a").unwrap())
    }

    fn held(policy: &Policy, from: &str, purpose: Purpose<'_>) -> Option<Obstacle> {
        policy.obstacle(&Circumstance {
            source: from.parse().unwrap(),
            method: BASIC,
            purpose,
        })
    }

    fn asks<'a>(from: &'a SubjectSource, subject: &'a str) -> Purpose<'a> {
        Purpose::Exchange { from, subject }
    }

    fn of(policy: &Policy, purpose: Purpose<'_>) -> Option<Obstacle> {
        held(policy, "192.0.2.1", purpose)
    }

    #[test]
    fn a_grant_of_an_issuer_needs_a_policy_that_names_it_and_its_subject() {
        let issuer = |text| IssuerId::parse(text).unwrap();
        let (github, gitlab) = (issuer("github"), issuer("gitlab"));
        let by = |issuer, subject| Purpose::Assertion { issuer, subject };
        let mut policy = policy();
        let no_grant = Some(Obstacle::Grant(GrantType::JwtBearer));
        assert_eq!(of(&policy, by(&github, "web")), no_grant);
        policy.exchange = Some(Exchange::of(vec![source("issuer:github")]));
        assert_eq!(of(&policy, by(&github, "web")), no_grant);
        policy.issuer = Some(github.clone());
        assert_eq!(of(&policy, by(&github, "web")), None);
        let elsewhere = Some(Obstacle::From(source("issuer:gitlab")));
        assert_eq!(of(&policy, by(&gitlab, "web")), elsewhere);
        policy.subjects = vec![Glob::parse("repo:acme/*").unwrap()];
        let other = |subject: &str| Some(Obstacle::Subject(subject.to_owned()));
        for subject in ["web", "github|repo:acme/shop", "repo:acme/shop:x"] {
            assert_eq!(of(&policy, by(&github, subject)), other(subject));
        }
        assert_eq!(of(&policy, by(&github, "repo:acme/shop")), None);
        policy.grants = vec![GrantType::TokenExchange];
        assert_eq!(of(&policy, by(&github, "repo:acme/shop")), no_grant);
    }

    /// Beside tokens of ours a name that an issuer gives would be a client's.
    #[test]
    fn a_subject_is_called_as_its_issuer_does_only_where_all_are_foreign() {
        let github = source("issuer:github");
        let exchange = |from, subject| Exchange {
            subjects: vec![Glob::parse(subject).unwrap()],
            ..Exchange::of(from)
        };
        let fits = |exchange: &Exchange| exchange.obstacle(&github, "github|web").is_none();
        assert!(fits(&exchange(vec![github.clone()], "web")));
        assert!(fits(&exchange(vec![github.clone()], "github|web")));
        assert!(!fits(&exchange(vec![github.clone()], "gitlab|web")));
        let mixed = vec![source("orders-api"), github.clone()];
        assert!(!fits(&exchange(mixed.clone(), "web")));
        assert!(fits(&exchange(mixed.clone(), "github|web")));
        for pattern in ["github|*", "**", "**|web", "git*", "*", "*web"] {
            let is_meant = pattern != "git*";
            assert_eq!(
                fits(&exchange(mixed.clone(), pattern)),
                is_meant,
                "{pattern}"
            );
        }
        let ours = exchange(vec![source("orders-api")], "web");
        let orders = source("orders-api");
        assert!(ours.obstacle(&orders, "web").is_none());
        assert!(ours.obstacle(&orders, "github|web").is_some());
    }

    /// Its subjects may choose their names: a pattern that means those of one issuer means nobody of another.
    #[test]
    fn no_issuer_has_a_subject_that_a_pattern_takes_for_anothers() {
        let issuers = ["a", "b", "web"].map(|id| source(&format!("issuer:{id}")));
        let means = |pattern: &str, issuer: usize, name: &str| {
            let exchange = Exchange {
                subjects: vec![Glob::parse(pattern).unwrap()],
                ..Exchange::of(issuers.to_vec())
            };
            let from = &issuers[issuer];
            let named = format!("{}|{name}", from.to_string().trim_start_matches("issuer:"));
            exchange.obstacle(from, &named).is_none()
        };
        for (pattern, issuer, name, is_meant) in [
            ("a|admin", 0, "admin", true),
            ("a|admin", 1, "admin", false),
            ("a|admin", 1, "a|admin", false),
            ("a|admin", 0, "a|admin", false),
            ("a|*", 1, "a|x", false),
            ("admin", 0, "admin", true),
            ("admin", 1, "admin", true),
            ("web*", 2, "anybody", false),
            ("web*", 2, "web-1", true),
            ("web*", 0, "web-1", true),
            ("c|x", 0, "c|x", true),
        ] {
            assert_eq!(
                means(pattern, issuer, name),
                is_meant,
                "{pattern} {issuer} {name}"
            );
        }
        // A token of ours may be for such a subject as well.
        let of_ours = |pattern: &str, subject: &str| {
            let exchange = Exchange {
                subjects: vec![Glob::parse(pattern).unwrap()],
                ..Exchange::of(vec![source("orders-api")])
            };
            exchange.obstacle(&source("orders-api"), subject).is_none()
        };
        assert!(of_ours("web*", "web-1"));
        assert!(!of_ours("web*", "web|anybody"));
        for pattern in ["web|*", "**", "*"] {
            assert!(of_ours(pattern, "web|anybody"), "{pattern}");
        }
    }

    #[test]
    fn each_condition_is_an_obstacle_where_it_fails() {
        let mut policy = policy();
        let here = |policy: &Policy, from| held(policy, from, Purpose::Itself);
        assert_eq!(here(&policy, "192.0.2.1"), None);
        policy.networks = vec!["10.0.0.0/8".parse().unwrap()];
        assert_eq!(here(&policy, "10.1.2.3"), None);
        assert_eq!(here(&policy, "::ffff:10.1.2.3"), None);
        let elsewhere = Obstacle::Network("192.0.2.1".parse().unwrap());
        assert_eq!(here(&policy, "192.0.2.1"), Some(elsewhere));
        policy.methods = vec![AuthMethod::PrivateKeyJwt];
        assert_eq!(here(&policy, "10.1.2.3"), Some(Obstacle::Method(BASIC)));
        policy.methods.clear();
        policy.enabled = false;
        assert_eq!(here(&policy, "10.1.2.3"), Some(Obstacle::Disabled));
    }

    /// EXC-01.
    #[test]
    fn an_exchange_needs_a_policy_that_says_so_of_that_source_and_subject() {
        let orders = source("orders-api");
        let exchange = GrantType::TokenExchange;
        let mut policy = policy();
        let no_exchange = Some(Obstacle::Grant(exchange));
        assert_eq!(of(&policy, asks(&orders, "web")), no_exchange);
        let parsed = |text| Glob::parse(text).unwrap();
        policy.exchange = Some(Exchange {
            subjects: vec![parsed("web"), parsed("github|repo:acme/*")],
            ..Exchange::of(vec![orders.clone(), source("issuer:github")])
        });
        assert_eq!(of(&policy, asks(&orders, "web")), None);
        assert_eq!(
            of(&policy, asks(&orders, "webs")),
            Some(Obstacle::Subject("webs".to_owned()))
        );
        let github = source("issuer:github");
        assert_eq!(of(&policy, asks(&github, "github|repo:acme/shop")), None);
        for other in ["orders-ap", "Orders-api", "issuer:gitlab"] {
            let other = source(other);
            let obstacle = Some(Obstacle::From(other.clone()));
            assert_eq!(of(&policy, asks(&other, "web")), obstacle);
        }
        assert_eq!(
            of(&policy, Purpose::Itself),
            None,
            "it holds for that as well"
        );
        policy.grants = vec![exchange];
        let narrowed = Some(Obstacle::Grant(GrantType::ClientCredentials));
        assert_eq!(of(&policy, Purpose::Itself), narrowed);
        assert_eq!(of(&policy, asks(&orders, "web")), None);
        policy.grants = vec![GrantType::ClientCredentials];
        assert_eq!(
            of(&policy, asks(&orders, "web")),
            Some(Obstacle::Grant(exchange))
        );
    }
}
