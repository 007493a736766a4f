//! What a person should look at (OPERATING section 3).

use super::budget_fault::BudgetFault;
use super::certificate_fault::CertificateFault;
use super::client::named;
use super::client_assertion::AssertionFault;
use super::credential::CredentialState;
use super::decision::Outcome;
use super::foreign_token::ForeignFault;
use super::refusal::{ClientFault, GrantFault, Refusal};

named! {
    /// What happened. Each is told once an hour for each thing that it is about.
    Alert {
        /// Somebody still uses a credential that was retired.
        RetiredCredentialUsed = "retired_credential_used",
        /// Somebody still uses a credential that has expired.
        ExpiredCredentialUsed = "expired_credential_used",
        /// An assertion was used before.
        AssertionReplayed = "assertion_replayed",
        /// A client, or who names it, is past a budget.
        OverBudget = "over_budget",
        /// A signing key will be needed within a day, and is not there or cannot be opened.
        SigningKeyMissing = "signing_key_missing",
        /// A credential expires soon.
        CredentialExpires = "credential_expires",
        /// A certificate of a listener or of a client CA expires soon.
        CertificateExpires = "certificate_expires",
        /// The keys of a trusted issuer cannot be fetched, and those that are used are old.
        IssuerKeysOld = "issuer_keys_old",
        /// The clock of a replica and the database's are apart.
        ClockApart = "clock_apart",
    }
}

impl Alert {
    /// What a request that ended so tells.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Option<Self> {
        let fault = match outcome {
            Outcome::Refused(Refusal::Client(fault)) => fault,
            Outcome::Refused(Refusal::Budget(
                BudgetFault::Tokens { .. } | BudgetFault::Failures(_),
            )) => return Some(Self::OverBudget),
            Outcome::Refused(Refusal::Grant(GrantFault::Assertion(ForeignFault::Replayed))) => {
                return Some(Self::AssertionReplayed);
            }
            _ => return None,
        };
        match fault {
            ClientFault::SecretRetired(_) => Some(Self::RetiredCredentialUsed),
            ClientFault::SecretExpired(_) => Some(Self::ExpiredCredentialUsed),
            ClientFault::Assertion(AssertionFault::Replayed)
            | ClientFault::Foreign(ForeignFault::Replayed) => Some(Self::AssertionReplayed),
            ClientFault::Assertion(AssertionFault::DeadKey(_, state))
            | ClientFault::DeadIdentity(_, state)
            | ClientFault::Certificate(CertificateFault::NotLive(_, state)) => match state {
                CredentialState::Retired => Some(Self::RetiredCredentialUsed),
                CredentialState::Expired => Some(Self::ExpiredCredentialUsed),
                CredentialState::NotYetActive | CredentialState::Live => None,
            },
            _ => None,
        }
    }

    /// What the line says.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::RetiredCredentialUsed => "a retired credential was used: somebody still has it",
            Self::ExpiredCredentialUsed => {
                "an expired credential was used: give the client a new one"
            }
            Self::AssertionReplayed => {
                "an assertion was used twice: the client sends it again, or somebody has copied it"
            }
            Self::OverBudget => "a client is over its budget, or somebody guesses its secret",
            Self::SigningKeyMissing => {
                "a signing key that is needed within a day is missing: grantd key list shows the keys"
            }
            Self::CredentialExpires => "a credential expires soon: give the client a new one",
            Self::CertificateExpires => "a certificate expires soon: put a new one in its place",
            Self::IssuerKeysOld => {
                "the keys of a trusted issuer cannot be fetched, and old ones are used for a day at most: grantd issuer test \
                 tells why"
            }
            Self::ClockApart => {
                "this machine's clock and the database's are apart: set both by NTP"
            }
        }
    }
}
