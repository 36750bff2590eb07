//! The rules of handing out work: which task waits, who has it, until when. Pure: time comes in,
//! what must be done goes out as [`Effect`]s.
//!
//! A task is an action execution that workers run, from its dispatch until its end is committed. It
//! is in exactly one [`Phase`]. What the desk knows is lost with the process; what must outlast it
//! is written into the row of the action ([`Effect::Hold`]), and comes back with the dispatch.

mod admin;
mod choice;
mod gate;
mod hand_out;
mod lease;
mod pause;
mod pending;
mod presence;
mod registry;
mod session;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use engine::{ActionId, Data, Delivery, Dispatch, ExecutionUid, Loss, Outcome, WorkerReport};
use store::WorkerActionRow;

use super::config::{Config, micros};
use super::token::{Key, Token};
use gate::{Gate, Meter};
use pending::{Pending, Rank, Route};
use registry::Registry;
use session::Session;

pub(crate) use admin::{QueueView, WorkerView};
pub(crate) use gate::{Limits, Settings};
pub(crate) use lease::{Ending, Finished, Standing};
pub(crate) use registry::{Known, Parameter, Provided};
pub(crate) use session::{
    Identity, LeaseNews, Offer, Offered, Opening, Outbox, SessionId, Status, Subscription,
    WorkerKey,
};

/// What must be done because of a change.
#[derive(Debug)]
pub(crate) enum Effect {
    /// A session has something to be told.
    Wake(SessionId),
    /// Keep who has an action. If asked for, say when it is kept: then it is handed out.
    Hold {
        action: ActionId,
        lease: Box<engine::Lease>,
        confirm: bool,
    },
    /// The lease of an action has ended before the action did.
    Lost {
        action: ActionId,
        lease: Box<engine::Lease>,
        loss: Loss,
    },
    /// The action has ended by a time that is over; under a lease, if somebody has it.
    End {
        action: ActionId,
        outcome: Outcome,
        report: Option<Box<WorkerReport>>,
    },
    /// Keep what workers provide.
    Announce(Vec<WorkerActionRow>),
}

/// Times in microseconds.
#[derive(Clone, Copy, Debug)]
struct Times {
    lease: i64,
    accept: i64,
    grace: i64,
    unknown: i64,
}

/// How long a lease may go without being written into the row of its action; microseconds. Most
/// actions are shorter, and cost no extra write.
const KEPT_AFTER_US: i64 = 1_000_000;

/// How long a worker that says nothing and has nothing is remembered; microseconds.
const WORKER_FORGOTTEN_US: i64 = 600_000_000;

/// The desk. Each of its public functions is given the present time.
pub(super) struct Desk {
    times: Times,
    key: Key,
    tasks: BTreeMap<ActionId, Task>,
    /// Executions of which nothing is handed out.
    paused: HashSet<ExecutionUid>,
    pending: Pending,
    sessions: BTreeMap<SessionId, Session>,
    queues: BTreeMap<QueueKey, Queue>,
    /// Queues that have sessions which provide an action, with their number.
    providers: HashMap<ActionKey, BTreeMap<Arc<str>, u32>>,
    workers: BTreeMap<WorkerKey, Worker>,
    registry: Registry,
    timers: BTreeSet<(i64, Timer)>,
    last_lease: u64,
    last_session: SessionId,
    effects: Vec<Effect>,
    now_us: i64,
}

/// An action: project and name.
type ActionKey = (Arc<str>, Arc<str>);

/// A queue: project and name.
type QueueKey = (Arc<str>, Arc<str>);

#[derive(Default)]
struct Queue {
    settings: Settings,
    revision: i32,
    gate: Gate,
    /// Of single actions, those that are limited.
    gates: BTreeMap<Arc<str>, Gate>,
    /// Sessions that can take something, the one that waits longest first.
    ready: VecDeque<SessionId>,
    /// Sessions that serve it.
    sessions: u32,
    leased: u32,
    meter: Meter,
    /// When it is looked at again because of a rate.
    armed: Option<i64>,
}

/// What is known of a worker.
struct Worker {
    identity: Identity,
    queues: BTreeSet<Arc<str>>,
    /// With their versions, empty where there is none.
    actions: BTreeMap<Arc<str>, Arc<str>>,
    sessions: BTreeSet<SessionId>,
    leased: u32,
    drained: bool,
    created_us: i64,
    seen_us: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Task(ActionId),
    Queue(QueueKey),
    Worker(WorkerKey),
}

