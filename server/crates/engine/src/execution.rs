//! The live state of one execution: its records, and what follows from them.
//!
//! Everything that changes a record goes through here, so that what must be written is known:
//! [`Execution::changed`] lists it, [`Execution::committed`] forgets it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use definition::model;
use expr::{Dict, Value};

use crate::branch::Branch;
use crate::data::Data;
use crate::history::{HistoryEvent, HistoryKind, TimerKind};
use crate::id::{ExecutionUid, TaskId};
use crate::limits::{STATE_INFO_BYTES_MAX, truncate};
use crate::record::{ActionRecord, ExecutionRecord, Progress, Runner, TaskRecord};
use crate::state::{ExecutionState, TaskState};
use crate::step::Work;
use crate::world::Definition;

/// One execution in memory.
#[derive(Debug)]
pub struct Execution {
    pub(crate) record: ExecutionRecord,
    pub(crate) definition: Arc<Definition>,
    /// Task executions; the one with number n is at n - 1.
    pub(crate) tasks: Vec<Task>,
    /// For each task of the workflow, the number of its latest execution.
    pub(crate) latest: Vec<Option<u32>>,
    /// `vars`, and what was published to the whole execution.
    pub(crate) globals: Dict,
    /// How many tasks have published to the whole execution.
    pub(crate) globals_published: u32,
    /// Joins that wait, by number.
    pub(crate) waiting: BTreeSet<u32>,
    /// Times at which something is due, with the task that it is about.
    timers: BTreeSet<(i64, u32)>,
    /// Steps that are left to do.
    pub(crate) work: std::collections::VecDeque<Work>,
    changed: Marks,
    history: Vec<HistoryEvent>,
}

/// The items of a task, by variable; all lists are of one length.
pub(crate) type Items = Arc<Vec<(Arc<str>, Vec<Value>)>>;

/// A task execution in memory.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) record: TaskRecord,
    /// Position of its task in the workflow.
    pub(crate) spec: usize,
    /// What it sees from the tasks before it.
    pub(crate) context: Branch,
    /// What the tasks after it see; made on first use.
    pub(crate) outbound: Option<Branch>,
    /// Action executions that are not final, by number.
    pub(crate) active_actions: BTreeSet<u32>,
    /// Accepted action executions.
    pub(crate) accepted: u32,
    /// Accepted action executions that were cancelled, and those that failed.
    pub(crate) accepted_cancelled: u32,
    pub(crate) accepted_failed: u32,
    /// Of a with-items task: the first item that this attempt has not come to.
    pub(crate) next_item: u32,
    /// Of a with-items task that was rerun: items whose results stay.
    pub(crate) kept_items: BTreeSet<u32>,
    /// Of a with-items task: the evaluated items, by variable; made anew after a restart.
    pub(crate) items: Option<Items>,
}

/// What was changed since the last commit.
#[derive(Debug, Default)]
struct Marks {
    is_new: bool,
    execution: bool,
    payloads: bool,
    /// Task number → whether the row is new.
    tasks: BTreeMap<u32, bool>,
    /// Task and action number → whether the row is new.
    actions: BTreeMap<(u32, u32), bool>,
}

