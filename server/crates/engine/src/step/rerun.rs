//! Going on after a failure: running tasks again in place, skipping them, and opening what had
//! ended because of them.
//!
//! In which states of the execution, of the task that is named and of the executions above they are
//! allowed is said by `lifecycle`.
//!
//! What could not be undone is skipped by `rollback`.
//!
//! An execution that had ended is opened: it is RUNNING, in its next run, and so are all above it,
//! each with the task that the one below belongs to. They may not be in SUCCESS or PAUSED, which
//! [`check_ancestor`] finds out before anything is changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use definition::model::WorkflowType;
use expr::Value;

use super::Machine;
use crate::changes::Message;
use crate::data::Data;
use crate::error::Error;
use crate::event::{Caller, Event, Verb};
use crate::execution::Execution;
use crate::history::HistoryKind;
use crate::lifecycle::{self, Answer, Operation, Rule};
use crate::record::{ActionRecord, Runner, TaskRecord, TaskRuntime};
use crate::state::{ActionState, ExecutionState, TaskState};

/// Whether an execution can be opened because a verb is applied somewhere below it.
pub fn check_ancestor(execution: &Execution, verb: &Verb) -> Result<(), Error> {
    check_no_rollback(execution, verb)?;
    let (verb, state) = (verb.name(), execution.record.state);
    let Rule { answer, why } = lifecycle::rule_above(state);
    match answer {
        Answer::Refuse => Err(Error::AncestorState { verb, state, why }),
        Answer::Apply | Answer::NoChange => Ok(()),
    }
}

/// Refuses a verb for what runs forward as long as a rollback has begun and not ended.
fn check_no_rollback(execution: &Execution, verb: &Verb) -> Result<(), Error> {
    let record = &execution.record;
    if record.is_in_rollback() && record.state.is_final() {
        let (verb, state) = (verb.name(), record.state);
        return Err(Error::RollbackUnfinished { verb, state });
    }
    Ok(())
}

/// Whether the table allows an operation in the state of a task.
pub(super) fn check_task_state(
    verb: &Verb,
    operation: Operation,
    state: TaskState,
) -> Result<(), Error> {
    let verb = verb.name();
    match lifecycle::task_rule(operation, state) {
        Some(Rule {
            answer: Answer::Refuse,
            why,
        }) => Err(Error::TaskState { verb, state, why }),
        _ => Ok(()),
    }
}

/// What a rerun changes besides.
#[derive(Clone, Copy)]
pub(super) struct RerunChange<'a> {
    /// Variables to merge into the environment.
    pub(super) env: Option<&'a Data>,
    /// Fields to replace in the input of the task.
    pub(super) input: Option<&'a Data>,
}

