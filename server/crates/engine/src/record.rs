//! What is stored of an execution: one record for it, one for each task and action execution.
//!
//! The live state is these records plus what follows from them (contexts, indexes), so recovery is
//! loading them. The store keeps each record as one row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::failure::Failure;
use crate::history::TimerKind;
use crate::id::{ActionId, ExecutionUid};
use crate::lease::{CallTimes, Lease, NextAttempt};
use crate::places::Places;
use crate::state::{ActionState, ExecutionState, TaskState};

/// The definition that an execution runs, or an ad-hoc action that a task calls, for ever: by
/// content, not by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionRef {
    /// Full name; of a workbook member `workbook.member`.
    pub name: Arc<str>,
    /// Namespace that it was found in.
    pub namespace: Arc<str>,
    /// Number of the revision, from 1; 0 where an execution runs the action of that name itself.
    pub revision: i32,
    /// SHA-256 of the document that holds it.
    #[serde(with = "hexadecimal")]
    pub source_hash: [u8; 32],
    /// Name of its workbook, if it came with one.
    pub workbook: Option<Arc<str>>,
}

/// The row of an execution.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutionRecord {
    /// Uid; with `shard` the primary key.
    pub uid: ExecutionUid,
    /// Shard that owns it; a child is in its parent's shard.
    pub shard: i16,
    /// Tenant.
    pub project: Arc<str>,
    /// Id chosen by the client; `None` means that the uid is the id.
    pub execution_id: Option<Arc<str>>,
    /// What it runs.
    pub definition: DefinitionRef,
    /// State.
    pub state: ExecutionState,
    /// Why it is in that state.
    pub state_info: Option<Arc<str>>,
    /// Which failure it is, in ERROR; in CANCELLED if it was terminated.
    pub failure: Option<Failure>,
    /// 1, plus one for each rerun.
    pub run: i32,
    /// An object: the input with defaults filled in.
    pub input: Data,
    /// An object: start parameters, with `env` evaluated.
    pub params: Data,
    /// An object, in final states.
    pub output: Option<Data>,
    /// An object: the evaluated `vars`, with what tasks have published globally and have no order
    /// for.
    pub vars: Data,
    /// Free text.
    pub description: Arc<str>,
    /// Labels for filtering.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// Of a child: the action execution that stands for it in its parent.
    pub parent: Option<ActionId>,
    /// Of a child: which item of a with-items task.
    pub item_index: u32,
    /// The execution that was started from outside: itself, or the top of its tree.
    pub root: ExecutionUid,
    /// The execution that it repeats, if it was started by a restart.
    pub source: Option<ExecutionUid>,
    /// Levels above it: 0 for one that was started from outside.
    pub depth: i32,
    /// Sequence of the last history event.
    pub last_sequence: i64,
    /// Commands that wait for the execution to be resumed.
    pub backlog: Vec<BackloggedCommand>,
    /// A rollback that has begun. It stays if the rollback fails, is cancelled or comes to its end,
    /// and goes when one to a task is done: then the execution is as it was at that task.
    pub rollback: Option<Rollback>,
    /// Microseconds since the epoch.
    pub created_us: i64,
    /// Microseconds since the epoch.
    pub updated_us: i64,
    /// Microseconds since the epoch.
    pub finished_us: Option<i64>,
    /// Numbers of task executions by state.
    pub progress: Progress,
}

/// Numbers of task executions by state, and of what runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// All.
    pub total: u32,
    /// Not final.
    pub active: u32,
    /// In SUCCESS.
    pub success: u32,
    /// In ERROR.
    pub error: u32,
    /// In CANCELLED.
    pub cancelled: u32,
    /// In SKIPPED.
    pub skipped: u32,
    /// Action executions in RUNNING, and paused sub-workflows in which something still runs.
    pub running_actions: u32,
    /// Rolled back, in whatever state: they count in no other field but `total`.
    pub rolled_back: u32,
    /// What undoes tasks and is not final. Undoing counts in no other field, also not in `total`.
    pub undoing: u32,
    /// What undoes tasks and has failed or was cancelled.
    pub undo_failed: u32,
}

/// A rollback of an execution: how far it goes, and what it followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rollback {
    /// Number of the task execution that it goes back to, which stays done; `None` means that
    /// nothing stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// How the execution had ended before; `None` if it was under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<ExecutionState>,
    /// Why it had ended so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<Arc<str>>,
    /// Which failure that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Of a child: whether its parent rolls it back, not the child itself.
    #[serde(skip_serializing_if = "is_false")]
    pub by_parent: bool,
}

impl ExecutionRecord {
    /// Whether a rollback has begun and not come to its end: until then nothing runs forward.
    pub fn is_in_rollback(&self) -> bool {
        self.rollback.is_some() && self.state != ExecutionState::RolledBack
    }