/// What changed of an execution since its last commit: the rows that the next one must write.
#[derive(Clone, Debug)]
pub struct Changed<'a> {
    /// The execution as it is now.
    pub record: &'a ExecutionRecord,
    /// Whether it has no row yet.
    pub is_new: bool,
    /// Whether any field but `params`, `vars` and `output` differs from the row. New history always
    /// writes the row, since it holds the last sequence.
    pub row_changed: bool,
    /// Whether `params`, `vars` or `output` differ from what is stored. They lie in a row of their
    /// own: large payloads are not written again with every step.
    pub payloads_changed: bool,
    /// New or changed tasks, and whether they are new. Their `actions` are not looked at.
    pub tasks: Vec<(&'a TaskRecord, bool)>,
    /// New or changed actions, with the number of their task and whether they are new.
    pub actions: Vec<(u32, &'a ActionRecord, bool)>,
    /// New events, in order of their sequence, without holes.
    pub history: &'a [HistoryEvent],
}

impl Task {
    pub(crate) fn new(record: TaskRecord, spec: usize, context: Branch) -> Self {
        let mut task = Self {
            record,
            spec,
            context,
            outbound: None,
            active_actions: BTreeSet::new(),
            accepted: 0,
            accepted_cancelled: 0,
            accepted_failed: 0,
            next_item: 0,
            kept_items: BTreeSet::new(),
            items: None,
        };
        task.recount();
        task
    }

    /// Derives the counters from the action records.
    pub(crate) fn recount(&mut self) {
        use crate::state::ActionState::{Cancelled, Error};
        let accepted = self.record.actions.iter().filter(|action| action.accepted);
        (self.accepted, self.accepted_cancelled, self.accepted_failed) =
            accepted.fold((0, 0, 0), |(all, cancelled, failed), action| {
                let is = |state| u32::from(action.state == state);
                (all + 1, cancelled + is(Cancelled), failed + is(Error))
            });
        let actions = &self.record.actions;
        self.active_actions = actions
            .iter()
            .filter(|a| !a.state.is_final())
            .map(|a| a.number)
            .collect();
        let attempt = self.record.runtime.attempt();
        let present = actions.iter().filter(|a| a.attempt == attempt);
        self.next_item = present.map(|a| a.index + 1).max().unwrap_or(0);
        let earlier = actions.iter().filter(|a| a.attempt < attempt && a.accepted);
        self.kept_items = earlier.map(|a| a.index).collect();
    }

    /// What the tasks after it see.
    pub(crate) fn outbound(&self) -> Branch {
        match (&self.outbound, &self.record.published) {
            (Some(branch), _) => branch.clone(),
            (None, None) => self.context.clone(),
            (None, Some(published)) => match published.value() {
                Value::Dict(published) => self.context.publish(published),
                _ => self.context.clone(),
            },
        }
    }

    pub(crate) fn action(&self, number: u32) -> Option<&ActionRecord> {
        self.record
            .actions
            .get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

impl Execution {
    /// An execution with nothing but its record.
    pub(crate) fn new(record: ExecutionRecord, definition: Arc<Definition>) -> Self {
        let tasks = definition.workflow.tasks.len();
        Self {
            record,
            definition,
            tasks: Vec::new(),
            latest: vec![None; tasks],
            globals: Dict::new(),
            globals_published: 0,
            waiting: BTreeSet::new(),
            timers: BTreeSet::new(),
            work: std::collections::VecDeque::new(),
            changed: Marks {
                is_new: true,
                execution: true,
                payloads: true,
                ..Marks::default()
            },
            history: Vec::new(),
        }
    }

    /// An execution from its stored record; its tasks follow by [`Self::restore_task`].
    pub(crate) fn stored(record: ExecutionRecord, definition: Arc<Definition>) -> Self {
        Self {
            changed: Marks::default(),
            ..Self::new(record, definition)
        }
    }

    pub(crate) fn restore_task(&mut self, task: Task) {
        let number = task.record.number;
        self.latest[task.spec] = Some(number);
        if task.record.state == TaskState::Waiting {
            self.waiting.insert(number);
        }
        let runtime = &task.record.runtime;
        if !task.record.state.is_final() {
            let due = runtime.due.map(|(_, time)| time);
            self.timers.extend(
                due.into_iter()
                    .chain(runtime.timeout_us)
                    .map(|at| (at, number)),
            );
        }
        self.tasks.push(task);
    }

    // --- reading ---

    /// Its record.
    pub fn record(&self) -> &ExecutionRecord {
        &self.record
    }

    /// What it runs.
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// Its uid.
    pub fn uid(&self) -> ExecutionUid {
        self.record.uid
    }

    /// The records of its task executions, in order of their numbers.
    pub fn tasks(&self) -> impl Iterator<Item = &TaskRecord> {
        self.tasks.iter().map(|task| &task.record)
    }

    /// One task execution.
    pub fn task_record(&self, number: u32) -> Option<&TaskRecord> {
        self.find(number).map(|task| &task.record)
    }

    /// When [`crate::Event::TimeReached`] must be applied next; microseconds since the epoch. Only
    /// for a running execution: nothing is due while one is paused.
    pub fn next_due_us(&self) -> Option<i64> {
        if self.record.state != ExecutionState::Running {
            return None;
        }
        self.timers.first().map(|(time, _)| *time)
    }

    /// Whether steps are left to do without any event from outside.
    pub fn has_work(&self) -> bool {
        !self.work.is_empty()
    }

    /// Whether it is finished, with nothing left to do.
    pub fn is_finished(&self) -> bool {
        self.record.state.is_final() && self.work.is_empty()
    }

    /// Children that are not known to be finished.
    pub fn active_children(&self) -> Vec<ExecutionUid> {
        let active = self.tasks.iter().flat_map(|task| {
            task.active_actions
                .iter()
                .filter_map(|number| task.action(*number)?.child)
        });
        active.collect()
    }

    /// Action executions that are not final.
    pub fn active_actions(&self) -> Vec<crate::id::ActionId> {
        let active = self.tasks.iter().flat_map(|task| {
            let id = self.task_id(task.record.number);
            task.active_actions
                .iter()
                .map(move |number| crate::id::ActionId {
                    task: id,
                    number: *number,
                })
        });
        active.collect()
    }

    pub(crate) fn workflow(&self) -> &Arc<model::Workflow> {
        &self.definition.workflow
    }

    pub(crate) fn spec(&self, number: u32) -> &model::Task {
        &self.definition.workflow.tasks[self.task(number).spec]
    }

    pub(crate) fn task_id(&self, number: u32) -> TaskId {
        TaskId {
            execution: self.record.uid,
            number,
        }
    }

    pub(crate) fn find(&self, number: u32) -> Option<&Task> {
        self.tasks
            .get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    pub(crate) fn task(&self, number: u32) -> &Task {
        self.find(number)
            .expect("task numbers inside the engine are of existing tasks")
    }

    /// The environment: the dict under `env` of the start parameters.
    pub(crate) fn env(&self) -> Value {
        self.record
            .params
            .value()
            .get("env")
            .unwrap_or_else(|| Value::Dict(Dict::new()))
    }

    /// Tasks that are due at `now`, with what is due, in order of time.
    pub(crate) fn due(&self, now_us: i64) -> Vec<(u32, TimerKind)> {
        let due = self.timers.iter().take_while(|(time, _)| *time <= now_us);
        due.filter_map(|(time, number)| {
            let runtime = &self.task(*number).record.runtime;
            match runtime.due {
                Some((kind, at)) if at == *time => Some((*number, kind)),
                _ if runtime.timeout_us == Some(*time) => Some((*number, TimerKind::Timeout)),
                _ => None,
            }
        })
        .collect()
    }

    // --- changing ---

    /// Its record, to be changed.
    pub(crate) fn record_mut(&mut self) -> &mut ExecutionRecord {
        self.changed.execution = true;
        &mut self.record
    }

    /// Its record, for a change of params, vars or output.
    pub(crate) fn payloads_mut(&mut self) -> &mut ExecutionRecord {
        self.changed.payloads = true;
        self.record_mut()
    }

    /// A task execution, to be changed. Timers are changed by [`Self::set_timer`] only.
    pub(crate) fn task_mut(&mut self, number: u32) -> &mut Task {
        self.changed.tasks.entry(number).or_insert(false);
        let index = number as usize - 1;
        &mut self.tasks[index]
    }

    /// What is in memory only of a task execution, to be changed: no row is written for it.
    pub(crate) fn task_memory(&mut self, number: u32) -> &mut Task {
        let index = number as usize - 1;
        &mut self.tasks[index]
    }

    pub(crate) fn push_task(&mut self, task: Task) {
        let number = task.record.number;
        self.latest[task.spec] = Some(number);
        self.changed.tasks.insert(number, true);
        let progress = &mut self.record_mut().progress;
        progress.total += 1;
        count(progress, task.record.state, 1);
        if task.record.state == TaskState::Waiting {
            self.waiting.insert(number);
        }
        self.tasks.push(task);
    }

    pub(crate) fn push_action(&mut self, task: u32, action: ActionRecord) {
        self.changed.actions.insert((task, action.number), true);
        let memory = self.task_memory(task);
        if !action.state.is_final() {
            memory.active_actions.insert(action.number);
        }
        memory.record.actions.push(action);
    }

    /// Changes an action execution; the counters of its task follow.
    pub(crate) fn change_action(
        &mut self,
        task: u32,
        action: u32,
        change: impl FnOnce(&mut ActionRecord),
    ) {
        use crate::state::ActionState::{Cancelled, Error};
        self.changed.actions.entry((task, action)).or_insert(false);
        let memory = self.task_memory(task);
        let record = &mut memory.record.actions[action as usize - 1];
        let counts = |record: &ActionRecord| {
            let accepted = |counts: bool| u32::from(record.accepted && counts);
            (
                accepted(true),
                accepted(record.state == Cancelled),
                accepted(record.state == Error),
            )
        };
        let before = counts(record);
        change(record);
        let after = counts(record);
        memory.accepted = memory.accepted + after.0 - before.0;
        memory.accepted_cancelled = memory.accepted_cancelled + after.1 - before.1;
        memory.accepted_failed = memory.accepted_failed + after.2 - before.2;
        if record.state.is_final() {
            memory.active_actions.remove(&action);
        } else {
            memory.active_actions.insert(action);
        }
    }

    /// Changes the state of a task execution, with all that is counted by it.
    pub(crate) fn set_task_state(
        &mut self,
        number: u32,
        state: TaskState,
        info: Option<Arc<str>>,
        now_us: i64,
    ) {
        let info = info.map(|info| cut(&info));
        let task = self.task_mut(number);
        let from = task.record.state;
        task.record.state = state;
        task.record.state_info.clone_from(&info);
        task.record.updated_us = now_us;
        if state == TaskState::Running && task.record.started_us.is_none() {
            task.record.started_us = Some(now_us);
        }
        if from == state {
            return;
        }
        let progress = &mut self.record_mut().progress;
        count(progress, from, -1);
        count(progress, state, 1);
        if state == TaskState::Waiting {
            self.waiting.insert(number);
        } else {
            self.waiting.remove(&number);
        }
        let runtime = &self.task(number).record.runtime;
        let is_new = from == TaskState::Idle && !runtime.begun && runtime.attempts_before == 0;
        let kind = if is_new {
            let triggers = self.task(number).record.triggered_by.iter();
            HistoryKind::TaskCreated {
                state,
                triggered_by: triggers.map(|t| t.task).collect(),
            }
        } else {
            HistoryKind::TaskStateChanged {
                from,
                to: state,
                info,
            }
        };
        self.log(now_us, Some(number), kind);
    }

    /// Sets or clears what a task waits for.
    pub(crate) fn set_timer(&mut self, number: u32, due: Option<(TimerKind, i64)>) {
        let index = number as usize - 1;
        let runtime = &mut self.tasks[index].record.runtime;
        if runtime.due == due {
            return;
        }
        if let Some((_, time)) = runtime.due.take()
            && runtime.timeout_us != Some(time)
        {
            self.timers.remove(&(time, number));
        }
        runtime.due = due;
        self.timers.extend(due.map(|(_, time)| (time, number)));
        self.changed.tasks.entry(number).or_insert(false);
    }

    /// Sets or clears the time at which a task gives up.
    pub(crate) fn set_timeout(&mut self, number: u32, timeout_us: Option<i64>) {
        let index = number as usize - 1;
        let runtime = &mut self.tasks[index].record.runtime;
        if runtime.timeout_us == timeout_us {
            return;
        }
        if let Some(time) = runtime.timeout_us.take()
            && runtime.due.map(|(_, time)| time) != Some(time)
        {
            self.timers.remove(&(time, number));
        }
        runtime.timeout_us = timeout_us;
        self.timers.extend(timeout_us.map(|time| (time, number)));
        self.changed.tasks.entry(number).or_insert(false);
    }

    pub(crate) fn set_state(&mut self, state: ExecutionState, info: Option<Arc<str>>, now_us: i64) {
        let info = info.map(|info| cut(&info));
        let record = self.record_mut();
        let from = record.state;
        record.state = state;
        record.state_info.clone_from(&info);
        record.failure = None;
        record.updated_us = now_us;
        record.finished_us = state.is_final().then_some(now_us);
        if from != state {
            let kind = HistoryKind::ExecutionStateChanged {
                from,
                to: state,
                info,
            };
            self.log(now_us, None, kind);
        }
    }

    /// Appends to the history.
    pub(crate) fn log(&mut self, now_us: i64, task: Option<u32>, kind: HistoryKind) {
        self.log_by(now_us, task, None, kind);
    }

    /// Appends to the history something that somebody caused.
    pub(crate) fn log_by(
        &mut self,
        now_us: i64,
        task: Option<u32>,
        principal: Option<Arc<str>>,
        kind: HistoryKind,
    ) {
        let task_name = task.map(|number| self.task(number).record.name.clone());
        let run = self.record.run;
        let record = self.record_mut();
        record.last_sequence += 1;
        record.updated_us = record.updated_us.max(now_us);
        let sequence = record.last_sequence;
        let event = HistoryEvent {
            sequence,
            time_us: now_us,
            run,
            task,
            task_name,
            principal,
            kind,
        };
        self.history.push(event);
    }

    // --- committing ---

    /// Whether a commit must write anything.
    pub fn is_changed(&self) -> bool {
        let marks = &self.changed;
        marks.is_new || marks.execution || !marks.tasks.is_empty() || !marks.actions.is_empty()
    }

    /// The rows that a commit must write.
    pub fn changed(&self) -> Changed<'_> {
        let marks = &self.changed;
        let tasks = marks.tasks.iter();
        let actions = marks.actions.iter();
        Changed {
            record: &self.record,
            is_new: marks.is_new,
            row_changed: marks.execution,
            payloads_changed: marks.payloads,
            tasks: tasks
                .map(|(number, is_new)| (&self.task(*number).record, *is_new))
                .collect(),
            actions: actions
                .map(|((task, action), is_new)| {
                    let record = self.task(*task).action(*action);
                    (*task, record.expect("a marked action exists"), *is_new)
                })
                .collect(),
            history: &self.history,
        }
    }

    /// Forgets what was changed: it is committed.
    pub fn committed(&mut self) {
        self.changed = Marks::default();
        self.history.clear();
    }
}

/// Runners whose actions are repeated when an execution is loaded again.
pub(crate) fn is_repeated_after_restart(runner: Runner) -> bool {
    matches!(runner, Runner::Inline | Runner::Server)
}

fn cut(info: &Arc<str>) -> Arc<str> {
    match truncate(info, STATE_INFO_BYTES_MAX) {
        whole if whole.len() == info.len() => info.clone(),
        part => part.into(),
    }
}

fn count(progress: &mut Progress, state: TaskState, by: i32) {
    let counter = match state {
        TaskState::Idle
        | TaskState::Waiting
        | TaskState::Running
        | TaskState::Delayed
        | TaskState::Paused => &mut progress.active,
        TaskState::Success => &mut progress.success,
        TaskState::Error => &mut progress.error,
        TaskState::Cancelled => &mut progress.cancelled,
        TaskState::Skipped => &mut progress.skipped,
    };
    *counter = counter
        .checked_add_signed(by)
        .expect("each task is counted in exactly one state");
}

/// The result of a task as `task().result` and the API show it.
pub(crate) fn result_of(spec: &model::Task, record: &TaskRecord) -> Value {
    if record.runtime.result_dropped {
        return Value::Null;
    }
    if record.runtime.result_declared {
        let declared = record.actions.last().and_then(|last| last.output.as_ref());
        return declared.map_or(Value::Null, |output| output.value().clone());
    }
    let mut accepted: Vec<&ActionRecord> = record.actions.iter().filter(|a| a.accepted).collect();
    accepted.sort_by_key(|action| (action.index, action.number));
    let value = |action: &ActionRecord| {
        action
            .output
            .as_ref()
            .map_or(Value::Null, |output: &Data| output.value().clone())
    };
    match accepted.as_slice() {
        [single] if spec.with_items.is_empty() => value(single),
        all => all.iter().map(|action| value(action)).collect(),
    }
}