struct Task {
    dispatch: Arc<Dispatch>,
    bytes: u64,
    phase: Phase,
    /// Under which time it stands in the timers.
    armed: Option<i64>,
    /// How long its execution was paused while it waited.
    held_back_us: i64,
    /// Whether a worker may still have it from before the server started, and nothing is kept.
    claimable: bool,
}

/// Where a task is.
enum Phase {
    /// It waits for a worker.
    Waiting { rank: Rank },
    /// It waits until its execution is no longer paused.
    HeldBack { rank: Option<Rank>, since_us: i64 },
    /// It was handed out before the server started: its worker may claim it until this time.
    Claimable { until_us: i64 },
    /// It goes to a worker as soon as that is written down.
    Reserved(Held),
    /// It was sent to a worker, which has not accepted it.
    Offered(Held),
    /// A worker has it.
    Leased(Held),
    /// A worker has ended it, which is being written down.
    Ending(Held),
    /// A worker has it, and its result is no longer wanted.
    Cancelled(Held),
}

/// A lease.
#[derive(Clone, Debug)]
struct Held {
    lease: u64,
    worker: WorkerKey,
    identity: Arc<str>,
    queue: Arc<str>,
    session: Option<SessionId>,
    /// Its place in the order, should it come back unaccepted.
    rank: Option<Rank>,
    started_us: i64,
    /// When it ends: the lease, the wait for its acceptance, or the grace of a cancelled one.
    expires_us: i64,
    /// When the action has last said something of itself, and how long it may be silent.
    said_us: i64,
    silence_us: Option<i64>,
    deadline_us: Option<i64>,
    progress: Option<Data>,
    /// When it must be written down; `None` = it is.
    keep_us: Option<i64>,
}

impl Desk {
    pub(super) fn new(config: &Config, key: Key, seed: u64) -> Self {
        let times = Times {
            lease: micros(config.lease_duration_s),
            accept: micros(config.accept_timeout_s),
            grace: micros(config.cancel_grace_s),
            unknown: micros(config.unknown_action_wait_s),
        };
        Self {
            times,
            key,
            tasks: BTreeMap::new(),
            paused: HashSet::new(),
            pending: Pending::default(),
            sessions: BTreeMap::new(),
            queues: BTreeMap::new(),
            providers: HashMap::new(),
            workers: BTreeMap::new(),
            registry: Registry::default(),
            timers: BTreeSet::new(),
            // So that no lease of this process has the number of one before it.
            last_lease: seed,
            last_session: 0,
            effects: Vec::new(),
            now_us: 0,
        }
    }

    /// Takes what was kept, before anything else happens.
    pub(super) fn load(
        &mut self,
        actions: Vec<WorkerActionRow>,
        queues: Vec<store::QueueRow>,
        now_us: i64,
    ) {
        self.registry = Registry::load(actions);
        for row in queues {
            let Ok(settings) = serde_json::from_str(&row.settings) else {
                tracing::warn!(queue = %row.name, "the settings of this queue are unreadable");
                continue;
            };
            self.set_queue(&(row.project, row.name), settings, row.revision, now_us);
        }
    }

    /// What must be done since this was asked last.
    pub(super) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// When [`Self::tick`] must be called next.
    pub(super) fn next_due_us(&self) -> Option<i64> {
        self.timers.first().map(|(time, _)| *time)
    }

    /// Takes an action that was dispatched. One that is here already is left alone, unless its end
    /// or its hand-out could not be written down.
    pub(super) fn offer(&mut self, dispatch: Dispatch, now_us: i64) {
        self.now_us = now_us;
        let action = dispatch.action;
        if let Some(task) = self.tasks.get_mut(&action) {
            task.dispatch = Arc::new(dispatch);
            match &task.phase {
                Phase::Ending(_) => self.resume(action),
                Phase::Reserved(_) => self.undo(action),
                Phase::Waiting { .. }
                | Phase::HeldBack { .. }
                | Phase::Claimable { .. }
                | Phase::Offered(_)
                | Phase::Leased(_)
                | Phase::Cancelled(_) => {}
            }
            return;
        }
        let is_held = dispatch
            .lease
            .as_ref()
            .is_some_and(|lease| lease.id.is_some());
        let again = dispatch.delivery != Delivery::First;
        let bytes = dispatch.input.text().len() as u64;
        let dispatch = Arc::new(dispatch);
        let until_us = now_us.saturating_add(self.times.lease);
        let task = Task {
            bytes,
            phase: Phase::Claimable { until_us },
            armed: None,
            held_back_us: 0,
            claimable: again && dispatch.is_repeatable,
            dispatch,
        };
        self.tasks.insert(action, task);
        if again && is_held {
            self.arm(action);
        } else {
            self.place(action, None);
        }
    }

