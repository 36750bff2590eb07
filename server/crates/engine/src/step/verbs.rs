//! The life cycle from outside: pause, resume, stop, cancel.
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

impl Machine<'_> {
    /// Applies a verb, or refuses it.
    pub(super) fn verb(&mut self, verb: &Verb, caller: &Caller) -> Result<(), Error> {
        let state = self.ex.record.state;
        let refused = Err(Error::ExecutionState {
            verb: verb.name(),
            state,
        });
        match (verb, state) {
            (Verb::Pause, ExecutionState::Paused)
            | (Verb::Resume { env: None }, ExecutionState::Running | ExecutionState::Idle)
            | (
                Verb::Stop {
                    outcome: ExecutionState::Cancelled,
                    ..
                },
                ExecutionState::Cancelled,
            ) => return Ok(()),
            (Verb::Resume { env: Some(_) }, ExecutionState::Running | ExecutionState::Idle)
            | (_, ExecutionState::Success | ExecutionState::Error | ExecutionState::Cancelled) => {
                return refused;
            }
            (Verb::Resume { .. }, ExecutionState::Paused)
            | (
                Verb::Pause | Verb::Stop { .. },
                ExecutionState::Idle | ExecutionState::Running | ExecutionState::Paused,
            ) => {}
        }
        let change = match verb {
            Verb::Resume { env: Some(patch) } => Some(self.changed_env(patch)?),
            Verb::Resume { env: None } | Verb::Pause | Verb::Stop { .. } => None,
        };
        self.record_verb(verb, caller);
        match verb {
            Verb::Pause => self.pause_self(None),
            Verb::Resume { .. } => {
                if let Some((params, names)) = change {
                    self.ex.payloads_mut().params = params;
                    self.ex
                        .log(self.now, None, HistoryKind::EnvironmentChanged { names });
                }
                self.tell_children(verb);
                self.resume_self();
            }
            Verb::Stop { outcome, message } => self.stop(*outcome, message.clone()),
        }
        Ok(())
    }

    fn record_verb(&mut self, verb: &Verb, caller: &Caller) {
        let kind = HistoryKind::VerbApplied {
            verb: verb.name().into(),
            reason: caller.reason.clone(),
            request_id: caller.request_id.clone(),
        };
        self.ex
            .log_by(self.now, None, caller.principal.clone(), kind);
    }

    /// Pauses this execution and its children.
    pub(super) fn pause_self(&mut self, info: Option<Arc<str>>) {
        self.tell_children(&Verb::Pause);
        self.ex.set_state(ExecutionState::Paused, info, self.now);
        self.tell_parent_paused(true);
    }

    /// Goes on where the pause has stopped: with the commands that waited, the tasks that were held
    /// back, and what follows from those that have ended since.
    pub(super) fn resume_self(&mut self) {
        self.ex.set_state(ExecutionState::Running, None, self.now);
        self.tell_parent_paused(false);
        let mut commands = self.take_backlog();
        let mut ended = Vec::new();
        for record in self.ex.tasks() {
            if record.state == TaskState::Idle {
                commands.push(Command::existing(record.number));
            } else if record.state.is_final() && !record.processed {
                ended.push(record.number);
            }
        }
        for task in ended {
            match self.next_of(task) {
                Ok(next) => {
                    let record = &mut self.ex.task_mut(task).record;
                    record.error_handled = next.handles_error;
                    record.processed = true;
                    // Whoever resumes wants it to run: a `pause` that came meanwhile is past.
                    commands.extend(next.commands.into_iter().filter(|c| !c.is_pause()));
                }
                Err(fault) => self.fault(task, fault),
            }
        }
        if !self.is_running() {
            return;
        }
        self.dispatch(commands);
        for join in self.ex.waiting.iter().copied().collect::<Vec<_>>() {
            self.later(Work::Refresh(join));
        }
    }

    /// The start parameters with a changed environment, and the names of what changes.
    fn changed_env(&self, patch: &Data) -> Result<(Data, Vec<Arc<str>>), Error> {
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
            Ok(params) => Ok((
                params,
                patch.keys().map(|key| key.to_text().into()).collect(),
            )),
            Err(fault) => Err(refuse(fault.into_message())),
        }
    }

    fn stop(&mut self, outcome: ExecutionState, message: Option<Arc<str>>) {
        match outcome {
            ExecutionState::Success => self.succeed_or_fail(message),
            ExecutionState::Cancelled => {
                let child_message = message.clone();
                self.cancelled(message);
                let verb = Verb::Stop {
                    outcome,
                    message: child_message,
                };
                self.tell_children(&verb);
                self.cancel_tasks();
            }
            ExecutionState::Error
            | ExecutionState::Idle
            | ExecutionState::Running
            | ExecutionState::Paused => self.fail(FailureKind::Stopped, message),
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
