//! The rules on the claims of a foreign token, one for each check.

use serde_json::{Map, Value};

use super::ForeignFault;
use crate::domain::check::{Chain, Check};
use crate::domain::issuer_url::trust_domain_of;
use crate::domain::jwt_claims::{
    self, JudgedClaim, JwtClaims, MAX_JTI_LENGTH, is_jti, sole_audience,
};
use crate::domain::once::{Life, Once};
use crate::domain::shown::{plain, unknown, unknown_url};
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::domain::trusted_issuer::JtiUse;

/// What a foreign token is judged by.
#[derive(Clone, Copy, Debug)]
pub struct ForeignRules<'a> {
    /// What `aud` must be; `None`: one audience, which the caller judges.
    pub audience: Option<&'a str>,
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
    read: JwtClaims<'a>,
    rules: &'a ForeignRules<'a>,
    now: Timestamp,
}

/// The issuer that a token claims to be of: its `iss`, unverified.
#[must_use]
pub fn claimed_issuer(claims: &Map<String, Value>) -> Option<&str> {
    claims.get("iss").and_then(Value::as_str)
}

/// Whom it speaks of: its `sub`; nothing where that is no text.
#[must_use]
pub fn claimed_subject(claims: &Map<String, Value>) -> &str {
    let subject = claims.get("sub").and_then(Value::as_str);
    subject.unwrap_or_default()
}

/// Whom it is for: its `aud`, where that is one; nothing otherwise.
#[must_use]
pub fn claimed_audience(claims: &Map<String, Value>) -> &str {
    let audience = claims.get("aud").and_then(sole_audience);
    audience.unwrap_or_default()
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
    let claims = Claims::new(claims, rules, now);
    for check in Chain::ForeignClaims.checks() {
        claims.judge(*check)?;
    }
    let life = Life {
        made_at: claims.read.made_at(rules.max_lifetime)?,
        dead_at: claims.read.expiry()?.plus(rules.leeway),
    };
    let jti = claims.jti()?.map(str::to_owned);
    Ok(jti.map(|jti| Once { jti, life }))
}

/// Judges each claim by itself.
#[must_use]
pub fn judge_each(
    claims: &Map<String, Value>,
    rules: &ForeignRules<'_>,
    now: Timestamp,
) -> Vec<JudgedClaim<ForeignFault>> {
    let claims = Claims::new(claims, rules, now);
    jwt_claims::judge_each(
        Chain::ForeignClaims,
        |check| claims.judge(check),
        |check| claims.found(check),
        |fault| fault.explain().check,
    )
}

impl<'a> Claims<'a> {
    const fn new(
        claims: &'a Map<String, Value>,
        rules: &'a ForeignRules<'a>,
        now: Timestamp,
    ) -> Self {
        let read = JwtClaims::new(claims, now);
        Self { read, rules, now }
    }

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
        let subject = self.read.text("sub")?;
        if subject.is_empty() {
            return Err(ForeignFault::Malformed("sub"));
        }
        match self.rules.trust_domain {
            Some(domain) if trust_domain_of(subject) != Some(domain) => {
                Err(ForeignFault::NotOfTrustDomain(plain(subject)))
            }
            _ => Ok(()),
        }
    }

    /// Exactly one audience, and it is ours: a token for two could be replayed by each at the other.
    fn check_audience(&self) -> Result<(), ForeignFault> {
        let value = self.read.get("aud").ok_or(ForeignFault::Absent("aud"))?;
        let (sole, expected) = (sole_audience(value), self.rules.audience);
        if sole.is_some() && (expected.is_none() || sole == expected) {
            return Ok(());
        }
        let found = match value {
            Value::String(audience) => unknown_url(audience),
            Value::Array(list) => format!("a list of {}", list.len()),
            _ => "something else than text".to_owned(),
        };
        let expected = expected.map_or_else(|| "one audience".to_owned(), plain);
        Err(ForeignFault::Audience(found, expected))
    }

    fn check_expiry(&self) -> Result<(), ForeignFault> {
        let expired = self.read.expired_for(self.rules.leeway)?;
        expired.map_or(Ok(()), |ago| Err(ForeignFault::Expired(ago)))
    }

    /// Without `iat` it counts from now. Leeway is for clocks that differ, and there is one in `exp - iat` alone.
    fn check_lifetime(&self) -> Result<(), ForeignFault> {
        let (exp, most) = (self.read.expiry()?, self.rules.max_lifetime);
        let (begin, leeway) = match self.read.date("iat")? {
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
            if let Some(ahead) = self.read.ahead_by(claim, self.rules.leeway)? {
                return Err(ForeignFault::Ahead(claim, ahead));
            }
        }
        Ok(())
    }

    /// What is to be spent.
    fn jti(&self) -> Result<Option<&str>, ForeignFault> {
        let jti = match (self.rules.jti, self.read.get("jti")) {
            // One that is too long is refused though it is not spent.
            (JtiUse::Ignore, Some(Value::String(long))) if long.len() > MAX_JTI_LENGTH => None,
            (JtiUse::Ignore, _) | (JtiUse::IfPresent, None) => return Ok(None),
            (JtiUse::SingleUse, None) => return Err(ForeignFault::Absent("jti")),
            (_, Some(jti)) => jti.as_str(),
        };
        let jti = jti.filter(|it| is_jti(it));
        jti.map(Some).ok_or(ForeignFault::Malformed("jti"))
    }

    /// What a rule that holds has found.
    fn found(&self, check: Check) -> String {
        match check {
            Check::ForeignSubject => plain(self.read.text("sub").unwrap_or_default()),
            Check::ForeignAudience => {
                let audience = self.read.get("aud").and_then(sole_audience);
                plain(audience.unwrap_or_default())
            }
            Check::ForeignExpiry => self.read.told("exp"),
            Check::ForeignLifetime => format!("at most {}", self.rules.max_lifetime),
            Check::ForeignBegin => self.read.told("iat"),
            _ => match self.jti() {
                Ok(Some(jti)) => unknown(jti, []),
                _ => "none that counts".to_owned(),
            },
        }
    }
}
