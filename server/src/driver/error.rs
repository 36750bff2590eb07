//! Why a request was not carried out.

use std::sync::Arc;

use engine::{ExecutionState, ExecutionUid};

/// Refusals and failures of the driver. Nothing was changed, unless it says otherwise.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The rules of the execution refuse it.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The store refuses it, or is not there. Shared, since one failed commit fails all its callers.
    #[error(transparent)]
    Store(Arc<store::Error>),
    /// No such workflow or revision.
    #[error("workflow {name:?} not found")]
    WorkflowNotFound {
        /// Its name.
        name: Arc<str>,
        /// Where it was looked for.
        namespace: Arc<str>,
        /// The revision, if one was named.
        revision: Option<i32>,
    },
    /// No such action or revision.
    #[error("action {name:?} not found")]
    ActionNotFound {
        /// Its name.
        name: Arc<str>,
        /// Where it was looked for.
        namespace: Arc<str>,
        /// The revision, if one was named.
        revision: Option<i32>,
    },
    /// No such environment.
    #[error("environment {name:?} not found")]
    EnvironmentNotFound {
        /// Its name.
        name: Arc<str>,
    },
    /// No such execution.
    #[error("execution {id:?} not found")]
    ExecutionNotFound {
        /// Its id or uid.
        id: Arc<str>,
    },
    /// An execution of that id exists.
    #[error("execution {id:?} exists")]
    ExecutionExists {
        /// The id.
        id: Arc<str>,
        /// Its uid.
        uid: ExecutionUid,
        /// Its state.
        state: ExecutionState,
    },
    /// The execution is not finished.
    #[error("execution is in state {}", state.word())]
    NotFinished {
        /// Its state.
        state: ExecutionState,
    },
    /// The same request id came with another request.
    #[error("request id {request_id:?} was used with another request")]
    RequestReused {
        /// The id.
        request_id: Arc<str>,
    },
    /// A stored definition no longer reads. Should not happen: they are checked when stored.
    #[error("the stored definition of {name:?} cannot be read")]
    BrokenDefinition {
        /// Name of the workflow.
        name: Arc<str>,
    },
    /// The server has met a fault of its own in this request.
    #[error("a fault of the server")]
    Fault,
    /// A fault was met in another execution, and what was not stored yet was undone.
    #[error("the server has undone what it was doing; nothing was changed")]
    Undone,
    /// The execution is, or is to be, in a shard that another server owns, or nobody yet.
    #[error("the execution is on its way from one server to another")]
    NotOwner {
        /// The shard.
        shard: i16,
    },
    /// Too many requests wait.
    #[error("too many requests are waiting")]
    Overloaded,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}
