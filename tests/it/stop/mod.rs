//! Stopping (OPERATING section 8): what each verb does to tokens that were issued and to those that are asked for, on
//! every replica.

mod commands;
mod credentials;
mod policies;
mod record;

use grantd::domain::identifier::{AudienceId, ClientId};
use grantd::domain::policy::Policy;
use grantd::domain::scope::{Scope, ScopeSet};
use grantd::operations::change_policy::{Allowed, allow_policy, deny_policy};

use crate::harness::*;

fn reader() -> ClientId {
    ClientId::parse("reader").unwrap()
}

fn pricing() -> AudienceId {
    AudienceId::parse("pricing").unwrap()
}

fn scopes(text: &str) -> ScopeSet {
    text.split_whitespace()
        .map(|it| Scope::parse(it).unwrap())
        .collect()
}

impl Env {
    /// Denies `reader` scopes at `pricing`, or all of it.
    async fn deny(&self, denied: &str) -> Option<Policy> {
        let pair = (&reader(), &pricing());
        let done = deny_policy(&self.store, pair, &scopes(denied), self.options()).await;
        done.unwrap().1
    }

    /// Allows `reader` scopes at `pricing` again.
    async fn allow(&self, allowed: &str) -> Policy {
        let allowed = Allowed {
            client: reader(),
            audience: pricing(),
            scopes: scopes(allowed),
            default_scopes: scopes(allowed),
            grants: Vec::new(),
            exchange: None,
            issuer: None,
            subjects: Vec::new(),
        };
        let done = allow_policy(&self.store, &allowed, self.options()).await;
        done.unwrap().1
    }
}
