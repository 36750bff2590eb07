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
mod restart;
mod watch;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use engine::{ActionId, ExecutionUid, Lease, Limits};
use store::{Reader, Readers, Store, Writer};
use tokio::sync::oneshot;

use crate::actions::Runner;
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

/// Most requests that wait for the lane; more are refused with [`Error::Overloaded`].
const WAITING_MAX: usize = 20_000;

/// The way to the executions. Cheap to clone.
#[derive(Clone)]
pub struct Driver {
    commands: mpsc::Sender<Command>,
    waiting: Arc<AtomicUsize>,
    readers: Readers,
    hub: Arc<Hub>,
    audit: Arc<Audit>,
}

impl Driver {
    /// Takes the unfinished executions up again and starts the lane. Returns when it is ready to
    /// serve. The lane ends when it is told to [`Self::shut_down`].
    pub fn start(
        store: &Store,
        runner: Runner,
        dispatcher: Dispatcher,
        limits: Limits,
    ) -> Result<(Self, std::thread::JoinHandle<()>), Error> {
        let (sender, receiver) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let hub = Arc::new(Hub::default());
        let audit = Arc::new(Audit::default());
        let driver = Self {
            commands: sender,
            waiting: waiting.clone(),
            readers: store.readers().clone(),
            hub: hub.clone(),
            audit: audit.clone(),
        };
        runner.report_to(driver.clone());
        let mut writer = store.writer()?;
        dispatcher.begin(driver.clone(), &mut writer)?;
        let hands = lane::Hands { runner, dispatcher };
        let mut lane = lane::Lane::new(writer, receiver, waiting, hands, hub, limits);
        lane.auditor.found = audit;
        lane.recover()?;
        let thread = std::thread::Builder::new()
            .name("lane".into())
            .spawn(move || end_with_panic(|| lane.run()))
            .expect("the system can start a thread");
        Ok((driver, thread))
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

    /// Positions of commits that change executions, from now on. Subscribe first, then read:
    /// nothing is missed.
    pub fn commits(&self) -> tokio::sync::watch::Receiver<i64> {
        self.hub.commits()
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

    /// What became of an action that workers run.
    pub(crate) fn worker_news(&self, action: ActionId, news: WorkerNews) {
        // A lane that has ended finds the action again when it starts the next time.
        let _ = self.commands.send(Command::Worker { action, news });
    }

    /// The end of an action, as a worker says it; answers when it is durable.
    pub(crate) async fn worker_report(
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
fn end_with_panic(run: impl FnOnce()) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
        tracing::error!("the lane has panicked: the server ends");
        std::process::exit(70);
    }
}
