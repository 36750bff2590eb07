//! The life of a session: connect, take tasks, keep leases, drain.
//!
//! Owns time and order: what is done when. Left to others: as the table of `super` says.

use std::time::Duration;

use proto::v1::{ConnectRequest, CreditGrant, Drain};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::leases::Leases;
use super::link::{Arrival, Link};
use super::{Note, Plan, Timing};
use crate::error::{Code, Error, RpcError};
use crate::worker::health::HEARTBEATS_MISSED_MAX;

/// How long the server may take to welcome us.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);
/// Without a stream for so long, results are sent by calls when their leases near their end.
const CALL_AFTER: Duration = Duration::from_secs(5);
/// Turns of the runtime in which a message gets from a stream to the connection and to its socket.
const WRITE_TURNS: usize = 3;
/// Messages from the server that wait to be handled.
const ARRIVALS_MAX: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Serving,
    /// Waits for functions.
    Draining(Instant),
    /// Waits for acknowledgements.
    Flushing(Instant),
    /// Waits for the end of the stream.
    Closing(Instant),
}

pub(super) struct Session {
    pub(super) plan: Plan,
    pub(super) functions: Handle,
    pub(super) notes: mpsc::UnboundedSender<Note>,
    pub(super) drain: CancellationToken,
    pub(super) arrivals: mpsc::Sender<Arrival>,
    pub(super) arrived: mpsc::Receiver<Arrival>,
    pub(super) leases: Leases,
    pub(super) timing: Timing,
    pub(super) phase: Phase,
    pub(super) channel: Option<Channel>,
    /// The stream that is used.
    pub(super) current: Option<Link>,
    /// The stream that is being opened.
    pub(super) next: Option<Link>,
    /// Streams that we have ended, and that the server may still have something to say over.
    pub(super) retired: Vec<Link>,
    pub(super) links: u64,
    /// When to open the next stream.
    pub(super) open_at: Option<Instant>,
    /// Streams in a row that have ended badly, and of these the last ones that were not welcomed.
    pub(super) failures: u32,
    pub(super) refusals: u32,
    pub(super) was_welcomed: bool,
    pub(super) down_since: Instant,
    /// Holds functions back until the message that accepts their tasks is on its way. Otherwise one
    /// that ends the process at once would be handed out again and again, as if nobody had had it.
    pub(super) gates: Vec<oneshot::Sender<()>>,
    pub(super) calls: JoinSet<Option<proto::v1::TaskResultAck>>,
}

impl Session {
    pub(super) fn new(
        plan: Plan,
        functions: Handle,
        notes: mpsc::UnboundedSender<Note>,
        drain: CancellationToken,
    ) -> Self {
        let (arrivals, arrived) = mpsc::channel(ARRIVALS_MAX);
        let timing = Timing::default();
        Self {
            plan,
            functions,
            notes,
            drain,
            arrivals,
            arrived,
            leases: Leases::new(timing.clone()),
            timing,
            phase: Phase::Serving,
            channel: None,
            current: None,
            next: None,
            retired: Vec::new(),
            links: 0,
            open_at: Some(Instant::now()),
            failures: 0,
            refusals: 0,
            was_welcomed: false,
            down_since: Instant::now(),
            gates: Vec::new(),
            calls: JoinSet::new(),
        }
    }

