//! The lane: the thread that owns executions and the writer, one batch after the other.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use engine::{
    ActionId, Changes, Data, Dispatch, Event, Execution, ExecutionState, ExecutionUid, Limits,
    Outcome, Source, Start,
};
use expr::Value;
use store::{Removal, Writer};

use super::answer::Answer;
use super::audit::{self, Auditor};
use super::definitions::Definitions;
use super::isolate::isolated;
use super::order::{Command, WorkerNews, report_event};
use super::requests::Requests;
use super::shards::{Owned, Shards};
use super::watch::Hub;
use super::world::LaneWorld;
use super::{Error, Reply};
use crate::actions::Runner;
use crate::clock;
use crate::cluster::{Cluster, end_if_fenced};
use crate::dispatch::Dispatcher;

/// Most commands of one batch: bounds the time until the first of them is answered.
const COMMANDS_PER_BATCH_MAX: usize = 1_024;

/// Most events that executions send one another in one batch before the ends of children wait for
/// the next.
const EVENTS_PER_BATCH_MAX: usize = 10_000;

/// How long the lane sleeps at most when nothing is due, and how often it cleans up.
const IDLE_MAX: Duration = Duration::from_mins(10);

/// How long the same request id gets the same outcome, at least; microseconds.
const REQUESTS_KEPT_US: i64 = 25 * 3600 * 1_000_000;

/// How long a watch of many can be resumed, at least; microseconds.
const CHANGES_KEPT_US: i64 = 24 * 3600 * 1_000_000;

/// Rows that are forgotten at a time, so that cleaning up never keeps executions waiting.
const FORGOTTEN_MAX: u32 = 5_000;

/// How long it waits before it loads again what a failed commit has thrown out of memory.
pub(super) const RELOAD_DELAY: Duration = Duration::from_millis(250);

/// An execution in memory.
pub(super) struct Slot {
    pub(super) execution: Execution,
    /// Under which time it stands in the lane's timers.
    armed: Option<i64>,
}

/// Who runs what the engine does not.
pub(super) struct Hands {
    /// Actions of the server.
    pub(super) runner: Runner,
    /// Actions of workers.
    pub(super) dispatcher: Dispatcher,
    /// The other servers.
    pub(super) cluster: Cluster,
}

/// The lane. What it collects for the present batch is in [`Batch`].
pub(super) struct Lane {
    pub(super) writer: RefCell<Writer>,
    pub(super) executions: HashMap<ExecutionUid, Slot>,
    pub(super) shards: Shards,
    pub(super) definitions: RefCell<Definitions>,
    /// When executions must be told the time.
    pub(super) timers: BTreeSet<(i64, ExecutionUid)>,
    /// Executions that were stopped by the limit of steps.
    pub(super) continued: VecDeque<ExecutionUid>,
    /// Executions on which the rules have failed, and what the fault said.
    pub(super) broken: HashMap<ExecutionUid, String>,
    /// Executions whose commit has failed: in memory they were ahead of the store.
    pub(super) lost: BTreeSet<ExecutionUid>,
    /// Executions that are paused, as far as the desk was told.
    pub(super) paused: HashSet<ExecutionUid>,
    pub(super) batch: Batch,
    pub(super) auditor: Auditor,
    commands: Receiver<Command>,
    waiting: Arc<AtomicUsize>,
    pub(super) hands: Hands,
    pub(super) hub: Arc<Hub>,
    limits: Limits,
    pub(super) failure: RefCell<Option<Error>>,
    pub(super) now_us: i64,
    /// When old request ids and changes were last forgotten.
    cleaned_us: i64,
}

