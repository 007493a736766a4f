//! Why a policy does not hold for a request; such a policy counts as absent.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::exchange::SubjectSource;
use super::{Exchange, Policy};
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::identifier::AudienceId;

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
        /// Its `sub`.
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
    /// It is for other grants, or says nothing of an exchange.
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
        }
    }
}

impl Policy {
    /// What keeps it from holding.
    #[must_use]
    pub fn obstacle(&self, it: &Circumstance<'_>) -> Option<Obstacle> {
        let within = |network: &IpNet| network.contains(&it.source.to_canonical());
        let grant = it.purpose.grant();
        if !self.enabled {
            Some(Obstacle::Disabled)
        } else if !self.networks.is_empty() && !self.networks.iter().any(within) {
            Some(Obstacle::Network(it.source))
        } else if !self.methods.is_empty() && !self.methods.contains(&it.method) {
            Some(Obstacle::Method(it.method))
        } else if !self.grants.is_empty() && !self.grants.contains(&grant) {
            Some(Obstacle::Grant(grant))
        } else {
            match (it.purpose, &self.exchange) {
                (Purpose::Itself, _) => None,
                (Purpose::Exchange { .. }, None) => Some(Obstacle::Grant(grant)),
                (Purpose::Exchange { from, subject }, Some(exchange)) => {
                    exchange.obstacle(from, subject)
                }
            }
        }
    }
}

impl Exchange {
    fn obstacle(&self, from: &SubjectSource, subject: &str) -> Option<Obstacle> {
        if !self.from.contains(from) {
            Some(Obstacle::From(from.clone()))
        } else if !self.subjects.is_empty() && !self.subjects.iter().any(|it| it.matches(subject)) {
            Some(Obstacle::Subject(subject.to_owned()))
        } else {
            None
        }
    }
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
    use crate::domain::glob::Glob;

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
