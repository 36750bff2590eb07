//! Rolling back: what was done is undone, in the reverse of the order in which it has happened.
//!
//! In which states it can be asked for is said by `lifecycle`. One that has begun and was paused,
//! or has failed, goes on.
//!
//! What is left to do is not kept: it follows from the rows ([`crate::execution::Plan`]). Undoing a
//! task is a task execution of its own (`undo`). A rollback to a task ends in PAUSED: branches that
//! have nothing to do with that task stand still meanwhile, as in any paused execution.

use std::fmt::Write as _;
use std::sync::Arc;

use expr::Dict;

use super::rerun::check_task_state;
use super::{Machine, Work};
use crate::changes::Message;
use crate::data::Data;
use crate::error::Error;
use crate::event::{Caller, Event, Verb};
use crate::execution::Plan;
use crate::failure::{Failure, FailureKind};
use crate::lifecycle::Operation;
use crate::record::Rollback;
use crate::state::{ActionState, ExecutionState, TaskState};

/// Why tasks end that were under way.
const ROLLED_BACK: &str = "The execution is rolled back.";

/// Most failures that a message describes.
const FAILURES_SHOWN_MAX: usize = 20;

impl Machine<'_> {
    /// Rolls back because somebody asks for it.
    pub(super) fn roll_back(
        &mut self,
        verb: &Verb,
        to: Option<u32>,
        caller: &Caller,
    ) -> Result<(), Error> {
        let state = self.ex.record.state;
        if self.ex.record.parent.is_some() {
            return Err(Error::RollbackOfChild { state });
        }
        if state == ExecutionState::Paused && self.ex.record.is_in_rollback() {
            self.record_verb(verb, None, caller);
            self.tell_children(&Verb::Resume { env: None });
            self.resume_rollback();
            return Ok(());
        }
        if let Some(number) = to {
            self.check_task(verb, number)?;
        }
        self.record_verb(verb, to, caller);
        if to.is_some() && state.is_final() {
            // It goes on afterwards: that is another run, as when a task is run again.
            self.ex.record_mut().run += 1;
        }
        self.begin_rollback(to, false);
        Ok(())
    }

    /// Takes a task for undone that could not be, and goes on with the others.
    pub(super) fn skip_undo(
        &mut self,
        verb: &Verb,
        undo: u32,
        result: Option<Data>,
        caller: &Caller,
    ) -> Result<(), Error> {
        let record = &self.ex.record;
        let Some(rollback) = record.rollback.clone().filter(|_| record.is_in_rollback()) else {
            // It is left over from a rollback that is over.
            let (verb, state) = (verb.name(), self.ex.task(undo).record.state);
            let is_undo = true;
            return Err(Error::TaskRolledBack {
                verb,
                state,
                is_undo,
            });
        };
        check_task_state(verb, Operation::SkipUndo, self.ex.task(undo).record.state)?;
        self.record_verb(verb, Some(undo), caller);
        if let Some(result) = result {
            self.declare_result(undo, result);
        }
        let info = "Task was skipped.";
        self.set_task_state(undo, TaskState::Skipped, Some(info.into()));
        self.undo_ended(undo);
        self.begin_rollback(rollback.to, rollback.by_parent);
        Ok(())
    }

    /// Rolls back because the parent does.
    pub(super) fn roll_back_for_parent(&mut self) {
        match self.ex.record.state {
            ExecutionState::RolledBack => {
                if let Some(rollback) = &mut self.ex.record_mut().rollback {
                    rollback.by_parent = true;
                }
                self.tell_parent_of_end();
            }
            _ => self.begin_rollback(None, true),
        }
    }

    /// Rolls back instead of ending, because the workflow says so.
    pub(super) fn roll_back_instead(
        &mut self,
        state: ExecutionState,
        info: Option<Arc<str>>,
        failure: Option<Failure>,
        output: Data,
    ) {
        self.ex.payloads_mut().output = Some(output);
        self.ex.record_mut().rollback = Some(Rollback {
            ended: Some(state),
            info,
            failure,
            ..Rollback::default()
        });
        self.begin_rollback(None, false);
    }

    /// Stops what runs forward, and lets the unwinding begin or go on.
    fn begin_rollback(&mut self, to: Option<u32>, by_parent: bool) {
        let was = self.ex.record.state;
        let record = self.ex.record_mut();
        let begun = record.rollback.take().unwrap_or_else(|| Rollback {
            ended: record.state.is_final().then_some(record.state),
            info: record
                .state_info
                .clone()
                .filter(|_| record.state.is_final()),
            failure: record.failure.clone(),
            ..Rollback::default()
        });
        record.rollback = Some(Rollback {
            to,
            by_parent,
            ..begun
        });
        if to.is_some() {
            self.ex.payloads_mut().output = None;
        }
        self.go_back();
        if was == ExecutionState::Paused {
            self.tell_parent_paused(false, false);
        }
        let plan = Plan::of(self.ex, to);
        self.stop_forward(&plan, was.is_final());
        // What has failed to be undone before is tried again, with all its policies.
        let undos = plan.left().filter_map(|task| self.undo_of(task));
        for undo in undos.collect::<Vec<_>>() {
            let state = self.ex.task(undo).record.state;
            if matches!(state, TaskState::Error | TaskState::Cancelled) {
                self.renew(undo, false, TaskState::Idle);
                self.later(Work::Begin(undo));
            }
        }
        self.ex.plan = Some(plan);
    }

    /// Makes the state `ROLLING_BACK`, which still says why the execution had ended.
    fn go_back(&mut self) {
        let rollback = self.ex.record.rollback.clone().unwrap_or_default();
        let state = ExecutionState::RollingBack;
        self.ex.set_state(state, rollback.info, self.now);
        self.ex.record_mut().failure = rollback.failure;
    }

    /// Cancels what is under way of the tasks that are to be undone. The others stand still: what
    /// they wait for goes on, and is taken up where that may have been lost since the execution had
    /// ended.
    fn stop_forward(&mut self, plan: &Plan, had_ended: bool) {
        for task in self.ex.under_way() {
            let memory = self.ex.task(task);
            if memory.record.is_undo() {
                continue;
            }
            if plan.has(task) {
                self.give_up_actions(task, ActionState::Cancelled, None);
                self.cancel_if_idle(task, ROLLED_BACK);
                continue;
            }
            let actions = memory.active_actions.iter();
            let children = actions.filter_map(|number| memory.action(*number)?.child);
            let children: Vec<_> = children.collect();
            if had_ended {
                self.take_up_actions(task);
            }
            for to in children {
                let timeouts_run = false;
                let (verb, caller) = (Verb::Pause { timeouts_run }, self.caller.clone());
                let event = Event::Verb { verb, caller };
                self.out.messages.push(Message { to, event });
            }
        }
    }

    /// Undoes one more task that can be undone now; ends the rollback if nothing is left, or
    /// nothing more can be done. False if there is something to wait for.
    pub(super) fn unwind(&mut self) -> bool {
        let to = self.ex.record.rollback.as_ref().and_then(|r| r.to);
        let plan = self.ex.plan.take();
        let mut plan = plan.unwrap_or_else(|| Plan::of(self.ex, to));
        let Some(task) = plan.take() else {
            return self.nothing_ready(plan);
        };
        self.cancel_if_idle(task, ROLLED_BACK);
        if !self.ex.task(task).active_actions.is_empty() {
            // A child of it will report its end.
            plan.hold(task);
        } else if self.undo_of(task).is_none() && !self.begin_undo(task) {
            self.ex.set_rolled_back(task);
            plan.rolled_back(self.ex, task);
        }
        self.ex.plan = Some(plan);
        true
    }

    /// Ends the rollback unless something is waited for, which is false.
    fn nothing_ready(&mut self, mut plan: Plan) -> bool {
        if plan.is_done() {
            self.rollback_done();
            return true;
        }
        let is_stuck = !plan.has_held() && self.ex.record.progress.undoing == 0;
        if is_stuck && self.has_failed(&plan) {
            self.rollback_failed(&plan);
            return true;
        }
        let goes_on = is_stuck && plan.break_circle();
        self.ex.plan = Some(plan);
        goes_on
    }

    /// Takes note that undoing a task has come to its end.
    pub(super) fn undo_ended(&mut self, undo: u32) {
        let record = &mut self.ex.task_mut(undo).record;
        record.processed = true;
        let is_undone = matches!(record.state, TaskState::Success | TaskState::Skipped);
        let Some(task) = record.runtime.undo_of.filter(|_| is_undone) else {
            return;
        };
        self.ex.set_rolled_back(task);
        if let Some(mut plan) = self.ex.plan.take() {
            plan.rolled_back(self.ex, task);
            self.ex.plan = Some(plan);
        }
    }

    /// Goes on after a pause.
    pub(super) fn resume_rollback(&mut self) {
        self.go_back();
        self.ex.release_timeouts(self.now);
        self.tell_parent_paused(false, false);
        let held = self.ex.tasks();
        let held = held.filter(|record| record.is_undo() && record.state == TaskState::Idle);
        for undo in held.map(|record| record.number).collect::<Vec<_>>() {
            self.later(Work::Begin(undo));
        }
    }

    /// What undoes a task, if that has begun.
    fn undo_of(&self, task: u32) -> Option<u32> {
        self.ex.task(task).record.runtime.undone_by
    }

    fn has_failed(&self, plan: &Plan) -> bool {
        let mut undos = plan.left().filter_map(|task| self.undo_of(task));
        undos.any(|undo| self.ex.task(undo).record.state.is_final())
    }

    fn rollback_done(&mut self) {
        let rollback = self.ex.record.rollback.clone().unwrap_or_default();
        if let Some(to) = rollback.to {
            self.stand_at(to);
            return;
        }
        self.ex.record_mut().backlog.clear();
        let output = self.output_of_rollback(rollback.info.as_ref());
        let state = ExecutionState::RolledBack;
        self.end(state, rollback.failure, rollback.info, output);
    }

    /// Leaves the execution as if the task had just ended while it was paused.
    fn stand_at(&mut self, to: u32) {
        let record = &mut self.ex.task_mut(to).record;
        record.processed = false;
        record.error_handled = false;
        record.next_tasks.clear();
        let name = record.name.clone();
        let backlog = std::mem::take(&mut self.ex.record_mut().backlog);
        let stays = |task: u32| task != to && self.ex.task(task).record.counts();
        let kept: Vec<_> = backlog
            .into_iter()
            .filter(|command| stays(command.trigger.task))
            .collect();
        self.ex.record_mut().backlog = kept;
        self.ex.end_rollback();
        let info = format!("Rolled back to task '{name}'.");
        let state = ExecutionState::Paused;
        self.ex.set_state(state, Some(info.into()), self.now);
        // While undone tasks counted as gone, nothing has looked at the joins that stay.
        let joins = self.ex.tasks();
        let joins = joins.filter(|record| record.state == TaskState::Waiting && record.counts());
        for join in joins.map(|record| record.number).collect::<Vec<_>>() {
            self.refresh_later(join);
        }
    }

    fn rollback_failed(&mut self, plan: &Plan) {
        let left: Vec<u32> = plan
            .left()
            .filter(|task| self.can_be_undone(*task))
            .collect();
        let mut names: Vec<&str> = left
            .iter()
            .map(|task| &*self.ex.task(*task).record.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        let names = names.join(", ");
        let mut message = format!("Rollback failed. Tasks still to undo: {names}\n");
        let undos = left.iter().filter_map(|task| self.undo_of(*task));
        for undo in undos.take(FAILURES_SHOWN_MAX) {
            let record = &self.ex.task(undo).record;
            let id = self.ex.task_id(undo);
            let info = record.state_info.as_deref().unwrap_or("no message");
            let _ = write!(message, "\n  {} [task_ex_id={id}] -> {info}\n", record.name);
        }
        let message: Arc<str> = message.into();
        let output = self.output_of_rollback(Some(&message));
        let (state, kind) = (ExecutionState::Error, FailureKind::Rollback);
        self.end(state, Some(kind.into()), Some(message), output);
    }

    /// What is rolled back keeps the output that it had.
    fn output_of_rollback(&self, message: Option<&Arc<str>>) -> Option<Data> {
        let had = self.ex.record.output.clone();
        had.or_else(|| Some(self.output_with_result(message, &Dict::new())))
    }
}
