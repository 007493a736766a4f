//! What a client may have, what it asks for, what that is bound to, and how much of it there is.

use grantd::domain::check::Check;

use super::{Cases, SECRET, client_by_secret};
use crate::catalogs::{audience, by_secret, policy};
use crate::harness::*;

pub(super) async fn provoke(cases: &mut Cases<'_>) {
    let two = [policy("pricing", "read", ""), policy("billing", "bill", "")];
    let near = [policy("pricing", "read", "read") + "networks = [\"192.0.2.0/24\"]\n"];
    let bound = [policy("bound", "hold", "hold")];
    let catalog = [
        CATALOG.to_owned(),
        audience("billing", "bill", ""),
        audience("bound", "hold", "sender_constraint = \"dpop\""),
        by_secret("has-two", SECRET, &two),
        by_secret("is-near", SECRET, &near),
        by_secret("must-hold", SECRET, &bound),
        client_by_secret("has-one").replace("secret =", "max_tokens_per_minute = 1\nsecret ="),
    ];
    cases.env.apply(&catalog.concat()).await;
    let replica = cases.env.replica().await.at("203.0.113.9");
    let unheld = "pricing, whose policy is not for the network of 203.0.113.9";
    let bound = "no DPoP proof, demanded by the audience";
    for (check, found, client, more) in [
        (Check::Policy, unheld, "is-near", ""),
        (
            Check::ScopeForm,
            "read  write",
            "has-two",
            "&scope=read++write",
        ),
        (Check::TargetForm, "pricing", "has-two", "&resource=pricing"),
        (
            Check::OneTarget,
            "urn:a and b",
            "has-two",
            "&resource=urn:a&audience=b",
        ),
        (
            Check::ScopeKnown,
            "fly, in none of its audiences",
            "has-two",
            "&scope=fly",
        ),
        (
            Check::ScopesTogether,
            "scopes of billing, pricing",
            "has-two",
            "&scope=read+bill",
        ),
        (
            Check::TargetNamed,
            "none, where it could be billing, pricing",
            "has-two",
            "",
        ),
        (
            Check::Target,
            "nothing-like-it",
            "has-two",
            "&audience=nothing-like-it",
        ),
        (
            Check::ScopeNamed,
            "none, at pricing",
            "has-two",
            "&audience=pricing",
        ),
        (
            Check::ScopeGranted,
            "write at pricing",
            "has-two",
            "&audience=pricing&scope=write",
        ),
        (Check::Binding, bound, "must-hold", ""),
    ] {
        let answer = replica.token(client, SECRET, more).await;
        cases.note(&replica, (check, found), answer).await;
    }
    let answer = replica.token("api", API, "").await;
    let told = (Check::GrantRegistered, "client_credentials");
    cases.note(&replica, told, answer).await;
    replica.issued("has-one", SECRET, "").await;
    let answer = replica.token("has-one", SECRET, "").await;
    let told = (Check::TokenBudget, "1 in a minute, the next in 60 s");
    cases.note(&replica, told, answer).await;
}
