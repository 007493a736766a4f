//! What makes a client assertion of a signed JWT, RFC 7523 section 2.2.

use crate::domain::client_assertion::{AssertionFault, check_type};
use crate::domain::identifier::CredentialId;
use crate::domain::once::Once;
use crate::domain::profile::Profile;
use crate::operations::signed_once::{Accepted, Kind};

/// A client assertion. Its key is a credential of the client that it claims to be of.
#[derive(Debug)]
pub(super) struct Assertion;

/// An accepted assertion, whose `jti` is still to be spent.
pub(super) type AcceptedAssertion = Accepted<Assertion>;

impl Kind for Assertion {
    const NAME: &'static str = "assertion";
    type Fault = AssertionFault;
    type Key = CredentialId;
    /// Whether its `aud` was the token endpoint, which only some clients may write.
    type Said = bool;
    type Once = Once;

    fn check_type(typ: Option<&str>) -> Result<(), AssertionFault> {
        check_type(typ)
    }

    fn algorithms(profile: Profile) -> &'static [&'static str] {
        profile.assertion_algorithms()
    }

    fn form(reason: String) -> AssertionFault {
        AssertionFault::Form(reason)
    }

    fn algorithm(shown: String) -> AssertionFault {
        AssertionFault::Algorithm(shown)
    }

    fn signature() -> AssertionFault {
        AssertionFault::Signature
    }

    fn replayed() -> AssertionFault {
        AssertionFault::Replayed
    }

    fn made_before_loss() -> AssertionFault {
        AssertionFault::MadeBeforeLoss
    }
}
