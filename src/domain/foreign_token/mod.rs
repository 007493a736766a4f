//! A token of a trusted issuer, and whether its claims are acceptable now (RFC 7523 section 3; FEDERATION section 2).
//! Signature, replay and whose it is are judged elsewhere.

mod claims;
mod fault;

pub use claims::{
    ForeignRules, accept, claimed_audience, claimed_issuer, claimed_subject, judge_each,
};
pub use fault::ForeignFault;

use super::shown::unknown;
use super::trusted_issuer::IssuerUse;

/// The `typ` of a statement about a workload; it may also be absent.
const TYPES: [&str; 2] = ["JWT", "JOSE"];
/// The `typ` of an access token (RFC 9068 section 2.1): something to exchange, and nobody's identity.
const ACCESS_TOKEN: [&str; 2] = ["at+jwt", "application/at+jwt"];

/// Whether a token of this `typ` may be used so (RFC 8725 section 3.11).
///
/// # Errors
/// Another explicit type; an access token where no exchange is asked for.
pub fn check_type(typ: Option<&str>, what: IssuerUse) -> Result<(), ForeignFault> {
    match typ {
        None => Ok(()),
        Some(typ) if TYPES.contains(&typ) => Ok(()),
        Some(typ) if what == IssuerUse::Exchange && ACCESS_TOKEN.contains(&typ) => Ok(()),
        Some(typ) => Err(ForeignFault::Type(unknown(typ, TYPES))),
    }
}

#[cfg(test)]
mod tests;
