//! The battery: tokens that an API must accept, and tokens with one flaw each that it must refuse. The control listener
//! of `grantd dev` makes them and `grantd verify-api` judges by them; what each of them is, only this folder says.

mod cases;
pub mod flaws;
pub mod selection;

pub use cases::Case;

use super::client::named;

named! {
    /// What an answer of an API comes to.
    Verdict {
        /// As it should be.
        Ok = "ok",
        /// It accepts what it must refuse.
        Hole = "hole",
        /// It breaks: it fails, hangs, or refuses what is good.
        Fault = "fault",
        /// Worth a look, and no hole.
        Note = "note",
        /// It was not asked.
        Skipped = "skipped",
    }
}

/// What should become of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// An API takes it, and answers what it answers.
    Accept,
    /// An API refuses it.
    Refuse,
}

/// What an API has to check to be right about an entry; how that is set, libraries differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// All of it.
    Whole,
    /// `exp`, `nbf`, `iat`.
    Times,
    /// `iss`.
    Issuer,
    /// `aud`.
    Audience,
    /// `scope`.
    Scope,
    /// That `alg` is the one that is expected.
    Algorithm,
    /// The signature.
    Signature,
    /// Which keys count.
    Keys,
    /// `typ`.
    Type,
    /// How a token is sent and read.
    Form,
    /// DPoP and client certificates.
    Binding,
    /// Revocation, by introspection.
    State,
}

/// What an API should do with an entry, and what it means where it does not.
#[derive(Clone, Copy, Debug)]
pub struct Expectation {
    /// Accepted or refused.
    pub list: List,
    /// What has to be checked for that.
    pub topic: Topic,
    /// The status codes that are right; of [`List::Accept`] any 2xx is.
    pub due: &'static [u16],
    /// What it is if an API does otherwise.
    pub against: Verdict,
    /// Where that is written.
    pub standard: &'static str,
    /// What is special about the entry, in one sentence.
    pub why: &'static str,
    /// What an attacker gains where an API accepts it; empty for [`List::Accept`].
    pub harm: &'static str,
}

impl Expectation {
    /// Whether an answer of this status is right.
    #[must_use]
    pub fn is_due(&self, status: u16) -> bool {
        match self.list {
            List::Accept => (200..300).contains(&status),
            List::Refuse => self.due.contains(&status),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_entry_says_what_is_due_and_every_refusal_what_it_is_for() {
        let mut sentences = BTreeSet::new();
        for case in Case::ALL {
            let it = case.expectation();
            assert!(sentences.insert(it.why), "{case}");
            assert!(it.why.ends_with('.') && !it.standard.is_empty(), "{case}");
            assert!(it.due.iter().all(|status| it.is_due(*status)), "{case}");
            match it.list {
                List::Accept => assert!(it.harm.is_empty() && it.is_due(204), "{case}"),
                List::Refuse => assert!(it.harm.ends_with('.') && !it.is_due(200), "{case}"),
            }
        }
    }

    #[test]
    fn accepts_come_first_and_good_comes_before_all() {
        let lists = Case::ALL.iter().map(|case| case.expectation().list);
        let refused = lists.skip_while(|it| *it == List::Accept);
        assert!(refused.eq(Case::ALL.iter().skip(7).map(|_| List::Refuse)));
        assert_eq!(Case::ALL.first(), Some(&Case::Good));
        assert_eq!(Case::Huge.expectation().due.last(), Some(&499));
    }
}
