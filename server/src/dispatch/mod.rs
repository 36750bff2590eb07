//! Work for workers: which actions wait for one, who has them, and under which lease.
//!
//! The rules are in `desk`, which is pure. Here they meet the world: sessions wait for news, times
//! come, and what the desk decides is told to the driver, which keeps it. What a result does to its
//! task is left to the engine, the wire to `api`.

mod config;
mod desk;
mod token;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use engine::{
    ActionId, Dispatch, ExecutionUid, LeaseEnd, NextAttempt, Outcome, Provision, WorkerFailure,
};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use store::{QueueRow, WorkerActionRow, Writer};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::clock;
use crate::cluster::Cluster;
use crate::driver::{self, Driver, WorkerNews};
use desk::{Desk, Effect, Ending, Finished};

pub use config::Config;
pub(crate) use desk::{
    Identity, Known, LeaseNews, Limits, Offer, Offered, Opening, Outbox, Parameter, Provided,
    QueueView, SessionId, Settings, Standing, Status, Subscription, WorkerKey, WorkerView,
};

/// Longest wait for a time, so that what waits ends soon after all else.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Under which name the key of tokens is kept.
const KEY: &str = "worker_token_key";

/// Hands work out. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Dispatcher {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    handle: Handle,
    shared: Mutex<Option<Shared>>,
    driver: OnceLock<Driver>,
    /// The servers among which one hands work out.
    cluster: OnceLock<Cluster>,
    /// Wakes the task that waits for the next time.
    timer: Arc<Notify>,
    /// Actions that were ever provided, by project. The lane asks at each call of a task.
    provided: RwLock<HashMap<Arc<str>, HashSet<Arc<str>>>>,
    /// Until when it waits, microseconds since the epoch.
    waits_until_us: AtomicI64,
}

struct Shared {
    desk: Desk,
    wakers: HashMap<SessionId, Arc<Notify>>,
}

/// A session; it is closed when this is dropped.
pub(crate) struct Session {
    id: SessionId,
    waker: Arc<Notify>,
    dispatcher: Dispatcher,
}

/// What the one that hands work out is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum DeskOrder {
    /// An action was dispatched.
    Offer(Box<Dispatch>),
    /// Its result is no longer wanted.
    Cancel(ActionId),
    /// It is kept who gets it: now it may be handed out.
    Confirm(ActionId),
    /// An execution was paused, or goes on.
    Pause(ExecutionUid, bool),
}

/// How a worker says that a task has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// With this outcome.
    End {
        outcome: Outcome,
        failure: Option<WorkerFailure>,
        next_attempt: Option<NextAttempt>,
    },
    /// Not yet: somebody ends it later.
    Deferred,
}

/// Why a report was not taken.
#[derive(Debug)]
pub(crate) enum ReportError {
    /// The lease is over.
    Lost(LeaseEnd),
    /// It may be taken if it is sent again.
    Driver(driver::Error),
}

