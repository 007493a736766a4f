//! Tokens that are inactive, and one of another client.

use grantd::crypto::opaque_token::OpaqueTokens;
use grantd::crypto::sealing::{SealingKey, SealingKeys};
use grantd::domain::check::Check;
use grantd::domain::identifier::{AudienceId, ClientId, CredentialId};
use grantd::domain::scope::ScopeSet;
use grantd::domain::timestamp::Timestamp;
use grantd::operations::change_audience::delete_audience;
use grantd::operations::change_client::{disable_client, revoke_tokens_of_client};
use grantd::operations::change_policy::{Allowed, allow_policy, deny_policy};

use super::{Cases, REVOKE, SECRET, client_by_secret};
use crate::catalogs::{audience, by_secret, reads};
use crate::forgery::Forger;
use crate::harness::*;

const KILLED: [&str; 6] = [
    "is-stopped",
    "is-revoked",
    "is-denied",
    "is-allowed-again",
    "has-leaked",
    "alive",
];

pub(in super::super) async fn provoke(cases: &mut Cases<'_>) {
    let mut catalog = CATALOG.to_owned()
        + &audience("foreign", "read", "")
        + &audience("gone", "read", "served_by = [\"api\"]")
        + &by_secret(
            "sees-two",
            SECRET,
            &[reads("foreign"), reads("gone")].concat(),
        );
    for id in KILLED {
        catalog += &client_by_secret(id);
    }
    let (replica, forger) = Forger::new(cases.env, &catalog).await;
    forged(cases, &replica, &forger).await;
    killed(cases, &replica).await;
    let token = replica.issued("reader", READER, "").await;
    let answer = replica.send_as("alive", &token).await;
    cases
        .note(&replica, (Check::TokenOwner, "a token of reader"), answer)
        .await;
}

impl Replica {
    /// Revokes as a client of the cases.
    async fn send_as(&self, client: &str, token: &str) -> Answer {
        let authorization = basic(client, SECRET);
        let form = format!("token={token}");
        self.post(REVOKE, &[("authorization", &authorization)], &form)
            .await
    }
}

async fn forged(cases: &mut Cases<'_>, replica: &Replica, forger: &Forger) {
    let right = replica.issued("reader", READER, "").await;
    let (input, _) = right.rsplit_once('.').unwrap();
    let expired = forger.claim("exp", START);
    let stranger = SealingKeys::new(SealingKey::generate());
    let sealed = |by: &SealingKeys| {
        let tokens = OpaqueTokens::new(ISSUER, by);
        tokens.seal("pricing", b"{}").unwrap()
    };
    let by_stranger = format!("the sealing key {}", stranger.first.id());
    let of_ours = sealed(&cases.env.sealing);
    for (check, found, token) in [
        (
            Check::TokenForm,
            "not three parts separated by dots",
            "garbage".to_owned(),
        ),
        (Check::TokenType, "JOSE", forger.header("typ", "JOSE")),
        (Check::TokenKey, "key-1", forger.header("kid", "key-1")),
        (
            Check::TokenAlgorithm,
            "RS256",
            forger.header("alg", "RS256"),
        ),
        (
            Check::TokenSignature,
            "one that this key did not make",
            format!("{input}.{}", "A".repeat(86)),
        ),
        (
            Check::TokenForm,
            "no sealed token behind the prefix",
            "grantd_at_x".to_owned(),
        ),
        (Check::TokenKey, &by_stranger, sealed(&stranger)),
        (
            Check::TokenSignature,
            "a seal that does not open",
            format!("{of_ours}AAAA"),
        ),
        (Check::TokenClaims, "other claims", of_ours),
        (Check::TokenClaims, "other claims", forger.without("sub")),
        (
            Check::TokenIssuer,
            "https://other.example",
            forger.claim("iss", "https://other.example"),
        ),
        (
            Check::TokenBegin,
            "60 s ahead",
            forger.claim("iat", START + 60),
        ),
        (Check::TokenExpiry, "exp 0 s ago", expired),
    ] {
        cases.note_token(replica, (check, found), &token).await;
    }
}

/// Tokens of clients that were alive when they were issued.
async fn killed(cases: &mut Cases<'_>, replica: &Replica) {
    let (env, store) = (cases.env, &cases.env.store);
    let mut tokens = Vec::new();
    for id in KILLED {
        tokens.push(replica.issued(id, SECRET, "").await);
    }
    let foreign = replica
        .issued("sees-two", SECRET, "&audience=foreign")
        .await;
    let gone = replica.issued("sees-two", SECRET, "&audience=gone").await;
    let client = |id: &str| ClientId::parse(id).unwrap();
    let audience = |id: &str| AudienceId::parse(id).unwrap();
    let [stopped, revoked, denied, allowed, leaked, _] = KILLED;
    let pricing = audience("pricing");
    delete_audience(store, &audience("gone"), env.options())
        .await
        .unwrap();
    disable_client(store, &client(stopped), env.options())
        .await
        .unwrap();
    revoke_tokens_of_client(store, &client(revoked), env.options())
        .await
        .unwrap();
    for id in [denied, allowed] {
        let pair = (&client(id), &pricing);
        let none = ScopeSet::default();
        deny_policy(store, pair, &none, env.options())
            .await
            .unwrap();
    }
    let again = Allowed {
        client: client(allowed),
        audience: pricing,
        scopes: ScopeSet::parse("read").unwrap(),
        default_scopes: ScopeSet::parse("read").unwrap(),
        grants: Vec::new(),
        exchange: None,
        issuer: None,
        subjects: Vec::new(),
    };
    allow_policy(store, &again, env.options()).await.unwrap();
    let jti = decoded(&tokens[4]).1["jti"].as_str().unwrap().to_owned();
    let credential = CredentialId::parse(jti.split('.').next().unwrap()).unwrap();
    assert_eq!(leaked, "has-leaked");
    env.retire(&credential, true).await;
    assert_eq!(replica.send_as("alive", &tokens[5]).await.status, 200);
    replica.follow().await;

    let mark = Timestamp::from_unix(START + 1);
    for (check, found, token) in [
        (Check::TokenAudience, "gone".to_owned(), &gone),
        (
            Check::TokenServedBy,
            "a caller that does not serve foreign".to_owned(),
            &foreign,
        ),
        (
            Check::TokenHolder,
            "a client that is disabled".to_owned(),
            &tokens[0],
        ),
        (
            Check::TokenHolderMark,
            format!("all up to {mark} were killed"),
            &tokens[1],
        ),
        (
            Check::TokenPolicy,
            "none that is enabled for pricing".to_owned(),
            &tokens[2],
        ),
        (
            Check::TokenPolicyMark,
            format!("all for pricing up to {mark} were killed"),
            &tokens[3],
        ),
        (
            Check::TokenCredentialMark,
            format!("all of {credential} up to {mark} were killed"),
            &tokens[4],
        ),
        (Check::TokenAlive, "revoked".to_owned(), &tokens[5]),
    ] {
        cases.note_token(replica, (check, &found), token).await;
    }
}
