//! The rules on the claims of a foreign token, one for each check.

use serde_json::{Map, Value};

use super::ForeignFault;
use crate::domain::check::{Chain, Check};
use crate::domain::client_assertion::JudgedClaim;
use crate::domain::issuer_url::trust_domain_of;
use crate::domain::numeric_date::parse_numeric_date;
use crate::domain::once::{Life, Once};
use crate::domain::shown::{plain, unknown, unknown_url};
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::domain::trusted_issuer::JtiUse;

/// The longest `jti` that is spent, in bytes.
const MAX_JTI_LENGTH: usize = 256;

/// What a foreign token is judged by.
#[derive(Clone, Copy, Debug)]
pub struct ForeignRules<'a> {
    /// What `aud` must be.
    pub audience: &'a str,
    /// The trust domain of SPIFFE that `sub` must be of.
    pub trust_domain: Option<&'a str>,
    /// The most between `iat` and `exp`.
    pub max_lifetime: Seconds,
    /// Whether its `jti` is spent.
    pub jti: JtiUse,
    /// How far clocks may differ.
    pub leeway: Seconds,
}

#[derive(Clone, Copy)]
struct Claims<'a> {
    all: &'a Map<String, Value>,
    rules: &'a ForeignRules<'a>,
    now: Timestamp,
}

/// The issuer that a token claims to be of: its `iss`, unverified.
#[must_use]
pub fn claimed_issuer(claims: &Map<String, Value>) -> Option<&str> {
    claims.get("iss").and_then(Value::as_str)
}

/// Judges the claims at `now`. Gives what is to be spent, where the issuer's tokens count once and this has a `jti`.
///
/// # Errors
/// The first rule that does not hold.
pub fn accept(
    claims: &Map<String, Value>,
    rules: &ForeignRules<'_>,
    now: Timestamp,
) -> Result<Option<Once>, ForeignFault> {
    let all = claims;
    let claims = Claims { all, rules, now };
    for check in Chain::ForeignClaims.checks() {
        claims.judge(*check)?;
    }
    let life = Life {
        made_at: claims.made_at()?,
        dead_at: claims.expiry()?.plus(rules.leeway),
    };
    let jti = claims.jti()?.map(str::to_owned);
    Ok(jti.map(|jti| Once { jti, life }))
}

/// Judges each claim by itself: the first that is wrong need not be the last.
#[must_use]
pub fn judge_each(
    claims: &Map<String, Value>,
    rules: &ForeignRules<'_>,
    now: Timestamp,
) -> Vec<JudgedClaim<ForeignFault>> {
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
    let checks = Chain::ForeignClaims.checks().iter();
    checks.copied().map(judged).collect()
}

