//! The decision on one request: who asked from where for what, and the check that failed.
//! Log line, audit event and metric are views of it, found by the request's id.

use std::fmt;
use std::net::IpAddr;

use uuid::Uuid;

use super::client::AuthMethod;
use super::refusal::{FailedCheck, Refusal};
use super::shown;

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
    /// The client id that was presented.
    pub client: Option<ClaimedClient>,
    /// The method of client authentication.
    pub method: Option<AuthMethod>,
}

impl Decision {
    /// The client exists: its id is none of a stranger's making.
    pub const fn recognise_client(&mut self) {
        if let Some(claimed) = &mut self.client {
            claimed.recognise();
        }
    }
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

/// The client id of a request: whatever somebody sent, until it is recognised. It is shown by the rule of
/// [`shown::unknown`].
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimedClient {
    text: String,
    is_recognised: bool,
}

impl ClaimedClient {
    /// An id of which nothing is known yet.
    #[must_use]
    pub fn new(text: &str) -> Self {
        // One character more than an id has: what is longer is none.
        Self {
            text: text.chars().take(256).collect(),
            is_recognised: false,
        }
    }

    /// The client exists, or the id is almost that of one: no secret.
    pub const fn recognise(&mut self) {
        self.is_recognised = true;
    }

    /// The id, where it may be a secret: to look for clients that may be meant.
    #[must_use]
    pub fn suspect(&self) -> Option<&str> {
        shown::may_be_secret(&self.text).then_some(self.text.as_str())
    }
}

impl fmt::Display for ClaimedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.is_recognised {
            shown::plain(&self.text)
        } else {
            shown::unknown(&self.text, [])
        };
        f.write_str(&shown)
    }
}

impl fmt::Debug for ClaimedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_id_is_hidden_until_it_is_recognised() {
        let mut claimed = ClaimedClient::new("7f3c2a10-5d1e-4a70-8c6f-0d2b9e41aa11");
        assert_eq!(claimed.to_string(), "7f3c… (36 characters)");
        assert_eq!(format!("{claimed:?}"), "7f3c… (36 characters)");
        claimed.recognise();
        assert_eq!(claimed.to_string(), "7f3c2a10-5d1e-4a70-8c6f-0d2b9e41aa11");
        assert_eq!(ClaimedClient::new("orders").suspect(), None);
    }
}
