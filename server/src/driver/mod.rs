//! The shell round the engine: load → apply → commit → perform.
//!
//! One **lane**, a thread, owns the executions of its shards and the writer of the store. It takes
//! what has come in since its last commit, applies it, commits everything in one transaction, and
//! only then lets it be seen: answers to callers, actions to runners, news to watchers. While it
//! commits, the next batch gathers by itself, so batches are large under load and single otherwise.
//!
//! [`Driver`] is the handle to it. The only caller of `engine::apply` is `lane`.

mod answer;
mod audit;
mod commit;
mod definitions;
mod error;
mod explain;
mod isolate;
mod lane;
mod order;
mod recover;
mod requests;
mod restart;
mod shards;
mod watch;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use engine::{ActionId, ExecutionUid, Lease, Limits};
use store::{Pulse, Reader, Readers, Store, Writer};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::actions::Runner;
use crate::cluster::Cluster;
use crate::dispatch::{Dispatcher, Report};

pub use audit::Audit;
pub use error::Error;
pub(crate) use order::WorkerNews;
pub use order::{
    ActionChange, DeleteOrder, Environment, Explained, OnConflict, RequestKey, RestartOrder,
    StartOrder, Started, Subject, VerbOrder,
};
pub use watch::{Hub, News, Subscription};

use order::{Command, Question};
pub(crate) use shards::Owned;
use shards::Shards;

/// Most requests that wait for the lane; more are refused with [`Error::Overloaded`].
const WAITING_MAX: usize = 20_000;

/// How long the owner of an execution is waited for that takes the end of an action.
const OWNER_MAX: Duration = Duration::from_secs(10);

/// How long is waited between two tries.
const OWNER_PAUSE: Duration = Duration::from_millis(50);

/// The way to the executions. Cheap to clone.
#[derive(Clone)]
pub struct Driver {
    commands: mpsc::Sender<Command>,
    waiting: Arc<AtomicUsize>,
    readers: Readers,
    hub: Arc<Hub>,
    audit: Arc<Audit>,
    owned: Owned,
    cluster: Cluster,
    pulse: Pulse,
}

impl Driver {
    /// Takes the unfinished executions of these shards up again and starts the lane. Returns when
    /// it is ready to serve. The lane ends when it is told to [`Self::shut_down`].
    pub(crate) fn start(
        store: &Store,
        mut writer: Writer,
        shards: &[i16],
        hands: (Runner, Dispatcher),
        cluster: Cluster,
        limits: Limits,
    ) -> Result<(Self, std::thread::JoinHandle<()>), Error> {
        let (runner, dispatcher) = hands;
        let (sender, receiver) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let hub = Arc::new(Hub::default());
        let audit = Arc::new(Audit::default());
        let owned = Owned::none(store.shards());
        let driver = Self {
            commands: sender,
            waiting: waiting.clone(),
            readers: store.readers().clone(),
            hub: hub.clone(),
            audit: audit.clone(),
            owned: owned.clone(),
            cluster: cluster.clone(),
            pulse: store.pulse().clone(),
        };
        runner.report_to(driver.clone());
        dispatcher.begin(driver.clone(), cluster.clone(), &mut writer)?;
        let hands = lane::Hands {
            runner,
            dispatcher,
            cluster,
        };
        let mut lane = lane::Lane::new(writer, receiver, waiting, hands, hub, limits);
        lane.shards = Shards::new(owned);
        lane.auditor.found = audit;
        lane.acquire(shards)?;
        let thread = std::thread::Builder::new()
            .name("lane".into())
            .spawn(move || end_with_panic(|| lane.run()))
            .expect("the system can start a thread");
        Ok((driver, thread))
    }

    /// Takes the seat among the servers again whose session was lost while nothing was committed.
    pub(crate) async fn keep_seat(&self) -> Result<(), Error> {
        self.ask(|reply| Command::KeepSeat { reply }).await
    }

    /// Takes shards over: their unfinished executions go on here.
    pub(crate) async fn acquire(&self, shards: Vec<i16>) -> Result<(), Error> {
        self.ask(|reply| Command::Acquire { shards, reply }).await
    }

    /// Gives at most so many shards away; answers with those that nothing is done for any more.
    /// Shards in which an action of the server runs are kept.
    pub(crate) async fn release(&self, count: usize) -> Result<Vec<i16>, Error> {
        self.ask(|reply| Command::Release { count, reply }).await
    }

    /// Which shards this server owns.
    pub(crate) fn owned(&self) -> &Owned {
        &self.owned
    }

    /// Fails if another server owns an execution, as far as that is seen without the lane.
    async fn check_owner(&self, uid: ExecutionUid) -> Result<(), Error> {
        let shard = self.owned.named_by(uid);
        if self.owned.has(shard) {
            return Ok(());
        }
        // One of before there were several shards lies in the first.
        let key = if self.owned.has(0) {
            self.read(move |reader| reader.locate(uid)).await?
        } else {
            None
        };
        match key {
            Some(key) if self.owned.has(key.shard) => Ok(()),
            _ => Err(Error::NotOwner { shard }),
        }
    }

