//! Tests of the policy decision.

use proptest::prelude::*;

use super::*;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::{JwtTyp, SenderConstraint, TokenFormat};
use crate::domain::client::AuthMethod;
use crate::domain::policy::{Obstacle, Purpose};

fn offer(audience: &str, scopes: &str, granted: &str, default: &str) -> Offer {
    let set = |text: &str| {
        if text.is_empty() {
            ScopeSet::default()
        } else {
            ScopeSet::parse(text).unwrap()
        }
    };
    let id = AudienceId::parse(audience).unwrap();
    Offer {
        policy: Policy {
            scopes: set(granted),
            default_scopes: set(default),
            ..Policy::bare(id.clone())
        },
        audience: Arc::new(Audience {
            id,
            scopes: set(scopes)
                .iter()
                .map(|scope| (scope.clone(), String::new()))
                .collect(),
            token_lifetime: Seconds::new(300),
            max_token_lifetime: Seconds::new(900),
            algorithm: SigningAlgorithm::Es256,
            format: TokenFormat::Jwt,
            jwt_typ: JwtTyp::AccessToken,
            sender_constraint: SenderConstraint::None,
            served_by: Vec::new(),
        }),
        within: None,
    }
}

fn ask(scope: Option<&str>, target: Option<&str>) -> TokenRequest {
    TokenRequest::parse(scope, &[], target).unwrap()
}

fn granted(offers: &[Offer], request: &TokenRequest) -> Result<String, GrantFault> {
    decide(offers, request).map(|grant| format!("{}: {}", grant.audience.id, grant.scopes))
}

/// 9068-03.
#[test]
fn the_audience_is_the_named_one_or_follows_from_the_scopes() {
    let offers = [
        offer("a", "a1 a2", "a1 a2", "a1"),
        offer("b", "b1", "b1", "b1"),
    ];
    assert_eq!(granted(&offers, &ask(None, Some("a"))), Ok("a: a1".into()));
    assert_eq!(granted(&offers, &ask(Some("b1"), None)), Ok("b: b1".into()));
    assert_eq!(granted(&offers[..1], &ask(None, None)), Ok("a: a1".into()));
    assert_eq!(granted(&offers, &ask(None, None)), Err(ambiguous(&offers)));
    assert_eq!(
        granted(&offers, &ask(Some("a1 b1"), None)),
        Err(GrantFault::ScopesOfSeveralAudiences(
            ["a", "b"].map(|id| AudienceId::parse(id).unwrap()).into()
        ))
    );
    assert_eq!(
        granted(&offers, &ask(Some("a1 x"), None)),
        Err(GrantFault::ScopeUnknown("x".into()))
    );
    assert!(matches!(
        granted(&offers, &ask(Some("b1"), Some("a"))),
        Err(GrantFault::ScopeOutsidePolicy { .. })
    ));
}

#[test]
fn a_scope_of_two_audiences_needs_a_named_audience() {
    let offers = [
        offer("a", "read", "read", ""),
        offer("b", "read", "read", ""),
    ];
    assert_eq!(
        granted(&offers, &ask(Some("read"), None)),
        Err(ambiguous(&offers))
    );
    assert_eq!(
        granted(&offers, &ask(Some("read"), Some("b"))),
        Ok("b: read".into())
    );
}

#[test]
fn an_unknown_audience_and_a_foreign_one_are_the_same() {
    let offers = [offer("a", "a1", "a1", "a1")];
    assert_eq!(
        granted(&offers, &ask(None, Some("b"))),
        Err(target_refused("b"))
    );
    assert_eq!(
        granted(&offers, &ask(None, Some("A"))),
        Err(target_refused("A"))
    );
}

#[test]
fn a_policy_gives_neither_more_than_it_says_nor_less_than_was_asked() {
    let offers = [offer("a", "r w", "r", "")];
    assert!(matches!(
        granted(&offers, &ask(Some("r w"), None)),
        Err(GrantFault::ScopeOutsidePolicy { .. })
    ));
    assert!(matches!(
        granted(&offers, &ask(None, None)),
        Err(GrantFault::NoDefaultScopes(_))
    ));
}

