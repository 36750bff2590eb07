//! The life of a session: connect, take tasks, keep leases, drain.
//!
//! Owns time and order: what is done when. Left to others: as the table of `super` says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::v1::{ConnectRequest, ConnectResponse, CreditGrant, Drain, Hello, Welcome, WorkerTask};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tracing::{Instrument as _, debug, info, info_span, warn};

use super::call::Caller;
use super::held::Held;
use super::leases::Leases;
use super::link::{Arrival, Link};
use super::{Note, Plan, Timing};
use crate::error::{Code, Error, RpcError};
use crate::payload::Payload;
use crate::reason::Reason;
use crate::resources::to_duration;
use crate::worker::context::{ActionContext, ActionInfo, Beats, Cancellation};
use crate::worker::error::ActionError;
use crate::worker::function;
use crate::worker::health::HEARTBEATS_MISSED_MAX;

/// How long the server may take to welcome us.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams in a row that were not welcomed, before another connection is tried.
const REFUSALS_MAX: u32 = 3;
/// A stream that lives for so long makes the next pause a short one.
const HEALTHY_AFTER: Duration = Duration::from_mins(1);
/// Without a stream for so long, results are sent by calls when their leases near their end.
const CALL_AFTER: Duration = Duration::from_secs(5);
/// How long acknowledgements of the last results may take.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take to end a stream that we have ended.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Messages from the server that wait to be handled.
const ARRIVALS_MAX: usize = 16;

#[derive(Clone, Copy, Debug)]
enum Phase {
    Serving,
    /// Waits for functions.
    Draining(Instant),
    /// Waits for acknowledgements.
    Flushing(Instant),
    /// Waits for the end of the stream.
    Closing(Instant),
}

pub(super) struct Session {
    plan: Plan,
    functions: Handle,
    notes: mpsc::UnboundedSender<Note>,
    drain: CancellationToken,
    arrivals: mpsc::Sender<Arrival>,
    arrived: mpsc::Receiver<Arrival>,
    leases: Leases,
    timing: Timing,
    phase: Phase,
    channel: Option<Channel>,
    /// The stream that is used.
    current: Option<Link>,
    /// The stream that is being opened.
    next: Option<Link>,
    /// Streams that we have ended, and that the server may still have something to say over.
    retired: Vec<Link>,
    links: u64,
    /// When to open the next stream.
    open_at: Option<Instant>,
    /// Streams in a row that have ended badly, and of these the last ones that were not welcomed.
    failures: u32,
    refusals: u32,
    was_welcomed: bool,
    down_since: Instant,
    calls: JoinSet<Option<proto::v1::TaskResultAck>>,
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
                () = drain.cancelled(), if matches!(self.phase, Phase::Serving) => self.begin_drain(),
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
    fn sender(&self, now: Instant) -> Option<mpsc::Sender<ConnectRequest>> {
        let link = self.current.as_ref()?;
        let due = self.leases.has_news()
            || link.credits > 0
            || link.drain_due
            || link.renewed + self.renewal_interval() <= now;
        link.sender.clone().filter(|_| due)
    }

    /// The next message over the present stream.
    fn message(&mut self, now: Instant) -> ConnectRequest {
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
        let count = std::mem::take(&mut link.credits);
        if count > 0 && matches!(self.phase, Phase::Serving) {
            message.credits.push(CreditGrant {
                queue: self.plan.queue().to_owned(),
                count: i32::try_from(count).unwrap_or(i32::MAX),
            });
        }
        message.drain = std::mem::take(&mut link.drain_due).then_some(Drain {});
        message
    }

