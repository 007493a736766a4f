//! Bounds how often a line is written that strangers cause, so that they cannot fill the log.

use parking_lot::Mutex;

use crate::clock::Clock;

/// So many lines may come at once.
const AT_ONCE: u64 = 10;

/// Lets ten lines pass at once, and one more each second.
#[derive(Debug)]
pub struct Seldom {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Lines that were written, less those that a second has forgiven.
    written: u64,
    /// The second, by the monotonic clock, up to which was forgiven.
    second: u64,
    left_out: u64,
}

impl Seldom {
    /// None has passed yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Whether a line may be written now: the number of those that were left out since the last one.
    pub fn now(&self) -> Option<u64> {
        let second = self.clock.monotonic().as_secs();
        let mut state = self.state.lock();
        state.written = state
            .written
            .saturating_sub(second.saturating_sub(state.second));
        state.second = second;
        if state.written >= AT_ONCE {
            state.left_out = state.left_out.saturating_add(1);
            return None;
        }
        state.written += 1;
        Some(std::mem::take(&mut state.left_out))
    }
}
