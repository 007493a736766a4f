//! The faults that were asked for, and which of them strikes.

use std::sync::Arc;

use parking_lot::Mutex;

use super::spec::FaultSpec;
use crate::control::endpoint::Endpoint;

/// So many may strike at once.
pub(super) const MOST: usize = 1000;

/// The faults, oldest first.
#[derive(Default)]
pub(in crate::control) struct FaultBook(Mutex<Faults>);

#[derive(Default)]
struct Faults {
    all: Vec<Entry>,
    last_id: u64,
}

/// One of them.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) spec: Arc<FaultSpec>,
    /// The requests that it could have struck.
    seen: u64,
    /// Those that it struck.
    pub(super) struck: u64,
}

/// A request that may be struck.
#[derive(Clone, Copy)]
pub(in crate::control) struct Target<'t> {
    pub(in crate::control) endpoint: Endpoint,
    pub(in crate::control) client_id: Option<&'t str>,
    /// Whether it would get a token.
    pub(in crate::control) is_issued: bool,
}

/// The fault that strikes a request.
#[derive(Clone)]
pub(in crate::control) struct Struck {
    pub(in crate::control) id: u64,
    pub(in crate::control) spec: Arc<FaultSpec>,
}

impl FaultBook {
    /// Adds one; `None` where there are as many as there may be. One that has struck as often as it should makes room.
    pub(super) fn add(&self, spec: FaultSpec) -> Option<u64> {
        let mut faults = self.0.lock();
        if faults.all.len() >= MOST {
            let over = faults.all.iter().position(Entry::is_over)?;
            faults.all.remove(over);
        }
        faults.last_id += 1;
        let entry = Entry {
            id: faults.last_id,
            spec: Arc::new(spec),
            seen: 0,
            struck: 0,
        };
        faults.all.push(entry);
        Some(faults.last_id)
    }

    /// All of them, those that are over included.
    pub(super) fn list(&self) -> Vec<Entry> {
        self.0.lock().all.clone()
    }

    /// Removes one; `false` where there is none of this id.
    pub(super) fn remove(&self, id: u64) -> bool {
        let mut faults = self.0.lock();
        let before = faults.all.len();
        faults.all.retain(|it| it.id != id);
        faults.all.len() < before
    }

    /// Removes all.
    pub(in crate::control) fn clear(&self) {
        self.0.lock().all.clear();
    }

    /// The one that strikes: the oldest whose turn it is. `chance` gives a number from 0 to below 1.
    pub(in crate::control) fn strike(
        &self,
        target: Target<'_>,
        chance: impl Fn() -> f64,
    ) -> Option<Struck> {
        let mut faults = self.0.lock();
        let mut all = faults.all.iter_mut();
        let entry = all.find_map(|it| it.strikes(target, &chance).then_some(it))?;
        Some(Struck {
            id: entry.id,
            spec: Arc::clone(&entry.spec),
        })
    }
}

impl Entry {
    /// Whether it has struck as often as it should.
    fn is_over(&self) -> bool {
        self.spec.times.is_some_and(|times| self.struck >= times)
    }

    /// Whether it strikes this request, which counts.
    fn strikes(&mut self, target: Target<'_>, chance: impl Fn() -> f64) -> bool {
        let asked = (target.endpoint, target.client_id);
        if self.is_over() || !self.spec.is_for(asked, target.is_issued) {
            return false;
        }
        self.seen += 1;
        let strikes = self.seen > self.spec.after && chance() < self.spec.probability;
        self.struck += u64::from(strikes);
        strikes
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ORDERS: Target<'_> = Target {
        endpoint: Endpoint::Token,
        client_id: Some("orders"),
        is_issued: true,
    };

    fn spec(members: &Value) -> FaultSpec {
        serde_json::from_value(members.clone()).unwrap()
    }

    fn book(specs: &[Value]) -> FaultBook {
        let book = FaultBook::default();
        for members in specs {
            book.add(spec(members)).unwrap();
        }
        book
    }

    /// The ids of those that strike, one request after the other; 0 where none does.
    fn strikes<const N: usize>(book: &FaultBook, target: Target<'_>) -> [u64; N] {
        std::array::from_fn(|_| book.strike(target, || 0.5).map_or(0, |it| it.id))
    }

    #[test]
    fn some_pass_before_it_and_it_ends() {
        let book = book(&[json!({ "endpoint": "token", "status": 503, "after": 1, "times": 2 })]);
        assert_eq!(strikes(&book, ORDERS), [0, 1, 1, 0, 0]);
        assert_eq!(book.list()[0].struck, 2);
    }

    #[test]
    fn it_strikes_its_endpoint_and_client_alone_and_others_do_not_count() {
        let book = book(&[
            json!({ "endpoint": "token", "client_id": "orders", "status": 503, "after": 1 }),
        ]);
        let others = [
            Target {
                client_id: Some("web-shop"),
                ..ORDERS
            },
            Target {
                client_id: None,
                ..ORDERS
            },
            Target {
                endpoint: Endpoint::Introspection,
                ..ORDERS
            },
        ];
        for other in others {
            assert_eq!(strikes(&book, other), [0, 0]);
        }
        assert_eq!(strikes(&book, ORDERS), [0, 1, 1]);
    }

    #[test]
    fn of_several_the_oldest_strikes_and_then_the_next() {
        let (first, second) = (
            json!({ "status": 503, "times": 1 }),
            json!({ "delay": "1s", "times": 1 }),
        );
        let book = book(&[first, second, json!({ "close": true })]);
        assert_eq!(strikes(&book, ORDERS), [1, 2, 3, 3]);
        assert!(book.remove(3) && !book.remove(3));
        assert_eq!(strikes(&book, ORDERS), [0]);
        book.clear();
        assert_eq!(
            book.add(spec(&json!({ "close": true }))),
            Some(4),
            "no id is given twice"
        );
    }

    #[test]
    fn chance_decides_where_it_may() {
        let book = book(&[json!({ "status": 503, "probability": 0.5 })]);
        let hits = |chance: f64| book.strike(ORDERS, || chance).is_some();
        assert!(hits(0.499) && !hits(0.5));
        let never = super::tests::book(&[json!({ "status": 503, "probability": 0 })]);
        assert!(never.strike(ORDERS, || 0.0).is_none());
    }

    #[test]
    fn those_that_are_over_make_room() {
        let book = FaultBook::default();
        let once = || spec(&json!({ "status": 503, "times": 1 }));
        for _ in 0..MOST {
            book.add(once()).unwrap();
        }
        assert_eq!(book.add(once()), None);
        assert_eq!(strikes(&book, ORDERS), [1]);
        assert_eq!(book.add(once()), Some(1001));
        assert_eq!(book.add(once()), None);
    }
}