    fn open(&mut self) {
        if self.channel.is_none() {
            self.channel = Some(self.plan.transport.new_channel());
        }
        let channel = self.channel.clone().expect("made above");
        self.links += 1;
        let mut hello: Hello = self.plan.hello.clone();
        let free = match self.phase {
            Phase::Serving => self.plan.max_tasks.saturating_sub(self.leases.running()),
            Phase::Draining(_) | Phase::Flushing(_) | Phase::Closing(_) => 0,
        };
        for queue in &mut hello.queues {
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

    fn arrival(&mut self, arrival: Arrival) -> Result<(), Error> {
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

    fn welcomed(&mut self, mut link: Link, welcome: &Welcome) {
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

    /// Everything in a message but the welcome.
    fn take(&mut self, message: ConnectResponse) {
        let now = Instant::now();
        for ack in &message.results {
            self.leases.ack(now, ack);
        }
        for lease in &message.leases {
            self.leases.lease(lease);
        }
        let mut begun = Vec::new();
        for task in message.tasks {
            begun.extend(self.accept(now, task));
        }
        // Accepted before it is begun, if the stream takes it at once.
        if !begun.is_empty()
            && let Some(sender) = self.sender(now)
            && let Ok(permit) = sender.try_reserve()
        {
            permit.send(self.message(now));
        }
        for (task, context) in begun {
            self.begin(task, context);
        }
        self.plan.reporter.running(self.leases.running());
        if let Some(going) = message.going_away
            && self.next.is_none()
        {
            let delay = to_duration(going.reconnect_delay).unwrap_or_default();
            debug!("the server goes away; another stream is opened in {delay:?}");
            self.open_at = Some(now + delay);
        }
    }

    /// Takes a task over, if there is room for it.
    fn accept(&mut self, now: Instant, task: WorkerTask) -> Option<(WorkerTask, ActionContext)> {
        if self.leases.holds(&task.token) || !matches!(self.phase, Phase::Serving) {
            // While draining, what is not accepted goes back by itself.
            return None;
        }
        if self.leases.running() >= self.plan.max_tasks {
            self.leases.release(task.token);
            return None;
        }
        let cancellation = Cancellation::default();
        let beats = Arc::new(Beats::Session {
            latest: Mutex::default(),
            notes: self.notes.clone(),
        });
        let held = Held::new(
            now,
            &task,
            &self.timing,
            cancellation.clone(),
            beats.clone(),
        );
        self.leases.begin(task.token.clone(), held);
        let earlier = task.progress.clone().map(Payload::from);
        let context = ActionContext::new(ActionInfo::of(&task), earlier, cancellation, beats);
        Some((task, context))
    }

    fn begin(&mut self, task: WorkerTask, context: ActionContext) {
        let token = task.token;
        let Some(action) = self.plan.actions.get(&task.action) else {
            let message = format!("this worker has no action {}", task.action);
            let error = ActionError::of_type("UnknownAction", message);
            self.note(Note::Ended(token, Err(error)));
            return;
        };
        let info = context.info();
        let span = info_span!(
            "action",
            action.name = info.action,
            action.id = info.action_execution_id,
            execution.id = info.execution_uid,
            task.id = info.task_execution_id,
            task.name = info.task_name,
            attempt = info.attempt,
        );
        let handler = action.handler().clone();
        let input = task
            .input
            .map_or_else(|| Payload::from_json_text("{}"), Payload::from);
        let grace = (!action.is_blocking()).then_some(self.plan.cancel_grace);
        let mut end = EndGuard {
            token: Some(token.clone()),
            notes: self.notes.clone(),
        };
        let function = async move {
            let ended = function::run(&handler, input, context, grace).await;
            end.end(ended);
        };
        let function = self.functions.spawn(function.instrument(span));
        self.leases.set_abort(&token, function.abort_handle());
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Beat(token) => self.leases.beat(Instant::now(), &token),
            Note::Ended(token, ended) => {
                if self.leases.ended(Instant::now(), &token, ended) {
                    self.grant();
                }
            }
            Note::Dropped(token) => {
                if self.leases.holds(&token) {
                    self.leases.release(token);
                    self.grant();
                }
            }
        }
        self.plan.reporter.running(self.leases.running());
    }

    /// One more task may be sent: over the newest stream, which was told of fewer.
    fn grant(&mut self) {
        if let Some(link) = self.next.as_mut().or(self.current.as_mut()) {
            link.credits += 1;
        }
    }

    /// A stream has ended.
    fn ended(&mut self, id: u64, error: Option<&RpcError>) -> Result<(), Error> {
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
    fn is_fatal(&self, error: &RpcError) -> bool {
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
    fn closed(&mut self, link: &Link, error: Option<&RpcError>) {
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

    fn worker_id(&self) -> &str {
        self.plan
            .hello
            .worker
            .as_ref()
            .map_or("", |worker| &worker.worker_id)
    }
}

/// Ending.
impl Session {
    fn begin_drain(&mut self) {
        let running = self.leases.running();
        info!("the worker ends after {running} functions");
        self.phase = Phase::Draining(Instant::now() + self.plan.drain_timeout);
        if let Some(link) = &mut self.current {
            link.drain_due = true;
        }
    }

    /// Goes on from phase to phase; `true` at the end.
    fn is_over(&mut self, now: Instant) -> bool {
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
    fn call_stranded(&mut self, now: Instant, all: bool) {
        for (token, outcome) in self.leases.stranded(now, all) {
            let call = self.caller().end(token, outcome);
            self.calls.spawn(async move { Some(call.await) });
        }
    }

    fn caller(&mut self) -> Caller {
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

impl Drop for Session {
    fn drop(&mut self) {
        // Functions do not outlive the worker, however it ends.
        self.leases.release_running();
        self.plan.reporter.disconnected();
    }
}

/// Tells the end of a function, also if its runtime drops it.
struct EndGuard {
    token: Option<String>,
    notes: mpsc::UnboundedSender<Note>,
}

impl EndGuard {
    fn end(&mut self, ended: function::Ended) {
        if let Some(token) = self.token.take() {
            // A session that is gone has no use for it.
            let _ = self.notes.send(Note::Ended(token, ended));
        }
    }
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            let _ = self.notes.send(Note::Dropped(token));
        }
    }
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
