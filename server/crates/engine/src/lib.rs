//! One execution's rules: what an event changes, and what must then be done.
//!
//! **Invariant:** pure. No clock, randomness, I/O or async; `now` comes in, effects go out.
//! Left to others: loading and committing (`server::driver`), SQL (`store`), wire types
//! (`server::api`).

pub mod data;
pub mod history;
pub mod id;
pub mod record;
pub mod state;

pub use data::Data;
pub use history::{HistoryEvent, HistoryKind, TimerKind};
pub use id::{ActionId, ExecutionUid, MalformedId, TaskId};
pub use record::{
    ActionRecord, BackloggedCommand, DefinitionRef, Edge, ExecutionRecord, Progress, Runner,
    TaskRecord, TaskRuntime, Trigger,
};
pub use state::{ActionState, ExecutionState, TaskState};