    /// The result of an action is no longer wanted.
    pub(super) fn cancel(&mut self, action: ActionId, now_us: i64) {
        self.now_us = now_us;
        let Some(task) = self.tasks.get_mut(&action) else {
            return;
        };
        match &mut task.phase {
            Phase::Waiting { .. }
            | Phase::HeldBack { .. }
            | Phase::Claimable { .. }
            | Phase::Reserved(_) => self.forget(action),
            // Its end is on the way; whoever reports it learns that it came too late.
            Phase::Ending(_) | Phase::Cancelled(_) => {}
            Phase::Offered(held) | Phase::Leased(held) => {
                held.expires_us = now_us.saturating_add(self.times.grace);
                let held = held.clone();
                task.phase = Phase::Cancelled(held.clone());
                self.arm(action);
                let status = Status::Cancelled(held.expires_us);
                self.tell(action, &held, status, "cancelled");
            }
        }
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now_us: i64) {
        self.now_us = now_us;
        while let Some((time, timer)) = self.timers.first().cloned() {
            if time > now_us {
                return;
            }
            self.timers.remove(&(time, timer.clone()));
            match timer {
                Timer::Task(action) => {
                    if let Some(task) = self.tasks.get_mut(&action) {
                        task.armed = None;
                        self.task_is_due(action);
                    }
                }
                Timer::Queue(key) => {
                    if let Some(queue) = self.queues.get_mut(&key) {
                        queue.armed = None;
                    }
                    self.pump(&key);
                }
                Timer::Worker(key) => self.look_after_worker(&key),
            }
        }
    }

    /// Sets the timer of a task to what is due next in its phase.
    fn arm(&mut self, action: ActionId) {
        let due = self.due(action);
        let Some(task) = self.tasks.get_mut(&action) else {
            return;
        };
        if task.armed == due {
            return;
        }
        if let Some(time) = task.armed {
            self.timers.remove(&(time, Timer::Task(action)));
        }
        task.armed = due;
        self.timers
            .extend(due.map(|time| (time, Timer::Task(action))));
    }

    fn due(&self, action: ActionId) -> Option<i64> {
        let task = self.tasks.get(&action)?;
        match &task.phase {
            Phase::Waiting { .. } => {
                let created_us = task.dispatch.created_us;
                let patience = self.patience(&task.dispatch)?;
                let patience = patience.saturating_add(task.held_back_us);
                Some(created_us.saturating_add(patience))
            }
            Phase::Claimable { until_us } => Some(*until_us),
            Phase::HeldBack { .. } | Phase::Ending(_) => None,
            Phase::Cancelled(held) | Phase::Reserved(held) => Some(held.expires_us),
            Phase::Offered(held) => {
                let times = [Some(held.expires_us), held.deadline_us];
                times.into_iter().flatten().min()
            }
            Phase::Leased(held) => {
                let silent = held
                    .silence_us
                    .map(|most| held.said_us.saturating_add(most));
                let times = [
                    Some(held.expires_us),
                    held.deadline_us,
                    silent,
                    held.keep_us,
                ];
                times.into_iter().flatten().min()
            }
        }
    }

    /// How long a call may wait.
    fn patience(&self, dispatch: &Dispatch) -> Option<i64> {
        if let Some(seconds) = dispatch.times.schedule_to_start_s {
            return Some(whole_micros(seconds));
        }
        let (project, name) = (&dispatch.project, &dispatch.name);
        if self.registry.knows(project, name) {
            return self
                .registry
                .patience(project, name, dispatch.target.as_deref());
        }
        Some(self.times.unknown)
    }

