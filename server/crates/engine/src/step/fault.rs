//! What an error of an expression, or of what it gives, does to its task and to the execution.
//!
//! By Mistral's rules the whole execution fails by it, past `on-error`. Where the workflow says
//! `catch-expression-errors` it is an error of the task like any other; one that comes when the
//! task has ended already makes it an ERROR after all, and what follows is what follows from that.

use std::sync::Arc;

use expr::EvalError;

use super::Machine;
use super::transitions::Next;
use crate::failure::{Failure, FailureKind};
use crate::state::{ActionState, TaskState};

/// Why a task cannot go on.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The whole execution fails at once, past `on-error`: an expression, a shape or a name in the
    /// definition is wrong.
    Force(String),
    /// The same, of an expression or a limit.
    Evaluation(Failure, String),
    /// The task fails, and `on-error` applies.
    Task(String),
}

impl Fault {
    /// Which failure it is, if the execution fails by it.
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::Evaluation(failure, _) => failure.clone(),
            Self::Force(_) => FailureKind::Workflow.into(),
            Self::Task(_) => FailureKind::Task.into(),
        }
    }

    pub(crate) fn into_message(self) -> String {
        match self {
            Self::Force(message) | Self::Evaluation(_, message) | Self::Task(message) => message,
        }
    }
}

impl Fault {
    /// A limit that was hit, with its name and what it allows.
    pub(crate) fn limit(message: &str, name: &str, allowed: u64) -> Self {
        let message = format!("{message} [limit={name}, value={allowed}]");
        Self::Evaluation(Failure::limit(name, allowed), message)
    }
}

impl From<EvalError> for Fault {
    fn from(error: EvalError) -> Self {
        let failure = Failure::from(&error);
        match failure.limit {
            Some(limit) => Self::limit(&error.to_string(), &limit.name, limit.allowed),
            None => Self::Evaluation(failure, error.to_string()),
        }
    }
}

impl Machine<'_> {
    /// Ends a task that cannot go on.
    pub(crate) fn fault(&mut self, task: u32, fault: Fault) {
        let failure = fault.failure();
        match fault {
            Fault::Task(message) => self.complete(task, TaskState::Error, Some(message.into())),
            Fault::Force(message) | Fault::Evaluation(_, message) if self.catches(task) => {
                self.give_up_actions(task, ActionState::Cancelled, None);
                self.complete(task, TaskState::Error, Some(message.into()));
            }
            Fault::Force(message) | Fault::Evaluation(_, message) => {
                self.force_fail(task, failure, message.into());
            }
        }
    }

    /// The task and the whole execution fail at once, past `on-error`.
    fn force_fail(&mut self, task: u32, failure: Failure, info: Arc<str>) {
        self.ex.set_timer(task, None);
        self.ex.set_timeout(task, None);
        self.set_task_state(task, TaskState::Error, Some(info.clone()));
        let now = self.now;
        let record = &mut self.ex.task_mut(task).record;
        record.finished_us = Some(now);
        // Nothing follows from it, also if the execution is opened again.
        record.processed = true;
        // In a rollback a task that has failed stands where it is, and nothing else ends.
        if !self.ex.record.state.is_final() && !self.ex.record.is_in_rollback() {
            self.fail(failure, Some(info));
        }
    }

    /// Whether an error of an expression is the task's own. What undoes a task has no transitions
    /// that could handle one.
    pub(super) fn catches(&self, task: u32) -> bool {
        self.ex.workflow().catch_expression_errors && !self.is_undo(task)
    }

    /// Takes an error that has come while the task ended: the task goes on from there as one that
    /// has failed. Gives back what is not caught.
    pub(super) fn caught(&mut self, task: u32, result: Result<(), Fault>) -> Result<(), Fault> {
        match result {
            Err(fault) if self.catches(task) => {
                self.fails_after_all(task, fault);
                Ok(())
            }
            other => other,
        }
    }

    /// What follows from a task that has ended. A caught error in the transitions makes it one that
    /// has failed, whose `on-error` applies; after one in these nothing follows.
    pub(super) fn follows(&mut self, task: u32) -> Result<Next, Fault> {
        loop {
            let had_failed = self.ex.task(task).record.state == TaskState::Error;
            match self.next_of(task) {
                Err(fault) if self.catches(task) => self.fails_after_all(task, fault),
                other => return other,
            }
            if had_failed {
                return Ok(Next::default());
            }
        }
    }

    /// Puts a task into ERROR that has ended already. What has failed before stays part of the
    /// message, and a task that was cancelled stays cancelled.
    fn fails_after_all(&mut self, task: u32, fault: Fault) {
        let record = &self.ex.task(task).record;
        if record.state == TaskState::Cancelled {
            return;
        }
        let message = fault.into_message();
        let before = record.state_info.as_deref();
        let info = match before.filter(|_| record.state == TaskState::Error) {
            Some(before) if before == message => return,
            Some(before) => format!("{before}; and then: {message}"),
            None => message,
        };
        self.set_task_state(task, TaskState::Error, Some(info.into()));
    }
}
