//! What a token that was exchanged tells of its subject, beside who that is.

use serde_json::{Map, Value};

use super::client::Client;
use super::extra_claims;
use super::policy::KeptClaim;
use super::refusal::ExchangeFault;
use super::shape;

const TENANT: &str = "tenant";
const ENVIRONMENT: &str = "env";

/// The claims that tell of the subject and its client, in a token that was exchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptClaims {
    /// `tenant`.
    pub tenant: Option<String>,
    /// `env`.
    pub environment: Option<String>,
    /// All that are not registered.
    pub extra: Map<String, Value>,
}

impl KeptClaims {
    /// What `client` says of itself, over it what is kept of those of `subject`, and over that what the policy says. A claim that is
    /// kept and that the subject lacks is absent: the client's own would be taken for the subject's.
    ///
    /// # Errors
    /// A claim of a type that it may not have, or more than a token may carry.
    pub fn of(
        subject: &Map<String, Value>,
        keep: &[KeptClaim],
        (client, policy): (&Client, &Map<String, Value>),
    ) -> Result<Self, ExchangeFault> {
        let mut kept = Self {
            tenant: client.tenant.clone(),
            environment: client.environment.clone(),
            extra: client.claims.clone(),
        };
        for name in keep.iter().map(KeptClaim::as_str) {
            kept.put(name, subject.get(name))?;
        }
        kept.extra = extra_claims::merged(&kept.extra, policy);
        if extra_claims::fit(&kept.extra) {
            Ok(kept)
        } else {
            Err(ExchangeFault::KeptClaim(format!(
                "more together than {}",
                extra_claims::BOUNDS
            )))
        }
    }

    fn put(&mut self, name: &str, value: Option<&Value>) -> Result<(), ExchangeFault> {
        let other_type = || ExchangeFault::KeptClaim(format!("{name}, of another form"));
        match (name, value) {
            (TENANT, value) => self.tenant = text(value).map_err(|()| other_type())?,
            (ENVIRONMENT, value) => self.environment = text(value).map_err(|()| other_type())?,
            (name, None) => {
                self.extra.remove(name);
            }
            (name, Some(value)) if extra_claims::has_right_type(name, value) => {
                self.extra.insert(name.to_owned(), value.clone());
            }
            _ => return Err(other_type()),
        }
        Ok(())
    }
}

/// A text such as a client's may be, or nothing at all.
fn text(value: Option<&Value>) -> Result<Option<String>, ()> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => shape::fitting_label(text.clone()).map(Some).map_err(drop),
        Some(_) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn client() -> Client {
        Client {
            tenant: Some("of-client".to_owned()),
            environment: Some("prod".to_owned()),
            claims: map(&json!({ "region": "eu", "team": "x", "roles": ["a"] })),
            ..Client::bare("orders")
        }
    }

    fn kept(subject: &Value, keep: &[&str]) -> Result<KeptClaims, ExchangeFault> {
        let keep: Vec<_> = keep
            .iter()
            .map(|it| KeptClaim::parse(it).unwrap())
            .collect();
        let policy = map(&json!({ "team": "of-policy" }));
        KeptClaims::of(&map(subject), &keep, (&client(), &policy))
    }

    #[test]
    fn what_is_kept_lies_over_the_clients_and_under_the_policys() {
        let of_subject = json!({ "tenant": "acme", "region": "us", "team": "y", "email": "a@b" });
        let nothing = kept(&of_subject, &[]).unwrap();
        assert_eq!(nothing.tenant.as_deref(), Some("of-client"));
        let of_policy = map(&json!({ "region": "eu", "team": "of-policy", "roles": ["a"] }));
        assert_eq!(nothing.extra, of_policy);
        let some = kept(&of_subject, &["tenant", "region", "team", "env", "roles"]).unwrap();
        assert_eq!(some.tenant.as_deref(), Some("acme"));
        assert_eq!(some.environment, None, "the subject has none");
        let expected = map(&json!({ "region": "us", "team": "of-policy" }));
        assert_eq!(some.extra, expected);
    }

    #[test]
    fn a_claim_of_another_form_or_too_many_are_refused() {
        for (claims, name) in [
            (json!({ "tenant": 1 }), "tenant"),
            (json!({ "env": null }), "env"),
            (json!({ "tenant": "x".repeat(256) }), "tenant"),
            (json!({ "env": "a\nb" }), "env"),
            (json!({ "roles": "admin" }), "roles"),
            (json!({ "x": "y".repeat(extra_claims::MAX_BYTES) }), "x"),
        ] {
            let fault = kept(&claims, &[name]).unwrap_err();
            assert!(matches!(fault, ExchangeFault::KeptClaim(_)), "{name}");
            assert!(kept(&claims, &[]).is_ok());
        }
    }
}