    /// The time of a task has come, whatever it was for.
    fn task_is_due(&mut self, action: ActionId) {
        let now_us = self.now_us;
        let Some(task) = self.tasks.get_mut(&action) else {
            return;
        };
        match &mut task.phase {
            Phase::Waiting { .. } => self.waited_too_long(action),
            Phase::Claimable { .. } => self.claim_is_over(action),
            Phase::HeldBack { .. } | Phase::Ending(_) => {}
            Phase::Cancelled(held) => {
                let held = held.clone();
                self.tell(action, &held, Status::Lost, "cancelled");
                self.forget(action);
            }
            Phase::Offered(held) | Phase::Leased(held)
                if held.deadline_us.is_some_and(|at| at <= now_us) =>
            {
                self.took_too_long(action);
            }
            // Not accepted in time; or not written down in time, and perhaps never.
            Phase::Offered(_) | Phase::Reserved(_) => self.undo(action),
            Phase::Leased(held) if held.expires_us <= now_us => {
                self.lose(action, Loss::Expired);
            }
            Phase::Leased(held)
                if held
                    .silence_us
                    .is_some_and(|most| held.said_us + most <= now_us) =>
            {
                self.lose(action, Loss::Silent);
            }
            Phase::Leased(held) => {
                held.keep_us = None;
                let lease = task.record();
                self.effects.push(Effect::Hold {
                    action,
                    lease: Box::new(lease),
                    confirm: false,
                });
                self.arm(action);
            }
        }
    }

    /// Nobody has taken a call in time.
    fn waited_too_long(&mut self, action: ActionId) {
        // It may have become known since the timer was set.
        if self.due(action).is_none_or(|due| due > self.now_us) {
            self.arm(action);
            return;
        }
        let dispatch = self.tasks[&action].dispatch.clone();
        let name = &dispatch.name;
        let message = if self.registry.knows(&dispatch.project, name) {
            format!("No worker has taken the call of action {name} in time.")
        } else {
            format!("Failed to find action [action_name={name}]: no worker has provided it.")
        };
        self.forget(action);
        self.effects.push(Effect::End {
            action,
            outcome: Outcome::Error(Data::string(&message)),
            report: None,
        });
    }

    /// Drops a task: it has ended, or goes back to the engine.
    fn forget(&mut self, action: ActionId) {
        self.let_go(action);
        if let Some(task) = self.tasks.remove(&action)
            && let Some(time) = task.armed
        {
            self.timers.remove(&(time, Timer::Task(action)));
        }
    }

    /// Tells the session that has a task what becomes of its lease.
    fn tell(&mut self, action: ActionId, held: &Held, status: Status, reason: &'static str) {
        let Some(id) = held.session else { return };
        let lost = self.tasks.get(&action).map_or(0, Task::lost);
        let token = self.key.write(Token {
            action,
            lost,
            lease: held.lease,
        });
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.outbox.leases.push(LeaseNews {
            token,
            status,
            reason,
        });
        self.effects.push(Effect::Wake(id));
    }
}

fn whole_micros(seconds: u64) -> i64 {
    i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000)
}

impl Task {
    /// How many leases of it were lost before.
    fn lost(&self) -> u32 {
        self.dispatch.lease.as_ref().map_or(0, |lease| lease.lost)
    }

    fn route(&self) -> Route {
        Route {
            project: self.dispatch.project.clone(),
            queue: self.dispatch.target.clone(),
            action: self.dispatch.name.clone(),
            version: self.dispatch.version.clone(),
        }
    }

    fn held(&self) -> Option<&Held> {
        match &self.phase {
            Phase::Waiting { .. } | Phase::HeldBack { .. } | Phase::Claimable { .. } => None,
            Phase::Reserved(held)
            | Phase::Offered(held)
            | Phase::Leased(held)
            | Phase::Ending(held)
            | Phase::Cancelled(held) => Some(held),
        }
    }

    fn held_mut(&mut self) -> Option<&mut Held> {
        match &mut self.phase {
            Phase::Waiting { .. } | Phase::HeldBack { .. } | Phase::Claimable { .. } => None,
            Phase::Reserved(held)
            | Phase::Offered(held)
            | Phase::Leased(held)
            | Phase::Ending(held)
            | Phase::Cancelled(held) => Some(held),
        }
    }

    /// The lease as the row of the action keeps it.
    fn record(&self) -> engine::Lease {
        let known = self.dispatch.lease.as_deref().cloned().unwrap_or_default();
        match self.held() {
            None => known,
            Some(held) => engine::Lease {
                id: Some(format!("{:x}", held.lease).into()),
                worker: held.worker.id.clone(),
                identity: held.identity.clone(),
                queue: held.queue.clone(),
                started_us: held.started_us,
                progress: held.progress.clone().or(known.progress),
                failure: None,
                lost: known.lost,
                crashes: known.crashes,
            },
        }
    }
}