/// What one commit will hold, and what follows it.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) touched: HashSet<ExecutionUid>,
    pub(super) deleted: Vec<Removal>,
    pub(super) requests: Requests,
    pub(super) dispatches: Vec<Dispatch>,
    pub(super) cancels: Vec<ActionId>,
    /// Actions of which it must be durable who gets them before they are handed out.
    pub(super) confirms: Vec<ActionId>,
    pub(super) answers: Vec<Answer>,
    /// Ids chosen by clients whose executions are not committed yet.
    pub(super) new_ids: HashMap<(Arc<str>, Arc<str>), ExecutionUid>,
    /// Children to start and events to deliver, in order.
    inbox: VecDeque<Inner>,
}

impl Batch {
    /// The batch after one: begins with what is not delivered yet.
    pub(super) fn after(batch: &mut Self) -> Self {
        Self {
            inbox: std::mem::take(&mut batch.inbox),
            ..Self::default()
        }
    }
}

/// Something that one execution sends another.
enum Inner {
    Start(Box<Start>),
    Event(ExecutionUid, Event),
}

impl Lane {
    pub(super) fn new(
        writer: Writer,
        commands: Receiver<Command>,
        waiting: Arc<AtomicUsize>,
        hands: Hands,
        hub: Arc<Hub>,
        limits: Limits,
    ) -> Self {
        Self {
            writer: RefCell::new(writer),
            executions: HashMap::new(),
            shards: Shards::new(Owned::none(1)),
            definitions: RefCell::default(),
            timers: BTreeSet::new(),
            continued: VecDeque::new(),
            broken: HashMap::new(),
            lost: BTreeSet::new(),
            paused: HashSet::new(),
            batch: Batch::default(),
            auditor: Auditor::default(),
            commands,
            waiting,
            hands,
            hub,
            limits,
            failure: RefCell::new(None),
            now_us: clock::now_us(),
            cleaned_us: 0,
        }
    }

