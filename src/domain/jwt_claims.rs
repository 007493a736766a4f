//! The claims of a JWT that somebody presents, as rules on them read them: an assertion, a foreign token, a proof.

use serde_json::{Map, Value};

use super::check::{Chain, Check};
use super::numeric_date::parse_numeric_date;
use super::timestamp::{Seconds, Timestamp};

/// The longest `jti` that counts, in bytes.
pub const MAX_JTI_LENGTH: usize = 256;

/// Why a claim cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimFault {
    /// It is absent.
    Absent(&'static str),
    /// It is of a wrong JSON type, or out of any sense.
    Malformed(&'static str),
}

/// All claims, and when they are judged.
#[derive(Clone, Copy, Debug)]
pub struct JwtClaims<'a> {
    all: &'a Map<String, Value>,
    now: Timestamp,
}

/// One check of the claims, which fails by an `F`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedClaim<F> {
    /// Which.
    pub check: Check,
    /// What it found, or why it failed; `None` where it was not reached, because the claim is not there at all or malformed:
    /// then another check says so.
    pub result: Option<Result<String, F>>,
}

impl<'a> JwtClaims<'a> {
    /// These, at `now`.
    #[must_use]
    pub const fn new(all: &'a Map<String, Value>, now: Timestamp) -> Self {
        Self { all, now }
    }

    /// A claim of any type.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.all.get(name)
    }

    /// A text.
    ///
    /// # Errors
    /// It is absent, or no text.
    pub fn text(self, name: &'static str) -> Result<&'a str, ClaimFault> {
        text(self.all, name)
    }

    /// A `NumericDate` (RFC 7519 section 2), where it is there.
    ///
    /// # Errors
    /// It is none.
    pub fn date(self, name: &'static str) -> Result<Option<Timestamp>, ClaimFault> {
        let read = |value| parse_numeric_date(value).ok_or(ClaimFault::Malformed(name));
        self.get(name).map(read).transpose()
    }

    /// `exp`, which must be there.
    ///
    /// # Errors
    /// It is absent, or no date.
    pub fn expiry(self) -> Result<Timestamp, ClaimFault> {
        self.date("exp")?.ok_or(ClaimFault::Absent("exp"))
    }

    /// How many seconds ago it expired, where it did, clocks that differ by `leeway` counted in.
    ///
    /// # Errors
    /// As [`Self::expiry`].
    pub fn expired_for(self, leeway: Seconds) -> Result<Option<i64>, ClaimFault> {
        let expiry = self.expiry()?;
        let is_over = expiry.plus(leeway) <= self.now;
        Ok(is_over.then(|| -self.ahead(expiry)))
    }

    /// How many seconds a date is ahead, where that is more than `leeway`.
    ///
    /// # Errors
    /// It is no date.
    pub fn ahead_by(self, name: &'static str, leeway: Seconds) -> Result<Option<i64>, ClaimFault> {
        let at = self.date(name)?.filter(|at| *at > self.now.plus(leeway));
        Ok(at.map(|at| self.ahead(at)))
    }

    /// When it was made, at the earliest. Without `iat` that was less than its longest lifetime before its end.
    ///
    /// # Errors
    /// No `exp`, or one of the two is no date.
    pub fn made_at(self, max_lifetime: Seconds) -> Result<Timestamp, ClaimFault> {
        let earliest = self.expiry()?.minus(max_lifetime);
        let issued = self.date("iat")?;
        Ok(issued.unwrap_or_else(|| earliest.minus(Seconds::new(1))))
    }

    /// The seconds from now to `at`, negative where it is past.
    #[must_use]
    pub fn ahead(self, at: Timestamp) -> i64 {
        at.unix().saturating_sub(self.now.unix())
    }

    /// A date in words.
    #[must_use]
    pub fn told(self, name: &'static str) -> String {
        match self.date(name) {
            Ok(Some(at)) => match self.ahead(at) {
                ago if ago < 0 => format!("{name} {} s ago", -ago),
                ahead => format!("{name} {ahead} s ahead"),
            },
            _ => format!("no {name}"),
        }
    }
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

/// Judges each check of `chain` by itself, for the first that fails need not be the last. `found` is what one that holds has
/// found, and `check_of` the check that a fault belongs to.
#[must_use]
pub fn judge_each<F>(
    chain: Chain,
    judge: impl Fn(Check) -> Result<(), F>,
    found: impl Fn(Check) -> String,
    check_of: impl Fn(&F) -> Check,
) -> Vec<JudgedClaim<F>> {
    let judged = |check: Check| JudgedClaim {
        check,
        result: match judge(check) {
            Ok(()) => Some(Ok(found(check))),
            Err(fault) if check_of(&fault) == check => Some(Err(fault)),
            Err(_) => None,
        },
    };
    chain.checks().iter().copied().map(judged).collect()
}

/// A text among `claims`.
///
/// # Errors
/// It is absent, or no text.
pub fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, ClaimFault> {
    match claims.get(name) {
        None => Err(ClaimFault::Absent(name)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ClaimFault::Malformed(name)),
    }
}

/// The one audience of an `aud`: a text, or a list of one.
#[must_use]
pub fn sole_audience(aud: &Value) -> Option<&str> {
    match aud {
        Value::String(audience) => Some(audience),
        Value::Array(list) => match list.as_slice() {
            [Value::String(audience)] => Some(audience),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a `jti` can be remembered: 1 to 256 bytes.
#[must_use]
pub fn is_jti(jti: &str) -> bool {
    (1..=MAX_JTI_LENGTH).contains(&jti.len())
}
