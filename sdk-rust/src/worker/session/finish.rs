//! The end of a session: waiting for functions, then for acknowledgements, then for the server.
//!
//! Owns the phases of a drain, and the calls that stand in for a lost stream. Left to others: the
//! functions and what is said (`tasks`, `run`).

use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

use super::call::Caller;
use super::run::{Phase, Session};

/// How long acknowledgements of the last results may take.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take to end a stream that we have ended.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl Session {
    pub(super) fn begin_drain(&mut self) {
        let running = self.leases.running();
        info!("the worker ends after {running} functions");
        self.phase = Phase::Draining(Instant::now() + self.plan.drain_timeout);
        if let Some(link) = &mut self.current {
            link.drain_due = true;
        }
    }

    /// Goes on from phase to phase; `true` at the end.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        if let Phase::Draining(until) = self.phase
            && (self.leases.is_empty() || until <= now)
        {
            self.leases.release_running();
            self.phase = Phase::Flushing(now + FLUSH_TIMEOUT);
            self.next = None;
            self.open_at = None;
        }
        if let Phase::Flushing(until) = self.phase {
            if self.current.is_none() {
                self.call_stranded(now, true);
                for token in self.leases.take_releases() {
                    let release = self.caller().release(token);
                    self.calls.spawn(async move {
                        release.await;
                        None
                    });
                }
            }
            let said = self.current.as_ref().is_none_or(|link| !link.drain_due);
            let settled = said && self.leases.is_settled() && self.calls.is_empty();
            if settled || until <= now {
                self.phase = Phase::Closing(now + CLOSE_TIMEOUT);
                if let Some(link) = &mut self.current {
                    link.sender = None;
                }
            }
        }
        match self.phase {
            Phase::Closing(until) => self.current.is_none() || until <= now,
            Phase::Serving | Phase::Draining(_) | Phase::Flushing(_) => false,
        }
    }

    /// Sends ends of tasks by calls.
    pub(super) fn call_stranded(&mut self, now: Instant, all: bool) {
        for (token, outcome) in self.leases.stranded(now, all) {
            let call = self.caller().end(token, outcome);
            self.calls.spawn(async move { Some(call.await) });
        }
    }

    pub(super) fn caller(&mut self) -> Caller {
        if self.channel.is_none() {
            self.channel = Some(self.plan.transport.new_channel());
        }
        Caller {
            channel: self.channel.clone().expect("made above"),
            transport: self.plan.transport.clone(),
            worker_id: self.worker_id().to_owned(),
        }
    }
}
