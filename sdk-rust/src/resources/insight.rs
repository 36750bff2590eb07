//! What is found by looking into an execution: what it waits for, and its tree.
//!
//! Owns the types and their reading from the wire. Left to others: asking (`look`).

use std::time::SystemTime;

use proto::v1::cause::Kind;
use serde::Serialize;

use super::worker::WorkerWait;
use super::{non_empty, serialize_time, to_time};
use crate::kind::TimerKind;
use crate::state::{ActionState, ExecutionState, TaskState};

/// Why an execution is not finished.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// Uid of the execution.
    pub uid: String,
    /// Its state.
    pub state: ExecutionState,
    /// Why it is in that state, if there is something to say.
    pub state_info: String,
    /// What it waits for; nothing if it is finished.
    pub causes: Vec<Cause>,
    /// Whether causes were left out.
    pub truncated: bool,
}

/// Something that an execution waits for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Cause {
    /// The cause in one sentence.
    pub text: String,
    /// The task that waits; `None` if the execution does as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_execution_id: Option<String>,
    /// Name of that task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_name: Option<String>,
    /// Whether it undoes another task execution of its name, in a rollback.
    pub undo: bool,
    /// Since when.
    #[serde(serialize_with = "serialize_time")]
    pub since_time: Option<SystemTime>,
    /// Until when, if that is known.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub until_time: Option<SystemTime>,
    /// What it is.
    pub kind: CauseKind,
}

/// What an execution waits for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CauseKind {
    /// An action execution is not final.
    Action {
        /// Its id.
        action_execution_id: String,
        /// Name of the action.
        action_name: String,
        /// Whether somebody outside ends it; otherwise the server does.
        external: bool,
        /// RUNNING or PAUSED.
        state: ActionState,
        /// Number of the attempt, from 1.
        attempt: i32,
        /// Item of a with-items task, from 0.
        item_index: i32,
        /// If workers run it: where it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        worker: Option<WorkerWait>,
    },
    /// A time has not come.
    Timer {
        /// What for.
        kind: TimerKind,
        /// Number of the attempt that comes then or is under way, from 1.
        attempt: i32,
    },
    /// Not enough inbound tasks have come to a join.
    Join {
        /// How many must come.
        needed: i32,
        /// Names of those that have come.
        arrived: Vec<String>,
        /// Names of those that may still come, each with its state if there is a task execution.
        missing: Vec<(String, Option<TaskState>)>,
    },
    /// A sub-workflow is not finished.
    Child {
        /// Uid of the child execution.
        execution_id: String,
        /// Full name of its workflow.
        workflow_name: String,
        /// Its state; `None` if it was not looked at.
        state: Option<ExecutionState>,
        /// Item of a with-items task, from 0.
        item_index: i32,
        /// What the child waits for.
        causes: Vec<Cause>,
    },
    /// Items of a with-items task wait for slots.
    Items {
        /// Items that hold a slot.
        running: i32,
        /// Items that wait for one.
        waiting: i32,
        /// Slots that there are.
        concurrency: i32,
    },
    /// The execution is paused.
    Paused {
        /// Who paused it; empty if that is not known.
        principal: String,
        /// Why.
        reason: String,
        /// Whether a call did it.
        by_verb: bool,
        /// What that caller said of itself; empty if nothing.
        identity: String,
    },
    /// The task is held back until the execution is resumed.
    Held {
        /// Whether `pause-before` holds it.
        pause_before: bool,
    },
    /// Steps are left that the server does next by itself.
    Steps,
    /// Nothing is known that would move it: a fault of the server.
    Unknown,
    /// A kind that this version of the SDK does not know; `text` tells it.
    Unrecognized,
}

impl From<proto::v1::ExplainExecutionResponse> for Explanation {
    fn from(answer: proto::v1::ExplainExecutionResponse) -> Self {
        Self {
            uid: answer.uid,
            state: ExecutionState::from_number(answer.state),
            state_info: answer.state_info,
            causes: answer.causes.into_iter().map(Cause::from).collect(),
            truncated: answer.truncated,
        }
    }
}

impl From<proto::v1::Cause> for Cause {
    fn from(cause: proto::v1::Cause) -> Self {
        Self {
            text: cause.text,
            task_execution_id: non_empty(cause.task_execution_id),
            task_name: non_empty(cause.task_name),
            undo: cause.undo,
            since_time: to_time(cause.since_time),
            until_time: to_time(cause.until_time),
            kind: cause.kind.into(),
        }
    }
}

impl From<Option<Kind>> for CauseKind {
    fn from(kind: Option<Kind>) -> Self {
        match kind {
            Some(Kind::Action(action)) => Self::Action {
                external: action.runner() == proto::v1::ActionRunner::External,
                action_execution_id: action.action_execution_id,
                action_name: action.action_name,
                state: ActionState::from_number(action.state),
                attempt: action.attempt,
                item_index: action.item_index,
                worker: action.worker.map(WorkerWait::from),
            },
            Some(Kind::Timer(timer)) => Self::Timer {
                kind: TimerKind::from_number(timer.kind),
                attempt: timer.attempt,
            },
            Some(Kind::Join(join)) => {
                let missing = join.missing.into_iter();
                Self::Join {
                    needed: join.needed,
                    arrived: join.arrived,
                    missing: missing
                        .map(|task| {
                            let state =
                                (task.state != 0).then(|| TaskState::from_number(task.state));
                            (task.task_name, state)
                        })
                        .collect(),
                }
            }
            Some(Kind::Child(child)) => Self::Child {
                execution_id: child.execution_id,
                workflow_name: child.workflow_name,
                state: (child.state != 0).then(|| ExecutionState::from_number(child.state)),
                item_index: child.item_index,
                causes: child.causes.into_iter().map(Cause::from).collect(),
            },
            Some(Kind::Items(items)) => Self::Items {
                running: items.running,
                waiting: items.waiting,
                concurrency: items.concurrency,
            },
            Some(Kind::Paused(paused)) => Self::Paused {
                principal: paused.principal,
                reason: paused.reason,
                by_verb: paused.by_verb,
                identity: paused.identity,
            },
            Some(Kind::Held(held)) => Self::Held {
                pause_before: held.pause_before,
            },
            Some(Kind::Steps(_)) => Self::Steps,
            Some(Kind::Unknown(_)) => Self::Unknown,
            None => Self::Unrecognized,
        }
    }
}

