//! The life cycle from outside: pause, resume, stop, cancel. Rerunning and skipping tasks has a
//! file of its own, `rerun`.
//!
//! | verb   | IDLE, RUNNING | PAUSED      | SUCCESS, ERROR | CANCELLED   |
//! |--------|---------------|-------------|----------------|-------------|
//! | pause  | PAUSED        | no change   | refused        | refused     |
//! | resume | no change     | RUNNING     | refused        | refused     |
//! | cancel | CANCELLED     | CANCELLED   | refused        | no change   |
//! | stop   | the outcome   | the outcome | refused        | refused     |

use std::sync::Arc;

use expr::{Dict, Value};

use super::transitions::Command;
use super::{Machine, Work};
use crate::data::Data;
use crate::error::Error;
use crate::event::{Caller, Verb};
use crate::failure::FailureKind;
use crate::history::HistoryKind;
use crate::state::{ActionState, ExecutionState, TaskState};

/// A change of the environment that was found to be possible.
pub(super) struct EnvChange {
    /// The start parameters with it.
    params: Data,
    /// Names of the changed variables.
    names: Vec<Arc<str>>,
}

impl Machine<'_> {
    /// Applies a verb, or refuses it.
    pub(super) fn verb(&mut self, verb: &Verb, caller: &Caller) -> Result<(), Error> {
        match verb {
            Verb::Pause => self.pause(verb, caller),
            Verb::Resume { env } => self.resume(verb, env.as_ref(), caller),
            Verb::Stop { outcome, message } => self.stop(verb, *outcome, message.clone(), caller),
            Verb::Rerun { task, reset, env } => {
                self.rerun(verb, *task, *reset, env.as_ref(), caller)
            }
            Verb::Skip { task, result } => self.skip(verb, *task, result.clone(), caller),
            Verb::Rollback { to } => self.roll_back(verb, *to, caller),
        }
    }

    fn pause(&mut self, verb: &Verb, caller: &Caller) -> Result<(), Error> {
        match self.ex.record.state {
            ExecutionState::Paused => return Ok(()),
            ExecutionState::Idle | ExecutionState::Running | ExecutionState::RollingBack => {}
            ExecutionState::Success
            | ExecutionState::Error
            | ExecutionState::Cancelled
            | ExecutionState::RolledBack => return Err(self.refused(verb)),
        }
        self.record_verb(verb, None, caller);
        self.pause_self(None);
        Ok(())
    }

    fn resume(&mut self, verb: &Verb, env: Option<&Data>, caller: &Caller) -> Result<(), Error> {
        match self.ex.record.state {
            ExecutionState::Idle | ExecutionState::Running | ExecutionState::RollingBack
                if env.is_none() =>
            {
                return Ok(());
            }
            ExecutionState::Paused => {}
            ExecutionState::Idle
            | ExecutionState::Running
            | ExecutionState::Success
            | ExecutionState::Error
            | ExecutionState::Cancelled
            | ExecutionState::RollingBack
            | ExecutionState::RolledBack => return Err(self.refused(verb)),
        }
        let change = self.changed_env(env)?;
        self.record_verb(verb, None, caller);
        self.change_env(change);
        self.tell_children(verb);
        self.resume_self();
        Ok(())
    }

    fn stop(
        &mut self,
        verb: &Verb,
        outcome: ExecutionState,
        message: Option<Arc<str>>,
        caller: &Caller,
    ) -> Result<(), Error> {
        match self.ex.record.state {
            ExecutionState::Cancelled if outcome == ExecutionState::Cancelled => return Ok(()),
            ExecutionState::Idle
            | ExecutionState::Running
            | ExecutionState::Paused
            | ExecutionState::RollingBack => {}
            ExecutionState::Success
            | ExecutionState::Error
            | ExecutionState::Cancelled
            | ExecutionState::RolledBack => return Err(self.refused(verb)),
        }
        let in_rollback = self.ex.record.is_in_rollback();
        // What is half undone has not succeeded.
        if in_rollback && outcome == ExecutionState::Success {
            return Err(self.refused(verb));
        }
        self.record_verb(verb, None, caller);
        match outcome {
            ExecutionState::Success => self.succeed_or_fail(message),
            ExecutionState::Cancelled => {
                self.cancelled(message);
                // One that rolls itself back instead has stopped its tasks already.
                if self.is_rolling_back() {
                    return Ok(());
                }
                self.tell_children(verb);
                self.cancel_tasks();
            }
            ExecutionState::Error
            | ExecutionState::Idle
            | ExecutionState::Running
            | ExecutionState::Paused
            | ExecutionState::RollingBack
            | ExecutionState::RolledBack => {
                self.fail(FailureKind::Stopped, message);
                if in_rollback {
                    self.cancel_tasks();
                }
            }
        }
        Ok(())
    }

    /// The refusal of a verb in the present state.
    pub(super) fn refused(&self, verb: &Verb) -> Error {
        let (verb, state) = (verb.name(), self.ex.record.state);
        Error::ExecutionState { verb, state }
    }

    /// Records who applied a verb, to the execution or to one of its tasks.
    pub(super) fn record_verb(&mut self, verb: &Verb, task: Option<u32>, caller: &Caller) {
        let kind = HistoryKind::VerbApplied {
            verb: verb.name().into(),
            reason: caller.reason.clone(),
            request_id: caller.request_id.clone(),
        };
        self.ex
            .log_by(self.now, task, caller.principal.clone(), kind);
    }

    /// Pauses this execution and its children.
    pub(super) fn pause_self(&mut self, info: Option<Arc<str>>) {
        self.tell_children(&Verb::Pause);
        self.ex.set_state(ExecutionState::Paused, info, self.now);
        self.tell_parent_paused(true);
    }

    /// Goes on where the pause has stopped.
    pub(super) fn resume_self(&mut self) {
        if self.ex.record.is_in_rollback() {
            self.resume_rollback();
            return;
        }
        self.ex.set_state(ExecutionState::Running, None, self.now);
        self.tell_parent_paused(false);
        self.go_on();
    }

    /// Goes on with the commands that waited, the tasks that were held back, and what follows from
    /// those that have ended since.
    pub(super) fn go_on(&mut self) {
        let mut commands = self.take_backlog();
        let mut ended = Vec::new();
        for record in self.ex.forward() {
            if record.state == TaskState::Idle {
                commands.push(Command::existing(record.number));
            } else if record.state.is_final() && !record.processed {
                ended.push(record.number);
            }
        }
        self.dispatch(commands);
        for task in ended {
            match self.ex.record.state {
                ExecutionState::Running => {}
                // It was paused again: the rest follows when it is resumed again.
                ExecutionState::Paused | ExecutionState::RollingBack => return,
                // It has ended again: nothing follows from the rest.
                ExecutionState::Idle
                | ExecutionState::Success
                | ExecutionState::Error
                | ExecutionState::Cancelled
                | ExecutionState::RolledBack => {
                    self.ex.task_mut(task).record.processed = true;
                    continue;
                }
            }
            match self.next_of(task) {
                Ok(next) => {
                    let record = &mut self.ex.task_mut(task).record;
                    record.error_handled = next.handles_error;
                    record.processed = true;
                    // Whoever resumes wants it to run: a `pause` that came meanwhile is past.
                    let commands = next.commands.into_iter().filter(|c| !c.is_pause());
                    self.dispatch(commands.collect());
                }
                Err(fault) => self.fault(task, fault),
            }
        }
        if !self.is_running() {
            return;
        }
        for join in self.ex.waiting.iter().copied().collect::<Vec<_>>() {
            self.later(Work::Refresh(join));
        }
    }

    /// The start parameters with a changed environment, and the names of what changes.
    pub(super) fn changed_env(&self, patch: Option<&Data>) -> Result<Option<EnvChange>, Error> {
        let Some(patch) = patch else { return Ok(None) };
        let refuse = |message: String| Error::Params {
            field: "env",
            message,
        };
        let Value::Dict(patch) = patch.value() else {
            let kind = patch.value().type_name();
            return Err(refuse(format!("must be an object, not {kind}")));
        };
        let mut env = self.ex.env().as_dict().cloned().unwrap_or_default();
        super::publish::merge_deep(&mut env, patch);
        let params = self.ex.record.params.value();
        let mut params: Dict = params.as_dict().cloned().unwrap_or_default();
        params.insert("env", Value::Dict(env));
        match self.data(Value::Dict(params), "the environment") {
            Ok(params) => Ok(Some(EnvChange {
                params,
                names: patch.keys().map(|key| key.to_text().into()).collect(),
            })),
            Err(fault) => Err(refuse(fault.into_message())),
        }
    }

    pub(super) fn change_env(&mut self, change: Option<EnvChange>) {
        if let Some(EnvChange { params, names }) = change {
            self.ex.payloads_mut().params = params;
            let kind = HistoryKind::EnvironmentChanged { names };
            self.ex.log(self.now, None, kind);
        }
    }

    /// Ends the tasks of a cancelled execution. Those with children end when their children do.
    fn cancel_tasks(&mut self) {
        let active = self.ex.tasks().filter(|record| !record.state.is_final());
        for task in active.map(|record| record.number).collect::<Vec<_>>() {
            if self.ex.task(task).record.is_workflow
                && !self.ex.task(task).active_actions.is_empty()
            {
                continue;
            }
            self.give_up_actions(task, ActionState::Cancelled, None);
            self.complete(
                task,
                TaskState::Cancelled,
                Some("The execution was cancelled.".into()),
            );
        }
    }
}
