//! The end of an action execution, and its pauses from outside.

use std::sync::Arc;

use super::{Fault, Machine};
use crate::data::Data;
use crate::error::Error;
use crate::event::{ActionVerb, Caller, Outcome, Source};
use crate::history::HistoryKind;
use crate::id::ActionId;
use crate::record::{ActionRecord, Runner};
use crate::state::{ActionState, TaskState};

impl Machine<'_> {
    /// Takes the end of an action from outside the engine.
    pub(super) fn action_done(
        &mut self,
        task: u32,
        action: u32,
        outcome: Outcome,
        source: Source,
    ) -> Result<(), Error> {
        let record = self.external_action(task, action)?;
        let (runner, state) = (record.runner, record.state);
        let caller = match source {
            Source::Worker(report) => return self.worker_done(task, action, outcome, *report),
            Source::External(caller) => Some(caller),
            Source::Server => None,
        };
        if state.is_final() {
            if caller.is_some() {
                return Err(Error::ActionState {
                    verb: "complete",
                    state,
                });
            }
            // The server's own action came too late, which is nobody's mistake.
            let reason = format!("the action execution is already {}", state.word());
            let kind = HistoryKind::ResultIgnored {
                action,
                reason: reason.into(),
            };
            self.ex.log(self.now, Some(task), kind);
            return Ok(());
        }
        if caller.is_some() && matches!(runner, Runner::Server | Runner::Worker) {
            self.out.cancels.push(ActionId {
                task: self.ex.task_id(task),
                number: action,
            });
        }
        self.action_ended_by(task, action, outcome, &caller.unwrap_or_default());
        Ok(())
    }

    /// Takes note that somebody outside ends the action. If they have done so already, nothing is
    /// left to note.
    pub(super) fn action_handed_over(&mut self, task: u32, action: u32) -> Result<(), Error> {
        let record = self.external_action(task, action)?;
        if !record.state.is_final() {
            self.ex
                .change_action(task, action, |record| record.runner = Runner::External);
        }
        Ok(())
    }

    /// An action execution that somebody outside may change.
    pub(super) fn external_action(&self, task: u32, action: u32) -> Result<&ActionRecord, Error> {
        let found = self
            .ex
            .find(task)
            .ok_or(Error::TaskNotFound { number: task })?;
        let record = found
            .action(action)
            .ok_or(Error::ActionNotFound { number: action })?;
        match record.runner {
            Runner::Server | Runner::External | Runner::Worker => Ok(record),
            Runner::Inline | Runner::Child => Err(Error::ActionNotExternal),
        }
    }

    /// Records the end of an action that nobody outside has ended.
    pub(super) fn action_ended(&mut self, task: u32, action: u32, outcome: Outcome) {
        self.action_ended_by(task, action, outcome, &Caller::default());
    }

    /// Records the end of an action and what its task makes of it.
    fn action_ended_by(&mut self, task: u32, action: u32, outcome: Outcome, by: &Caller) {
        let outcome = match self.finished_outcome(task, action, outcome) {
            Ok(outcome) => outcome,
            Err(fault) => {
                let failure = fault.failure();
                let message = fault.into_message();
                let output = Some(Data::string(&message));
                if !self.record_end((task, action), ActionState::Error, output, by) {
                    return;
                }
                if self.catches(task) {
                    self.task_after_action(task, ActionState::Error, Some(message.into()));
                } else {
                    self.fault(task, Fault::Evaluation(failure, message));
                }
                return;
            }
        };
        let (state, output) = match outcome {
            Outcome::Success(data) => (ActionState::Success, Some(data)),
            Outcome::Error(data) => (ActionState::Error, Some(data)),
            Outcome::Cancelled => (ActionState::Cancelled, None),
        };
        let info = match (&state, &output) {
            (ActionState::Error, Some(data)) => Some(data.value().to_text().into()),
            _ => None,
        };
        if self.record_end((task, action), state, output, by) {
            self.task_after_action(task, state, info);
        }
    }

    /// The outcome as it counts: within the limits, and through the ad-hoc actions.
    fn finished_outcome(&self, task: u32, action: u32, outcome: Outcome) -> Result<Outcome, Fault> {
        let record = self
            .ex
            .task(task)
            .action(action)
            .expect("an action that ends exists");
        match outcome {
            Outcome::Success(data) => {
                self.check_size(&data, "the result of the action")?;
                if !self.ex.pins.contains_key(&record.name) {
                    return Ok(Outcome::Success(data));
                }
                let value = self.ad_hoc_output(task, &record.name, data.value().clone())?;
                Ok(Outcome::Success(
                    self.data(value, "the result of the action")?,
                ))
            }
            Outcome::Error(data) => {
                self.check_size(&data, "the error result of the action")?;
                Ok(Outcome::Error(data))
            }
            Outcome::Cancelled => Ok(Outcome::Cancelled),
        }
    }

    /// Records the end of an action. True if it counts for its task: what ends after its task, or
    /// belongs to an attempt before the task was rerun, does not.
    pub(super) fn record_end(
        &mut self,
        (task, action): (u32, u32),
        state: ActionState,
        output: Option<Data>,
        by: &Caller,
    ) -> bool {
        let now = self.now;
        let memory = self.ex.task(task);
        let attempt = memory.action(action).map(|action| action.attempt);
        let is_present = attempt == Some(memory.record.runtime.attempt());
        let counts = is_present && !memory.record.state.is_final();
        self.ex.change_action(task, action, |record| {
            record.state = state;
            record.output = output;
            record.accepted = counts;
            record.finished_us = Some(now);
        });
        let kind = HistoryKind::ActionStateChanged { action, state };
        self.ex.log_by(self.now, Some(task), by, kind);
        counts
    }

    /// What the end of one of its actions means for a task.
    pub(super) fn task_after_action(
        &mut self,
        task: u32,
        state: ActionState,
        info: Option<Arc<str>>,
    ) {
        if self.is_undo(task) {
            self.unit_ended(task, info);
            return;
        }
        if !self.ex.spec(task).with_items.is_empty() {
            self.item_ended(task);
            return;
        }
        let state = match state {
            ActionState::Success => TaskState::Success,
            ActionState::Error => TaskState::Error,
            ActionState::Cancelled => TaskState::Cancelled,
            ActionState::Running | ActionState::Paused => return,
        };
        self.complete(task, state, info);
    }

    /// Pauses or cancels an asynchronous action, or lets it go on; the task and the execution
    /// follow.
    pub(super) fn action_verb(
        &mut self,
        task: u32,
        action: u32,
        verb: ActionVerb,
        caller: &Caller,
    ) -> Result<(), Error> {
        let record = self.external_action(task, action)?;
        let (state, runner) = (record.state, record.runner);
        if runner != Runner::External && verb != ActionVerb::Cancel {
            return Err(Error::ActionNotExternal);
        }
        if state.is_final() {
            let verb = match verb {
                ActionVerb::Pause => "pause",
                ActionVerb::Resume => "resume",
                ActionVerb::Cancel => "cancel",
            };
            return Err(Error::ActionState { verb, state });
        }
        self.record_caller(verb.name(), Some(task), caller);
        match verb {
            ActionVerb::Pause => self.child_paused(task, action, true, false),
            ActionVerb::Resume => self.child_paused(task, action, false, false),
            ActionVerb::Cancel => {
                let source = Source::External(Box::new(caller.clone()));
                return self.action_done(task, action, Outcome::Cancelled, source);
            }
        }
        Ok(())
    }
}
