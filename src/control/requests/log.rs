//! The last requests, and who waits for more.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};

use super::captured::Captured;
use crate::control::endpoint::Endpoint;

/// So many are kept.
pub(super) const MOST: usize = 1000;

/// The last requests, oldest first.
pub(in crate::control) struct RequestLog {
    kept: Mutex<Kept>,
    /// The id of the last one that came.
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    requests: VecDeque<Captured>,
    last_id: u64,
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
    pub(in crate::control) fn push(&self, mut request: Captured) {
        let mut kept = self.kept.lock();
        kept.last_id += 1;
        let id = kept.last_id;
        request.id = id;
        if kept.requests.len() == MOST {
            kept.requests.pop_front();
        }
        kept.requests.push_back(request);
        drop(kept);
        self.newest.send_replace(id);
    }

    /// Forgets all; ids go on.
    pub(in crate::control) fn forget(&self) {
        self.kept.lock().requests.clear();
    }

    /// Those that are meant, oldest first.
    pub(super) fn list(&self, filter: &Filter) -> Vec<Captured> {
        let kept = self.kept.lock();
        let meant = kept.requests.iter().filter(|it| filter.takes(it));
        meant.cloned().collect()
    }

    /// Gathers those that are meant until there are `count`, those that came before included.
    pub(super) async fn gather(&self, filter: &Filter, count: usize, into: &mut Vec<Captured>) {
        let mut newest = self.newest.subscribe();
        let mut filter = filter.clone();
        loop {
            newest.borrow_and_update();
            let lacking = count.saturating_sub(into.len());
            into.extend(self.list(&filter).into_iter().take(lacking));
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

impl Filter {
    fn takes(&self, request: &Captured) -> bool {
        let after = self.after.unwrap_or(0);
        let fits = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        request.id > after
            && self.endpoint.is_none_or(|it| it.covers(request.endpoint))
            && fits(&self.client_id, request.client_id.as_deref())
            && fits(&self.outcome, Some(request.outcome))
    }
}
