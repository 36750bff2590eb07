//! Nodes and edges of execution graphs on the wire.

use engine::{ActionId, ActionRecord, Edge, ExecutionRecord, ExecutionUid, TaskId, TaskRecord};
use proto::v1;

use super::{field, state};

/// An execution, without its tasks.
pub(crate) fn execution(record: &ExecutionRecord) -> v1::ExecutionNode {
    let uid = record.uid.to_string();
    let chosen = record.execution_id.as_ref();
    v1::ExecutionNode {
        execution_id: chosen.map_or_else(|| uid.clone(), ToString::to_string),
        uid,
        workflow_name: record.definition.name.to_string(),
        state: state::execution(record.state).into(),
        state_info: field::optional(record.state_info.as_ref()),
        run: record.run,
        item_index: field::count(record.item_index),
        create_time: Some(field::timestamp(record.created_us)),
        end_time: record.finished_us.map(field::timestamp),
        tasks: Vec::new(),
        truncated: false,
    }
}

/// A task execution, without its actions and children.
pub(crate) fn task(execution: ExecutionUid, record: &TaskRecord) -> v1::TaskNode {
    let id = |number| TaskId { execution, number }.to_string();
    let edges = record.triggered_by.iter().map(|trigger| v1::GraphEdge {
        task_execution_id: id(trigger.task),
        kind: transition(trigger.event).into(),
    });
    v1::TaskNode {
        task_execution_id: id(record.number),
        task_name: record.name.to_string(),
        state: state::task(record.state).into(),
        state_info: field::optional(record.state_info.as_ref()),
        triggered_by: edges.collect(),
        attempts: field::count(record.runtime.attempt()),
        item_count: field::count(record.runtime.items.unwrap_or(0)),
        create_time: Some(field::timestamp(record.created_us)),
        start_time: record.started_us.map(field::timestamp),
        end_time: record.finished_us.map(field::timestamp),
        actions: Vec::new(),
        children: Vec::new(),
        undo_of: record.runtime.undo_of.map(id).unwrap_or_default(),
        rolled_back: record.runtime.rolled_back,
    }
}

/// An action execution.
pub(crate) fn action(execution: ExecutionUid, task: u32, record: &ActionRecord) -> v1::ActionNode {
    let task = TaskId {
        execution,
        number: task,
    };
    let number = record.number;
    v1::ActionNode {
        action_execution_id: ActionId { task, number }.to_string(),
        action_name: record.name.to_string(),
        state: state::action(record.state).into(),
        attempt: field::count(record.attempt),
        item_index: field::count(record.index),
        create_time: Some(field::timestamp(record.created_us)),
        end_time: record.finished_us.map(field::timestamp),
    }
}

fn transition(edge: Edge) -> v1::TransitionKind {
    match edge {
        Edge::OnSuccess => v1::TransitionKind::OnSuccess,
        Edge::OnError => v1::TransitionKind::OnError,
        Edge::OnComplete => v1::TransitionKind::OnComplete,
        Edge::OnSkip => v1::TransitionKind::OnSkip,
        Edge::Requires => v1::TransitionKind::Requires,
    }
}
