//! When a failed call is made again.
//!
//! Owns attempts, pauses and the budget that keeps clients from burying a server in repetitions.
//! Left to others: making the calls (`transport`) and which errors may pass (`RpcError::retryable`).

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use uuid::Uuid;

use crate::error::RpcError;

/// A full budget, in thousandths of a repetition.
const BUDGET_MAX: i64 = 100_000;
/// What a failed attempt takes from it.
const BUDGET_COST: i64 = 1_000;
/// What a successful call gives back.
const BUDGET_GAIN: i64 = 100;
/// No server may make a client wait longer than this.
const RETRY_DELAY_MAX: Duration = Duration::from_mins(1);

/// How often and how fast calls are repeated.
///
/// Only calls that may do better are repeated, see [`Error::retryable`](crate::Error::retryable).
/// Every call that changes something carries a request id, so that repeating it is safe.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    attempts_max: u32,
    delay_first: Duration,
    delay_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 4,
            delay_first: Duration::from_millis(100),
            delay_max: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// Never repeats.
    pub fn none() -> Self {
        Self::default().attempts(1)
    }

    /// Makes at most this many attempts, the first one included; at least one.
    #[must_use]
    pub fn attempts(mut self, attempts_max: u32) -> Self {
        self.attempts_max = attempts_max.max(1);
        self
    }

    /// Pauses for a random time up to `first` after the first failure, up to twice as long after
    /// each further one, and never longer than `max`.
    #[must_use]
    pub fn delays(mut self, first: Duration, max: Duration) -> Self {
        self.delay_first = first;
        self.delay_max = max.max(first);
        self
    }

    /// How long to pause after this many failures; `None` is to give up.
    pub(crate) fn next_delay(&self, error: &RpcError, failures: u32) -> Option<Duration> {
        if failures >= self.attempts_max || !error.retryable() {
            return None;
        }
        Some(self.delay(failures, error.retry_delay))
    }

    /// A random pause after this many failures, not shorter than what the server asked for.
    pub(crate) fn delay(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let ceiling = self
            .delay_first
            .saturating_mul(1 << doublings)
            .min(self.delay_max);
        ceiling
            .mul_f64(random_unit())
            .max(asked.unwrap_or_default().min(RETRY_DELAY_MAX))
    }
}

/// Repetitions that all calls of a client share: when most calls fail, repeating makes it worse.
#[derive(Debug)]
pub(crate) struct Budget(AtomicI64);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicI64::new(BUDGET_MAX))
    }
}

impl Budget {
    pub(crate) fn succeed(&self) {
        self.add(BUDGET_GAIN);
    }

    /// Books a failure and says whether it may be repeated.
    pub(crate) fn fail(&self) -> bool {
        self.add(-BUDGET_COST) > BUDGET_MAX / 2
    }

    fn add(&self, amount: i64) -> i64 {
        let change = |tokens: i64| Some((tokens + amount).clamp(0, BUDGET_MAX));
        let before = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, change)
            .expect("the update never declines");
        (before + amount).clamp(0, BUDGET_MAX)
    }
}

/// A random number in [0, 1). Random UUIDs are in the tree anyway, and jitter needs no more.
fn random_unit() -> f64 {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    let bits = u32::try_from(low & u64::from(u32::MAX)).expect("masked to 32 bits");
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn error(code: Code, retry_delay: Option<Duration>) -> RpcError {
        RpcError {
            retry_delay,
            ..RpcError::local(code, "test")
        }
    }

    #[test]
    fn only_hopeful_failures_are_repeated() {
        let policy = RetryPolicy::default();
        let second = Some(Duration::from_secs(1));
        for (code, asked, failures, repeated) in [
            (Code::Unavailable, None, 1, true),
            (Code::Unavailable, None, 3, true),
            (Code::Unavailable, None, 4, false),
            (Code::ResourceExhausted, None, 1, false),
            (Code::ResourceExhausted, second, 1, true),
            (Code::DeadlineExceeded, None, 1, false),
            (Code::Aborted, second, 1, false),
            (Code::Internal, None, 1, false),
            (Code::InvalidArgument, None, 1, false),
        ] {
            let delay = policy.next_delay(&error(code, asked), failures);
            assert_eq!(
                delay.is_some(),
                repeated,
                "{code} {asked:?} after {failures}"
            );
            assert!(delay.unwrap_or(RETRY_DELAY_MAX) >= asked.unwrap_or_default());
        }
    }

    #[test]
    fn pauses_are_random_below_a_growing_ceiling() {
        let policy = RetryPolicy::default();
        for (failures, ceiling_ms) in [
            (1, 100),
            (2, 200),
            (5, 1_600),
            (20, 5_000),
            (u32::MAX, 5_000),
        ] {
            let ceiling = Duration::from_millis(ceiling_ms);
            let delays: Vec<_> = (0..50).map(|_| policy.delay(failures, None)).collect();
            assert!(delays.iter().all(|delay| *delay <= ceiling));
            assert!(
                delays.iter().any(|delay| *delay > ceiling / 4),
                "not jitter but nothing"
            );
            assert!(delays.iter().any(|delay| *delay != delays[0]));
        }
    }

    #[test]
    fn the_budget_stops_repeating_and_recovers() {
        let budget = Budget::default();
        let granted = (0..1_000).take_while(|_| budget.fail()).count();
        assert_eq!(granted, 49);
        for _ in 0..20 {
            budget.succeed();
        }
        assert!(budget.fail());
        for _ in 0..1_000 {
            budget.fail();
        }
        assert_eq!(budget.0.load(Ordering::Relaxed), 0);
    }
}
