//! What questions ask for, and what answers look like, where records alone do not say it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::{
    ActionRecord, Caller, ExecutionRecord, ExecutionState, ExecutionUid, HistoryEvent, TaskRecord,
};

use crate::batch::ExecutionKey;
use crate::page::Slice;

/// SHA-256 that names a source.
pub type SourceHash = [u8; 32];

/// The documents that some executions refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceUses {
    /// Their hashes.
    pub hashes: BTreeSet<SourceHash>,
    /// Where to go on; `None` after the last execution.
    pub next: Option<ExecutionKey>,
}

/// An execution with all its tasks and their actions, in order of their numbers.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The execution.
    pub execution: ExecutionRecord,
    /// Its tasks, each with its actions.
    pub tasks: Vec<TaskRecord>,
}

/// Whether lists carry payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payloads {
    /// They do.
    Include,
    /// They do not: inputs, params and vars read as `{}`, outputs and published variables as
    /// absent, and tasks come without their actions.
    Omit,
}

/// By what executions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountGroup {
    /// By state word.
    State,
    /// By full name of the workflow.
    WorkflowName,
}

/// How many executions there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that match.
    pub total: i64,
    /// By group, at most as many as asked for, the largest.
    pub groups: BTreeMap<String, i64>,
}

/// How far an execution is: what a watch must know to decide whether to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// State.
    pub state: ExecutionState,
    /// Sequence of the last history event.
    pub last_sequence: i64,
    /// Which run.
    pub run: i32,
}

/// Which events of a history are wanted: those with `after < sequence < before`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryRange {
    /// Exclusive lower end; 0 = from the first.
    pub after: i64,
    /// Exclusive upper end; `None` = to the last.
    pub before: Option<i64>,
    /// Newest first.
    pub descending: bool,
    /// At most this many events.
    pub limit: u32,
    /// No further commit's events once those so far reach this many bytes of text.
    pub max_bytes: usize,
}

/// Events that were searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct Searched {
    /// Those that were found; more may follow although there is room, since a search looks through
    /// a bounded number of commits.
    pub slice: Slice<HistoryEvent>,
    /// Sequence of the last event that was looked at: a further search goes on after it.
    pub reached: Option<i64>,
}

/// What one commit has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its place among all commits.
    pub position: i64,
    /// When it was made, microseconds since the epoch by the clock of the server that made it.
    pub time_us: i64,
    /// Executions that it has changed; some may be deleted since.
    pub changed: Vec<ChangedRow>,
    /// Executions that it has deleted.
    pub deleted: Vec<DeletedRow>,
}

/// An execution that a commit has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedRow {
    /// Its uid.
    pub uid: ExecutionUid,
    /// Sequence of the last event that the commit added to its history, 0 if it added none; `None`
    /// where a version wrote the row that did not note it.
    pub last_sequence: Option<i64>,
}

/// An execution that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedRow {
    /// Tenant.
    pub project: Arc<str>,
    /// Id that the client chose, or the uid.
    pub execution_id: Arc<str>,
    /// Its uid.
    pub uid: ExecutionUid,
    /// By whom, why.
    pub caller: Caller,
}

/// The name of a definition or workbook, as a place in lists that are ordered by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DefinitionName {
    /// Full name.
    pub name: Arc<str>,
    /// Scope of the name.
    pub namespace: Arc<str>,
}

/// An action execution and the number of its task.
#[derive(Clone, Debug)]
pub struct ActionRow {
    /// Number of the task execution.
    pub task: u32,
    /// The action execution.
    pub record: ActionRecord,
}