    /// Takes batches until it is told to stop.
    pub(super) fn run(mut self) {
        loop {
            let first = match self.next_command() {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.probe();
                    None
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.now_us = clock::now_us();
            self.look_round();
            self.reload_lost();
            let (commands, stop) = self.take_commands(first);
            self.recall(&commands);
            for command in commands {
                self.handle(command);
            }
            self.continue_some();
            self.tell_time();
            self.deliver();
            self.commit();
            self.forget_old();
            self.audit();
            if stop {
                return;
            }
        }
    }

    /// The commands of a batch, and whether it is the last one.
    fn take_commands(&self, first: Option<Command>) -> (Vec<Command>, bool) {
        let mut commands = Vec::new();
        let mut next = first;
        while let Some(command) = next {
            if matches!(command, Command::ShutDown) {
                return (commands, true);
            }
            commands.push(command);
            next = if commands.len() < COMMANDS_PER_BATCH_MAX {
                self.commands.try_recv().ok()
            } else {
                None
            };
        }
        (commands, false)
    }

    /// Of a server that shares its database: sees that it has not been taken for dead while it was
    /// asleep, and that others may have written definitions.
    fn look_round(&mut self) {
        let cluster = &self.hands.cluster;
        let mut writer = self.writer.borrow_mut();
        if cluster.lease().is_over()
            && let Err(error) = writer.check_seat()
        {
            end_if_fenced(&error);
            tracing::warn!("it is not known whether others have taken over: {error}");
        }
        if cluster.map().is_shared() {
            self.definitions.borrow_mut().doubt_latest();
        }
    }

    /// Forgets answered requests and changes that are old, now and then.
    fn forget_old(&mut self) {
        let interval = i64::try_from(IDLE_MAX.as_micros()).unwrap_or(i64::MAX);
        if self.now_us < self.cleaned_us.saturating_add(interval) {
            return;
        }
        let mut writer = self.writer.borrow_mut();
        let requests = writer.expire_requests(self.now_us - REQUESTS_KEPT_US, FORGOTTEN_MAX);
        let changes = writer.trim_changes(self.now_us - CHANGES_KEPT_US, FORGOTTEN_MAX);
        let mut is_done = true;
        for (what, forgotten) in [("request ids", requests), ("changes", changes)] {
            match forgotten {
                // A full portion: the next round takes more.
                Ok(count) => is_done &= count < FORGOTTEN_MAX as usize,
                Err(error) => tracing::warn!("old {what} cannot be forgotten yet: {error}"),
            }
        }
        if is_done {
            self.cleaned_us = self.now_us;
        }
    }

    /// Waits for a command, or until something is due.
    fn next_command(&mut self) -> Result<Option<Command>, RecvTimeoutError> {
        if let Ok(command) = self.commands.try_recv() {
            return Ok(Some(command));
        }
        self.auditor.drained_us = clock::now_us();
        if !self.continued.is_empty() || !self.batch.inbox.is_empty() {
            return Ok(None);
        }
        let mut wait = IDLE_MAX;
        if let Some((due, _)) = self.timers.first() {
            let micros = u64::try_from(due - clock::now_us()).unwrap_or(0);
            wait = wait.min(Duration::from_micros(micros));
        }
        if !self.lost.is_empty() || self.writer.borrow().is_failing() {
            wait = wait.min(RELOAD_DELAY);
        }
        if !self.executions.is_empty() {
            wait = wait.min(audit::INTERVAL);
        }
        self.commands.recv_timeout(wait).map(Some)
    }

    /// Sees whether a database is back that has taken nothing: callers may stay away until it is.
    fn probe(&self) {
        let mut writer = self.writer.borrow_mut();
        if !writer.is_failing() {
            return;
        }
        match writer.probe() {
            Ok(()) => tracing::info!("the database takes what is written again"),
            Err(error) => end_if_fenced(&error),
        }
    }

    fn handle(&mut self, command: Command) {
        if command.is_asked() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        match command {
            Command::Start {
                order,
                request,
                reply,
            } => self.start(&order, request.as_ref(), reply),
            Command::Verb {
                order,
                request,
                reply,
            } => self.change(order, request.as_ref(), reply),
            Command::Action {
                action,
                change,
                request,
                reply,
            } => self.change_action(action, change, request.as_ref(), reply),
            Command::Restart {
                order,
                request,
                reply,
            } => self.restart(&order, request.as_ref(), reply),
            Command::Delete {
                order,
                request,
                reply,
            } => self.delete(&order, request.as_ref(), reply),
            Command::Explain { question, reply } => self.ask_why(question, reply),
            Command::Ended { action, outcome } => self.ended(action, outcome),
            Command::HandedOver { action } => self.handed_over(action),
            Command::Worker { action, news } => self.worker_news(action, news),
            Command::Report {
                action,
                lease,
                report,
                reply,
            } => self.report(action, report_event(action, lease, report), reply),
            Command::OfferAgain => self.offer_again(),
            Command::KeepSeat { reply } => self.keep_seat(reply),
            Command::Acquire { shards, reply } => {
                let _ = reply.send(self.acquire(&shards));
            }
            Command::Release { count, reply } => {
                let _ = reply.send(Ok(self.release(count)));
            }
            Command::Write { work } => {
                work(&mut self.writer.borrow_mut());
                self.definitions.borrow_mut().forget_latest();
                self.doubt_recalled();
            }
            Command::ShutDown => {}
            #[cfg(test)]
            Command::Tamper(work) => work(self),
        }
    }

    /// Takes the seat among the servers again if its session was lost.
    fn keep_seat(&self, reply: Reply<()>) {
        let kept = self.writer.borrow_mut().check_seat();
        if let Err(error) = &kept {
            end_if_fenced(error);
        }
        let _ = reply.send(kept.map_err(Error::from));
    }

    /// An action that the server ran has ended.
    fn ended(&mut self, action: ActionId, outcome: Outcome) {
        let event = Event::ActionDone {
            task: action.task.number,
            action: action.number,
            outcome,
            source: Source::Server,
        };
        self.apply_quietly(action.task.execution, event);
    }

    /// The server has done its part of an action.
    fn handed_over(&mut self, action: ActionId) {
        let event = Event::ActionHandedOver {
            task: action.task.number,
            action: action.number,
            lease: None,
        };
        self.apply_quietly(action.task.execution, event);
    }

    /// What became of an action that workers run.
    fn worker_news(&mut self, action: ActionId, news: WorkerNews) {
        if let Err(Error::NotOwner { shard }) = self.load(action.task.execution) {
            // Its execution has gone to another server meanwhile.
            self.hands.cluster.outbox().tell(shard, action, news);
            return;
        }
        if matches!(news, WorkerNews::Held { confirm: true, .. }) {
            self.batch.confirms.push(action);
        }
        self.apply_quietly(action.task.execution, news.event(action));
    }

    /// Applies an event to an execution, which is loaded if it is not in memory.
    pub(super) fn apply(&mut self, uid: ExecutionUid, event: Event) -> Result<(), Error> {
        self.load(uid)?;
        let Some(mut slot) = self.executions.remove(&uid) else {
            return Err(Error::ExecutionNotFound {
                id: uid.to_string().into(),
            });
        };
        let now_us = self.now_us;
        let execution = &mut slot.execution;
        let result = isolated(|| engine::apply(execution, event, now_us, &self.world()));
        let result = result.map_err(|fault| self.put_aside(uid, fault));
        self.put_back(uid, slot);
        self.absorb(uid, result??);
        Ok(())
    }

    /// Gives the batch up because the rules have failed on one execution, which is ended when it is
    /// loaded again.
    pub(super) fn put_aside(&mut self, uid: ExecutionUid, fault: String) -> Error {
        tracing::error!(execution.uid = %uid, "execution {uid} is put aside: {fault}");
        self.broken.insert(uid, fault);
        self.batch.touched.insert(uid);
        self.fail_batch(Error::Undone);
        Error::Fault
    }

    /// Applies an event that nobody waits for.
    fn apply_quietly(&mut self, uid: ExecutionUid, event: Event) {
        if let Err(error) = self.apply(uid, event) {
            match error {
                Error::ExecutionNotFound { .. } | Error::NotOwner { .. } | Error::Engine(_) => {
                    tracing::debug!(execution.uid = %uid, "event for {uid} refused: {error}");
                }
                other => self.fail_batch(other),
            }
        }
    }

    pub(super) fn world(&self) -> LaneWorld<'_> {
        LaneWorld {
            definitions: &self.definitions,
            writer: &self.writer,
            executions: &self.executions,
            dispatcher: &self.hands.dispatcher,
            limits: self.limits,
            failure: &self.failure,
        }
    }

