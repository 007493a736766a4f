//! All checks of a request that has ended: which passed, which failed, which were not reached, and what each found. They
//! are made of its record, after it was answered: while it is judged nothing is formatted.

use std::collections::BTreeMap;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use super::{Decided, Decision};
use crate::domain::check::{Chain, Check};
use crate::domain::client::GrantType;
use crate::domain::once::Life;
use crate::domain::policy::SubjectSource;

/// In the form in which an audit event keeps them: a chain stands for all of its checks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    passed: Vec<Chain>,
    failed: Option<Check>,
    unreached: Vec<Chain>,
    found: BTreeMap<Check, String>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Which, with its name and what it expects.
    pub check: Check,
    /// What came; `None` where there is nothing to tell.
    pub found: Option<String>,
    /// Whether it passed; `None` where it was not reached.
    pub passed: Option<bool>,
}

impl Serialize for Judged {
    /// With the name of its own, the one that it shares, and what it expects.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Judged", 5)?;
        members.serialize_field("id", &self.check)?;
        members.serialize_field("name", self.check.name())?;
        members.serialize_field("expected", self.check.expected())?;
        members.serialize_field("found", &self.found)?;
        members.serialize_field("passed", &self.passed)?;
        members.end()
    }
}

impl Checks {
    /// Those of a request.
    #[must_use]
    pub fn of(decided: &Decided) -> Self {
        let decision = &decided.decision;
        let finding = decided.outcome.finding();
        let failed = finding.as_ref().map(|it| it.check);
        let of_failed = failed.map(Check::chain);
        let (mut passed, mut unreached) = (Vec::new(), Vec::new());
        for chain in Chain::ALL.iter().copied() {
            if decision.passed.contains_all(chain) {
                passed.push(chain);
            } else if Some(chain) != of_failed && concerns(decision, chain) {
                unreached.push(chain);
            }
        }
        let passing = decision.passed.iter();
        let found = passing.filter_map(|check| Some((check, found(decision, check)?)));
        let of_failed = finding.map(|it| (it.check, it.found.into_owned()));
        Self {
            found: found.chain(of_failed).collect(),
            passed,
            failed,
            unreached,
        }
    }

    /// Each of them, in the order in which they are made.
    #[must_use]
    pub fn list(&self) -> Vec<Judged> {
        let judged = |check: Check| {
            let chain = check.chain();
            let passed = match self.failed {
                Some(failed) if failed == check => Some(false),
                Some(failed) if failed.chain() == chain => (check < failed).then_some(true),
                _ if self.passed.contains(&chain) => Some(true),
                _ if self.unreached.contains(&chain) => None,
                _ => return None,
            };
            let found = self.found.get(&check).cloned();
            Some(Judged {
                check,
                found,
                passed,
            })
        };
        Check::ALL.iter().copied().filter_map(judged).collect()
    }
}

/// Whether a request like this one is judged by `chain`, as far as it got.
fn concerns(decision: &Decision, chain: Chain) -> bool {
    let endpoint = decision.endpoint;
    let is_token = endpoint == "token";
    let is_exchange = decision.grant == Some(GrantType::TokenExchange);
    let is_of_issuer = matches!(decision.from, Some(SubjectSource::Issuer(_)));
    let is_for_method = || decision.method.is_some_and(|it| chain.is_for(it));
    match chain {
        // Those of budgets are made of some requests only, and told where they were.
        Chain::Route | Chain::FailureBudget | Chain::TokenBudget => false,
        Chain::Origin
        | Chain::Form
        | Chain::Presentation
        | Chain::Credentials
        | Chain::Client
        | Chain::Standing => true,
        Chain::GrantType | Chain::Policy | Chain::Grant | Chain::Binding => is_token,
        Chain::DpopProof | Chain::DpopFresh => decision.has_proof,
        Chain::Exchange | Chain::ActorToken | Chain::Delegation | Chain::Kept => is_exchange,
        Chain::TokenParameter => !is_token,
        Chain::Assertion => decision.grant == Some(GrantType::JwtBearer),
        Chain::Token => !is_token || (is_exchange && !is_of_issuer),
        Chain::TokenStanding => endpoint == "introspection" || (is_exchange && !is_of_issuer),
        Chain::TokenOwner => endpoint == "revocation",
        Chain::SecretForm
        | Chain::Secret
        | Chain::AssertionForm
        | Chain::AssertionKey
        | Chain::AssertionClaims
        | Chain::AssertionFresh
        | Chain::Identity
        | Chain::Certificate => is_for_method(),
        Chain::ForeignToken | Chain::ForeignClaims => is_for_method() || is_of_issuer,
        Chain::ForeignFresh => is_for_method() || (is_of_issuer && !is_exchange),
    }
}

