//! The client id of a request: whatever somebody sent, until it is recognised.

use std::fmt;

use crate::domain::shown;

/// The client id of a request. It is shown by the rule of [`shown::unknown`] until it is recognised.
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

    /// Whether it is that of a client, or almost: see [`Self::recognise`].
    #[must_use]
    pub const fn is_recognised(&self) -> bool {
        self.is_recognised
    }

    /// The id as it was sent, which may be a secret: to compare with those of clients, not to be shown.
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.text
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
