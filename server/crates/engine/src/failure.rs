//! Kinds of failure: why an execution ended in ERROR, in a word that programs can tell apart.
//! The text for people is the state info.

use expr::EvalErrorKind;

use crate::words::words;

words! {
    /// Why an execution ended in ERROR.
    FailureKind {
        /// Tasks failed and nothing handled it.
        Task = "task_error",
        /// An expression could not be evaluated.
        Expression = "expression_error",
        /// An expression read inside binary data.
        PayloadOpaque = "payload_opaque",
        /// A limit was hit: of an expression, of the size of data, of tasks or of nesting.
        Limit = "limit_exceeded",
        /// The command `fail` was reached.
        FailCommand = "fail_command",
        /// It was stopped with this outcome from outside.
        Stopped = "stopped",
        /// Undoing a task has failed, and others are still to be undone.
        Rollback = "rollback_failed",
        /// It was terminated from outside; then its state is CANCELLED.
        Terminated = "terminated",
        /// Anything else that is wrong with the definition or its data: an unknown action, input
        /// that does not fit, a shape.
        Workflow = "workflow_error",
        /// A fault of the server, which has put the execution aside.
        Internal = "internal_error",
    }
}

impl From<EvalErrorKind> for FailureKind {
    fn from(kind: EvalErrorKind) -> Self {
        match kind {
            EvalErrorKind::Opaque => Self::PayloadOpaque,
            EvalErrorKind::Limit(_) => Self::Limit,
            _ => Self::Expression,
        }
    }
}
