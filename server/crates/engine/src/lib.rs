//! One execution's rules: what an event changes, and what must then be done.
//!
//! **Invariant:** pure. No clock, randomness, I/O or async; `now` comes in, effects go out.
//! Left to others: loading and committing (`server::driver`), SQL (`store`), wire types
//! (`server::api`).

mod branch;
pub mod catalog;
pub mod changes;
mod commit;
pub mod data;
mod error;
pub mod event;
mod execution;
mod explain;
mod failure;
pub mod history;
mod host;
pub mod id;
pub mod lease;
pub mod lifecycle;
pub mod limits;
pub mod places;
pub mod record;
mod resolve;
mod single;
pub mod state;
mod step;
mod task;
mod view;
mod words;
pub mod world;

pub use catalog::{BUILTINS, Builtin};
pub use changes::{Changes, Delivery, Dispatch, Message};
pub use commit::{Changed, TaskChange};
pub use data::Data;
pub use error::{Error, NotEvaluated};
pub use event::{ActionVerb, Caller, Event, Outcome, Parent, Source, Start, Verb};
pub use execution::Execution;
pub use explain::{Cause, CauseKind, explain, is_moving};
pub use failure::{Failure, FailureKind, LimitHit, UnknownFailure};
pub use history::{HistoryEvent, HistoryKind, TimerKind};
pub use host::{execution_dict, execution_value, is_wanted, selects, task_value, time_text};
pub use id::{ActionId, ExecutionUid, MalformedId, TaskId};
pub use lease::{CallTimes, Lease, LeaseEnd, Loss, NextAttempt, WorkerFailure, WorkerReport};
pub use limits::Limits;
pub use places::Places;
pub use record::{
    ActionRecord, BackloggedCommand, DefinitionRef, Earlier, Edge, ExecutionRecord, PinnedAction,
    Progress, Rollback, Runner, TaskRecord, TaskRuntime, Trigger,
};
pub use single::check_action;
pub use state::{ActionState, ExecutionState, TaskState};
pub use step::{abandon, apply, check_ancestor, restore, start, view_of};
pub use world::{AdHocAction, Definition, Provision, Query, World};