impl Machine<'_> {
    pub(super) fn rerun(
        &mut self,
        verb: &Verb,
        task: Option<u32>,
        reset: bool,
        change: RerunChange<'_>,
        caller: &Caller,
    ) -> Result<(), Error> {
        check_no_rollback(self.ex, verb)?;
        let tasks = match task {
            Some(number) => {
                self.check_task(verb, number)?;
                vec![number]
            }
            None => self.tasks_to_rerun()?,
        };
        let env = self.changed_env(change.env)?;
        let names = input_names(task, change.input)?;
        self.open(verb, task, caller);
        self.change_env(env);
        for number in &tasks {
            // A join that could not run is looked at again; who names it wants it to run.
            let state = if task.is_none() && is_failed_join(self.ex, *number) {
                TaskState::Waiting
            } else {
                TaskState::Idle
            };
            self.renew(*number, reset, state);
            if let Some(input) = change.input {
                let runtime = &mut self.ex.task_mut(*number).record.runtime;
                runtime.input_patch = Some(input.text().clone());
                let names = names.clone();
                let kind = HistoryKind::InputChanged { names };
                self.ex.log(self.now, Some(*number), kind);
            }
        }
        self.reopen_joins(&tasks);
        self.go_on();
        Ok(())
    }

    pub(super) fn skip(
        &mut self,
        verb: &Verb,
        task: u32,
        result: Option<Data>,
        caller: &Caller,
    ) -> Result<(), Error> {
        if self
            .ex
            .find(task)
            .is_some_and(|found| found.record.is_undo())
        {
            return self.skip_undo(verb, task, result, caller);
        }
        check_no_rollback(self.ex, verb)?;
        self.check_task(verb, task)?;
        self.open(verb, Some(task), caller);
        self.give_up_actions(task, ActionState::Cancelled, None);
        if let Some(result) = result {
            self.declare_result(task, result);
        }
        self.forget_consequences(task);
        self.set_task_state(task, TaskState::Skipped, Some("Task was skipped.".into()));
        let now = self.now;
        self.ex.task_mut(task).record.finished_us = Some(now);
        let published = self.publish(task);
        if let Err(fault) = self.caught(task, published) {
            self.fault(task, fault);
            return Ok(());
        }
        self.reopen_joins(&[task]);
        self.go_on();
        Ok(())
    }

    /// Lets a task go on now that waits for time.
    pub(super) fn retry_now(
        &mut self,
        verb: &Verb,
        task: u32,
        caller: &Caller,
    ) -> Result<(), Error> {
        self.check_task(verb, task)?;
        let record = &self.ex.task(task).record;
        let Some((timer, _)) = record.runtime.due else {
            let (verb, state, why) = (verb.name(), record.state, lifecycle::NO_TIME);
            return Err(Error::TaskState { verb, state, why });
        };
        self.record_verb(verb, Some(task), caller);
        self.time_came(task, timer);
        Ok(())
    }

    /// Whether the verb is allowed in the state of the task that it names.
    pub(super) fn check_task(&self, verb: &Verb, number: u32) -> Result<(), Error> {
        let task = self.ex.find(number);
        let record = &task.ok_or(Error::TaskNotFound { number })?.record;
        let (state, is_undo) = (record.state, record.is_undo());
        if !record.counts() {
            let verb = verb.name();
            return Err(Error::TaskRolledBack {
                verb,
                state,
                is_undo,
            });
        }
        check_task_state(verb, verb.operation(), state)
    }

    /// The tasks that have kept the execution from succeeding.
    fn tasks_to_rerun(&self) -> Result<Vec<u32>, Error> {
        let failed = self.ex.forward().filter(|record| match record.state {
            TaskState::Error => !record.error_handled,
            TaskState::Cancelled => true,
            TaskState::Idle
            | TaskState::Waiting
            | TaskState::Running
            | TaskState::Delayed
            | TaskState::Paused
            | TaskState::Success
            | TaskState::Skipped => false,
        });
        let tasks: Vec<u32> = failed.map(|record| record.number).collect();
        let undecided = |record: &TaskRecord| record.state.is_final() && !record.processed;
        let goes_on = self.ex.record.progress.active > 0
            || !self.ex.record.backlog.is_empty()
            || self.ex.forward().any(undecided);
        if tasks.is_empty() && !goes_on {
            let state = self.ex.record.state;
            return Err(Error::NothingToRerun { state });
        }
        Ok(tasks)
    }

    /// Records the verb, and opens the execution if it had ended.
    fn open(&mut self, verb: &Verb, task: Option<u32>, caller: &Caller) {
        let had_ended = self.ex.record.state.is_final();
        if had_ended {
            self.ex.record_mut().run += 1;
        }
        self.record_verb(verb, task, caller);
        if had_ended {
            self.open_self(None);
        }
    }

    /// Opens the execution, and those above it: it has not ended after all.
    fn open_self(&mut self, info: Option<Arc<str>>) {
        self.ex.payloads_mut().output = None;
        self.ex.set_state(ExecutionState::Running, info, self.now);
        self.ex.release_timeouts(self.now);
        if let Some(parent) = self.ex.record.parent {
            let (task, action) = (parent.task.number, parent.number);
            let event = Event::ChildReopened { task, action };
            let to = parent.task.execution;
            self.out.messages.push(Message { to, event });
        }
        self.tell_children(&Verb::Resume { env: None });
        // Since it ended, the server may have been stopped, and what was under way with it.
        let busy = self.ex.busy.iter().copied();
        let running = busy.filter(|task| self.ex.task(*task).record.state == TaskState::Running);
        for task in running.collect::<Vec<_>>() {
            self.take_up_actions(task);
        }
    }

    /// Makes a task ready to begin anew, with all its policies.
    pub(super) fn renew(&mut self, task: u32, reset: bool, state: TaskState) {
        self.give_up_actions(task, ActionState::Cancelled, None);
        self.forget_consequences(task);
        let is_kept = |action: &ActionRecord| !reset && action.state == ActionState::Success;
        let with_items = self.is_undo(task) || !self.ex.spec(task).with_items.is_empty();
        let actions = self.ex.task(task).record.actions.iter();
        let forgotten =
            actions.filter(|action| action.accepted && !(with_items && is_kept(action)));
        for action in forgotten.map(|action| action.number).collect::<Vec<_>>() {
            self.ex
                .change_action(task, action, |record| record.accepted = false);
        }
        let is_join = self.ex.spec(task).join.is_some();
        if is_failed_join(self.ex, task) {
            self.gather_join(task);
        }
        let memory = self.ex.task_mut(task);
        let runtime = std::mem::take(&mut memory.record.runtime);
        let made = if is_join && !runtime.begun {
            0
        } else {
            runtime.retry_no + 1
        };
        memory.record.runtime = TaskRuntime {
            attempts_before: runtime.attempts_before + made,
            items: runtime.items,
            join_seen: runtime.join_seen,
            earlier: runtime.earlier,
            undo_of: runtime.undo_of,
            pins: runtime.pins,
            ..TaskRuntime::default()
        };
        memory.record.started_us = None;
        memory.items = None;
        memory.recount();
        let info = (state == TaskState::Waiting).then(|| "Task is waiting.".into());
        self.set_task_state(task, state, info);
    }

    /// Takes back what the end of a task has meant. The tasks that it has led to keep what they
    /// saw of it.
    fn forget_consequences(&mut self, task: u32) {
        self.ex.set_timer(task, None);
        self.ex.set_timeout(task, None);
        // A reverse workflow takes no transitions: a task leads to those that require it.
        let is_reverse = self.ex.workflow().workflow_type == WorkflowType::Reverse;
        let memory = self.ex.task_mut(task);
        let leads = is_reverse || !memory.record.next_tasks.is_empty();
        if leads && !memory.record.is_undo() {
            memory.begin_generation();
        }
        memory.outbound = None;
        let record = &mut memory.record;
        record.processed = false;
        record.error_handled = false;
        record.next_tasks.clear();
        record.published = None;
        record.finished_us = None;
    }

    /// Makes `result` the result of a task: as an action of its own, so that those that ran stay as
    /// they were.
    pub(super) fn declare_result(&mut self, task: u32, result: Data) {
        self.forget_results(task);
        let (input, runner) = (Data::empty_object(), Runner::External);
        let action = self.new_action(task, "skip".into(), input, 0, runner, None);
        let now = self.now;
        self.ex.change_action(task, action, |record| {
            record.state = ActionState::Success;
            record.output = Some(result);
            record.accepted = true;
            record.finished_us = Some(now);
        });
        let state = ActionState::Success;
        let kind = HistoryKind::ActionStateChanged { action, state };
        self.ex.log(self.now, Some(task), kind);
        self.ex.task_mut(task).record.runtime.result_declared = true;
    }

    /// Joins that could not run, and may now: those that can be reached from these tasks.
    fn reopen_joins(&mut self, tasks: &[u32]) {
        let workflow = self.ex.workflow().clone();
        let mut reached = vec![false; workflow.tasks.len()];
        let mut stack: Vec<usize> = tasks.iter().map(|task| self.ex.task(*task).spec).collect();
        let mut leads_to = vec![Vec::new(); workflow.tasks.len()];
        for (to, inbound) in workflow.graph.inbound.iter().enumerate() {
            for from in inbound {
                leads_to[*from].push(to);
            }
        }
        while let Some(spec) = stack.pop() {
            for to in &leads_to[spec] {
                if !std::mem::replace(&mut reached[*to], true) {
                    stack.push(*to);
                }
            }
        }
        for spec in (0..reached.len()).filter(|spec| reached[*spec]) {
            let Some(join) = self.ex.latest[spec] else {
                continue;
            };
            let record = &self.ex.task(join).record;
            if record.state == TaskState::Error && is_failed_join(self.ex, join) {
                self.renew(join, true, TaskState::Waiting);
                self.refresh_later(join);
            }
        }
    }

    /// A child that had ended goes on: so does its task, and the execution with it.
    pub(super) fn child_reopened(&mut self, task: u32, action: u32) {
        let known = self.ex.find(task).and_then(|found| found.action(action));
        if known.is_none_or(|record| !record.state.is_final()) {
            return;
        }
        if self.ex.record.state.is_final() {
            self.ex.record_mut().run += 1;
            self.open_self(Some("A sub-workflow goes on.".into()));
        }
        let state = ActionState::Running;
        self.ex.change_action(task, action, |record| {
            record.state = state;
            record.output = None;
            record.finished_us = None;
        });
        let kind = HistoryKind::ActionStateChanged { action, state };
        self.ex.log(self.now, Some(task), kind);
        let state = self.ex.task(task).record.state;
        let goes_on = matches!(state, TaskState::Running | TaskState::Paused);
        self.count_again(task, action, !goes_on);
        if !goes_on {
            self.forget_consequences(task);
            let runtime = &mut self.ex.task_mut(task).record.runtime;
            runtime.timed_out = false;
            runtime.begun = true;
            self.set_task_state(task, TaskState::Running, None);
        }
        self.reopen_joins(&[task]);
        self.go_on();
    }

    /// Makes an action that goes on count for the present attempt, whichever it began in, in place
    /// of those of its item that came after it. With `all`, the last action of every other item
    /// counts, too: what had ended too late to count, or did not because of a retry that is off.
    fn count_again(&mut self, task: u32, action: u32, all: bool) {
        let record = &self.ex.task(task).record;
        let present = record.runtime.attempt();
        let own = record.actions[action as usize - 1].clone();
        let count = record.runtime.items.unwrap_or(1);
        let others = record.actions.iter().filter(|a| all && a.index < count);
        let mut counting: BTreeMap<u32, u32> = others.map(|a| (a.index, a.number)).collect();
        counting.insert(own.index, action);
        for record in record.actions.clone() {
            let number = record.number;
            match counting.get(&record.index) {
                Some(counts) if *counts == number => {
                    self.ex.change_action(task, number, |record| {
                        record.attempt = present;
                        record.accepted = record.state.is_final();
                    });
                }
                Some(_) if record.accepted || record.attempt == present => {
                    self.ex.change_action(task, number, |record| {
                        record.attempt = record.attempt.min(own.attempt);
                        record.accepted = false;
                    });
                    if !record.state.is_final() {
                        self.cancel_child(task, number);
                    }
                }
                _ => {}
            }
        }
        self.ex.task_memory(task).recount();
    }
}

/// Whether a task is a join that never ran.
fn is_failed_join(execution: &Execution, task: u32) -> bool {
    let begun = execution.task(task).record.runtime.begun;
    !begun && execution.spec(task).join.is_some()
}

/// The names of the fields that are to replace those of the input of a task.
fn input_names(task: Option<u32>, input: Option<&Data>) -> Result<Vec<Arc<str>>, Error> {
    let refuse = |message: &str| Error::Params {
        field: "input",
        message: message.into(),
    };
    match (input.map(Data::value), task) {
        (None, _) => Ok(Vec::new()),
        (Some(_), None) => Err(refuse("is for one task, which must be named")),
        (Some(Value::Dict(fields)), Some(_)) => {
            Ok(fields.keys().map(|key| key.to_text().into()).collect())
        }
        (Some(other), Some(_)) => {
            let kind = other.type_name();
            Err(refuse(&format!("must be an object, not {kind}")))
        }
    }
}