impl Claims<'_> {
    fn judge(&self, check: Check) -> Result<(), ForeignFault> {
        match check {
            Check::ForeignSubject => self.check_subject(),
            Check::ForeignAudience => self.check_audience(),
            Check::ForeignExpiry => self.check_expiry(),
            Check::ForeignLifetime => self.check_lifetime(),
            Check::ForeignBegin => self.check_begin(),
            _ => self.jti().map(drop),
        }
    }

    fn check_subject(&self) -> Result<(), ForeignFault> {
        let subject = match self.all.get("sub") {
            Some(Value::String(subject)) if !subject.is_empty() => subject,
            Some(_) => return Err(ForeignFault::Malformed("sub")),
            None => return Err(ForeignFault::Absent("sub")),
        };
        match self.rules.trust_domain {
            Some(domain) if trust_domain_of(subject) != Some(domain) => {
                Err(ForeignFault::NotOfTrustDomain(plain(subject)))
            }
            _ => Ok(()),
        }
    }

    /// Exactly one audience, and it is ours: a token for two could be replayed by each at the other.
    fn check_audience(&self) -> Result<(), ForeignFault> {
        let value = self.all.get("aud").ok_or(ForeignFault::Absent("aud"))?;
        let sole = match value {
            Value::String(audience) => Some(audience),
            Value::Array(list) => match list.as_slice() {
                [Value::String(audience)] => Some(audience),
                _ => None,
            },
            _ => None,
        };
        if sole.is_some_and(|it| it == self.rules.audience) {
            return Ok(());
        }
        let found = match value {
            Value::String(audience) => unknown_url(audience),
            Value::Array(list) => format!("a list of {}", list.len()),
            _ => "something else than text".to_owned(),
        };
        Err(ForeignFault::Audience(found, plain(self.rules.audience)))
    }

    fn expiry(&self) -> Result<Timestamp, ForeignFault> {
        self.date("exp")?.ok_or(ForeignFault::Absent("exp"))
    }

    fn check_expiry(&self) -> Result<(), ForeignFault> {
        let exp = self.expiry()?;
        if exp.plus(self.rules.leeway) <= self.now {
            return Err(ForeignFault::Expired(-self.ahead(exp)));
        }
        Ok(())
    }

    /// Without `iat` it counts from now. Leeway is for clocks that differ, and there is one in `exp - iat` alone.
    fn check_lifetime(&self) -> Result<(), ForeignFault> {
        let (exp, most) = (self.expiry()?, self.rules.max_lifetime);
        let (begin, leeway) = match self.date("iat")? {
            Some(iat) => (iat, Seconds::new(0)),
            None => (self.now, self.rules.leeway),
        };
        if exp > begin.plus(most).plus(leeway) {
            let lives = exp.unix().saturating_sub(begin.unix());
            return Err(ForeignFault::LivesTooLong(lives, most));
        }
        Ok(())
    }

    fn check_begin(&self) -> Result<(), ForeignFault> {
        for claim in ["iat", "nbf"] {
            match self.date(claim)? {
                Some(at) if at > self.now.plus(self.rules.leeway) => {
                    return Err(ForeignFault::Ahead(claim, self.ahead(at)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Without `iat` it was made less than its longest lifetime before its end.
    fn made_at(&self) -> Result<Timestamp, ForeignFault> {
        let earliest = self.expiry()?.minus(self.rules.max_lifetime);
        Ok(self
            .date("iat")?
            .unwrap_or_else(|| earliest.minus(Seconds::new(1))))
    }

    /// What is to be spent.
    fn jti(&self) -> Result<Option<&str>, ForeignFault> {
        let jti = match (self.rules.jti, self.all.get("jti")) {
            (JtiUse::Ignore, _) | (JtiUse::IfPresent, None) => return Ok(None),
            (JtiUse::SingleUse, None) => return Err(ForeignFault::Absent("jti")),
            (_, Some(jti)) => jti.as_str(),
        };
        let fits = |it: &&str| (1..=MAX_JTI_LENGTH).contains(&it.len());
        jti.filter(fits)
            .map(Some)
            .ok_or(ForeignFault::Malformed("jti"))
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
        let text = |name| self.all.get(name).and_then(Value::as_str);
        match check {
            Check::ForeignSubject => plain(text("sub").unwrap_or_default()),
            Check::ForeignAudience => plain(self.rules.audience),
            Check::ForeignExpiry => at("exp"),
            Check::ForeignLifetime => format!("at most {}", self.rules.max_lifetime),
            Check::ForeignBegin => at("iat"),
            _ => match self.jti() {
                Ok(Some(jti)) => unknown(jti, []),
                _ => "none that counts".to_owned(),
            },
        }
    }

    fn ahead(&self, at: Timestamp) -> i64 {
        at.unix().saturating_sub(self.now.unix())
    }

    fn date(&self, name: &'static str) -> Result<Option<Timestamp>, ForeignFault> {
        let Some(value) = self.all.get(name) else {
            return Ok(None);
        };
        let date = parse_numeric_date(value);
        date.map(Some).ok_or(ForeignFault::Malformed(name))
    }
}
