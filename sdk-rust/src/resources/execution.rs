//! One run of a workflow, or of one action.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use super::{non_empty, serialize_time, to_time};
use crate::kind::ExecutionKind;
use crate::payload::Payload;
use crate::state::ExecutionState;

/// One run of a workflow, or of one action by itself, as it was when the server answered.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Execution {
    /// Tenant.
    pub project: String,
    /// Chosen by the client, or the uid.
    pub execution_id: String,
    /// Given by the server; another one if an id is used again.
    pub uid: String,
    /// What it runs.
    pub kind: ExecutionKind,
    /// Full name of the workflow; of kind ACTION, name of the action.
    pub workflow_name: String,
    /// Namespace that the workflow was found in; empty is the default one.
    pub workflow_namespace: String,
    /// Number of the revision that it runs; 0 of kind ACTION.
    pub workflow_revision: i32,
    /// State.
    pub state: ExecutionState,
    /// Why it is in that state, if there is something to say.
    pub state_info: String,
    /// 1, and one more for each rerun in place.
    pub run: i32,
    /// Sequence of the last event in this snapshot.
    pub last_sequence: i64,
    /// Input with defaults filled in; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Payload>,
    /// Output, when finished; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Payload>,
    /// Start parameters; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Payload>,
    /// What went wrong, in state ERROR; also if it was rolled back because of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Labels for filtering.
    pub labels: BTreeMap<String, String>,
    /// Free text.
    pub description: String,
    /// When it was accepted.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<SystemTime>,
    /// When it last changed.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub update_time: Option<SystemTime>,
    /// When it reached a final state.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_time: Option<SystemTime>,
    /// When retention deletes it, unless it is run again before. Not while it is not finished, and
    /// not of a sub-workflow: it goes with the execution above.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub expire_time: Option<SystemTime>,
    /// Changes with labels and description, and with nothing else: guards updates.
    pub etag: String,
    /// Of a sub-workflow: the task that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_task_execution_id: Option<String>,
    /// Uid of the execution that was started from outside; its own if it was.
    pub root_execution_id: String,
    /// Of a sub-workflow of a with-items task: which item, from 0.
    pub item_index: i32,
    /// Numbers of tasks by state.
    pub progress: Progress,
    /// Variables published to the whole execution; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_global: Option<Payload>,
    /// Uid of the execution that this one repeats, if a restart has started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_execution_id: Option<String>,
}

impl From<proto::v1::Execution> for Execution {
    fn from(execution: proto::v1::Execution) -> Self {
        Self {
            project: execution.project,
            execution_id: execution.execution_id,
            uid: execution.uid,
            kind: ExecutionKind::from_number(execution.kind),
            workflow_name: execution.workflow_name,
            workflow_namespace: execution.workflow_namespace,
            workflow_revision: execution.workflow_revision,
            state: ExecutionState::from_number(execution.state),
            state_info: execution.state_info,
            run: execution.run,
            last_sequence: execution.last_sequence,
            input: execution.input.map(Payload::from),
            output: execution.output.map(Payload::from),
            params: execution.params.map(Payload::from),
            error: execution.error.map(Failure::from),
            labels: execution.labels,
            description: execution.description,
            create_time: to_time(execution.create_time),
            update_time: to_time(execution.update_time),
            end_time: to_time(execution.end_time),
            expire_time: to_time(execution.expire_time),
            etag: execution.etag,
            parent_task_execution_id: non_empty(execution.parent_task_execution_id),
            root_execution_id: execution.root_execution_id,
            item_index: execution.item_index,
            progress: execution.progress.map(Progress::from).unwrap_or_default(),
            published_global: execution.published_global.map(Payload::from),
            source_execution_id: non_empty(execution.source_execution_id),
        }
    }
}

/// Numbers of task executions by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// All so far.
    pub total: i32,
    /// Not in a final state.
    pub active: i32,
    /// In SUCCESS.
    pub success: i32,
    /// In ERROR.
    pub error: i32,
    /// In CANCELLED.
    pub cancelled: i32,
    /// In SKIPPED.
    pub skipped: i32,
    /// Rolled back: they count in `total` and in no other field.
    pub rolled_back: i32,
    /// What undoes tasks and is under way; counts in no other field, also not in `total`.
    pub undoing: i32,
    /// What undoes tasks and has failed or was cancelled.
    pub undo_failed: i32,
    /// Action executions that run; sub-workflows count as one each.
    pub running_actions: i32,
}

impl From<proto::v1::Progress> for Progress {
    fn from(progress: proto::v1::Progress) -> Self {
        Self {
            total: progress.total,
            active: progress.active,
            success: progress.success,
            error: progress.error,
            cancelled: progress.cancelled,
            skipped: progress.skipped,
            rolled_back: progress.rolled_back,
            undoing: progress.undoing,
            undo_failed: progress.undo_failed,
            running_actions: progress.running_actions,
        }
    }
}

/// Why something ended in ERROR.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// Kind of failure, such as `task_error`, `expression_error`, or of an action that a worker ran
    /// what the worker calls it.
    #[serde(rename = "type")]
    pub kind: String,
    /// For people.
    pub message: String,
    /// What the action or workflow gave as its error result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Payload>,
    /// Where in its program a worker has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// What it was caused by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<Self>>,
    /// The limit that was hit, where the kind is `limit_exceeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitHit>,
}

/// A limit that was hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LimitHit {
    /// Which one, such as `tasks_per_execution_max`.
    pub name: String,
    /// What it allows, in the unit of the limit.
    pub allowed: i64,
}

impl From<proto::v1::LimitHit> for LimitHit {
    fn from(limit: proto::v1::LimitHit) -> Self {
        Self {
            name: limit.name,
            allowed: limit.allowed,
        }
    }
}

impl From<proto::v1::Failure> for Failure {
    fn from(failure: proto::v1::Failure) -> Self {
        Self {
            kind: failure.r#type,
            message: failure.message,
            details: failure.details.map(Payload::from),
            stack: non_empty(failure.stack),
            cause: failure.cause.map(|cause| Box::new(Self::from(*cause))),
            limit: failure.limit.map(LimitHit::from),
        }
    }
}

impl From<Failure> for proto::v1::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            r#type: failure.kind,
            message: failure.message,
            details: failure.details.map(Payload::into_proto),
            stack: failure.stack.unwrap_or_default(),
            cause: failure.cause.map(|cause| Box::new(Self::from(*cause))),
            limit: None,
        }
    }
}
