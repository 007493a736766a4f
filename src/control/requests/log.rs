//! The last requests, and who waits for more.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};

use super::captured::{Came, Captured, Lens};
use crate::control::endpoint::Endpoint;

/// So many are kept.
pub(super) const MOST: usize = 1000;

/// The last requests, oldest first. What is shown of one is made when somebody looks: most are never looked at, and their
/// callers wait for nothing.
pub(in crate::control) struct RequestLog {
    kept: Mutex<Kept>,
    /// The id of the last one that came.
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    requests: VecDeque<Entry>,
    last_id: u64,
}

struct Entry {
    id: u64,
    /// As it came, with all that is secret in it, until somebody looks.
    came: Option<Box<Came>>,
    /// As it is shown.
    shown: Option<Captured>,
}

/// Which requests are meant: those that fit all that is given.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    pub(super) endpoint: Option<Endpoint>,
    pub(super) client_id: Option<String>,
    /// `issued`, `active`, `inactive`, `revoked`, an error code, `fault`, `abandoned` or `served`.
    pub(super) outcome: Option<String>,
    /// Those that came after the one of this id.
    pub(super) after: Option<u64>,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            newest: watch::Sender::new(0),
        }
    }
}

impl RequestLog {
    /// Keeps one more.
    pub(in crate::control) fn push(&self, came: Came) {
        let mut kept = self.kept.lock();
        kept.last_id += 1;
        let id = kept.last_id;
        let oldest = (kept.requests.len() == MOST).then(|| kept.requests.pop_front());
        kept.requests.push_back(Entry {
            id,
            came: Some(Box::new(came)),
            shown: None,
        });
        drop(kept);
        drop(oldest);
        self.newest.send_replace(id);
    }

    /// Forgets all; ids go on.
    pub(in crate::control) fn forget(&self) {
        self.kept.lock().requests.clear();
    }

    /// Those that are meant, oldest first.
    pub(super) fn list(&self, filter: &Filter, lens: Lens<'_>) -> Vec<Captured> {
        let mut kept = self.kept.lock();
        let after = filter.after.unwrap_or(0);
        let later = kept.requests.iter_mut().filter(|it| it.id > after);
        let shown = later.filter_map(|it| it.shown(lens));
        shown.filter(|it| filter.takes(it)).cloned().collect()
    }

    /// Gathers those that are meant until there are `count`, those that came before included.
    pub(super) async fn gather(
        &self,
        (filter, lens): (&Filter, Lens<'_>),
        count: usize,
        into: &mut Vec<Captured>,
    ) {
        let mut newest = self.newest.subscribe();
        let mut filter = filter.clone();
        loop {
            newest.borrow_and_update();
            let lacking = count.saturating_sub(into.len());
            into.extend(self.list(&filter, lens).into_iter().take(lacking));
            if into.len() >= count {
                return;
            }
            filter.after = into.last().map(|it| it.id).or(filter.after);
            if newest.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Entry {
    fn shown(&mut self, lens: Lens<'_>) -> Option<&Captured> {
        if let Some(came) = self.came.take() {
            self.shown = Some(Captured::of(self.id, &came, lens));
        }
        self.shown.as_ref()
    }
}

impl Filter {
    fn takes(&self, request: &Captured) -> bool {
        let fits = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        self.endpoint.is_none_or(|it| it.covers(request.endpoint))
            && fits(&self.client_id, request.client_id.as_deref())
            && fits(&self.outcome, Some(request.outcome))
    }
}
