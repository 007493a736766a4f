//! The keys that began to sign last.

use std::collections::BTreeMap;

use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::timestamp::Timestamp;

/// Of each algorithm one: what an API must fetch again after a rotation.
pub(super) fn newest_keys<'k>(
    keys: impl IntoIterator<Item = (&'k str, SigningAlgorithm, KeyLife)>,
    now: Timestamp,
) -> Vec<String> {
    let mut newest: BTreeMap<SigningAlgorithm, (Timestamp, &str)> = BTreeMap::new();
    for (kid, algorithm, life) in keys {
        let Some(begin) = life.activates_at.filter(|begin| *begin <= now) else {
            continue;
        };
        let of_algorithm = newest.entry(algorithm).or_insert((begin, kid));
        *of_algorithm = (*of_algorithm).max((begin, kid));
    }
    newest
        .into_values()
        .map(|(_, kid)| kid.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_algorithm_the_one_that_began_last_is_newest() {
        use SigningAlgorithm::{EdDsa, Es256};
        let at = Timestamp::from_unix;
        let begun = |begin| KeyLife::from(at(0), at(begin));
        let keys = [
            ("old", Es256, begun(10)),
            ("new", Es256, begun(20)),
            ("later", Es256, begun(40)),
            ("next", Es256, KeyLife::announced(at(25))),
            ("only", EdDsa, begun(5)),
        ];
        assert_eq!(newest_keys(keys, at(30)), ["new", "only"]);
        assert!(newest_keys(keys, at(4)).is_empty());
    }
}
