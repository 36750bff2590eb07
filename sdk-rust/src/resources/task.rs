//! Tasks of an execution and the attempts that they are made of.

use std::time::SystemTime;

use serde::Serialize;

use super::execution::Failure;
use super::{non_empty, serialize_time, to_time};
use crate::kind::TaskType;
use crate::payload::Payload;
use crate::state::{ActionState, TaskState};

/// One pass through a task of a workflow.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TaskExecution {
    /// Id, unique in the server.
    pub task_execution_id: String,
    /// Uid of the execution that it belongs to.
    pub execution_uid: String,
    /// Name of the task.
    pub task_name: String,
    /// Action or sub-workflow.
    #[serde(rename = "type")]
    pub task_type: TaskType,
    /// State.
    pub state: TaskState,
    /// Why it is in that state, if there is something to say.
    pub state_info: String,
    /// Result; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Payload>,
    /// Variables published to the tasks after it; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Payload>,
    /// Variables published to the whole execution; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_global: Option<Payload>,
    /// Whether what follows from it was decided.
    pub processed: bool,
    /// Attempts so far.
    pub attempts: i32,
    /// Names of the tasks that it led to.
    pub next_tasks: Vec<String>,
    /// Tasks that led to it.
    pub triggered_by: Vec<String>,
    /// Tags from the document.
    pub tags: Vec<String>,
    /// When it was created.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<SystemTime>,
    /// When it began.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub start_time: Option<SystemTime>,
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
    /// Until when it waits.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub due_time: Option<SystemTime>,
    /// When its timeout strikes.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub timeout_time: Option<SystemTime>,
    /// Items of a with-items task; 0 for others.
    pub item_count: i32,
    /// Of what undoes a task in a rollback: the task execution that it undoes, of the same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_of: Option<String>,
    /// The task execution that undoes this one, once that has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<String>,
    /// Whether it was rolled back: undone, or passed over because there was nothing to undo.
    pub rolled_back: bool,
}

impl From<proto::v1::TaskExecution> for TaskExecution {
    fn from(task: proto::v1::TaskExecution) -> Self {
        Self {
            task_type: TaskType::from_number(task.r#type),
            task_execution_id: task.task_execution_id,
            execution_uid: task.execution_uid,
            task_name: task.task_name,
            state: TaskState::from_number(task.state),
            state_info: task.state_info,
            result: task.result.map(Payload::from),
            published: task.published.map(Payload::from),
            published_global: task.published_global.map(Payload::from),
            processed: task.processed,
            attempts: task.attempts,
            next_tasks: task.next_tasks,
            triggered_by: task.triggered_by,
            tags: task.tags,
            create_time: to_time(task.create_time),
            start_time: to_time(task.start_time),
            update_time: to_time(task.update_time),
            end_time: to_time(task.end_time),
            due_time: to_time(task.due_time),
            timeout_time: to_time(task.timeout_time),
            item_count: task.item_count,
            undo_of: non_empty(task.undo_of),
            undone_by: non_empty(task.undone_by),
            rolled_back: task.rolled_back,
        }
    }
}

/// One attempt of a task, or of one of its items.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ActionExecution {
    /// Id, unique in the server.
    pub action_execution_id: String,
    /// Task execution that it belongs to.
    pub task_execution_id: String,
    /// Uid of the execution that it belongs to.
    pub execution_uid: String,
    /// Name of the task.
    pub task_name: String,
    /// Full name of the action, or of the workflow.
    pub name: String,
    /// State.
    pub state: ActionState,
    /// Input; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Payload>,
    /// Result or error result; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Payload>,
    /// Whether it counts for the result of the task.
    pub accepted: bool,
    /// Item of a with-items task, from 0.
    pub item_index: i32,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// Of a sub-workflow: uid of the child execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child_execution_id: Option<String>,
    /// When it was created.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<SystemTime>,
    /// When it reached a final state.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_time: Option<SystemTime>,
    /// Of one that workers run: its lease, once a worker has taken it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<ActionLease>,
    /// Of one that has failed in a worker: what went wrong; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl From<proto::v1::ActionExecution> for ActionExecution {
    fn from(action: proto::v1::ActionExecution) -> Self {
        Self {
            action_execution_id: action.action_execution_id,
            task_execution_id: action.task_execution_id,
            execution_uid: action.execution_uid,
            task_name: action.task_name,
            name: action.name,
            state: ActionState::from_number(action.state),
            input: action.input.map(Payload::from),
            output: action.output.map(Payload::from),
            accepted: action.accepted,
            item_index: action.item_index,
            attempt: action.attempt,
            child_execution_id: non_empty(action.child_execution_id),
            create_time: to_time(action.create_time),
            end_time: to_time(action.end_time),
            lease: action.lease.map(ActionLease::from),
            failure: action.failure.map(Failure::from),
        }
    }
}

/// The present lease of an action execution, or the last one.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ActionLease {
    /// Worker that has it.
    pub worker_id: String,
    /// The worker, for people.
    pub worker_identity: String,
    /// Queue that it came from.
    pub queue: String,
    /// How often the action execution was handed out.
    pub delivery: i32,
    /// When it was handed out.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub start_time: Option<SystemTime>,
    /// When it ends unless it is renewed; absent if the action execution has ended.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub expire_time: Option<SystemTime>,
    /// When the worker was last heard of, for this action execution.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_heartbeat_time: Option<SystemTime>,
    /// What it has said last of its progress; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Payload>,
}

impl From<proto::v1::ActionLease> for ActionLease {
    fn from(lease: proto::v1::ActionLease) -> Self {
        Self {
            worker_id: lease.worker_id,
            worker_identity: lease.worker_identity,
            queue: lease.queue,
            delivery: lease.delivery,
            start_time: to_time(lease.start_time),
            expire_time: to_time(lease.expire_time),
            last_heartbeat_time: to_time(lease.last_heartbeat_time),
            progress: lease.progress.map(Payload::from),
        }
    }
}
