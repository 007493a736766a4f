//! The clock that tests move, and what moving it brings.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::fault::Fault;
use super::span::Span;
use crate::clock::Hand;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::operations::Grantd;

/// The first instant that it may show, in Unix seconds: a day after the epoch, which means "never" in many a place.
const FIRST: i64 = 86_400;
/// The last one, the beginning of the year 9000: what a token has to say stays within the calendar.
const LAST: i64 = 221_845_392_000;
/// Of a longer time so many turns of the keys are gone through, the last ones. Nothing is left of those before.
const TURNS: i64 = 6;
/// Algorithms take their turns apart.
const MOST_STEPS: usize = 64;

const BACK: &str = "the clock went back: what was removed meanwhile because it had expired stays gone, so a jti that was \
                    spent may be accepted again";

/// The clock of one process.
pub(super) struct SteeredClock {
    hand: Hand,
    grantd: Arc<Grantd>,
    /// Held while it is moved.
    moving: Mutex<()>,
    /// The latest that it showed when it was moved, in milliseconds.
    furthest: AtomicI64,
}

/// What the clock shows.
#[derive(Serialize, ToSchema)]
pub(super) struct ClockState {
    /// RFC 3339.
    #[schema(value_type = String)]
    now: Timestamp,
    /// The same in Unix seconds.
    unix: i64,
    /// By how much it is ahead of the machine's clock; negative where it is behind.
    offset_seconds: i64,
    /// Whether it stands still.
    frozen: bool,
    /// What a test should know of the move.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// What is asked for.
pub(super) enum Move {
    Advance(Span),
    Set(Timestamp),
    Freeze,
    GoOn,
    Reset,
}

impl SteeredClock {
    pub(super) fn new(hand: Hand, grantd: Arc<Grantd>) -> Self {
        Self {
            hand,
            grantd,
            moving: Mutex::default(),
            furthest: AtomicI64::new(i64::MIN),
        }
    }

    /// What it shows.
    pub(super) fn state(&self, note: Option<&'static str>) -> ClockState {
        let shown = self.hand.shown();
        let now = Timestamp::from_unix(shown.now.div_euclid(1000));
        ClockState {
            now,
            unix: now.unix(),
            offset_seconds: shown.offset.saturating_add(500).div_euclid(1000),
            frozen: shown.is_frozen,
            note,
        }
    }

    /// Gives it the machine's time again, and does what that brings.
    ///
    /// # Errors
    /// An unreachable database.
    pub(super) async fn reset(&self) -> Result<(), Fault> {
        self.change(&Move::Reset).await.map(drop)
    }

    /// Moves it, one after the other. Gives what a test should know of it.
    pub(super) async fn change(&self, what: &Move) -> Result<Option<&'static str>, Fault> {
        let _turn = self.moving.lock().await;
        let before = self.hand.shown();
        let furthest = self.furthest.fetch_max(before.now, Ordering::Relaxed);
        let to = match what {
            Move::Freeze => {
                self.hand.freeze();
                return Ok(None);
            }
            Move::GoOn => {
                self.hand.go_on();
                return Ok(None);
            }
            Move::Advance(span) => Some(before.now.saturating_add(span.milliseconds())),
            Move::Set(instant) => Some(instant.unix().saturating_mul(1000)),
            Move::Reset => {
                self.hand.go_on();
                None
            }
        };
        if let Some(instant) = to
            && !(FIRST * 1000..=LAST * 1000).contains(&instant)
        {
            let key = if matches!(what, Move::Set(_)) {
                "set"
            } else {
                "advance"
            };
            let first = Timestamp::from_unix(FIRST);
            let last = Timestamp::from_unix(LAST);
            let message = format!("the clock shows instants from {first} to {last}");
            return Err(Fault::invalid(message).at(key));
        }
        let target = to.unwrap_or_else(|| before.now.saturating_sub(before.offset));
        self.pass_until(target).await?;
        match to {
            Some(instant) => self.hand.set(instant),
            None => self.hand.reset(),
        }
        self.turn_keys().await?;
        let caught_up = self.grantd.catch_up().await;
        caught_up.map_err(|error| Fault::unavailable(&error))?;
        let is_back = self.hand.shown().now < furthest.max(before.now);
        Ok(is_back.then_some(BACK))
    }

    /// Goes from turn to turn of the keys as long as they lie before `target`: each key begins, ends and leaves when it
    /// would have, had the time passed.
    async fn pass_until(&self, target: i64) -> Result<(), Fault> {
        if target <= self.hand.shown().now {
            return Ok(());
        }
        // A server that has just started has not looked yet.
        self.turn_keys().await?;
        let rotation = self.grantd.key_rotation();
        // Half a turn more, so that the last change lies well before the target.
        let turns = rotation.map_or(0, |it| milliseconds(it) * TURNS + milliseconds(it) / 2);
        let begin = target.saturating_sub(turns);
        if rotation.is_some() && self.hand.shown().now < begin {
            self.hand.set(begin);
            self.turn_keys().await?;
        }
        for _ in 0..MOST_STEPS {
            let turn = self.grantd.next_turn_of_keys();
            let turn = turn.map(|it| it.unix().saturating_mul(1000));
            let due = turn.filter(|at| (self.hand.shown().now..target).contains(at));
            let Some(at) = due else { break };
            self.hand.set(at);
            self.turn_keys().await?;
        }
        Ok(())
    }

    async fn turn_keys(&self) -> Result<(), Fault> {
        let turned = self.grantd.turn_keys().await;
        turned.map_err(|error| Fault::unavailable(&error))
    }
}

fn milliseconds(span: Seconds) -> i64 {
    i64::from(span.get()).saturating_mul(1000)
}