impl Dispatcher {
    /// Makes one that knows nothing yet.
    pub fn new(config: &Config, handle: Handle) -> Self {
        let inner = Inner {
            config: *config,
            handle,
            shared: Mutex::new(None),
            driver: OnceLock::new(),
            cluster: OnceLock::new(),
            timer: Arc::default(),
            provided: RwLock::default(),
            waits_until_us: AtomicI64::new(i64::MAX),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Takes what is kept, and whom to tell: once, before anything else.
    pub(crate) fn begin(
        &self,
        driver: Driver,
        cluster: Cluster,
        writer: &mut Writer,
    ) -> Result<(), store::Error> {
        let is_first = self.inner.cluster.set(cluster).is_ok();
        assert!(is_first, "work is handed out among one set of servers");
        let key = token::Key::new(secret(writer)?.as_bytes());
        // Random, with room to count on.
        let seed = u128::from_be_bytes(clock::entropy()) & 0x7fff_ffff_0000_0000;
        let seed = u64::try_from(seed).unwrap_or(0);
        let mut desk = Desk::new(&self.inner.config, key, seed);
        let actions = writer.read().list_worker_actions()?;
        let queues = writer.read().list_queues()?;
        desk.load(actions, queues, clock::now_us());
        for (project, name) in desk.known_names() {
            self.inner.note_provided(project, name);
        }
        *self.inner.shared.lock() = Some(Shared {
            desk,
            wakers: HashMap::new(),
        });
        let is_first = self.inner.driver.set(driver).is_ok();
        assert!(is_first, "work is handed out for one driver");
        let timer = self.inner.timer.clone();
        let wait = wait_for_times(Arc::downgrade(&self.inner), timer);
        self.inner.handle.spawn(wait);
        Ok(())
    }

    /// How long leases last, and how patient the server is.
    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Takes actions that were dispatched, after the commit.
    pub(crate) fn offer(&self, dispatches: Vec<Dispatch>) {
        let offer = |dispatch| DeskOrder::Offer(Box::new(dispatch));
        self.order(dispatches.into_iter().map(offer).collect());
    }

    /// Executions were paused, or go on.
    pub(crate) fn pause(&self, changes: &[(ExecutionUid, bool)]) {
        let pause = |(execution, paused): &(_, _)| DeskOrder::Pause(*execution, *paused);
        self.order(changes.iter().map(pause).collect());
    }

    /// The results of actions are no longer wanted.
    pub(crate) fn cancel(&self, actions: &[ActionId]) {
        self.order(actions.iter().copied().map(DeskOrder::Cancel).collect());
    }

    /// It is kept who gets these: now they may be handed out.
    pub(crate) fn confirm(&self, actions: &[ActionId]) {
        self.order(actions.iter().copied().map(DeskOrder::Confirm).collect());
    }

    /// Does what is ordered, here or where work is handed out.
    fn order(&self, orders: Vec<DeskOrder>) {
        if orders.is_empty() {
            return;
        }
        let cluster = self.inner.cluster.get().expect("it began with a cluster");
        if cluster.outbox().is_empty() && cluster.map().is_desk() {
            self.take(orders);
        } else {
            cluster.outbox().order(orders);
        }
    }

    /// Does what is ordered, here.
    pub(crate) fn take(&self, orders: Vec<DeskOrder>) {
        self.with(|desk, now_us| {
            for order in orders {
                match order {
                    DeskOrder::Offer(dispatch) => desk.offer(*dispatch, now_us),
                    DeskOrder::Cancel(action) => desk.cancel(action, now_us),
                    DeskOrder::Confirm(action) => desk.confirm(action, now_us),
                    DeskOrder::Pause(execution, paused) => desk.pause(execution, paused, now_us),
                }
            }
        });
    }

    /// Takes what another server has kept of workers since this one began.
    pub(crate) fn learn(&self, actions: Vec<WorkerActionRow>, queues: Vec<QueueRow>) {
        for row in &actions {
            self.inner.note_provided(&row.project, &row.name);
        }
        self.with(|desk, now_us| desk.load(actions, queues, now_us));
    }

    /// Takes that workers have provided these actions to another server.
    pub(crate) fn note_provided(&self, actions: &[WorkerActionRow]) {
        for row in actions {
            self.inner.note_provided(&row.project, &row.name);
        }
    }

    /// Where actions are that workers run, wherever work is handed out.
    pub(crate) async fn standings(&self, actions: &[ActionId]) -> Vec<Option<Standing>> {
        let cluster = self.inner.cluster.get().expect("it began with a cluster");
        if cluster.map().is_desk() {
            actions
                .iter()
                .map(|action| self.standing(*action))
                .collect()
        } else {
            cluster.standings(actions).await
        }
    }

    /// Whether an action is lost: nobody is to hand it out, as far as this server knows.
    pub(crate) fn is_lost(&self, action: ActionId) -> bool {
        let cluster = self.inner.cluster.get().expect("it began with a cluster");
        cluster.outbox().is_empty() && cluster.map().is_desk() && self.standing(action).is_none()
    }

    /// Whether workers provide an action.
    pub(crate) fn provision(&self, project: &str, name: &str) -> Provision {
        let provided = self.inner.provided.read();
        if provided
            .get(project)
            .is_some_and(|names| names.contains(name))
        {
            Provision::Known
        } else if self.inner.config.unknown_action_wait_s > 0.0 {
            Provision::Awaited
        } else {
            Provision::Never
        }
    }

    /// Opens a session.
    pub(crate) fn open(&self, opening: &Opening) -> Session {
        let waker = Arc::new(Notify::new());
        let id = self.with_shared(|shared, now_us| {
            let id = shared.desk.open(opening, now_us);
            shared.wakers.insert(id, waker.clone());
            id
        });
        // What it can take at once is there already.
        waker.notify_one();
        Session {
            id,
            waker,
            dispatcher: self.clone(),
        }
    }

    /// Renews leases that no session of this server holds.
    pub(crate) fn renew(
        &self,
        worker: &WorkerKey,
        tasks: Vec<(String, Option<engine::Data>)>,
    ) -> (Vec<LeaseNews>, bool) {
        self.with(|desk, now_us| {
            let drained = desk.seen(worker, now_us);
            let tasks = tasks.into_iter().map(|(token, progress)| {
                let (status, reason) = desk.renew(&token, None, progress, now_us);
                LeaseNews {
                    token,
                    status,
                    reason,
                }
            });
            (tasks.collect(), drained)
        })
    }

    /// Takes the end of a task; returns when it is durable.
    pub(crate) async fn report(&self, token: &str, report: Report) -> Result<(), ReportError> {
        let ending = self.with(|desk, now_us| desk.ending(token, now_us));
        let (action, lease, is_ours) = match ending {
            Ending::Write(action, lease) => (action, lease, true),
            Ending::Ask(action, lease) => (action, lease, false),
            Ending::Lost(why) => return Err(ReportError::Lost(why)),
        };
        let driver = self.inner.driver.get().expect("it began with a driver");
        let written = driver.worker_report(action, lease, report).await;
        let lost = |why| Err(ReportError::Lost(why));
        let (finished, answer) = match written {
            Ok(()) => (Finished::Done, Ok(())),
            Err(driver::Error::Engine(engine::Error::LeaseLost { why, .. })) => {
                (Finished::Done, lost(why))
            }
            Err(
                driver::Error::ExecutionNotFound { .. }
                | driver::Error::Engine(
                    engine::Error::TaskNotFound { .. }
                    | engine::Error::ActionNotFound { .. }
                    | engine::Error::ActionNotExternal,
                ),
            ) => (Finished::Done, lost(LeaseEnd::Unknown)),
            Err(error) => (Finished::NotYet, Err(ReportError::Driver(error))),
        };
        if is_ours {
            self.with(|desk, now_us| desk.finished(action, finished, now_us));
        }
        answer
    }

    /// A worker gives a task back.
    pub(crate) fn release(&self, token: &str) -> Result<(), LeaseEnd> {
        self.with(|desk, now_us| desk.release(token, now_us))
    }

    /// A worker gets nothing more. The tasks that it has; `None` if it is not known.
    pub(crate) fn drain_worker(&self, worker: &WorkerKey) -> Option<u32> {
        self.with(|desk, now_us| desk.drain_worker(worker, now_us))
    }

    /// Where an action is that workers run.
    pub(crate) fn standing(&self, action: ActionId) -> Option<Standing> {
        self.with(|desk, _| desk.standing(action))
    }

    /// A worker.
    pub(crate) fn worker(&self, key: &WorkerKey) -> Option<WorkerView> {
        self.with(|desk, _| desk.worker(key))
    }

    /// Workers of a project by their ids, after one.
    pub(crate) fn workers(&self, project: &Arc<str>, after: &str, count: usize) -> Vec<WorkerView> {
        self.with(|desk, _| desk.workers(project, after, count))
    }

    /// A queue, if there is anything to say of it.
    pub(crate) fn queue(&self, project: &Arc<str>, name: &Arc<str>) -> Option<QueueView> {
        self.with(|desk, now_us| desk.queue(project, name, now_us))
    }

    /// Queues of a project by name, after one.
    pub(crate) fn queues(&self, project: &Arc<str>, after: &str, count: usize) -> Vec<QueueView> {
        self.with(|desk, now_us| {
            let names = desk.queue_names(project);
            let names = names.iter().filter(|name| ***name > *after).take(count);
            names
                .filter_map(|name| desk.queue(project, name, now_us))
                .collect()
        })
    }

    /// How a queue is set, and how often that was changed.
    pub(crate) fn settings(&self, project: &Arc<str>, name: &Arc<str>) -> (Settings, i32) {
        self.with(|desk, _| desk.settings(project, name))
    }

    /// Sets a queue, after that was kept.
    pub(crate) fn set_queue(
        &self,
        project: &Arc<str>,
        name: &Arc<str>,
        settings: Settings,
        revision: i32,
    ) {
        let key = (project.clone(), name.clone());
        self.with(|desk, now_us| desk.set_queue(&key, settings, revision, now_us));
    }

    /// An action that workers provide or have provided, as one of its queues has it.
    pub(crate) fn action(&self, project: &Arc<str>, name: &str) -> Option<Known> {
        self.with(|desk, _| desk.known_action(project, name))
    }

    /// All actions that workers provide or have provided.
    pub(crate) fn actions(&self, project: &Arc<str>) -> Vec<(Arc<str>, Known)> {
        self.with(|desk, _| desk.known_actions(project))
    }

    /// Does what is due; how long to wait for the next time.
    fn tell_time(&self) -> Duration {
        let due = |desk: &Desk| desk.next_due_us().unwrap_or(i64::MAX);
        let due_us = self.with(|desk, now_us| {
            desk.tick(now_us);
            due(desk)
        });
        self.inner.waits_until_us.store(due_us, Ordering::Release);
        // What has come in between has not seen the time that stands there now.
        let due_us = self.with(|desk, _| due(desk)).min(due_us);
        let micros = due_us.saturating_sub(clock::now_us());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0)).min(WAIT_MAX)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Desk, i64) -> T) -> T {
        self.with_shared(|shared, now_us| work(&mut shared.desk, now_us))
    }

    /// Works on the desk and does what it decides, in the order in which it does.
    fn with_shared<T>(&self, work: impl FnOnce(&mut Shared, i64) -> T) -> T {
        let mut guard = self.inner.shared.lock();
        let shared = guard.as_mut().expect("it has begun");
        let done = work(shared, clock::now_us());
        for effect in shared.desk.effects() {
            self.inner.perform(effect, &shared.wakers);
        }
        let due_us = shared.desk.next_due_us().unwrap_or(i64::MAX);
        drop(guard);
        if due_us < self.inner.waits_until_us.load(Ordering::Acquire) {
            self.inner.timer.notify_one();
        }
        done
    }
}