    /// Whether the execution is paused and nothing runs any more, in it or below.
    pub fn is_drained(&self) -> bool {
        self.state == ExecutionState::Paused && self.progress.running_actions == 0
    }

    /// The final state as the parent of this execution sees it: a child that has rolled itself back
    /// has failed, or was cancelled.
    pub fn state_for_parent(&self) -> ExecutionState {
        match &self.rollback {
            Some(rollback) if self.state == ExecutionState::RolledBack && !rollback.by_parent => {
                rollback.ended.unwrap_or(ExecutionState::Error)
            }
            _ => self.state,
        }
    }
}

/// A command that came after `pause` in a list of transitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackloggedCommand {
    /// Name of a task, or `fail`, `succeed`, `pause`.
    pub target: Arc<str>,
    /// The evaluated message of an engine command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Arc<str>>,
    /// What led here.
    pub trigger: Trigger,
}

/// One edge that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Number of the task execution that it comes from.
    #[serde(rename = "t")]
    pub task: u32,
    /// Kind of its transition.
    #[serde(rename = "e")]
    pub event: Edge,
    /// How often that task had been taken back before, after it had led to others: it may have
    /// published something else since.
    #[serde(rename = "g", default, skip_serializing_if = "is_zero")]
    pub generation: u32,
}

/// What a task had left to those that it led to, before it ran again or was skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// What had led to it.
    #[serde(rename = "by", default, skip_serializing_if = "Vec::is_empty")]
    pub triggered_by: Vec<Trigger>,
    /// An object, if it had published for the tasks after it.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Data>,
}

/// Kinds of transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Edge {
    /// `on-success`.
    #[serde(rename = "s")]
    OnSuccess,
    /// `on-error`.
    #[serde(rename = "e")]
    OnError,
    /// `on-complete`.
    #[serde(rename = "c")]
    OnComplete,
    /// `on-skip`.
    #[serde(rename = "k")]
    OnSkip,
    /// `requires` of a reverse workflow.
    #[serde(rename = "r")]
    Requires,
}

/// The row of a task execution.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRecord {
    /// Number within the execution, from 1; with shard and uid the primary key.
    pub number: u32,
    /// Name of the task.
    pub name: Arc<str>,
    /// Whether it runs a sub-workflow.
    pub is_workflow: bool,
    /// State.
    pub state: TaskState,
    /// Why it is in that state.
    pub state_info: Option<Arc<str>>,
    /// Whether what follows from it was decided.
    pub processed: bool,
    /// Whether an `on-error` transition handles its error.
    pub error_handled: bool,
    /// The transitions that it took, to tasks only: name of the target and kind.
    pub next_tasks: Vec<(Arc<str>, Edge)>,
    /// What led to it; its context is the merge of theirs.
    pub triggered_by: Vec<Trigger>,
    /// An object, if it published for the tasks after it.
    pub published: Option<Data>,
    /// An object, if it published for the whole execution.
    pub published_global: Option<Data>,
    /// Order of `published_global` among all tasks of the execution, from 1; 0 if it is contained
    /// in the `vars` of the execution.
    pub global_order: u32,
    /// What the policies remember.
    pub runtime: TaskRuntime,
    /// Microseconds since the epoch.
    pub created_us: i64,
    /// Microseconds since the epoch.
    pub started_us: Option<i64>,
    /// Microseconds since the epoch.
    pub updated_us: i64,
    /// Microseconds since the epoch.
    pub finished_us: Option<i64>,
    /// Its action executions, in order of their numbers.
    pub actions: Vec<ActionRecord>,
}

