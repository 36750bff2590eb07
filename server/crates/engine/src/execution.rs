//! The live state of one execution: its records, and what follows from them.
//!
//! Everything that changes a record goes through here, so that what must be written is known:
//! [`Execution::changed`] lists it, [`Execution::committed`] forgets it.

mod clock;
mod plan;
mod rollback;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use definition::model;
use expr::{Dict, Value};

use crate::branch::Branch;
use crate::commit::{Marks, TaskChange};
use crate::event::Caller;
use crate::history::{HistoryEvent, HistoryKind};
use crate::id::{ActionId, ExecutionUid, TaskId};
use crate::limits::{STATE_INFO_BYTES_MAX, truncate};
use crate::record::{
    ActionRecord, DefinitionRef, Edge, ExecutionRecord, Progress, Runner, TaskRecord, Trigger,
};
use crate::state::{ActionState, ExecutionState, TaskState};
use crate::step::{Wanted, Work};
use crate::task::Task;
use crate::world::Definition;

pub(crate) use plan::Plan;

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
    /// Ad-hoc actions that were called, by name in the call, from the outside in.
    pub(crate) pins: BTreeMap<Arc<str>, Vec<DefinitionRef>>,
    /// Tasks that are not final, by number.
    pub(crate) active: BTreeSet<u32>,
    /// Joins that wait, by number.
    pub(crate) waiting: BTreeSet<u32>,
    /// Tasks that are paused, by number.
    pub(crate) paused: BTreeSet<u32>,
    /// Tasks of which actions are not final, by number. The task itself may be.
    pub(crate) busy: BTreeSet<u32>,
    /// Times at which something is due, with the task that it is about.
    timers: BTreeSet<(i64, u32)>,
    /// Of a reverse workflow, what its target needs; found out when it is needed first.
    pub(crate) wanted: Option<Wanted>,
    /// What a rollback that is under way has still to undo; made from the rows when it is needed.
    pub(crate) plan: Option<Plan>,
    /// Steps that are left to do.
    pub(crate) work: VecDeque<Work>,
    /// Joins that are decided once no other step is left: those that can never run, as it looks,
    /// and after them those of all active branches, which are marked.
    pub(crate) late: BTreeSet<(bool, u32)>,
    pub(crate) changed: Marks,
    /// The state that its row says; `None` if it has none yet.
    pub(crate) stored_state: Option<ExecutionState>,
    pub(crate) history: Vec<HistoryEvent>,
}

/// The start parameter that orders executions where they wait for workers, and how far it goes to
/// either side.
pub(crate) const PRIORITY: &str = "priority";
pub(crate) const PRIORITY_MAX: i32 = 100;

