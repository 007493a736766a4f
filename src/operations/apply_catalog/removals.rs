//! Limits what `--prune` removes without `--allow-removals`: a truncated or wrong catalog must not empty a database.

use super::plan::{Action, Plan, Subject, TooManyRemoved};

/// This many may always be removed, however few there are.
const FEW: usize = 2;
/// Beyond [`FEW`], one in this many may be removed.
const SHARE: usize = 10;

/// How many clients and audiences there were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    pub(super) clients: usize,
    pub(super) audiences: usize,
}

/// Why `plan` removes too much, if up to `allowed` clients and as many audiences may be removed.
pub(super) fn check(plan: &Plan, before: Before, allowed: usize) -> Option<TooManyRemoved> {
    let removed = |subject| {
        let steps = plan.steps.iter();
        steps
            .filter(|step| step.action == Action::Removed && step.subject == subject)
            .count()
    };
    let (clients, audiences) = (removed(Subject::Client), removed(Subject::Audience));
    let is_too_many = |removed: usize, of: usize| {
        removed > FEW && removed.saturating_mul(SHARE) > of && removed > allowed
    };
    let before = (before.clients, before.audiences);
    (is_too_many(clients, before.0) || is_too_many(audiences, before.1)).then_some(TooManyRemoved {
        clients,
        audiences,
        before,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_or_two_may_go_unasked_and_more_by_number() {
        let refused = |(clients, audiences), (all_clients, all_audiences), allowed| {
            let mut plan = Plan::default();
            for (number, subject) in [(clients, Subject::Client), (audiences, Subject::Audience)] {
                for _ in 0..number {
                    plan.note(Action::Removed, subject, String::new());
                }
            }
            // What goes with a client does not count.
            plan.note(Action::Removed, Subject::Credential, String::new());
            plan.note(Action::Removed, Subject::Policy, String::new());
            let before = Before {
                clients: all_clients,
                audiences: all_audiences,
            };
            check(&plan, before, allowed).is_some()
        };
        assert!(!refused((2, 2), (2, 2), 0));
        assert!(refused((3, 0), (3, 9), 0));
        assert!(refused((0, 3), (9, 3), 0));
        assert!(!refused((3, 0), (30, 1), 0));
        assert!(refused((3, 0), (29, 1), 0));
        assert!(refused((3, 0), (29, 1), 2));
        assert!(!refused((3, 0), (29, 1), 3));
        assert!(refused((3, 4), (29, 4), 3));
        assert!(!refused((3, 4), (29, 4), 4));
    }
}