    pub(super) async fn run(
        mut self,
        mut notes: mpsc::UnboundedReceiver<Note>,
    ) -> Result<(), Error> {
        let drain = self.drain.clone();
        loop {
            let now = Instant::now();
            self.tick(now);
            if self.is_over(now) {
                return Ok(());
            }
            let wake = self.wake(now);
            let sender = self.sender(now);
            let is_serving = matches!(self.phase, Phase::Serving);
            tokio::select! {
                Some(note) = notes.recv() => {
                    self.note(note);
                    // What ends at the same time goes in one message.
                    while let Ok(note) = notes.try_recv() {
                        self.note(note);
                    }
                }
                Some(arrival) = self.arrived.recv() => self.arrival(arrival)?,
                Ok(permit) = reserve(sender.as_ref()), if sender.is_some() => {
                    permit.send(self.message(Instant::now()));
                }
                Some(answer) = self.calls.join_next(), if !self.calls.is_empty() => {
                    if let Ok(Some(ack)) = answer {
                        self.leases.ack(Instant::now(), &ack);
                    }
                }
                () = drain.cancelled(), if is_serving => self.begin_drain(),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// What is due by now.
    fn tick(&mut self, now: Instant) {
        self.leases.tick(now);
        let silence_max = self.timing.heartbeat * HEARTBEATS_MISSED_MAX;
        if self
            .current
            .as_ref()
            .is_some_and(|link| link.heard + silence_max <= now)
        {
            let message = format!("no sign of life for {silence_max:?}");
            let link = self.current.take().expect("it was there");
            self.closed(&link, Some(&RpcError::local(Code::Unavailable, message)));
        }
        if self
            .next
            .as_ref()
            .is_some_and(|link| link.opened + WELCOME_TIMEOUT <= now)
        {
            let message = format!("no welcome within {WELCOME_TIMEOUT:?}");
            let link = self.next.take().expect("it was there");
            self.closed(&link, Some(&RpcError::local(Code::Unavailable, message)));
        }
        if self.next.is_none() && self.open_at.is_some_and(|at| at <= now) {
            self.open_at = None;
            self.open();
        }
        let patience = CALL_AFTER.min(self.timing.lease / 2);
        if self.current.is_none() && self.leases.has_results() {
            let flushing = matches!(self.phase, Phase::Flushing(_));
            if flushing || self.down_since + patience <= now {
                self.call_stranded(now, flushing);
            }
        }
    }

    /// When something is due next.
    fn wake(&self, now: Instant) -> Instant {
        let mut wakes = vec![now + self.timing.heartbeat];
        wakes.extend(self.leases.wake());
        wakes.extend(self.open_at.filter(|_| self.next.is_none()));
        if let Some(link) = &self.current {
            wakes.push(link.heard + self.timing.heartbeat * HEARTBEATS_MISSED_MAX);
            // One that is overdue waits for the stream, not for the clock.
            wakes.extend(Some(link.renewed + self.renewal_interval()).filter(|at| *at > now));
        } else if self.leases.has_results() {
            wakes.push(now + self.timing.lease / 20);
        }
        wakes.extend(self.next.as_ref().map(|link| link.opened + WELCOME_TIMEOUT));
        match self.phase {
            Phase::Serving => {}
            Phase::Draining(until) | Phase::Flushing(until) | Phase::Closing(until) => {
                wakes.push(until);
            }
        }
        wakes
            .into_iter()
            .min()
            .expect("there is always a heartbeat")
    }

    /// A little more often than the server asks for.
    fn renewal_interval(&self) -> Duration {
        self.timing.heartbeat * 3 / 4
    }

    /// Where to send, if there is anything to be sent.
    pub(super) fn sender(&self, now: Instant) -> Option<mpsc::Sender<ConnectRequest>> {
        let link = self.current.as_ref()?;
        let due = self.leases.has_news()
            || !link.credits.is_empty()
            || link.drain_due
            || link.renewed + self.renewal_interval() <= now;
        link.sender.clone().filter(|_| due)
    }

    /// The next message over the present stream.
    pub(super) fn message(&mut self, now: Instant) -> ConnectRequest {
        let interval = self.renewal_interval();
        let link = self
            .current
            .as_mut()
            .expect("only a present stream has a sender");
        let renew = link.renewed + interval <= now;
        if renew {
            link.renewed = now;
        }
        let mut message = self.leases.message(now, link.id, renew);
        if let Some(sender) = link.sender.clone().filter(|_| !self.gates.is_empty()) {
            tokio::spawn(open_gates(std::mem::take(&mut self.gates), sender));
        }
        let credits = std::mem::take(&mut link.credits);
        if matches!(self.phase, Phase::Serving) {
            let grants = credits.into_iter().map(|(queue, count)| CreditGrant {
                queue,
                count: i32::try_from(count).unwrap_or(i32::MAX),
            });
            message.credits.extend(grants);
        }
        message.drain = std::mem::take(&mut link.drain_due).then_some(Drain {});
        message
    }

    pub(super) fn worker_id(&self) -> &str {
        self.plan
            .hello
            .worker
            .as_ref()
            .map_or("", |worker| &worker.worker_id)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Functions do not outlive the worker, however it ends.
        self.leases.release_running();
        self.plan.reporter.disconnected();
    }
}

/// Lets functions begin when the message that is sent now was written to the connection.
async fn open_gates(gates: Vec<oneshot::Sender<()>>, sender: mpsc::Sender<ConnectRequest>) {
    // There is room for one message, so this one was taken by then. A stream that is gone takes
    // none: its successor accepts the tasks anew.
    drop(sender.reserve().await);
    for _ in 0..WRITE_TURNS {
        tokio::task::yield_now().await;
    }
    drop(gates);
}

/// A place on a stream, if there is a stream.
async fn reserve(
    sender: Option<&mpsc::Sender<ConnectRequest>>,
) -> Result<mpsc::Permit<'_, ConnectRequest>, mpsc::error::SendError<()>> {
    match sender {
        Some(sender) => sender.reserve().await,
        None => std::future::pending().await,
    }
}