/// A priority, if the value is one.
pub(crate) fn priority_of(value: &Value) -> Option<i32> {
    match value {
        Value::Int(number) => i32::try_from(*number)
            .ok()
            .filter(|number| (-PRIORITY_MAX..=PRIORITY_MAX).contains(number)),
        _ => None,
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
            pins: BTreeMap::new(),
            active: BTreeSet::new(),
            waiting: BTreeSet::new(),
            paused: BTreeSet::new(),
            busy: BTreeSet::new(),
            timers: BTreeSet::new(),
            wanted: None,
            plan: None,
            work: VecDeque::new(),
            late: BTreeSet::new(),
            changed: Marks {
                is_new: true,
                execution: true,
                payloads: true,
                details: true,
                ..Marks::default()
            },
            stored_state: None,
            history: Vec::new(),
        }
    }

    /// An execution from its stored record; its tasks follow by [`Self::restore_task`].
    pub(crate) fn stored(record: ExecutionRecord, definition: Arc<Definition>) -> Self {
        let mut stored = Self {
            changed: Marks::default(),
            stored_state: Some(record.state),
            ..Self::new(record, definition)
        };
        // Counted again with the tasks, since earlier versions have not stored it.
        stored.record.progress.running_actions = 0;
        stored
    }

    pub(crate) fn restore_task(&mut self, task: Task) {
        let number = task.record.number;
        // While it is rolled back, an execution still sees what it had done.
        if task.record.counts() || (self.record.rollback.is_some() && !task.record.is_undo()) {
            self.latest[task.spec] = Some(number);
        }
        self.sort_in(number, task.record.state);
        if !task.active_actions.is_empty() {
            self.busy.insert(number);
        }
        let runtime = &task.record.runtime;
        let pins = runtime.pins.iter();
        self.pins
            .extend(pins.map(|pin| (pin.call.clone(), pin.chain.clone())));
        if !task.record.state.is_final() {
            let due = runtime.due.map(|(_, time)| time);
            self.timers.extend(
                due.into_iter()
                    .chain(runtime.timeout_us)
                    .map(|at| (at, number)),
            );
        }
        let running = task
            .record
            .actions
            .iter()
            .filter(|action| is_running(action));
        let running = running.count() + task.record.runtime.undrained.len();
        self.record.progress.running_actions += u32::try_from(running).unwrap_or(0);
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

    /// Whether steps are left to do without any event from outside.
    pub fn has_work(&self) -> bool {
        !self.work.is_empty() || !self.late.is_empty() || self.unwinds()
    }

    /// Whether it is finished, with nothing left to do.
    pub fn is_finished(&self) -> bool {
        self.record.state.is_final() && !self.has_work()
    }

    /// Whether it is paused and nothing runs any more, in it or below.
    pub fn is_drained(&self) -> bool {
        self.record.is_drained() && !self.has_work()
    }

    /// Children that are not known to be finished.
    pub fn active_children(&self) -> Vec<ExecutionUid> {
        let busy = self.busy.iter().map(|number| self.task(*number));
        let active = busy.flat_map(|task| {
            task.active_actions
                .iter()
                .filter_map(|number| task.action(*number)?.child)
        });
        active.collect()
    }

    /// The action execution that waits for the end of a child.
    pub fn waits_for(&self, child: ExecutionUid) -> Option<ActionId> {
        let mut active = self.active_actions();
        active.find(|id| {
            let action = self.task(id.task.number).action(id.number);
            action.is_some_and(|action| action.child == Some(child))
        })
    }

    /// Action executions that are not final.
    pub fn active_actions(&self) -> impl Iterator<Item = ActionId> {
        self.busy.iter().flat_map(|task| {
            let id = self.task_id(*task);
            let numbers = self.task(*task).active_actions.iter();
            numbers.map(move |number| ActionId {
                task: id,
                number: *number,
            })
        })
    }

    pub(crate) fn workflow(&self) -> &Arc<model::Workflow> {
        &self.definition.workflow
    }

    pub(crate) fn spec(&self, number: u32) -> &model::Task {
        self.spec_in(&self.definition.workflow, number)
    }

    /// The task executions that count for what the execution has done.
    pub(crate) fn forward(&self) -> impl Iterator<Item = &TaskRecord> {
        self.tasks().filter(|record| record.counts())
    }

    /// Tasks that are not final, or whose actions are not, in order of their numbers.
    pub(crate) fn under_way(&self) -> Vec<u32> {
        self.active.union(&self.busy).copied().collect()
    }

    /// The number of the next task execution.
    pub(crate) fn next_number(&self) -> u32 {
        u32::try_from(self.tasks.len()).unwrap_or(u32::MAX - 1) + 1
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

    /// The edge from a task, as it is now.
    pub(crate) fn edge_from(&self, task: u32, event: Edge) -> Trigger {
        let generation = self.task(task).generation();
        Trigger {
            task,
            event,
            generation,
        }
    }

    /// What a task sees through one edge: what was published when it was taken.
    pub(crate) fn seen_through(&self, trigger: Trigger) -> Branch {
        let from = self.task(trigger.task);
        let earlier = from.earlier.get(trigger.generation as usize);
        earlier.cloned().unwrap_or_else(|| from.outbound())
    }

    /// The environment: the dict under `env` of the start parameters.
    pub(crate) fn env(&self) -> Value {
        self.record
            .params
            .value()
            .get("env")
            .unwrap_or_else(|| Value::Dict(Dict::new()))
    }

    /// Its priority among those that wait for workers: 0 unless a start parameter says otherwise.
    pub(crate) fn priority(&self) -> i32 {
        let given = self.record.params.value().get(PRIORITY);
        given.as_ref().and_then(priority_of).unwrap_or(0)
    }

    // --- changing ---

    /// Forgets the steps that are left to do.
    pub(crate) fn drop_work(&mut self) {
        self.late.clear();
        for work in std::mem::take(&mut self.work) {
            if let Work::Refresh(join) = work {
                self.task_memory(join).looked_at_later = false;
            }
        }
    }

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

    /// Its record, for a change of labels or description.
    pub(crate) fn details_mut(&mut self) -> &mut ExecutionRecord {
        self.changed.details = true;
        self.record_mut()
    }

    /// A task execution, to be changed. Timers are changed by [`Self::set_timer`] only.
    pub(crate) fn task_mut(&mut self, number: u32) -> &mut Task {
        self.changed.task(number, TaskChange::Known);
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
        self.changed.task(number, TaskChange::New);
        let is_undo = task.record.is_undo();
        let progress = &mut self.record_mut().progress;
        progress.total += u32::from(!is_undo);
        count(progress, is_undo, task.record.state, 1);
        if !is_undo {
            self.latest[task.spec] = Some(number);
        }
        self.sort_in(number, task.record.state);
        self.tasks.push(task);
    }

    /// Lists a task by its state.
    fn sort_in(&mut self, number: u32, state: TaskState) {
        let lists = [
            (&mut self.active, !state.is_final()),
            (&mut self.waiting, state == TaskState::Waiting),
            (&mut self.paused, state == TaskState::Paused),
        ];
        for (list, belongs) in lists {
            if belongs {
                list.insert(number);
            } else {
                list.remove(&number);
            }
        }
    }

    pub(crate) fn push_action(&mut self, task: u32, action: ActionRecord) {
        if action.in_task_row {
            self.changed.task(task, TaskChange::NewAction);
        } else {
            self.changed.actions.insert((task, action.number), true);
        }
        if is_running(&action) {
            self.record_mut().progress.running_actions += 1;
        }
        if !action.state.is_final() {
            self.busy.insert(task);
            self.task_memory(task).active_actions.insert(action.number);
        }
        self.task_memory(task).record.actions.push(action);
    }

    /// Changes an action execution; the counters of its task follow.
    pub(crate) fn change_action(
        &mut self,
        task: u32,
        action: u32,
        change: impl FnOnce(&mut ActionRecord),
    ) {
        use ActionState::{Cancelled, Error};
        if self.task(task).record.actions[action as usize - 1].in_task_row {
            self.changed.task(task, TaskChange::Known);
        } else {
            self.changed.actions.entry((task, action)).or_insert(false);
        }
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
        let (ran, was_paused) = (is_running(record), record.state == ActionState::Paused);
        change(record);
        let after = counts(record);
        let (runs, paused) = (is_running(record), record.state == ActionState::Paused);
        memory.accepted = memory.accepted + after.0 - before.0;
        memory.accepted_cancelled = memory.accepted_cancelled + after.1 - before.1;
        memory.accepted_failed = memory.accepted_failed + after.2 - before.2;
        let more = i32::from(paused) - i32::from(was_paused);
        memory.paused_actions = memory.paused_actions.wrapping_add_signed(more);
        if record.state.is_final() {
            memory.active_actions.remove(&action);
        } else {
            memory.active_actions.insert(action);
        }
        if memory.active_actions.is_empty() {
            self.busy.remove(&task);
            self.plan.iter_mut().for_each(|plan| plan.release(task));
        } else {
            self.busy.insert(task);
        }
        if ran != runs {
            let running = &mut self.record_mut().progress.running_actions;
            *running = running.wrapping_add_signed(i32::from(runs) - i32::from(ran));
        }
        if !paused {
            self.set_undrained(task, action, false);
        }
    }

    /// Remembers whether something still runs in a paused sub-workflow.
    pub(crate) fn set_undrained(&mut self, task: u32, action: u32, undrained: bool) {
        let known = &self.task(task).record.runtime.undrained;
        if known.contains(&action) == undrained {
            return;
        }
        let known = &mut self.task_mut(task).record.runtime.undrained;
        if undrained {
            known.insert(action);
            self.record_mut().progress.running_actions += 1;
        } else {
            known.remove(&action);
            self.record_mut().progress.running_actions -= 1;
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
        let is_undo = self.task(number).record.is_undo();
        let progress = &mut self.record_mut().progress;
        count(progress, is_undo, from, -1);
        count(progress, is_undo, state, 1);
        self.sort_in(number, state);
        let runtime = &self.task(number).record.runtime;
        let is_new = from == TaskState::Idle && !runtime.begun && runtime.attempts_before == 0;
        let kind = if is_new {
            let triggers = self.task(number).record.triggered_by.iter();
            HistoryKind::TaskCreated {
                state,
                triggered_by: triggers.map(|t| t.task).collect(),
                undo_of: self.task(number).record.runtime.undo_of,
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

    pub(crate) fn set_state(&mut self, state: ExecutionState, info: Option<Arc<str>>, now_us: i64) {
        let info = info.map(|info| cut(&info));
        self.plan = None;
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
        self.log_by(now_us, task, &Caller::default(), kind);
    }

    /// Appends to the history something that somebody caused.
    pub(crate) fn log_by(
        &mut self,
        now_us: i64,
        task: Option<u32>,
        caller: &Caller,
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
            principal: caller.principal.clone(),
            identity: caller.identity.clone(),
            kind,
        };
        self.history.push(event);
    }
}

fn is_running(action: &ActionRecord) -> bool {
    action.state == ActionState::Running
}

/// Runners whose actions are repeated when an execution is loaded again.
pub(crate) fn is_repeated_after_restart(runner: Runner) -> bool {
    matches!(runner, Runner::Inline | Runner::Server | Runner::Worker)
}

fn cut(info: &Arc<str>) -> Arc<str> {
    match truncate(info, STATE_INFO_BYTES_MAX) {
        whole if whole.len() == info.len() => info.clone(),
        part => part.into(),
    }
}

fn count(progress: &mut Progress, is_undo: bool, state: TaskState, by: i32) {
    let counter = match state {
        TaskState::Success | TaskState::Skipped if is_undo => return,
        TaskState::Error | TaskState::Cancelled if is_undo => &mut progress.undo_failed,
        _ if is_undo => &mut progress.undoing,
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
