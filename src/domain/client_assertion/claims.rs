//! The rules on the claims of an assertion, one for each check. A request is judged by all of them in order; whoever wants
//! to know everything that is wrong has each by itself.

use serde_json::{Map, Value};

use super::{AssertionFault, AssertionRules};
use crate::domain::check::{Chain, Check};
use crate::domain::numeric_date::parse_numeric_date;
use crate::domain::once::{Life, Once};
use crate::domain::shown::{unknown, unknown_url};
use crate::domain::timestamp::{Seconds, Timestamp};

/// The longest `jti`, in bytes.
const MAX_JTI_LENGTH: usize = 256;

/// All claims beside what they are judged by.
#[derive(Clone, Copy)]
struct Claims<'a> {
    all: &'a Map<String, Value>,
    rules: &'a AssertionRules<'a>,
    now: Timestamp,
}

/// One check of the claims, which fails by an `F`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedClaim<F = AssertionFault> {
    /// Which.
    pub check: Check,
    /// What it found, or why it failed; `None` where it was not reached, because the claim is not there at all or malformed:
    /// then another check says so.
    pub result: Option<Result<String, F>>,
}

impl<F> JudgedClaim<F> {
    /// The same as a check that fails by a wider fault.
    #[must_use]
    pub fn widened<G: From<F>>(self) -> JudgedClaim<G> {
        JudgedClaim {
            check: self.check,
            result: self.result.map(|it| it.map_err(G::from)),
        }
    }
}

/// The client that an assertion claims to be of: its `sub`, unverified.
///
/// # Errors
/// `sub` is missing or not a string.
pub fn claimed_client(claims: &Map<String, Value>) -> Result<&str, AssertionFault> {
    text(claims, "sub")
}

/// Judges the claims at `now`. Gives what it is told by, and whether its `aud` was the token endpoint, which only some
/// clients may write.
///
/// # Errors
/// The first rule that does not hold.
pub fn accept(
    claims: &Map<String, Value>,
    rules: &AssertionRules<'_>,
    now: Timestamp,
) -> Result<(Once, bool), AssertionFault> {
    let all = claims;
    let claims = Claims { all, rules, now };
    for check in Chain::AssertionClaims.checks() {
        claims.judge(*check)?;
    }
    let life = Life {
        made_at: claims.made_at()?,
        dead_at: claims.expiry()?.plus(rules.leeway),
    };
    let jti = claims.jti()?.to_owned();
    Ok((Once { jti, life }, claims.audience()?))
}

/// Judges each claim by itself.
#[must_use]
pub fn judge_each(
    claims: &Map<String, Value>,
    rules: &AssertionRules<'_>,
    now: Timestamp,
) -> Vec<JudgedClaim> {
    let all = claims;
    let claims = Claims { all, rules, now };
    let judged = |check: Check| JudgedClaim {
        check,
        result: match claims.judge(check) {
            Ok(()) => Some(Ok(claims.found(check))),
            Err(fault) if fault.explain().check == check => Some(Err(fault)),
            Err(_) => None,
        },
    };
    let checks = Chain::AssertionClaims.checks().iter();
    checks.copied().map(judged).collect()
}

/// When an assertion was made, at the earliest; `None` where it does not tell.
#[must_use]
pub fn made_at(claims: &Map<String, Value>, rules: &AssertionRules<'_>) -> Option<Timestamp> {
    let now = Timestamp::EPOCH;
    let all = claims;
    Claims { all, rules, now }.made_at().ok()
}

/// When it says that it was made: its `iat`, where it has one.
#[must_use]
pub fn issued_at(claims: &Map<String, Value>) -> Option<Timestamp> {
    date(claims, "iat").ok().flatten()
}