    /// Starts an execution; answers when the start is durable.
    pub async fn start_execution(
        &self,
        order: StartOrder,
        request: Option<RequestKey>,
    ) -> Result<Started, Error> {
        self.ask(|reply| Command::Start {
            order: Box::new(order),
            request,
            reply,
        })
        .await
    }

    /// Starts an execution like another one; answers when the start is durable.
    pub async fn restart(
        &self,
        order: RestartOrder,
        request: Option<RequestKey>,
    ) -> Result<Started, Error> {
        self.ask(|reply| Command::Restart {
            order: Box::new(order),
            request,
            reply,
        })
        .await
    }

    /// Applies a verb; answers with the execution when it is durable.
    pub async fn verb(
        &self,
        order: VerbOrder,
        request: Option<RequestKey>,
    ) -> Result<engine::ExecutionRecord, Error> {
        self.check_owner(order.uid).await?;
        self.ask(|reply| Command::Verb {
            order,
            request,
            reply,
        })
        .await
    }

    /// Changes an action execution from outside; answers with its task's name and itself.
    pub async fn change_action(
        &self,
        action: ActionId,
        change: ActionChange,
        request: Option<RequestKey>,
    ) -> Result<(Arc<str>, engine::ActionRecord), Error> {
        self.check_owner(action.task.execution).await?;
        self.ask(|reply| Command::Action {
            action,
            change,
            request,
            reply,
        })
        .await
    }

    /// Deletes an execution with its children.
    pub async fn delete(
        &self,
        order: DeleteOrder,
        request: Option<RequestKey>,
    ) -> Result<(), Error> {
        self.check_owner(order.uid).await?;
        self.ask(|reply| Command::Delete {
            order,
            request,
            reply,
        })
        .await
    }

    /// What an execution waits for, or one of its tasks, as it is after the next commit: at most
    /// `max` causes.
    pub async fn explain(
        &self,
        uid: ExecutionUid,
        task: Option<u32>,
        max: usize,
    ) -> Result<Explained, Error> {
        self.check_owner(uid).await?;
        let question = Question { uid, task, max };
        self.ask(|reply| Command::Explain { question, reply }).await
    }

    /// Runs a write to the store that is not of an execution, such as of definitions.
    pub async fn write<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(&mut Writer) -> Result<T, store::Error> + Send + 'static,
    {
        self.ask(|reply: Reply<T>| Command::Write {
            work: Box::new(move |writer| {
                // A caller that has gone needs no answer.
                let _ = reply.send(work(writer).map_err(Error::from));
            }),
        })
        .await
    }

    /// Runs a read on a thread that may block.
    pub async fn read<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(&mut Reader) -> Result<T, store::Error> + Send + 'static,
    {
        let readers = self.readers.clone();
        let result = tokio::task::spawn_blocking(move || readers.read(work)).await;
        match result {
            Ok(read) => read.map_err(Error::from),
            Err(lost) if lost.is_panic() => {
                tracing::error!("a read has panicked: {lost}");
                Err(Error::Fault)
            }
            // The threads that may block are gone with the runtime.
            Err(_) => Err(Error::ShuttingDown),
        }
    }

    /// News of an execution, from now on. Subscribe first, then read: nothing is missed.
    pub fn subscribe(&self, uid: ExecutionUid) -> Subscription {
        self.hub.subscribe(uid)
    }

    /// That executions were changed by a commit, from now on. Subscribe first, then read: nothing
    /// is missed.
    pub fn commits(&self) -> tokio::sync::watch::Receiver<u64> {
        self.hub.commits()
    }

    /// Whether anybody watches anything here.
    pub(crate) fn has_watchers(&self) -> bool {
        self.hub.has_watchers()
    }

    /// Those of these that somebody watches here.
    pub(crate) fn watched_of(&self, uids: Vec<ExecutionUid>) -> Vec<ExecutionUid> {
        self.hub.watched_of(uids.into_iter())
    }

    /// Tells watchers of what other servers have committed.
    pub(crate) fn tell_watchers(&self, news: Vec<(ExecutionUid, News)>) {
        self.hub.tell(news.into_iter());
        self.hub.stir();
    }

    /// Another server hands work out from now on, or this one: it has to know what there is.
    pub(crate) fn offer_again(&self) {
        // A lane that has ended offers when it starts the next time.
        let _ = self.commands.send(Command::OfferAgain);
    }

    /// Whether the database takes what is written.
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// What the auditor has found since the server started.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Does something to the lane, as a fault might.
    #[cfg(test)]
    fn tamper(&self, work: impl FnOnce(&mut lane::Lane) + Send + 'static) {
        let sent = self.commands.send(Command::Tamper(Box::new(work)));
        assert!(sent.is_ok(), "the lane runs");
    }