impl Inner {
    fn note_provided(&self, project: &Arc<str>, name: &Arc<str>) {
        let mut provided = self.provided.write();
        provided
            .entry(project.clone())
            .or_default()
            .insert(name.clone());
    }

    fn perform(&self, effect: Effect, wakers: &HashMap<SessionId, Arc<Notify>>) {
        let driver = self.driver.get().expect("it began with a driver");
        match effect {
            Effect::Wake(session) => {
                if let Some(waker) = wakers.get(&session) {
                    waker.notify_one();
                }
            }
            Effect::Hold {
                action,
                lease,
                confirm,
            } => driver.worker_news(action, WorkerNews::Held { lease, confirm }),
            Effect::Lost {
                action,
                lease,
                loss,
            } => driver.worker_news(action, WorkerNews::Lost { lease, loss }),
            Effect::End {
                action,
                outcome,
                report,
            } => driver.worker_news(action, WorkerNews::Ended { outcome, report }),
            Effect::Announce(rows) => {
                for row in &rows {
                    self.note_provided(&row.project, &row.name);
                }
                driver.write_later("actions of workers", move |writer| {
                    writer.put_worker_actions(&rows)
                });
            }
        }
    }
}

/// What signs tokens; the same for the life of a database, and for all servers that share it.
pub(crate) fn secret(writer: &mut Writer) -> Result<String, store::Error> {
    let halves = [clock::entropy(), clock::entropy()].map(u128::from_be_bytes);
    let fresh = format!("{:032x}{:032x}", halves[0], halves[1]);
    writer.keep_meta(KEY, &fresh)
}