/// The tree of an execution, with counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExecutionGraph {
    /// The execution with its tasks; `None` if only the counts were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<ExecutionNode>,
    /// Counts of the whole tree.
    pub statistics: GraphStatistics,
    /// Whether something was left out.
    pub truncated: bool,
}

/// An execution in a graph.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExecutionNode {
    /// Id that the client chose, or the uid.
    pub execution_id: String,
    /// Uid.
    pub uid: String,
    /// Full name of its workflow.
    pub workflow_name: String,
    /// State.
    pub state: ExecutionState,
    /// Why it is in that state, if there is something to say.
    pub state_info: String,
    /// Its task executions in the order of their creation.
    pub tasks: Vec<TaskNode>,
    /// Whether tasks were left out.
    pub truncated: bool,
}

/// A task execution in a graph.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TaskNode {
    /// Id, unique in the server.
    pub task_execution_id: String,
    /// Name of the task.
    pub task_name: String,
    /// State.
    pub state: TaskState,
    /// Why it is in that state, if there is something to say.
    pub state_info: String,
    /// Ids of the task executions that led to it.
    pub triggered_by: Vec<String>,
    /// Attempts so far.
    pub attempts: i32,
    /// Items of a with-items task; 0 for others.
    pub item_count: i32,
    /// Its action executions in the order of their creation.
    pub actions: Vec<ActionNode>,
    /// Its sub-workflow executions.
    pub children: Vec<ExecutionNode>,
    /// Of what undoes a task in a rollback: the task execution that it undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_of: Option<String>,
    /// Whether it was rolled back: undone, or passed over because there was nothing to undo.
    pub rolled_back: bool,
}

/// An action execution in a graph.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActionNode {
    /// Id, unique in the server.
    pub action_execution_id: String,
    /// Name of the action, or of the workflow.
    pub action_name: String,
    /// State.
    pub state: ActionState,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// Item of a with-items task, from 0.
    pub item_index: i32,
}

/// Counts of a tree of executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GraphStatistics {
    /// Executions.
    pub executions: i64,
    /// Task executions.
    pub tasks: i64,
    /// Task executions that are not final.
    pub active: i64,
    /// Task executions in SUCCESS.
    pub success: i64,
    /// Task executions in ERROR.
    pub error: i64,
    /// Task executions in CANCELLED.
    pub cancelled: i64,
    /// Task executions in SKIPPED.
    pub skipped: i64,
}

impl From<proto::v1::GetExecutionGraphResponse> for ExecutionGraph {
    fn from(answer: proto::v1::GetExecutionGraphResponse) -> Self {
        let counts = answer.statistics.unwrap_or_default();
        Self {
            root: answer.root.map(ExecutionNode::from),
            statistics: GraphStatistics {
                executions: counts.executions,
                tasks: counts.tasks,
                active: counts.active,
                success: counts.success,
                error: counts.error,
                cancelled: counts.cancelled,
                skipped: counts.skipped,
            },
            truncated: answer.truncated,
        }
    }
}

impl From<proto::v1::ExecutionNode> for ExecutionNode {
    fn from(node: proto::v1::ExecutionNode) -> Self {
        Self {
            execution_id: node.execution_id,
            uid: node.uid,
            workflow_name: node.workflow_name,
            state: ExecutionState::from_number(node.state),
            state_info: node.state_info,
            tasks: node.tasks.into_iter().map(TaskNode::from).collect(),
            truncated: node.truncated,
        }
    }
}

impl From<proto::v1::TaskNode> for TaskNode {
    fn from(node: proto::v1::TaskNode) -> Self {
        let edges = node.triggered_by.into_iter();
        Self {
            task_execution_id: node.task_execution_id,
            task_name: node.task_name,
            state: TaskState::from_number(node.state),
            state_info: node.state_info,
            triggered_by: edges.map(|edge| edge.task_execution_id).collect(),
            attempts: node.attempts,
            item_count: node.item_count,
            actions: node.actions.into_iter().map(ActionNode::from).collect(),
            children: node.children.into_iter().map(ExecutionNode::from).collect(),
            undo_of: non_empty(node.undo_of),
            rolled_back: node.rolled_back,
        }
    }
}

impl From<proto::v1::ActionNode> for ActionNode {
    fn from(node: proto::v1::ActionNode) -> Self {
        Self {
            action_execution_id: node.action_execution_id,
            action_name: node.action_name,
            state: ActionState::from_number(node.state),
            attempt: node.attempt,
            item_index: node.item_index,
        }
    }
}
