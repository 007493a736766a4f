//! The decision on one request: who asked from where for what, and the check that failed.
//! Log line, audit event and metric are views of it, found by the request's id.

use std::net::IpAddr;

use uuid::Uuid;

use super::client::AuthMethod;
use super::refusal::{FailedCheck, Refusal};
use super::secret_format;

/// The longest part of a presented name that is kept.
const SHOWN_LENGTH: usize = 64;

/// What is known of a request while it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The request's id, always ours.
    pub request_id: Uuid,
    /// The endpoint, as in the metadata: `token`, `introspection`, `revocation`.
    pub endpoint: &'static str,
    /// Where it came from.
    pub source: IpAddr,
    /// The trusted proxy that passed it on.
    pub proxy: Option<IpAddr>,
    /// The client id that was presented, in a form that a log can bear.
    pub client: Option<String>,
    /// The method of client authentication.
    pub method: Option<AuthMethod>,
}

/// A decision that ended in a refusal.
#[derive(Clone, Debug)]
pub struct Refused<'a> {
    /// The request.
    pub decision: &'a Decision,
    /// The fault.
    pub refusal: &'a Refusal,
}

impl Refused<'_> {
    /// The failed check.
    #[must_use]
    pub fn check(&self) -> FailedCheck {
        self.refusal.check()
    }
}

/// A client id from a stranger in a form that a log can bear: escaped, cut, and hidden where it looks like
/// a secret in the wrong place.
#[must_use]
pub fn presented_name(text: &str) -> String {
    if text.contains(secret_format::PREFIX) {
        return "(looks like a secret)".to_owned();
    }
    let mut shown: String =
        text.chars().take(SHOWN_LENGTH).flat_map(char::escape_default).collect();
    if text.chars().nth(SHOWN_LENGTH).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-C07: what a stranger sends stays one line, and shows what it is.
    #[test]
    fn a_presented_name_is_escaped_and_cut() {
        assert_eq!(presented_name("a\r\nb\u{1b}[31m\u{202e}"), "a\\r\\nb\\u{1b}[31m\\u{202e}");
        assert_eq!(presented_name(&"x".repeat(10_000)).chars().count(), 65);
        assert_eq!(presented_name("grantd_abc"), "(looks like a secret)");
    }
}
