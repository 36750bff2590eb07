//! Whether a worker is well.
//!
//! Owns the figures that the session keeps up to date, and their reading. Left to others: serving
//! them to probes, which is for the application.

use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::Instant;

/// Heartbeats that may be missed before a connection counts as dead.
pub(crate) const HEARTBEATS_MISSED_MAX: u32 = 3;

/// A worker as it is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether the server has welcomed it and was heard within three heartbeat intervals.
    pub healthy: bool,
    /// Whether a stream is open over which the server has welcomed it.
    pub connected: bool,
    /// Since when `connected` is as it is.
    pub since: SystemTime,
    /// Functions that run.
    pub running: usize,
    /// Why the last stream has ended, or could not be opened.
    pub last_error: Option<String>,
}

/// Tells how a worker is, for as long as anybody asks. Clones tell of the same worker.
#[derive(Clone, Debug)]
pub struct HealthCheck(watch::Receiver<State>);

impl HealthCheck {
    /// How it is now.
    pub fn get(&self) -> Health {
        let state = self.0.borrow();
        let heard = state.connected && state.heard.elapsed() <= state.silence_max;
        Health {
            healthy: heard,
            connected: state.connected,
            since: state.since,
            running: state.running,
            last_error: state.last_error.clone(),
        }
    }

    /// Whether it is well: for probes.
    pub fn is_healthy(&self) -> bool {
        self.get().healthy
    }

    /// Waits until it is connected; `false` if the worker has ended instead.
    pub async fn connected(&mut self) -> bool {
        self.0.wait_for(|state| state.connected).await.is_ok()
    }
}

#[derive(Debug)]
struct State {
    connected: bool,
    since: SystemTime,
    running: usize,
    last_error: Option<String>,
    heard: Instant,
    silence_max: Duration,
}

/// The side of the session.
#[derive(Debug)]
pub(crate) struct Reporter(watch::Sender<State>);

impl Reporter {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(State {
            connected: false,
            since: SystemTime::now(),
            running: 0,
            last_error: None,
            heard: Instant::now(),
            silence_max: Duration::ZERO,
        }))
    }

    pub(crate) fn check(&self) -> HealthCheck {
        HealthCheck(self.0.subscribe())
    }

    pub(crate) fn welcomed(&self, heartbeat: Duration) {
        self.0.send_modify(|state| {
            if !state.connected {
                state.since = SystemTime::now();
            }
            state.connected = true;
            state.heard = Instant::now();
            state.silence_max = heartbeat * HEARTBEATS_MISSED_MAX;
        });
    }

    pub(crate) fn heard(&self) {
        // Nobody waits for this.
        self.0.send_if_modified(|state| {
            state.heard = Instant::now();
            false
        });
    }

    pub(crate) fn disconnected(&self) {
        self.0.send_modify(|state| {
            if state.connected {
                state.since = SystemTime::now();
            }
            state.connected = false;
        });
    }

    pub(crate) fn failed(&self, error: String) {
        self.0.send_modify(|state| state.last_error = Some(error));
    }

    pub(crate) fn running(&self, running: usize) {
        self.0.send_if_modified(|state| {
            state.running = running;
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_not_health() {
        let reporter = Reporter::new();
        let mut check = reporter.check();
        assert!(!check.is_healthy() && !check.get().connected);
        let second = Duration::from_secs(1);
        reporter.welcomed(second);
        assert!(check.connected().await && check.is_healthy());
        tokio::time::advance(second * 3).await;
        assert!(check.is_healthy());
        tokio::time::advance(second).await;
        assert!(!check.is_healthy() && check.get().connected);
        reporter.heard();
        assert!(check.is_healthy());
        reporter.disconnected();
        reporter.failed("gone".to_owned());
        reporter.running(2);
        let health = check.get();
        assert_eq!((health.healthy, health.running), (false, 2));
        assert_eq!(health.last_error.as_deref(), Some("gone"));
        drop(reporter);
        assert!(!check.connected().await);
    }
}
