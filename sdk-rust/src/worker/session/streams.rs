//! Streams of a session: opened, welcomed, lost.
//!
//! Owns which stream is used, and when the next one is opened. Left to others: one stream (`link`),
//! and what is said over it (`run`, `tasks`).

use std::time::Duration;

use proto::v1::{Hello, Welcome};
use tokio::time::Instant;
use tracing::{info, warn};

use super::Timing;
use super::link::{Arrival, Link};
use super::run::{Phase, Session};
use crate::error::{Code, Error, RpcError};
use crate::reason::Reason;
use crate::resources::to_duration;

/// Streams in a row that were not welcomed, before another connection is tried.
const REFUSALS_MAX: u32 = 3;
/// A stream that lives for so long makes the next pause a short one.
const HEALTHY_AFTER: Duration = Duration::from_mins(1);

impl Session {
    pub(super) fn open(&mut self) {
        if self.channel.is_none() {
            self.channel = Some(self.plan.transport.new_channel());
        }
        let channel = self.channel.clone().expect("made above");
        self.links += 1;
        let mut hello: Hello = self.plan.hello.clone();
        for queue in &mut hello.queues {
            let name = &queue.queue;
            let free = match self.phase {
                Phase::Serving => self
                    .plan
                    .limit(name)
                    .saturating_sub(self.leases.running_of(name)),
                Phase::Draining(_) | Phase::Flushing(_) | Phase::Closing(_) => 0,
            };
            queue.credits = i32::try_from(free).unwrap_or(i32::MAX);
        }
        hello.held_tokens = self.leases.tokens();
        let arrivals = self.arrivals.clone();
        self.next = Some(Link::open(
            self.links,
            channel,
            &self.plan.transport,
            hello,
            arrivals,
        ));
    }

    pub(super) fn arrival(&mut self, arrival: Arrival) -> Result<(), Error> {
        let (id, message) = match arrival {
            Arrival::Message(id, message) => (id, message),
            Arrival::Closed(id, error) => return self.ended(id, error.as_deref()),
        };
        if let Some(link) = self.next.take_if(|link| link.id == id) {
            match message.welcome.clone() {
                Some(welcome) => self.welcomed(link, &welcome),
                // Nothing can be said before the welcome, whatever the message holds.
                None => self.next = Some(link),
            }
        }
        if let Some(link) = self.current.as_mut().filter(|link| link.id == id) {
            link.heard = Instant::now();
            self.plan.reporter.heard();
        }
        self.take(*message);
        Ok(())
    }

    pub(super) fn welcomed(&mut self, mut link: Link, welcome: &Welcome) {
        let now = Instant::now();
        let or = |duration: Option<prost_types::Duration>, usual: Duration| {
            let given = to_duration(duration).filter(|given| !given.is_zero());
            given.unwrap_or(usual)
        };
        self.timing = Timing {
            lease: or(welcome.lease_duration, self.timing.lease),
            heartbeat: or(welcome.heartbeat_interval, self.timing.heartbeat),
            payload_bytes_max: usize::try_from(welcome.payload_bytes_max)
                .ok()
                .filter(|bytes| *bytes > 0)
                .unwrap_or(usize::MAX),
        };
        self.leases
            .welcomed(self.timing.clone(), &welcome.lost_tokens);
        link.welcomed = Some(now);
        link.heard = now;
        // All leases are renewed at once.
        link.renewed = now.checked_sub(self.timing.heartbeat).unwrap_or(now);
        link.drain_due = !matches!(self.phase, Phase::Serving);
        let (worker, session) = (self.worker_id(), &welcome.session_id);
        info!(
            worker.id = worker,
            session.id = session,
            "worker {worker} is connected"
        );
        if let Some(mut old) = self.current.replace(link) {
            // Half-closed: what the server still has to say is read.
            old.sender = None;
            self.retired.push(old);
        }
        self.open_at = None;
        self.refusals = 0;
        self.was_welcomed = true;
        self.plan.reporter.welcomed(self.timing.heartbeat);
    }

    /// A stream has ended.
    pub(super) fn ended(&mut self, id: u64, error: Option<&RpcError>) -> Result<(), Error> {
        if let Some(link) = self.next.take_if(|link| link.id == id) {
            self.closed(&link, error);
            if let Some(error) = error.filter(|error| self.is_fatal(error)) {
                return Err(error.clone().into());
            }
        } else if let Some(link) = self.current.take_if(|link| link.id == id) {
            self.closed(&link, error);
        } else if self.retired.iter().any(|link| link.id == id) {
            self.retired.retain(|link| link.id != id);
            self.leases.disconnected(id);
        }
        Ok(())
    }

    /// Whether no other stream will fare better.
    pub(super) fn is_fatal(&self, error: &RpcError) -> bool {
        let refused = matches!(
            error.code,
            Code::InvalidArgument
                | Code::Unauthenticated
                | Code::PermissionDenied
                | Code::Unimplemented
        );
        error.reason == Some(Reason::InvalidField) || refused && !self.was_welcomed
    }

    /// Books the end of a stream, and when to open the next one.
    pub(super) fn closed(&mut self, link: &Link, error: Option<&RpcError>) {
        let now = Instant::now();
        self.leases.disconnected(link.id);
        match link.welcomed {
            Some(welcomed) => {
                self.down_since = now;
                self.plan.reporter.disconnected();
                if now.duration_since(welcomed) >= HEALTHY_AFTER {
                    self.failures = 0;
                }
            }
            None => self.refusals += 1,
        }
        if self.refusals >= REFUSALS_MAX {
            // It may be stuck to a server that is gone, or to an old address.
            self.refusals = 0;
            self.channel = None;
        }
        let text = error.map_or_else(|| "the server has ended it".to_owned(), RpcError::to_string);
        if !matches!(self.phase, Phase::Closing(_)) {
            let worker = self.worker_id();
            warn!(worker.id = worker, "worker {worker} has no stream: {text}");
            self.plan.reporter.failed(text);
        }
        self.failures = self.failures.saturating_add(1);
        if self.next.is_none() && !matches!(self.phase, Phase::Flushing(_) | Phase::Closing(_)) {
            let asked = error.and_then(|error| error.retry_delay);
            self.open_at = Some(now + self.plan.reconnect.delay(self.failures, asked));
        }
    }
}
