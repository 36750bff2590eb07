//! What holds a queue back: a pause, and limits of how many and how often.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How a queue is set; kept as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) paused: bool,
    pub(crate) limits: Limits,
    /// Of single actions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) actions: BTreeMap<Arc<str>, Limits>,
}

/// Limits of what is handed out; 0 = none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// Most tasks at the same time.
    pub(crate) concurrency: u32,
    /// Most tasks per second, on average.
    pub(crate) rate: f64,
    /// Most tasks at once, within the rate.
    pub(crate) burst: u32,
}

impl Limits {
    fn burst(&self) -> f64 {
        match self.burst {
            0 => self.rate.max(1.0),
            burst => f64::from(burst),
        }
    }
}

/// A limit at work.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    pub(super) limits: Limits,
    /// Tasks that workers have.
    pub(super) leased: u32,
    /// Tasks that may be handed out at once, as of `filled_us`.
    tokens: f64,
    filled_us: i64,
}

/// Whether a gate lets a task through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Open,
    /// Until a task ends or the limits change.
    Full,
    /// Until this time, microseconds since the epoch.
    Until(i64),
}

impl Gate {
    pub(super) fn set(&mut self, limits: Limits, now_us: i64) {
        if limits.rate > self.limits.rate || limits.burst != self.limits.burst {
            self.tokens = limits.burst();
            self.filled_us = now_us;
        }
        self.limits = limits;
    }

    pub(super) fn ask(&mut self, now_us: i64) -> Pass {
        let limits = self.limits;
        if limits.concurrency > 0 && self.leased >= limits.concurrency {
            return Pass::Full;
        }
        if limits.rate <= 0.0 {
            return Pass::Open;
        }
        self.fill(now_us);
        if self.tokens >= 1.0 {
            return Pass::Open;
        }
        let seconds = (1.0 - self.tokens) / limits.rate;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a rate is at least one in a few years"
        )]
        let wait = (seconds * 1e6).ceil() as i64;
        Pass::Until(now_us.saturating_add(wait.max(1)))
    }

    /// Whether the end of a task may let another one through.
    pub(super) fn is_limited(&self) -> bool {
        self.limits.concurrency > 0
    }

    fn fill(&mut self, now_us: i64) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds are precise enough"
        )]
        let seconds = (now_us - self.filled_us).max(0) as f64 / 1e6;
        let filled = seconds.mul_add(self.limits.rate, self.tokens);
        self.tokens = filled.min(self.limits.burst());
        self.filled_us = now_us;
    }

    pub(super) fn take(&mut self) {
        self.leased += 1;
        if self.limits.rate > 0.0 {
            self.tokens -= 1.0;
        }
    }

    pub(super) fn give_back(&mut self) {
        self.leased = self.leased.saturating_sub(1);
    }
}

/// How often something happened in the last minute.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    seconds: [(i64, u32); 60],
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            seconds: [(0, 0); 60],
        }
    }
}

impl Meter {
    pub(super) fn count(&mut self, now_us: i64) {
        let second = now_us / 1_000_000;
        let place = usize::try_from(second.rem_euclid(60)).unwrap_or(0);
        let slot = &mut self.seconds[place];
        if slot.0 == second {
            slot.1 += 1;
        } else {
            *slot = (second, 1);
        }
    }

    pub(super) fn per_second(&self, now_us: i64) -> f64 {
        let second = now_us / 1_000_000;
        let recent = self.seconds.iter().filter(|(at, _)| second - at < 60);
        recent.map(|(_, count)| f64::from(*count)).sum::<f64>() / 60.0
    }
}
