//! Who got how many tokens: counted in memory, written in batches off the hot path. A view of the record of each token
//! request (OPERATING section 4).

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::batcher::{Batcher, Waiting};
use super::metrics::OTHER;
use crate::domain::decision::Decided;
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::token_usage::{UsageCount, UsageCounts, UsageKey};

/// What a batch is gathered for.
const PAUSE: Duration = Duration::from_secs(10);
/// The most rows of one batch, and of what the database did not take.
const MOST_ROWS: usize = 100_000;
/// The most rows in one transaction.
const STEP: usize = 5000;
/// Seconds that are counted together.
const MINUTE: i64 = 60;
/// The outcome of a request that got a token.
pub const ISSUED: &str = "issued";

/// Counts token requests.
#[derive(Debug)]
pub struct Usage {
    store: Arc<Store>,
    batcher: Batcher<Counted>,
    /// What the database did not take: it is written with the next batch.
    unwritten: Mutex<UsageCounts>,
}

/// What was counted since the last batch.
#[derive(Debug, Default)]
struct Counted {
    minute: Timestamp,
    /// Of this minute, by client and audience.
    clients: HashMap<Box<str>, HashMap<Box<str>, Vec<Row>>>,
    /// Rows of this minute.
    rows: usize,
    /// Of minutes before.
    before: UsageCounts,
}

#[derive(Debug)]
struct Row {
    credential: Option<CredentialId>,
    outcome: &'static str,
    count: UsageCount,
}

impl Waiting for Counted {
    fn len(&self) -> usize {
        self.rows + self.before.len()
    }

    fn take(&mut self, _: usize) -> Self {
        mem::take(self)
    }
}

impl Usage {
    /// Nothing was counted yet.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            batcher: Batcher::new(MOST_ROWS, MOST_ROWS),
            unwritten: Mutex::default(),
        }
    }

    /// Counts a token request; `client` where the id that it named is one.
    pub(super) fn note(
        &self,
        decided: &Decided,
        (client, is_wasted): (Option<&str>, bool),
        now: Timestamp,
    ) {
        let decision = &decided.decision;
        let audience = decision.audience.as_ref().map_or("", |it| it.as_str());
        let row = (decision.credential.as_ref(), decided.outcome.as_str());
        let one = UsageCount {
            count: 1,
            wasted: i64::from(is_wasted),
        };
        self.batcher.put(|counted, has_room| {
            counted.begin_minute(now);
            counted.add((client.unwrap_or_default(), audience), row, (one, has_room));
        });
    }

    /// Writes what was counted, for ever.
    pub(super) async fn keep_writing(self: Arc<Self>) {
        self.batcher
            .keep_writing(PAUSE, |counted| self.write(counted))
            .await;
    }

    /// Writes what was counted by now.
    pub(super) async fn write_waiting(&self) {
        self.batcher
            .write_waiting(|counted| self.write(counted))
            .await;
    }

    /// How many rows are not written.
    pub(super) fn unwritten(&self) -> usize {
        self.batcher.unwritten() + self.unwritten.lock().len()
    }

    /// In steps, so that no other writer waits for long. A row that the database took without answering is counted
    /// twice.
    async fn write(&self, mut counted: Counted) {
        counted.end_minute();
        let mut counts = mem::take(&mut *self.unwritten.lock());
        merge(&mut counts, counted.before);
        while !counts.is_empty() {
            let step = first(&mut counts);
            if let Err(error) = self.store.add_token_usage(&step).await {
                merge(&mut counts, step);
                self.keep(counts, &error);
                return;
            }
        }
    }

    fn keep(&self, mut counts: UsageCounts, error: &StoreError) {
        let lost = counts.len().saturating_sub(MOST_ROWS);
        for _ in 0..lost {
            counts.pop_first();
        }
        tracing::warn!(
            lost,
            "could not write {} rows of token usage, trying again later: {error}",
            counts.len()
        );
        *self.unwritten.lock() = counts;
    }
}

impl Counted {
    fn begin_minute(&mut self, now: Timestamp) {
        let minute = Timestamp::from_unix(now.unix() - now.unix().rem_euclid(MINUTE));
        if minute != self.minute {
            self.end_minute();
            self.minute = minute;
        }
    }

    fn end_minute(&mut self) {
        self.rows = 0;
        let minute = self.minute;
        for (client, audiences) in mem::take(&mut self.clients) {
            for (audience, rows) in audiences {
                for row in rows {
                    let key = UsageKey {
                        minute,
                        client: client.to_string(),
                        audience: audience.to_string(),
                        credential: row.credential.as_ref().map(text_of).unwrap_or_default(),
                        outcome: row.outcome.to_owned(),
                    };
                    self.before.entry(key).or_default().add(row.count);
                }
            }
        }
    }

    /// Allocates for the first of each client and audience only.
    fn add(
        &mut self,
        (client, audience): (&str, &str),
        (credential, outcome): (Option<&CredentialId>, &'static str),
        (one, has_room): (UsageCount, bool),
    ) {
        let same = |row: &&mut Row| row.credential.as_ref() == credential && row.outcome == outcome;
        let audiences = self.clients.get_mut(client);
        let rows = audiences.and_then(|it| it.get_mut(audience));
        if let Some(row) = rows.and_then(|rows| rows.iter_mut().find(same)) {
            return row.count.add(one);
        }
        let (client, audience, credential) = if has_room {
            (client, audience, credential)
        } else {
            (OTHER, "", None)
        };
        let audiences = self.clients.entry(client.into()).or_default();
        let rows = audiences.entry(audience.into()).or_default();
        let same = |row: &&mut Row| row.credential.as_ref() == credential && row.outcome == outcome;
        if let Some(row) = rows.iter_mut().find(same) {
            return row.count.add(one);
        }
        rows.push(Row {
            credential: credential.cloned(),
            outcome,
            count: one,
        });
        self.rows += 1;
    }
}

/// Takes out the first rows, as many as one transaction writes.
fn first(counts: &mut UsageCounts) -> UsageCounts {
    match counts.keys().nth(STEP).cloned() {
        Some(next) => {
            let rest = counts.split_off(&next);
            mem::replace(counts, rest)
        }
        None => mem::take(counts),
    }
}

fn merge(counts: &mut UsageCounts, more: UsageCounts) {
    for (key, count) in more {
        counts.entry(key).or_default().add(count);
    }
}

/// Tokens that a client got lately, by all replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuedLately {
    /// In the last hour.
    pub hour: i64,
    /// In the last day.
    pub day: i64,
}

/// How many tokens `client` got by now; the last ten seconds may be missing.
///
/// # Errors
/// An unreachable database.
pub async fn issued_lately(
    store: &Store,
    client: &ClientId,
    now: Timestamp,
) -> Result<IssuedLately, StoreError> {
    let issued_since = async |span| {
        let usage = store.token_usage(now.minus(span), Some(client.as_str()));
        let usage = usage.await?;
        let issued = usage.iter().filter(|(key, _)| key.outcome == ISSUED);
        Ok::<_, StoreError>(issued.map(|(_, count)| count.count).sum())
    };
    Ok(IssuedLately {
        hour: issued_since(Seconds::new(3600)).await?,
        day: issued_since(Seconds::new(24 * 3600)).await?,
    })
}

fn text_of<T: ToString>(value: &T) -> String {
    value.to_string()
}