/// Tells the desk the time when it has asked for that. It holds nothing while it waits, so it ends
/// with the last of all others.
async fn wait_for_times(inner: Weak<Inner>, timer: Arc<Notify>) {
    while let Some(inner) = inner.upgrade() {
        let wait = Dispatcher { inner }.tell_time();
        let _ = tokio::time::timeout(wait, timer.notified()).await;
    }
}

impl Session {
    /// Number of the session.
    pub(crate) fn id(&self) -> SessionId {
        self.id
    }

    /// Waits until there is something to be told. Cancelling it loses nothing.
    pub(crate) async fn news(&self) {
        self.waker.notified().await;
    }

    /// What there is to be told.
    pub(crate) fn collect(&self) -> Outbox {
        self.dispatcher.with(|desk, _| desk.collect(self.id))
    }

    /// It has accepted a task.
    pub(crate) fn accept(&self, tokens: &[String]) {
        if tokens.is_empty() {
            return;
        }
        self.dispatcher.with(|desk, now_us| {
            for token in tokens {
                desk.accept(self.id, token, now_us);
            }
        });
    }

    /// It holds these leases from earlier; those that are over.
    pub(crate) fn take_over(&self, tokens: &[String]) -> Vec<String> {
        self.dispatcher.with(|desk, now_us| {
            let lost = tokens.iter().filter(|token| {
                let (status, _) = desk.renew(token, Some(self.id), None, now_us);
                status == Status::Lost
            });
            lost.cloned().collect()
        })
    }

    /// Renews leases; the answers are news.
    pub(crate) fn renew(&self, worker: &WorkerKey, tasks: Vec<(String, Option<engine::Data>)>) {
        self.dispatcher.with(|desk, now_us| {
            desk.seen(worker, now_us);
            for (token, progress) in tasks {
                desk.renew_later(self.id, &token, progress, now_us);
            }
        });
    }

    /// It takes more tasks from a queue. False if it does not serve that.
    pub(crate) fn grant(&self, queue: &str, count: u32) -> bool {
        self.dispatcher
            .with(|desk, now_us| desk.grant(self.id, queue, count, now_us))
    }

    /// It takes nothing more.
    pub(crate) fn drain(&self) {
        self.dispatcher
            .with(|desk, now_us| desk.drain(self.id, now_us));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.dispatcher.with_shared(|shared, now_us| {
            shared.desk.close(self.id, now_us);
            shared.wakers.remove(&self.id);
        });
    }
}