/// 9068-08.
#[test]
fn the_lifetime_is_the_policys_within_the_audiences_most() {
    let mut offer = offer("a", "r", "r", "r");
    let lifetime = |offer: &Offer| {
        decide(std::slice::from_ref(offer), &ask(None, None))
            .unwrap()
            .lifetime
    };
    assert_eq!(lifetime(&offer), Seconds::new(300));
    offer.policy.token_lifetime = Some(Seconds::new(60));
    assert_eq!(lifetime(&offer), Seconds::new(60));
    offer.policy.token_lifetime = Some(Seconds::new(9000));
    assert_eq!(lifetime(&offer), Seconds::new(900));
}

/// Nothing of others' audiences: the reason is one of the client's own policies, or none.
#[test]
fn a_refused_audience_is_told_by_the_clients_own_policies() {
    let circumstance = Circumstance {
        source: "192.0.2.1".parse().unwrap(),
        method: AuthMethod::PrivateKeyJwt,
        purpose: Purpose::Itself,
    };
    let policies = [("orders-api", false), ("stock-api", true)].map(|(id, enabled)| Policy {
        enabled,
        ..offer(id, "r", "r", "r").policy
    });
    let why = |target| why_refused(target, &policies, &circumstance);
    let id = |id| AudienceId::parse(id).unwrap();
    assert_eq!(
        why("stock-api/"),
        Some(TargetRefused::NearOwn(id("stock-api")))
    );
    let unheld = Unheld {
        audience: id("orders-api"),
        obstacle: Obstacle::Disabled,
    };
    assert_eq!(why("orders-api"), Some(TargetRefused::Unheld(unheld)));
    assert_eq!(why("orders-api/"), None);
    assert_eq!(why("prices"), None);
}

/// EXC-02.
#[test]
fn scopes_of_a_subject_token_bound_those_that_are_asked_for_and_cut_the_default_ones() {
    let mut one = offer("x", "a b c", "a b c", "a b");
    one.within = Some(ScopeSet::parse("b c d").unwrap());
    let offers = [one.clone()];
    let of = |scope| granted(&offers, &ask(scope, None));
    assert_eq!(of(Some("b c")).unwrap(), "x: b c");
    assert_eq!(of(None).unwrap(), "x: b");
    let outside = |scope: &str| {
        GrantFault::Exchange(ExchangeFault::ScopeOutsideSubject {
            audience: AudienceId::parse("x").unwrap(),
            scope: scope.to_owned(),
        })
    };
    assert_eq!(of(Some("a b")), Err(outside("a")));
    let beyond = of(Some("d"));
    assert!(
        matches!(beyond, Err(GrantFault::ScopeUnknown(_))),
        "{beyond:?}"
    );
    one.within = Some(ScopeSet::parse("c").unwrap());
    let none = granted(&[one], &ask(None, None));
    assert!(
        matches!(
            none,
            Err(GrantFault::Exchange(ExchangeFault::NoScopeOfSubject(_)))
        ),
        "{none:?}"
    );
}

proptest! {
    #[test]
    fn granted_scopes_are_within_requested_and_permitted(
        known in "[a-e]( [a-e]){0,4}",
        permitted in "[a-e]( [a-e]){0,4}",
        asked in proptest::option::of("[a-f]( [a-f]){0,4}"),
    ) {
        let offers = [offer("x", &known, &permitted, &permitted)];
        if let Ok(grant) = decide(&offers, &ask(asked.as_deref(), None)) {
            let permitted = ScopeSet::parse(&permitted).unwrap();
            prop_assert!(!grant.scopes.is_empty());
            prop_assert_eq!(grant.scopes.first_outside(&permitted), None);
            if let Some(asked) = asked {
                prop_assert_eq!(&grant.scopes, &ScopeSet::parse(&asked).unwrap());
            }
        }
    }
}