    /// Keeps an execution in memory and its timer in the list.
    pub(super) fn put_back(&mut self, uid: ExecutionUid, mut slot: Slot) {
        let due = slot.execution.next_due_us();
        if slot.armed != due {
            if let Some(time) = slot.armed {
                self.timers.remove(&(time, uid));
            }
            self.timers.extend(due.map(|time| (time, uid)));
            slot.armed = due;
        }
        self.executions.insert(uid, slot);
    }

    pub(super) fn insert(&mut self, execution: Execution) {
        self.put_back(
            execution.uid(),
            Slot {
                execution,
                armed: None,
            },
        );
    }

    /// Drops an execution from memory.
    pub(super) fn evict(&mut self, uid: ExecutionUid) {
        if let Some(Slot {
            armed: Some(time), ..
        }) = self.executions.remove(&uid)
        {
            self.timers.remove(&(time, uid));
        }
    }

    /// Takes what an event has caused into the batch.
    pub(super) fn absorb(&mut self, uid: ExecutionUid, changes: Changes) {
        let batch = &mut self.batch;
        batch.touched.insert(uid);
        batch.dispatches.extend(changes.dispatches);
        batch.cancels.extend(changes.cancels);
        batch.inbox.extend(
            changes
                .starts
                .into_iter()
                .map(|start| Inner::Start(Box::new(start))),
        );
        let events = changes.messages.into_iter();
        batch
            .inbox
            .extend(events.map(|message| Inner::Event(message.to, message.event)));
        if changes.more {
            self.continued.push_back(uid);
        }
    }