    /// Holds the lane up until what this gives is dropped: what is asked meanwhile is one batch.
    #[cfg(test)]
    pub(crate) fn hold(&self) -> mpsc::Sender<()> {
        let (holder, held) = mpsc::channel();
        let (begins, begun) = mpsc::channel();
        self.tamper(move |_| {
            let _ = begins.send(());
            // It ends with the holder, which sends nothing.
            let _ = held.recv();
        });
        begun.recv().expect("the lane runs");
        holder
    }

    /// How many wait for the lane.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Forgets when an execution must be told the time.
    #[cfg(test)]
    pub(crate) fn lose_timers(&self, uid: ExecutionUid) {
        self.tamper(move |lane| lane.timers.retain(|(_, of)| *of != uid));
    }

    /// Forgets an execution.
    #[cfg(test)]
    pub(crate) fn lose_execution(&self, uid: ExecutionUid) {
        self.tamper(move |lane| lane.evict(uid));
    }

    /// Forgets the actions of an execution that the server and workers run.
    #[cfg(test)]
    pub(crate) fn lose_actions(&self, uid: ExecutionUid) {
        self.tamper(move |lane| {
            let execution = &lane.executions[&uid].execution;
            let actions: Vec<ActionId> = execution.active_actions().collect();
            lane.hands.dispatcher.cancel(&actions);
            for action in actions {
                lane.hands.runner.cancel(action);
            }
        });
    }

    /// The end of an action that the server ran.
    pub(crate) fn action_ended(&self, action: ActionId, outcome: engine::Outcome) {
        // A lane that has ended finds the action again when it starts the next time.
        let _ = self.commands.send(Command::Ended { action, outcome });
    }

    /// The server has done its part of an action, and somebody outside ends it.
    pub(crate) fn action_handed_over(&self, action: ActionId) {
        // A lane that has ended runs the action again when it starts the next time.
        let _ = self.commands.send(Command::HandedOver { action });
    }

    /// What became of an action that workers run, wherever its execution is.
    pub(crate) fn worker_news(&self, action: ActionId, news: WorkerNews) {
        let shard = self.owned.named_by(action.task.execution);
        if self.owned.has(shard) {
            self.worker_news_here(action, news);
        } else {
            self.cluster.outbox().tell(shard, action, news);
        }
    }

    /// The same, of an execution that this server should own.
    pub(crate) fn worker_news_here(&self, action: ActionId, news: WorkerNews) {
        // A lane that has ended finds the action again when it starts the next time.
        let _ = self.commands.send(Command::Worker { action, news });
    }

    /// The end of an action, as a worker says it; answers when it is durable, wherever its
    /// execution is.
    pub(crate) async fn worker_report(
        &self,
        action: ActionId,
        lease: Box<Lease>,
        report: Report,
    ) -> Result<(), Error> {
        let mut shard = self.owned.named_by(action.task.execution);
        let deadline = Instant::now() + OWNER_MAX;
        loop {
            let (lease, report) = (lease.clone(), report.clone());
            let reported = if self.owned.has(shard) {
                self.worker_report_here(action, lease, report).await
            } else {
                self.cluster.report(shard, action, lease, report).await
            };
            match reported {
                Err(Error::NotOwner { shard: of }) if Instant::now() < deadline => {
                    shard = of;
                    sleep(OWNER_PAUSE).await;
                }
                reported => return reported,
            }
        }
    }

    /// The same, of an execution that this server should own.
    pub(crate) async fn worker_report_here(
        &self,
        action: ActionId,
        lease: Box<Lease>,
        report: Report,
    ) -> Result<(), Error> {
        self.ask(|reply| Command::Report {
            action,
            lease,
            report,
            reply,
        })
        .await
    }

    /// Runs a write that nobody waits for; a failure is logged as that of `what`.
    pub(crate) fn write_later<W>(&self, what: &'static str, work: W)
    where
        W: FnOnce(&mut Writer) -> Result<(), store::Error> + Send + 'static,
    {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let work = Box::new(move |writer: &mut Writer| {
            if let Err(error) = work(writer) {
                tracing::warn!("{what} cannot be kept yet: {error}");
            }
        });
        if self.commands.send(Command::Write { work }).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Ends the lane after what it is doing.
    pub fn shut_down(&self) {
        let _ = self.commands.send(Command::ShutDown);
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Overloaded);
        }
        let (reply, answer) = oneshot::channel();
        if self.commands.send(command(reply)).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::ShuttingDown);
        }
        answer.await.unwrap_or(Err(Error::ShuttingDown))
    }
}

/// Where the answer to one caller goes.
type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// Without its lane a server would take calls and answer none. What it had not committed was not
/// promised to anybody, so ending the process loses nothing, and starting again takes all up.
pub(crate) fn end_with_panic(run: impl FnOnce()) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
        tracing::error!("a thread that the server cannot do without has panicked: it ends");
        std::process::exit(70);
    }
}