/// What the policies of a task remember; one JSON column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is of another policy"
)]
pub struct TaskRuntime {
    /// Re-executions by its retry policy so far.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry_no: u32,
    /// Attempts that were made before it was last rerun.
    #[serde(skip_serializing_if = "is_zero")]
    pub attempts_before: u32,
    /// Whether its result was declared when it was skipped: it is that of its last action.
    #[serde(skip_serializing_if = "is_false")]
    pub result_declared: bool,
    /// What it waits for, and until when in microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<(TimerKind, i64)>,
    /// When its timeout strikes, microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_us: Option<i64>,
    /// While its execution is paused: what is left of its timeout, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_left_us: Option<i64>,
    /// Its timeout, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
    /// Whether its timeout struck: nothing is attempted again.
    #[serde(skip_serializing_if = "is_false")]
    pub timed_out: bool,
    /// Number of items, of a with-items task that has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
    /// Most items at the same time; 0 = no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub concurrency: u32,
    /// What it says of the times of its calls.
    #[serde(skip_serializing_if = "CallTimes::is_unset")]
    pub call_times: CallTimes,
    /// Whether the policies that come before the first attempt were applied.
    #[serde(skip_serializing_if = "is_false")]
    pub begun: bool,
    /// Whether `pause-before` has held it back.
    #[serde(skip_serializing_if = "is_false")]
    pub paused_before: bool,
    /// Whether `wait-after` was applied, and the state that it holds back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_wait: Option<(TaskState, Option<Arc<str>>)>,
    /// Whether `wait-after` was applied once.
    #[serde(skip_serializing_if = "is_false")]
    pub waited_after: bool,
    /// Of a join: the inbound tasks that its present generation has seen.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub join_seen: Places,
    /// Ad-hoc actions that the execution called here first: it goes on with these revisions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<PinnedAction>,
    /// What it had left to those that it led to, each time before it was taken back. They keep
    /// what they saw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// JSON object whose fields replace those of its input in the first attempt of a rerun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_patch: Option<Arc<str>>,
    /// Numbers of the action executions that stand for paused sub-workflows in which something
    /// still runs.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub undrained: BTreeSet<u32>,
    /// What a worker has said of the next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<NextAttempt>,
    /// Whether its results were dropped by `keep-result: false`.
    #[serde(skip_serializing_if = "is_false")]
    pub result_dropped: bool,
    /// Of what undoes a task: the number of that task execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_of: Option<u32>,
    /// The number of the task execution that undoes this one, once that has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<u32>,
    /// Whether it was rolled back: undone, or passed over because there was nothing to undo.
    #[serde(skip_serializing_if = "is_false")]
    pub rolled_back: bool,
}

/// A call of an ad-hoc action, as it was found when the execution called it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedAction {
    /// The name in the call.
    pub call: Arc<str>,
    /// What it stands for, from the outside in.
    pub chain: Vec<DefinitionRef>,
}

/// Hashes as text.
mod hexadecimal {
    use std::fmt::Write as _;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(hash: &[u8; 32], out: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(64);
        for byte in hash {
            write!(text, "{byte:02x}").expect("a string takes all text");
        }
        out.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        let malformed = || D::Error::custom("a hash has 64 hexadecimal digits");
        let mut hash = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(malformed());
        }
        for (place, byte) in hash.iter_mut().enumerate() {
            let digits = &text[place * 2..place * 2 + 2];
            *byte = u8::from_str_radix(digits, 16).map_err(|_| malformed())?;
        }
        Ok(hash)
    }
}

impl TaskRecord {
    /// Whether it undoes another task execution.
    pub fn is_undo(&self) -> bool {
        self.runtime.undo_of.is_some()
    }

    /// Whether it counts for what the execution has done: it undoes nothing, and is not undone.
    pub fn counts(&self) -> bool {
        !self.is_undo() && !self.runtime.rolled_back
    }
}

impl TaskRuntime {
    /// Number of the present attempt, from 1; it never goes back.
    pub fn attempt(&self) -> u32 {
        self.attempts_before + self.retry_no + 1
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// An action execution, one attempt of a task or of one of its items: a row, or a part of that of
/// its task.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionRecord {
    /// Number within the task execution, from 1; with shard, uid and task the primary key.
    pub number: u32,
    /// Full name of the action, or of the workflow.
    pub name: Arc<str>,
    /// State.
    pub state: ActionState,
    /// An object.
    pub input: Data,
    /// The result, or the error result, in final states.
    pub output: Option<Data>,
    /// Whether it counts for the result of its task.
    pub accepted: bool,
    /// Item, from 0.
    pub index: u32,
    /// Attempt, from 1.
    pub attempt: u32,
    /// Who runs it.
    pub runner: Runner,
    /// Of a sub-workflow: the child.
    pub child: Option<ExecutionUid>,
    /// Of one that workers run: what is kept of its leases.
    pub lease: Option<Box<Lease>>,
    /// Whether it has no row of its own but lies in that of its task, as the first action of a task
    /// without items does.
    pub in_task_row: bool,
    /// Microseconds since the epoch.
    pub created_us: i64,
    /// Microseconds since the epoch.
    pub finished_us: Option<i64>,
}

/// Who runs an action execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Runner {
    /// The engine itself, at once: the action touches nothing outside.
    Inline,
    /// The server, after the commit.
    Server,
    /// Somebody outside, who completes it by its id.
    External,
    /// A child execution.
    Child,
    /// A worker, under a lease.
    Worker,
}

impl Runner {
    /// All, with their words in rows.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Inline, "inline"),
        (Self::Server, "server"),
        (Self::External, "external"),
        (Self::Child, "child"),
        (Self::Worker, "worker"),
    ];
}
