//! The life cycle from outside: pause, resume, stop, cancel, terminate, and what is said of the
//! execution. In which state each is allowed is said by `lifecycle`. Rerunning and skipping tasks
//! has a file of its own, `rerun`.

use std::collections::BTreeMap;
use std::sync::Arc;

use definition::model::WorkflowType;
use expr::{Dict, Value};

use super::Machine;
use super::rerun::RerunChange;
use super::transitions::Command;
use crate::data::Data;
use crate::error::Error;
use crate::event::{Caller, Verb};
use crate::failure::FailureKind;
use crate::history::HistoryKind;
use crate::lifecycle::{self, Answer, Operation};
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
        match lifecycle::rule(self.operation(verb), self.ex.record.state).answer {
            Answer::NoChange => return Ok(()),
            Answer::Refuse => return Err(self.refused(verb)),
            Answer::Apply => {}
        }
        match verb {
            Verb::Pause { timeouts_run } => {
                self.record_verb(verb, None, caller);
                self.pause_self(None, *timeouts_run);
            }
            Verb::Resume { env } => {
                let change = self.changed_env(env.as_ref())?;
                self.record_verb(verb, None, caller);
                self.change_env(change);
                self.tell_children(&Verb::Resume { env: None });
                self.resume_self();
            }
            Verb::Stop { outcome, .. }
                if *outcome != ExecutionState::Cancelled && self.ex.record.is_in_rollback() =>
            {
                let (verb, state) = (verb.name(), self.ex.record.state);
                return Err(Error::RollbackUnfinished { verb, state });
            }
            Verb::Stop { outcome, message } => {
                self.record_verb(verb, None, caller);
                self.stop(verb, *outcome, message.clone());
            }
            Verb::Terminate { message } => {
                self.record_verb(verb, None, caller);
                self.tell_children(verb);
                self.terminated(message.as_ref());
            }
            Verb::Rerun {
                task,
                reset,
                env,
                input,
            } => {
                let (env, input) = (env.as_ref(), input.as_ref());
                let change = RerunChange { env, input };
                return self.rerun(verb, *task, *reset, change, caller);
            }
            Verb::Skip { task, result } => return self.skip(verb, *task, result.clone(), caller),
            Verb::Rollback { to } => return self.roll_back(verb, *to, caller),
            Verb::Retry { task } => return self.retry_now(verb, *task, caller),
            Verb::Update {
                labels,
                description,
                env,
            } => {
                let change = self.changed_env(env.as_ref())?;
                self.record_verb(verb, None, caller);
                self.change_env(change);
                self.describe(labels.as_ref(), description.as_ref());
            }
        }
        Ok(())
    }

    fn stop(&mut self, verb: &Verb, outcome: ExecutionState, message: Option<Arc<str>>) {
        match outcome {
            ExecutionState::Success => self.succeed_or_fail(message),
            ExecutionState::Cancelled => {
                self.cancelled(message);
                // One that rolls itself back instead has stopped its tasks already.
                if self.is_rolling_back() {
                    return;
                }
                self.tell_children(verb);
                self.cancel_tasks();
            }
            ExecutionState::Error
            | ExecutionState::Idle
            | ExecutionState::Running
            | ExecutionState::Paused
            | ExecutionState::RollingBack
            | ExecutionState::RolledBack => self.fail(FailureKind::Stopped.into(), message),
        }
    }

    /// Changes what is said of the execution.
    fn describe(
        &mut self,
        labels: Option<&BTreeMap<Arc<str>, Arc<str>>>,
        description: Option<&Arc<str>>,
    ) {
        let record = self.ex.details_mut();
        if let Some(labels) = labels {
            record.labels.clone_from(labels);
        }
        if let Some(description) = description {
            record.description.clone_from(description);
        }
    }

    /// The row of a verb in the table: what it means for a task depends on what that is.
    fn operation(&self, verb: &Verb) -> Operation {
        let is_undo = |task: &u32| {
            self.ex
                .find(*task)
                .is_some_and(|task| task.record.is_undo())
        };
        match verb {
            Verb::Skip { task, .. } if is_undo(task) => Operation::SkipUndo,
            _ => verb.operation(),
        }
    }

    /// The refusal of a verb in the present state.
    pub(super) fn refused(&self, verb: &Verb) -> Error {
        let state = self.ex.record.state;
        let why = lifecycle::rule(self.operation(verb), state).why;
        let verb = verb.name();
        Error::ExecutionState { verb, state, why }
    }

    /// Records who applied a verb, to the execution or to one of its tasks.
    pub(super) fn record_verb(&mut self, verb: &Verb, task: Option<u32>, caller: &Caller) {
        self.record_caller(verb.name(), task, caller);
    }

    /// Records who has done something, to the execution or to one of its tasks.
    pub(super) fn record_caller(&mut self, verb: &str, task: Option<u32>, caller: &Caller) {
        let kind = HistoryKind::VerbApplied {
            verb: verb.into(),
            reason: caller.reason.clone(),
            request_id: caller.request_id.clone(),
        };
        self.ex.log_by(self.now, task, caller, kind);
    }

    /// Pauses this execution and its children.
    pub(super) fn pause_self(&mut self, info: Option<Arc<str>>, timeouts_run: bool) {
        self.tell_children(&Verb::Pause { timeouts_run });
        // Whatever was said of an earlier pause: this is another one.
        self.was_drained = false;
        if !timeouts_run {
            self.ex.hold_timeouts(self.now);
        }
        self.ex.set_state(ExecutionState::Paused, info, self.now);
        self.tell_parent_paused(true, timeouts_run);
    }

    /// Goes on where the pause has stopped.
    pub(super) fn resume_self(&mut self) {
        if self.ex.record.is_in_rollback() {
            self.resume_rollback();
            return;
        }
        self.ex.set_state(ExecutionState::Running, None, self.now);
        self.ex.release_timeouts(self.now);
        self.tell_parent_paused(false, false);
        self.go_on();
    }

    /// Goes on with the commands that waited, the tasks that were held back, and what follows from
    /// those that have ended since.
    pub(super) fn go_on(&mut self) {
        let mut commands = self.take_backlog();
        if self.ex.workflow().workflow_type == WorkflowType::Reverse {
            commands.extend(self.satisfied_tasks(None));
        }
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
            match self.follows(task) {
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
        self.refresh_joins();
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
        for task in self.ex.active.iter().copied().collect::<Vec<_>>() {
            // The children were told already, and by whom.
            if !self.ex.task(task).record.is_workflow {
                self.give_up_actions(task, ActionState::Cancelled, None);
            }
            self.cancel_if_idle(task, "The execution was cancelled.");
        }
    }
}
