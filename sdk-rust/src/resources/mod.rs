//! What the server keeps, as plain data: executions, tasks, definitions.
//!
//! Owns the types and their reading from the wire. Left to others: asking for them (`client`,
//! `handle`). Every type can be written as JSON with the field names of the contract; parts that the
//! server did not send are left out.

mod action;
mod batch;
mod definition;
mod environment;
mod execution;
mod insight;
mod system;
mod task;
mod time;
mod worker;

pub use action::Action;
pub use batch::{BatchError, BatchOperation, BatchPreview};
pub use definition::{
    Diagnostic, DocumentKind, InputParameter, Severity, Validation, WorkbookRecord,
    WorkflowRevision,
};
pub use environment::Environment;
pub use execution::{Execution, Failure, LimitHit, Progress};
pub use insight::{
    ActionNode, Cause, CauseKind, ExecutionGraph, ExecutionNode, Explanation, GraphStatistics,
    TaskNode,
};
pub use system::{Cluster, ClusterServer, ServerInfo};
pub use task::{ActionExecution, ActionLease, TaskExecution};
pub use worker::{Queue, QueueLimits, WorkerRecord, WorkerWait};

pub(crate) use time::{serialize_time, to_duration, to_time};

/// `None` for the empty text that stands for "not set" on the wire.
pub(crate) fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
