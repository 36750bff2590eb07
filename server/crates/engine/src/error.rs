//! Why an event is refused. A refused event changes nothing.

use std::ops::Range;
use std::sync::Arc;

use expr::EvalError;

use crate::failure::Failure;
use crate::lease::LeaseEnd;
use crate::state::{ActionState, ExecutionState, TaskState};

/// Refusals of events; failures of a workflow are not errors but states.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The verb is not allowed in the state of the execution.
    #[error("cannot {verb} an execution in state {}: {why}", state.word())]
    ExecutionState {
        /// The verb.
        verb: &'static str,
        /// The state that it met.
        state: ExecutionState,
        /// Why not.
        why: &'static str,
    },
    /// The verb is not allowed in the state of the task execution.
    #[error("cannot {verb} a task execution in state {}: {why}", state.word())]
    TaskState {
        /// The verb.
        verb: &'static str,
        /// The state that it met.
        state: TaskState,
        /// Why not.
        why: &'static str,
    },
    /// The verb would open an execution whose parent, or one further up, cannot be opened.
    #[error("cannot {verb} below an execution in state {}: {why}", state.word())]
    AncestorState {
        /// The verb.
        verb: &'static str,
        /// The state of the execution above.
        state: ExecutionState,
        /// Why not.
        why: &'static str,
    },
    /// No task of the execution has failed or was cancelled, and nothing else is left to do.
    #[error("the execution in state {} has no task to run again", state.word())]
    NothingToRerun {
        /// The state of the execution.
        state: ExecutionState,
    },
    /// A rollback has begun, so nothing can run forward before it is at its end.
    #[error("cannot {verb} an execution whose rollback is not at its end: roll it back again")]
    RollbackUnfinished {
        /// The verb.
        verb: &'static str,
        /// The state that it met.
        state: ExecutionState,
    },
    /// The task execution was rolled back, or undoes another one.
    #[error("cannot {verb} a task execution that {}", standing(*.is_undo))]
    TaskRolledBack {
        /// The verb.
        verb: &'static str,
        /// The state that it met.
        state: TaskState,
        /// Whether it undoes another one.
        is_undo: bool,
    },
    /// A sub-workflow is rolled back with the execution that started it only.
    #[error("a sub-workflow is rolled back with the execution at the top of its tree only")]
    RollbackOfChild {
        /// The state of the execution.
        state: ExecutionState,
    },
    /// No such task execution.
    #[error("no task execution number {number}")]
    TaskNotFound {
        /// The number asked for.
        number: u32,
    },
    /// No such action execution.
    #[error("no action execution number {number}")]
    ActionNotFound {
        /// The number asked for.
        number: u32,
    },
    /// The lease of a worker has ended, or was never given.
    #[error("the lease of action execution {number} has ended: {}", .why.text())]
    LeaseLost {
        /// Number of the action execution.
        number: u32,
        /// Why.
        why: LeaseEnd,
    },
    /// The action execution is completed already, or cannot be changed from outside.
    #[error("cannot {verb} an action execution in state {}", state.word())]
    ActionState {
        /// What was tried.
        verb: &'static str,
        /// The state that it met.
        state: ActionState,
    },
    /// The action execution is run by the engine itself or stands for a sub-workflow.
    #[error("the action execution is not asynchronous")]
    ActionNotExternal,
    /// No such action.
    #[error("action {name:?} not found")]
    UnknownAction {
        /// Its name.
        name: Arc<str>,
        /// Where it was looked for first.
        namespace: Arc<str>,
    },
    /// The input does not fit the workflow, or the action that runs by itself.
    #[error("the input does not fit: {}", mismatch(missing, unexpected))]
    InputMismatch {
        /// Required inputs that were not given.
        missing: Vec<String>,
        /// Given inputs that are not declared.
        unexpected: Vec<String>,
    },
    /// The start parameters are wrong.
    #[error("{field}: {message}")]
    Params {
        /// Which one.
        field: &'static str,
        /// What is wrong.
        message: String,
    },
    /// An expression that is evaluated at the start fails, so there is nothing to start.
    #[error("{field}: {}", .fault.message)]
    NotEvaluated {
        /// What of the workflow it stands in.
        field: &'static str,
        /// What is wrong.
        fault: Box<NotEvaluated>,
    },
    /// The rules themselves have failed.
    #[error("a fault of the server")]
    Fault,
}

/// Why something could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotEvaluated {
    /// For people.
    pub message: String,
    /// What kind of failure, and the limit that was hit, if it was one.
    pub failure: Failure,
    /// The expression, where it is one that has failed.
    pub expression: Option<Arc<str>>,
    /// The part of the expression that has failed, in bytes, where known.
    pub span: Option<Range<usize>>,
}

impl From<EvalError> for NotEvaluated {
    fn from(error: EvalError) -> Self {
        Self {
            message: error.to_string(),
            failure: Failure::from(&error),
            expression: Some(error.expression),
            span: error.span,
        }
    }
}

fn standing(is_undo: bool) -> &'static str {
    if is_undo {
        "undoes another one"
    } else {
        "was rolled back"
    }
}

fn mismatch(missing: &[String], unexpected: &[String]) -> String {
    let part = |label: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("{label} {}", names.join(", ")))
    };
    let parts = [part("missing", missing), part("unexpected", unexpected)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
