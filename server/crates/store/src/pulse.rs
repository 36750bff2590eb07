//! Whether the database takes what is written: kept by the writer, read by whoever tells of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Whether the database takes what is written, as the writer has met it last. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// When the write began that is under way.
    began: Option<Instant>,
    /// Whether the last write has failed for a reason that lies with the database.
    is_failing: bool,
}

impl Pulse {
    /// Whether the last write was taken, and none has been under way for longer than `patience`.
    pub fn is_well(&self, patience: Duration) -> bool {
        let state = self.state();
        let is_stuck = state.began.is_some_and(|began| began.elapsed() > patience);
        !state.is_failing && !is_stuck
    }

    /// Whether the last write has failed for a reason that lies with the database.
    pub(crate) fn is_failing(&self) -> bool {
        self.state().is_failing
    }

    /// Does a write, and remembers how it went.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.state().began = Some(Instant::now());
        let done = work();
        let mut state = self.state();
        state.began = None;
        state.is_failing = done.as_ref().err().is_some_and(Error::is_outage);
        done
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
