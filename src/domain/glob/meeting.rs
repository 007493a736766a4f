//! Whether two patterns have a text in common.

use super::{Glob, Part};

/// One byte of a pattern, or a wildcard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Byte(u8),
    Within,
    Across,
}

impl Glob {
    /// Whether some text is meant by both. It takes time by the length of both, multiplied.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let (one, two) = (self.steps(), other.steps());
        // Where in the other a common text may be, each time that it has come so far in this one. Where both have a wildcard,
        // one of them ends: what both take is in no common text that is as short as can be.
        let mut reached = vec![false; two.len() + 1];
        reached.iter_mut().take(1).for_each(|first| *first = true);
        for step in one {
            reached = after(Some(step), &reached, &two).0;
        }
        after(None, &reached, &two).1
    }

    fn steps(&self) -> Vec<Step> {
        let steps = self.parts.iter().flat_map(|part| match part {
            Part::Text(text) => text.bytes().map(Step::Byte).collect(),
            Part::Within => vec![Step::Within],
            Part::Across => vec![Step::Across],
        });
        steps.collect()
    }
}

/// Where in `two` the common text may be after `step`; and whether it may be at its end before it.
fn after(step: Option<Step>, reached: &[bool], two: &[Step]) -> (Vec<bool>, bool) {
    let mut next = Vec::with_capacity(reached.len());
    let (mut along, mut both, mut is_here) = (false, false, false);
    let others = two.iter().copied().map(Some).chain([None]);
    for (reached, other) in reached.iter().zip(others) {
        is_here = *reached || along;
        next.push(both || (is_here && may_pass(step, other)));
        along = is_here && may_pass(other, step);
        both = is_here && step == other && matches!(step, Some(Step::Byte(_)));
    }
    (next, is_here)
}

/// Whether a text may go on past `step` alone: a wildcard that ends, or a byte that the wildcard `other` takes.
fn may_pass(step: Option<Step>, other: Option<Step>) -> bool {
    match (step, other) {
        (Some(Step::Within | Step::Across), _) | (Some(Step::Byte(_)), Some(Step::Across)) => true,
        (Some(Step::Byte(byte)), Some(Step::Within)) => !matches!(byte, b':' | b'/'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meet(one: &str, other: &str) -> bool {
        let (one, other) = (Glob::parse(one).unwrap(), Glob::parse(other).unwrap());
        one.meets(&other)
    }

    #[test]
    fn two_patterns_meet_in_a_text_that_both_mean() {
        for (one, other, meets) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a", "a*", true),
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("**", "a:b/c", true),
            ("*", "a:b", false),
            ("*:*", "**:b", true),
            ("refs/*/merge", "refs/pull/*/merge", false),
            ("refs/**", "refs/pull/*/merge", true),
            ("repo:**:ref:*", "**:environment:*", false),
        ] {
            assert_eq!(meet(one, other), meets, "{one} {other}");
            assert_eq!(meet(other, one), meets, "{other} {one}");
        }
    }

    proptest! {
        /// The same as to try every text; the shortest common one has no more bytes than both together.
        #[test]
        fn they_meet_where_a_text_is_found(one in "[a:*]{1,4}", other in "[a:*]{1,4}") {
            prop_assume!(!one.contains("***") && !other.contains("***"));
            let globs = [&one, &other].map(|it| Glob::parse(it).unwrap());
            let mut texts = vec![String::new()];
            for _ in 0..8 {
                let longer: Vec<String> = texts.iter().flat_map(|it| ["a", ":"].map(|more| format!("{it}{more}"))).collect();
                texts.extend(longer);
                texts.sort();
                texts.dedup();
            }
            let found = texts.iter().any(|it| globs.iter().all(|glob| glob.matches(it)));
            prop_assert_eq!(globs[0].meets(&globs[1]), found, "{} {}", one, other);
        }
    }
}
