//! The end of a task: publishing, the policies after it, and what follows from it.

use std::sync::Arc;

use super::{Fault, Machine};
use crate::data::Data;
use crate::history::HistoryKind;
use crate::id::ActionId;
use crate::record::Runner;
use crate::state::{ActionState, ExecutionState, TaskState};

impl Machine<'_> {
    /// Ends a task. Policies may turn the end into another one, or into a wait.
    pub(super) fn complete(&mut self, task: u32, state: TaskState, info: Option<Arc<str>>) {
        if self.ex.task(task).record.state.is_final() {
            return;
        }
        self.set_task_state(task, state, info);
        let mut published = self.publish_and_drop(task);
        if published.is_err() && state == TaskState::Success && self.catches(task) {
            // It has failed, so it publishes what it publishes then.
            published = self.caught(task, published);
            published = published.and_then(|()| self.publish_and_drop(task));
        }
        let result = self.caught(task, published);
        let result = result.and_then(|()| self.after_task(task));
        self.close_unless_held(task, result);
    }

    fn publish_and_drop(&mut self, task: u32) -> Result<(), Fault> {
        self.publish(task)?;
        self.drop_result(task)
    }

    /// Goes on with a task after `wait-after`.
    pub(super) fn complete_after_wait(&mut self, task: u32) {
        let Some((state, info)) = self.ex.task_mut(task).record.runtime.after_wait.take() else {
            return;
        };
        self.set_task_state(task, state, info);
        let result = self.after_task(task);
        self.close_unless_held(task, result);
    }

    /// Ends a task none of whose actions is under way. Those with children end when these do.
    pub(super) fn cancel_if_idle(&mut self, task: u32, why: &str) {
        let memory = self.ex.task(task);
        if !memory.record.state.is_final() && memory.active_actions.is_empty() {
            self.complete(task, TaskState::Cancelled, Some(why.into()));
        }
    }

    fn close_unless_held(&mut self, task: u32, result: Result<(), Fault>) {
        let result = self.caught(task, result).and_then(|()| {
            if self.ex.task(task).record.state.is_final() {
                self.close(task)
            } else {
                Ok(())
            }
        });
        if let Err(fault) = result {
            self.fault(task, fault);
        }
    }

    /// Decides what follows from a task that has ended for good.
    fn close(&mut self, task: u32) -> Result<(), Fault> {
        self.ex.set_timer(task, None);
        self.ex.set_timeout(task, None);
        let now = self.now;
        self.ex.task_mut(task).record.finished_us = Some(now);
        if self.is_undo(task) {
            self.undo_ended(task);
            return Ok(());
        }
        match self.ex.record.state {
            ExecutionState::Running => {}
            // What follows is decided when the execution is resumed, unless it is undone.
            ExecutionState::Paused | ExecutionState::RollingBack => return Ok(()),
            ExecutionState::Idle
            | ExecutionState::Success
            | ExecutionState::Error
            | ExecutionState::Cancelled
            | ExecutionState::RolledBack => {
                self.ex.task_mut(task).record.processed = true;
                return Ok(());
            }
        }
        let next = self.follows(task)?;
        let record = &mut self.ex.task_mut(task).record;
        record.error_handled = next.handles_error;
        record.processed = true;
        self.dispatch(next.commands);
        self.refresh_joins_after(task);
        Ok(())
    }

    /// `keep-result: false`: the result is dropped once it was published.
    fn drop_result(&mut self, task: u32) -> Result<(), Fault> {
        let workflow = self.ex.workflow().clone();
        let Some(keep) = &self.ex.spec_in(&workflow, task).keep_result else {
            return Ok(());
        };
        if self.eval_for(keep, task)?.truthy() {
            return Ok(());
        }
        let kept: Vec<u32> = {
            let actions = self.ex.task(task).record.actions.iter();
            // What a sub-workflow gave is its own output, which stays where it is.
            actions
                .filter(|action| action.output.is_some() && action.child.is_none())
                .map(|action| action.number)
                .collect()
        };
        self.ex.task_mut(task).record.runtime.result_dropped = !kept.is_empty();
        for action in kept {
            self.ex
                .change_action(task, action, |record| record.output = None);
        }
        Ok(())
    }

    /// Gives up the running actions of a task: their results are no longer wanted. Children are
    /// cancelled and report that themselves.
    pub(super) fn give_up_actions(&mut self, task: u32, state: ActionState, output: Option<&Data>) {
        let active: Vec<u32> = self.ex.task(task).active_actions.iter().copied().collect();
        for action in active {
            let runner = self
                .ex
                .task(task)
                .action(action)
                .expect("active actions exist")
                .runner;
            match runner {
                Runner::Child => {
                    self.cancel_child(task, action);
                    continue;
                }
                Runner::Server | Runner::Worker => {
                    let task = self.ex.task_id(task);
                    self.out.cancels.push(ActionId {
                        task,
                        number: action,
                    });
                }
                Runner::Inline | Runner::External => {}
            }
            self.give_up(task, action, state, output);
        }
    }

    /// Gives up the running actions of a task, children too, without waiting for any of them. The
    /// children are told by who calls this.
    pub(super) fn abandon_actions(&mut self, task: u32) {
        let active: Vec<u32> = self.ex.task(task).active_actions.iter().copied().collect();
        for number in active {
            let record = self.ex.task(task).action(number);
            let is_ours = |runner| matches!(runner, Runner::Server | Runner::Worker);
            if record.is_some_and(|record| is_ours(record.runner)) {
                let task = self.ex.task_id(task);
                self.out.cancels.push(ActionId { task, number });
            }
            self.give_up(task, number, ActionState::Cancelled, None);
        }
    }

    fn give_up(&mut self, task: u32, action: u32, state: ActionState, output: Option<&Data>) {
        let now = self.now;
        self.ex.change_action(task, action, |record| {
            record.state = state;
            record.output = output.cloned();
            record.finished_us = Some(now);
        });
        let kind = HistoryKind::ActionStateChanged { action, state };
        self.ex.log(now, Some(task), kind);
    }
}