impl Claims<'_> {
    fn judge(&self, check: Check) -> Result<(), AssertionFault> {
        match check {
            Check::AssertionClient => self.check_client(),
            Check::AssertionAudience => self.audience().map(drop),
            Check::AssertionExpiry => self.check_expiry(),
            Check::AssertionLifetime => self.check_lifetime(),
            Check::AssertionIssued => self.check_issued(),
            Check::AssertionAge => self.check_age(),
            Check::AssertionBegin => self.check_begin(),
            _ => self.jti().map(drop),
        }
    }

    fn check_client(&self) -> Result<(), AssertionFault> {
        for claim in ["iss", "sub"] {
            let found = text(self.all, claim)?;
            if found != self.rules.client_id {
                let found = unknown(found, [self.rules.client_id]);
                return Err(AssertionFault::NotTheClient(claim, found));
            }
        }
        Ok(())
    }

    /// Exactly one audience, and it is us (rfc7523bis): an assertion for two servers could be replayed by each at the
    /// other. Tells whether it is the token endpoint.
    fn audience(&self) -> Result<bool, AssertionFault> {
        let rules = self.rules;
        let value = self.all.get("aud").ok_or(AssertionFault::Absent("aud"))?;
        let audience = match value {
            Value::String(audience) => Some(audience),
            Value::Array(list) if !rules.audience_as_text => match list.as_slice() {
                [Value::String(audience)] => Some(audience),
                _ => None,
            },
            _ => None,
        };
        match audience {
            Some(audience) if audience == rules.issuer => Ok(false),
            Some(audience) if Some(audience.as_str()) == rules.token_endpoint => Ok(true),
            _ if value.is_array() => Err(AssertionFault::AudienceList(shown(value))),
            _ => Err(AssertionFault::Audience(shown(value))),
        }
    }

    fn expiry(&self) -> Result<Timestamp, AssertionFault> {
        self.date("exp")?.ok_or(AssertionFault::Absent("exp"))
    }

    fn check_expiry(&self) -> Result<(), AssertionFault> {
        let exp = self.expiry()?;
        if exp.plus(self.rules.leeway) <= self.now {
            return Err(AssertionFault::Expired(-self.ahead(exp)));
        }
        Ok(())
    }

    fn check_lifetime(&self) -> Result<(), AssertionFault> {
        let exp = self.expiry()?;
        if exp
            > self
                .now
                .plus(self.rules.max_lifetime)
                .plus(self.rules.leeway)
        {
            return Err(AssertionFault::LivesTooLong(self.ahead(exp)));
        }
        Ok(())
    }

    fn check_issued(&self) -> Result<(), AssertionFault> {
        match self.date("iat")? {
            Some(iat) if iat > self.now.plus(self.rules.leeway) => {
                Err(AssertionFault::IssuedAhead(self.ahead(iat)))
            }
            _ => Ok(()),
        }
    }

    fn check_age(&self) -> Result<(), AssertionFault> {
        let oldest = self.now.minus(self.rules.max_lifetime);
        match self.date("iat")? {
            Some(iat) if iat < oldest.minus(self.rules.leeway) => {
                Err(AssertionFault::TooOld(-self.ahead(iat)))
            }
            _ => Ok(()),
        }
    }

    fn check_begin(&self) -> Result<(), AssertionFault> {
        match self.date("nbf")? {
            Some(nbf) if nbf > self.now.plus(self.rules.leeway) => {
                Err(AssertionFault::NotYetValid(self.ahead(nbf)))
            }
            _ => Ok(()),
        }
    }

    /// Without `iat` it was made less than its longest lifetime before its end.
    fn made_at(&self) -> Result<Timestamp, AssertionFault> {
        let earliest = self.expiry()?.minus(self.rules.max_lifetime);
        let iat = self.date("iat")?;
        Ok(iat.unwrap_or_else(|| earliest.minus(Seconds::new(1))))
    }

    fn jti(&self) -> Result<&str, AssertionFault> {
        let jti = text(self.all, "jti")?;
        if jti.is_empty() || jti.len() > MAX_JTI_LENGTH {
            return Err(AssertionFault::Malformed("jti"));
        }
        Ok(jti)
    }

    /// What a rule that holds has found.
    fn found(&self, check: Check) -> String {
        let at = |name: &'static str| match self.date(name) {
            Ok(Some(at)) => match self.ahead(at) {
                ago if ago < 0 => format!("{name} {} s ago", -ago),
                ahead => format!("{name} {ahead} s ahead"),
            },
            _ => format!("no {name}"),
        };
        match check {
            Check::AssertionClient => self.rules.client_id.to_owned(),
            Check::AssertionAudience => self.all.get("aud").map(shown).unwrap_or_default(),
            Check::AssertionExpiry | Check::AssertionLifetime => at("exp"),
            Check::AssertionIssued | Check::AssertionAge => at("iat"),
            Check::AssertionBegin => at("nbf"),
            _ => unknown(self.jti().unwrap_or_default(), []),
        }
    }

    fn ahead(&self, at: Timestamp) -> i64 {
        at.unix().saturating_sub(self.now.unix())
    }

    fn date(&self, name: &'static str) -> Result<Option<Timestamp>, AssertionFault> {
        date(self.all, name)
    }
}

/// A text as it is, anything else as JSON without its quotes, which the log would escape twice.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => unknown_url(text),
        other => unknown_url(&other.to_string().replace('"', "")),
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, AssertionFault> {
    match claims.get(name) {
        None => Err(AssertionFault::Absent(name)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(AssertionFault::Malformed(name)),
    }
}

/// A `NumericDate` (RFC 7519 section 2).
fn date(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Timestamp>, AssertionFault> {
    let malformed = AssertionFault::Malformed(name);
    claims
        .get(name)
        .map(|value| parse_numeric_date(value).ok_or(malformed))
        .transpose()
}