/// What a check that passed had found, where the record knows.
fn found(decision: &Decision, check: Check) -> Option<String> {
    match check {
        Check::Proxy => Some(match decision.proxy {
            Some(proxy) => format!("{} behind {proxy}", decision.source),
            None => decision.source.to_string(),
        }),
        Check::GrantType => decision.grant.map(|it| it.as_str().to_owned()),
        Check::OneMethod | Check::MethodAllowed | Check::MethodRegistered => {
            decision.method.map(|it| it.as_str().to_owned())
        }
        Check::Client => text_of(decision.client.as_ref()),
        Check::ForeignIssuer => {
            let of_client = text_of(decision.issuer.as_ref());
            of_client.or_else(|| text_of(decision.from.as_ref()))
        }
        Check::AssertionLiveKey | Check::SecretTimes | Check::Certificate | Check::IdentityLive => {
            text_of(decision.credential.as_ref())
        }
        Check::AssertionExpiry => decision.assertion.map(|it| ends(decision, it)),
        Check::AssertionAge => decision.assertion.map(|it| began(decision, it)),
        Check::DpopAge => decision.proof.map(|it| began(decision, it)),
        Check::TokenAudience if decision.from.is_some() => text_of(decision.from.as_ref()),
        Check::Target | Check::TokenAudience => text_of(decision.audience.as_ref()),
        Check::ScopeKnown => text_of(decision.scopes_asked.as_ref()),
        Check::ScopeGranted => text_of(decision.scopes_granted.as_ref()),
        Check::TokenSubject => decision.delegation.as_ref().map(|it| it.subject.clone()),
        Check::ActorCount => decision.delegation.as_ref().and_then(|it| it.actors()),
        Check::TokenSignature => decision.jti.as_ref().map(|jti| format!("jti {jti}")),
        _ => None,
    }
}

fn began(decision: &Decision, life: Life) -> String {
    match decision.at.unix().saturating_sub(life.made_at.unix()) {
        ahead if ahead < 0 => format!("made {} s ahead", -ahead),
        ago => format!("made at most {ago} s ago"),
    }
}

fn ends(decision: &Decision, life: Life) -> String {
    let left = life.dead_at.unix().saturating_sub(decision.at.unix());
    format!("{left} s left, clocks that differ counted in")
}

fn text_of(value: Option<&impl ToString>) -> Option<String> {
    value.map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::domain::client::AuthMethod;
    use crate::domain::decision::{ClaimedClient, Outcome};
    use crate::domain::refusal::{ClientFault, Refusal};
    use crate::domain::timestamp::Timestamp;

    fn refused_for_its_standing() -> Decided {
        let (at, source) = (Timestamp::from_unix(100), Ipv4Addr::LOCALHOST.into());
        let mut decision = Decision::new(Uuid::nil(), "introspection", at, (source, None));
        decision.client = Some(ClaimedClient::new("reader"));
        decision.method = Some(AuthMethod::ClientSecretPost);
        for chain in [
            Chain::Origin,
            Chain::Form,
            Chain::TokenParameter,
            Chain::Presentation,
            Chain::Credentials,
            Chain::SecretForm,
            Chain::Client,
            Chain::Secret,
        ] {
            decision.passed(chain);
        }
        let mut decided = Decided::abandoned(decision);
        decided.end(Outcome::Refused(Refusal::Client(ClientFault::Disabled)));
        decided.took = Duration::ZERO;
        decided
    }

    #[test]
    fn every_check_of_a_refusal_is_told_passed_failed_or_not_reached() {
        let checks = Checks::of(&refused_for_its_standing());
        let kept = serde_json::to_string(&checks).unwrap();
        assert!(kept.len() < 600, "{kept}");
        let list = serde_json::from_str::<Checks>(&kept).unwrap().list();
        assert_eq!(list, checks.list());
        let of = |check: Check| list.iter().find(|it| it.check == check);
        let told = |check: Check| of(check).map(|it| (it.passed, it.found.as_deref()));
        assert_eq!(told(Check::Client), Some((Some(true), Some("reader"))));
        assert_eq!(told(Check::Proxy), Some((Some(true), Some("127.0.0.1"))));
        assert_eq!(told(Check::FormEncoding), Some((Some(true), None)));
        assert_eq!(told(Check::Status), Some((Some(false), Some("disabled"))));
        assert_eq!(told(Check::MethodRegistered), Some((None, None)));
        assert_eq!(told(Check::TokenServedBy), Some((None, None)));
        for of_others in [Check::TokenOwner, Check::Target, Check::AssertionOnce] {
            assert_eq!(told(of_others), None, "{of_others:?}");
        }
        let failed: Vec<_> = list.iter().filter(|it| it.passed == Some(false)).collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
    }

    /// What nobody was told of has not failed.
    #[test]
    fn of_an_abandoned_request_no_check_has_failed() {
        let Decided { decision, .. } = refused_for_its_standing();
        let list = Checks::of(&Decided::abandoned(decision)).list();
        assert!(list.iter().all(|it| it.passed != Some(false)), "{list:?}");
        assert!(
            list.iter()
                .any(|it| it.check == Check::Status && it.passed.is_none())
        );
    }
}
