//! Why a call is refused, in words that know nothing of gRPC.
//!
//! Left to others: codes, reasons and details (`status`).

use std::sync::Arc;
use std::time::Duration;

use definition::Diagnostic;
use engine::LeaseEnd;

use super::filter;
use crate::driver;

/// A refusal. Conversions and handlers give it; `status` turns it into a status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// A field is missing, malformed or out of range.
    #[error("{field}: {description}")]
    InvalidField {
        /// Path of the field in the request.
        field: String,
        /// What it should be.
        description: String,
    },
    /// The document has errors.
    #[error("the document has {} errors", .0.len())]
    InvalidDefinition(Vec<Diagnostic>),
    /// The document is too long.
    #[error("the document has {actual} bytes, {limit} are allowed")]
    DefinitionTooLarge {
        /// Most bytes.
        limit: usize,
        /// Its bytes.
        actual: usize,
    },
    /// The filter does not parse.
    #[error(transparent)]
    InvalidFilter(#[from] filter::Error),
    /// The page token is malformed or belongs to another request.
    #[error("page token {0}")]
    InvalidPageToken(&'static str),
    /// What came after the place in a token is no longer kept.
    #[error("the changes after this token are no longer kept: start anew and list what there is")]
    HistoryTrimmed,
    /// Events that were asked for are no longer kept.
    #[error("the events before number {earliest} are no longer kept: start with a snapshot")]
    EventsTrimmed {
        /// Number of the first one that is.
        earliest: i64,
    },
    /// A payload is not what it says it is.
    #[error("{field}: {description}")]
    PayloadInvalid {
        /// Path of the field in the request.
        field: &'static str,
        /// What is wrong.
        description: String,
    },
    /// A payload is too long.
    #[error("{field} has {actual} bytes, {limit} are allowed")]
    PayloadTooLarge {
        /// Path of the field in the request.
        field: &'static str,
        /// Most bytes.
        limit: usize,
        /// Its bytes.
        actual: usize,
    },
    /// The resource is too large for one answer.
    #[error(
        "the answer would have {actual} bytes, {limit} are allowed: ask for fewer payloads with \
         read_mask or the BASIC view, or list the actions of the task"
    )]
    AnswerTooLarge {
        /// Most bytes.
        limit: usize,
        /// Its bytes.
        actual: usize,
    },
    /// An expression hits one of its limits.
    #[error("{limit} ({} allows {allowed})", .limit.name())]
    ExpressionLimit {
        /// Which one.
        limit: expr::Limit,
        /// How much it allows.
        allowed: u64,
    },
    /// No such workbook.
    #[error("workbook {name:?} not found")]
    WorkbookNotFound {
        /// Its name.
        name: Arc<str>,
        /// Where it was looked for.
        namespace: Arc<str>,
    },
    /// No such batch operation.
    #[error("batch operation {id:?} not found")]
    BatchNotFound {
        /// Its id.
        id: Arc<str>,
    },
    /// No such task execution.
    #[error("task execution {id:?} not found")]
    TaskNotFound {
        /// Its id.
        id: String,
    },
    /// No such action execution.
    #[error("action execution {id:?} not found")]
    ActionNotFound {
        /// Its id.
        id: String,
    },
    /// The lease of a task has ended.
    #[error("the lease has ended: {}", .0.text())]
    LeaseLost(LeaseEnd),
    /// No such worker.
    #[error("worker {id:?} not found")]
    WorkerNotFound {
        /// Its id.
        id: Arc<str>,
    },
    /// No such queue.
    #[error("queue {name:?} not found")]
    QueueNotFound {
        /// Its name.
        name: Arc<str>,
    },
    /// The queue was changed since it was read.
    #[error("queue {name:?} was changed meanwhile")]
    QueueChanged {
        /// Its name.
        name: Arc<str>,
    },
    /// The name is of a built-in action, which no request changes.
    #[error("action {name:?} is built in")]
    ActionIsSystem {
        /// Its name.
        name: Arc<str>,
    },
    /// Executions of the workflow are running.
    #[error("{executions} executions of workflow {name:?} are running")]
    DefinitionInUse {
        /// Its name.
        name: Arc<str>,
        /// How many.
        executions: i64,
    },
    /// A stream was opened, and nothing came over it.
    #[error("the first message has not come within {} s", .0.as_secs())]
    HelloLate(Duration),
    /// A part of the API that this server does not have.
    #[error("{0} is not supported by this server")]
    NotSupported(&'static str),
    /// The driver refuses it.
    #[error(transparent)]
    Driver(#[from] driver::Error),
}

impl Fault {
    /// A single field that is wrong.
    pub(crate) fn field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::InvalidField {
            field: field.into(),
            description: description.into(),
        }
    }

    /// No such execution.
    pub(crate) fn execution_not_found(id: &str) -> Self {
        Self::Driver(driver::Error::ExecutionNotFound { id: id.into() })
    }

    /// The request id came with another request before.
    pub(crate) fn request_reused(id: &Arc<str>) -> Self {
        Self::Driver(driver::Error::RequestReused {
            request_id: id.clone(),
        })
    }
}

impl From<store::Error> for Fault {
    fn from(error: store::Error) -> Self {
        Self::Driver(error.into())
    }
}