    /// Delivers what executions have sent one another, in the same batch. Executions that call one
    /// another for ever are stopped at the ends of children, which a restart finds again; all else
    /// must be in the commit of what has caused it.
    pub(super) fn deliver(&mut self) {
        let mut held = VecDeque::new();
        let mut count = 0;
        while let Some(inner) = self.batch.inbox.pop_front() {
            count += 1;
            match inner {
                Inner::Start(start) => self.start_child(*start),
                Inner::Event(uid, event @ Event::ChildDone { .. })
                    if count > EVENTS_PER_BATCH_MAX =>
                {
                    held.push_back(Inner::Event(uid, event));
                }
                Inner::Event(uid, Event::RollBack { asked_by }) => {
                    self.roll_back_child(uid, asked_by);
                }
                Inner::Event(uid, event) => self.apply_quietly(uid, event),
            }
        }
        self.batch.inbox = held;
    }

    /// Lets a sub-workflow roll itself back. One that was deleted cannot: who asks learns that.
    fn roll_back_child(&mut self, child: ExecutionUid, asked_by: ActionId) {
        match self.apply(child, Event::RollBack { asked_by }) {
            Ok(()) => {}
            Err(Error::ExecutionNotFound { .. }) => {
                self.apply_quietly(asked_by.task.execution, child_is_gone(child, asked_by));
            }
            Err(Error::Engine(error)) => {
                tracing::debug!(execution.uid = %child, "{child} is not rolled back: {error}");
            }
            Err(other) => self.fail_batch(other),
        }
    }

    /// Whether executions have sent one another something that is not delivered yet.
    pub(super) fn has_mail(&self) -> bool {
        !self.batch.inbox.is_empty()
    }

    /// Adds an event to what is to be delivered.
    pub(super) fn send(&mut self, uid: ExecutionUid, event: Event) {
        self.batch.inbox.push_back(Inner::Event(uid, event));
    }

    fn start_child(&mut self, start: Start) {
        let (uid, parent) = (start.uid, start.parent.clone());
        let started = isolated(|| engine::start(start, self.now_us, &self.world()));
        let started = started.unwrap_or_else(|fault| {
            tracing::error!("sub-workflow {uid} cannot be started: {fault}");
            Err(engine::Error::Fault)
        });
        match started {
            Ok((execution, changes)) => {
                self.insert(execution);
                self.absorb(uid, changes);
            }
            Err(error) => {
                // The child never was: its parent learns why.
                let Some(parent) = parent else { return };
                let event = child_failed(parent.action, &error.to_string());
                self.apply_quietly(parent.action.task.execution, event);
            }
        }
    }

    fn continue_some(&mut self) {
        for uid in std::mem::take(&mut self.continued) {
            self.apply_quietly(uid, Event::Continue);
        }
    }

    fn tell_time(&mut self) {
        let due: Vec<ExecutionUid> = self
            .timers
            .iter()
            .take_while(|(time, _)| *time <= self.now_us)
            .map(|(_, uid)| *uid)
            .collect();
        for uid in due {
            self.apply_quietly(uid, Event::TimeReached);
        }
    }
}

/// What a parent learns of a child that cannot be what it waits for.
fn child_failed(action: ActionId, message: &str) -> Event {
    let output = Value::Dict([("result", message)].into_iter().collect());
    Event::ChildDone {
        task: action.task.number,
        action: action.number,
        state: ExecutionState::Error,
        output: Data::from_value(output).unwrap_or_else(|_| Data::empty_object()),
        info: Some(message.into()),
    }
}

/// What a parent learns of a child that was deleted.
pub(super) fn child_is_gone(child: ExecutionUid, action: ActionId) -> Event {
    let message = format!("The sub-workflow {child} was deleted.");
    child_failed(action, &message)
}
