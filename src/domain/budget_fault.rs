//! Who asks too often is answered 429 for a while (RFC 6585 section 4; OPERATING section 5).

use std::num::NonZeroU32;
use std::time::Duration;

use super::check::{Check, Finding};
use super::explanation::{ErrorCode, Explanation};

/// A budget that is spent, with the time until there is room again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BudgetFault {
    /// Wrong secrets for this client id from this source.
    Failures(Duration),
    /// Wrong secrets from this source, whatever ids it names.
    SourceFailures(Duration),
    /// Tokens of the client.
    Tokens {
        /// Until the next token.
        wait: Duration,
        /// The client's `max_tokens_per_minute`.
        per_minute: NonZeroU32,
    },
}

const WRONG_SECRETS: &str = "find in the log who sends wrong secrets from this address; a client with a generated \
                             secret (grantd credential add-secret), a key or a certificate never meets this budget";

impl BudgetFault {
    /// `Retry-After`, in whole seconds (RFC 9110 section 10.2.3).
    #[must_use]
    pub fn retry_after(&self) -> u32 {
        let (Self::Failures(wait) | Self::SourceFailures(wait) | Self::Tokens { wait, .. }) = self;
        u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
    }

    pub(super) fn explain(&self) -> Explanation<'static> {
        let seconds = self.retry_after();
        let (description, finding) = match self {
            Self::Failures(_) => (
                TOO_MANY_FAILURES,
                Finding::new(Check::FailureBudget, format!("none left for {seconds} s"))
                    .remedy(WRONG_SECRETS),
            ),
            Self::SourceFailures(_) => (
                TOO_MANY_FAILURES,
                Finding::new(Check::SourceFailureBudget, format!("none left for {seconds} s"))
                    .remedy(WRONG_SECRETS),
            ),
            Self::Tokens { per_minute, .. } => (
                "this client has had its tokens for now: use a token until it expires",
                Finding::new(
                    Check::TokenBudget,
                    format!("{per_minute} in a minute, the next in {seconds} s"),
                )
                .remedy("let the client keep its token until it expires, or raise its max_tokens_per_minute"),
            ),
        };
        Explanation {
            error: ErrorCode::TemporarilyUnavailable,
            description,
            finding,
        }
    }
}

const TOO_MANY_FAILURES: &str = "too many failed attempts, try again later";
