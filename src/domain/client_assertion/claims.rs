//! The rules on the claims of an assertion, one for each check. A request is judged by all of them in order; whoever wants
//! to know everything that is wrong has each by itself.

use serde_json::{Map, Value};

use super::{AssertionFault, AssertionRules};
use crate::domain::check::{Chain, Check};
use crate::domain::jwt_claims::{self, JudgedClaim, JwtClaims, is_jti, sole_audience, text};
use crate::domain::once::{Life, Once};
use crate::domain::shown::{unknown, unknown_url};
use crate::domain::timestamp::Timestamp;

/// All claims beside what they are judged by.
#[derive(Clone, Copy)]
struct Claims<'a> {
    read: JwtClaims<'a>,
    rules: &'a AssertionRules<'a>,
    now: Timestamp,
}

/// The client that an assertion claims to be of: its `sub`, unverified.
///
/// # Errors
/// `sub` is missing or not a string.
pub fn claimed_client(claims: &Map<String, Value>) -> Result<&str, AssertionFault> {
    Ok(text(claims, "sub")?)
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
    let claims = Claims::new(claims, rules, now);
    for check in Chain::AssertionClaims.checks() {
        claims.judge(*check)?;
    }
    let life = Life {
        made_at: claims.read.made_at(rules.max_lifetime)?,
        dead_at: claims.read.expiry()?.plus(rules.leeway),
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
) -> Vec<JudgedClaim<AssertionFault>> {
    let claims = Claims::new(claims, rules, now);
    jwt_claims::judge_each(
        Chain::AssertionClaims,
        |check| claims.judge(check),
        |check| claims.found(check),
        |fault| fault.explain().check,
    )
}

/// When an assertion was made, at the earliest; `None` where it does not tell.
#[must_use]
pub fn made_at(claims: &Map<String, Value>, rules: &AssertionRules<'_>) -> Option<Timestamp> {
    let claims = JwtClaims::new(claims, Timestamp::EPOCH);
    claims.made_at(rules.max_lifetime).ok()
}

/// When it says that it was made: its `iat`, where it has one.
#[must_use]
pub fn issued_at(claims: &Map<String, Value>) -> Option<Timestamp> {
    let claims = JwtClaims::new(claims, Timestamp::EPOCH);
    claims.date("iat").ok().flatten()
}

impl<'a> Claims<'a> {
    const fn new(
        claims: &'a Map<String, Value>,
        rules: &'a AssertionRules<'a>,
        now: Timestamp,
    ) -> Self {
        let read = JwtClaims::new(claims, now);
        Self { read, rules, now }
    }

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
            let found = self.read.text(claim)?;
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
        let value = self.read.get("aud").ok_or(AssertionFault::Absent("aud"))?;
        let may_be = !(rules.audience_as_text && value.is_array());
        match sole_audience(value).filter(|_| may_be) {
            Some(audience) if audience == rules.issuer => Ok(false),
            Some(audience) if Some(audience) == rules.token_endpoint => Ok(true),
            _ if value.is_array() => Err(AssertionFault::AudienceList(shown(value))),
            _ => Err(AssertionFault::Audience(shown(value))),
        }
    }

    fn check_expiry(&self) -> Result<(), AssertionFault> {
        let expired = self.read.expired_for(self.rules.leeway)?;
        expired.map_or(Ok(()), |ago| Err(AssertionFault::Expired(ago)))
    }

    fn check_lifetime(&self) -> Result<(), AssertionFault> {
        let exp = self.read.expiry()?;
        if exp
            > self
                .now
                .plus(self.rules.max_lifetime)
                .plus(self.rules.leeway)
        {
            return Err(AssertionFault::LivesTooLong(self.read.ahead(exp)));
        }
        Ok(())
    }

    fn check_issued(&self) -> Result<(), AssertionFault> {
        let ahead = self.read.ahead_by("iat", self.rules.leeway)?;
        ahead.map_or(Ok(()), |ahead| Err(AssertionFault::IssuedAhead(ahead)))
    }

    fn check_age(&self) -> Result<(), AssertionFault> {
        let oldest = self.now.minus(self.rules.max_lifetime);
        match self.read.date("iat")? {
            Some(iat) if iat < oldest.minus(self.rules.leeway) => {
                Err(AssertionFault::TooOld(-self.read.ahead(iat)))
            }
            _ => Ok(()),
        }
    }

    fn check_begin(&self) -> Result<(), AssertionFault> {
        let ahead = self.read.ahead_by("nbf", self.rules.leeway)?;
        ahead.map_or(Ok(()), |ahead| Err(AssertionFault::NotYetValid(ahead)))
    }

    fn jti(&self) -> Result<&str, AssertionFault> {
        let jti = Some(self.read.text("jti")?).filter(|it| is_jti(it));
        jti.ok_or(AssertionFault::Malformed("jti"))
    }

    /// What a rule that holds has found.
    fn found(&self, check: Check) -> String {
        match check {
            Check::AssertionClient => self.rules.client_id.to_owned(),
            Check::AssertionAudience => self.read.get("aud").map(shown).unwrap_or_default(),
            Check::AssertionExpiry | Check::AssertionLifetime => self.read.told("exp"),
            Check::AssertionIssued | Check::AssertionAge => self.read.told("iat"),
            Check::AssertionBegin => self.read.told("nbf"),
            _ => unknown(self.jti().unwrap_or_default(), []),
        }
    }
}

/// A text as it is, anything else as JSON without its quotes, which the log would escape twice.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => unknown_url(text),
        other => unknown_url(&other.to_string().replace('"', "")),
    }
}
