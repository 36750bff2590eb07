//! Rust SDK of Autan, a durable workflow service.
//!
//! Owns the comfortable way to define, start, control and watch workflows. Left to others: the
//! contract (`proto`) and everything that happens on the server.
//!
//! ```no_run
//! use autan::{Client, Task, Workflow};
//! use futures_util::TryStreamExt as _;
//! use serde_json::{Value, json};
//!
//! # async fn example() -> Result<(), autan::Error> {
//! let client = Client::connect("http://localhost:7233").await?;
//!
//! let ship = Workflow::new("ship")
//!     .input("order_id")
//!     .output("label", "<% $.label %>")
//!     .task(
//!         Task::action("print", "std.echo")
//!             .input(json!({"output": "order <% $.order_id %>"}))
//!             .publish("label", "<% task().result %>"),
//!     );
//! client.workflows().create(&ship).allow_existing().await?;
//!
//! let run = client.start("ship").id("ship-42").input(&json!({"order_id": 42}))?.send().await?;
//! let mut events = run.events();
//! while let Some(event) = events.try_next().await? {
//!     println!("{} {}", event.sequence, event.kind.name());
//! }
//! let output: Value = run.result().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Calls are repeated when the server is briefly unreachable; that is safe, since each call that
//! changes something carries an id by which the server knows it again. Event streams resume by
//! themselves. A workflow that fails is [`Error::Execution`], a call that fails [`Error::Rpc`].

mod actions;
mod batches;
mod binary;
mod change;
mod client;
pub mod define;
mod environments;
mod error;
mod evaluate;
mod event;
mod executions;
mod get;
mod handle;
mod kind;
mod listing;
mod look;
mod payload;
mod process;
pub mod raw;
mod reason;
mod resources;
mod retry;
mod run_action;
mod source;
mod start;
mod state;
mod tasks;
pub mod testing;
mod transport;
mod verb;
mod watch;
mod watch_many;
mod workbooks;
mod worker;
mod workflows;

#[cfg(test)]
mod tests;

pub use actions::{Actions, DeleteAction, SaveActions, SavedActions, ValidateActions};
pub use batches::{BatchVerb, Batches, StartBatch};
pub use binary::Binary;
pub use change::{PauseExecution, RestartExecution, UpdateExecution};
pub use client::{Client, ClientBuilder};
pub use define::{Next, Retry, Rollback, Task, TaskDefaults, Workbook, Workflow};
pub use environments::{CreateEnvironment, DeleteEnvironment, Environments, UpdateEnvironment};
pub use error::{Code, Error, ExecutionError, FieldViolation, RpcError};
pub use evaluate::{EvaluateExpression, ExpressionError, ExpressionLanguage};
pub use event::{Event, EventKind};
pub use executions::{CountGroup, Counts, Executions};
pub use get::Get;
pub use handle::ExecutionHandle;
pub use kind::{ActionKind, ExecutionKind, TaskType, TimerKind};
pub use listing::{Listing, Page};
pub use look::{Explain, GetGraph, HistoryQuery};
pub use payload::Payload;
pub use reason::Reason;
pub use resources::{
    Action, ActionExecution, ActionLease, ActionNode, BatchError, BatchOperation, BatchPreview,
    Cause, CauseKind, Cluster, ClusterServer, Diagnostic, DocumentKind, Environment, Execution,
    ExecutionGraph, ExecutionNode, Explanation, Failure, GraphStatistics, InputParameter, LimitHit,
    Progress, Queue, QueueLimits, ServerInfo, Severity, TaskExecution, TaskNode, Validation,
    WorkbookRecord, WorkerRecord, WorkerWait, WorkflowRevision,
};
pub use retry::RetryPolicy;
pub use run_action::{ActionRun, RunAction};
pub use source::Source;
pub use start::{IdConflict, StartExecution};
pub use state::{ActionState, BatchState, ExecutionState, TaskState};
pub use tasks::{ActionExecutions, RetryTask, SkipTask, Tasks, UpdateAction};
pub use verb::{DeleteExecution, RerunExecution, ResumeExecution, RollbackExecution, Verb};
pub use watch::{Events, Trimmed};
pub use watch_many::{Change, Changes};
pub use workbooks::{DeleteWorkbook, SaveWorkbook, SavedWorkbook, Workbooks};
pub use worker::{
    ActionContext, ActionError, ActionInfo, ActionOutput, ActionTester, Cancelled, Deferred,
    Health, HealthCheck, HeartbeatTasks, LeaseState, Outcome, PollTasks, PolledTask, PolledTasks,
    Queues, Tested, UpdateQueue, Worker, WorkerAction, Workers,
};
pub use workflows::{DeleteWorkflow, SaveWorkflows, SavedWorkflows, ValidateDocument, Workflows};
