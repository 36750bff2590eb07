//! Task and action executions on the wire.

use std::sync::Arc;

use engine::{ActionId, ActionRecord, Data, Lease, TaskId, TaskRecord};
use proto::v1::{self, PayloadFormat};

use super::{field, payload, state, worker};
use crate::dispatch::Standing;

/// What a task record does not hold itself.
pub(crate) struct TaskContext {
    /// Names of the tasks that led to it.
    pub(crate) triggered_by: Vec<String>,
    /// Tags from the document.
    pub(crate) tags: Vec<String>,
}

/// A task execution in the BASIC view, or with payloads in the FULL one.
pub(crate) fn wire(
    id: TaskId,
    record: &TaskRecord,
    context: TaskContext,
    full: Option<PayloadFormat>,
) -> v1::TaskExecution {
    let mut wire = basic(id, record, context);
    if let Some(format) = full {
        wire.result = payload::wire_optional(result(record).as_ref(), format);
        wire.published = payload::wire_optional(record.published.as_ref(), format);
        wire.published_global = payload::wire_optional(record.published_global.as_ref(), format);
    }
    wire
}

fn basic(id: TaskId, record: &TaskRecord, context: TaskContext) -> v1::TaskExecution {
    let runtime = &record.runtime;
    let kind = if record.is_workflow {
        v1::TaskType::Workflow
    } else {
        v1::TaskType::Action
    };
    let attempts = if record.started_us.is_some() {
        runtime.attempt()
    } else {
        0
    };
    let other = |number: Option<u32>| {
        let execution = id.execution;
        let id = number.map(|number| TaskId { execution, number });
        id.map(|id| id.to_string()).unwrap_or_default()
    };
    v1::TaskExecution {
        task_execution_id: id.to_string(),
        execution_uid: id.execution.to_string(),
        task_name: record.name.to_string(),
        r#type: kind.into(),
        state: state::task(record.state).into(),
        state_info: field::optional(record.state_info.as_ref()),
        result: None,
        published: None,
        published_global: None,
        processed: record.processed,
        attempts: field::count(attempts),
        next_tasks: record
            .next_tasks
            .iter()
            .map(|(name, _)| name.to_string())
            .collect(),
        triggered_by: context.triggered_by,
        tags: context.tags,
        create_time: Some(field::timestamp(record.created_us)),
        start_time: record.started_us.map(field::timestamp),
        update_time: Some(field::timestamp(record.updated_us)),
        end_time: record.finished_us.map(field::timestamp),
        due_time: runtime.due.map(|(_, due_us)| field::timestamp(due_us)),
        timeout_time: runtime.timeout_us.map(field::timestamp),
        item_count: field::count(runtime.items.unwrap_or(0)),
        undo_of: other(runtime.undo_of),
        undone_by: other(runtime.undone_by),
        rolled_back: runtime.rolled_back,
    }
}

/// The result of a task as `task().result` shows it, once there is anything to show.
///
/// One accepted action of a task without items gives its result as it is, byte for byte; any other
/// number of them gives a list in the order of the items.
fn result(record: &TaskRecord) -> Option<Data> {
    if record.runtime.result_dropped {
        return Some(Data::null());
    }
    if record.runtime.result_declared {
        let declared = record.actions.last().and_then(|last| last.output.clone());
        return Some(declared.unwrap_or_else(Data::null));
    }
    let mut accepted: Vec<&ActionRecord> = record.actions.iter().filter(|a| a.accepted).collect();
    if accepted.is_empty() && !record.state.is_final() {
        return None;
    }
    accepted.sort_by_key(|action| (action.index, action.number));
    match accepted.as_slice() {
        [single] if record.runtime.items.is_none() => {
            Some(single.output.clone().unwrap_or_else(Data::null))
        }
        all => Some(list(all)),
    }
}

/// The list of the results, of which each is JSON already.
fn list(actions: &[&ActionRecord]) -> Data {
    let texts: Vec<Arc<str>> = actions
        .iter()
        .map(|action| {
            action
                .output
                .as_ref()
                .map_or_else(|| "null".into(), |o| o.text().clone())
        })
        .collect();
    Data::from_checked_text(format!("[{}]", texts.join(",")))
}

/// An action execution in the BASIC view, or with payloads in the FULL one.
pub(crate) fn wire_action(
    id: ActionId,
    task_name: &str,
    record: &ActionRecord,
    full: Option<PayloadFormat>,
) -> v1::ActionExecution {
    let output = |format| payload::wire_optional(record.output.as_ref(), format);
    let failure = record
        .lease
        .as_ref()
        .and_then(|lease| lease.failure.as_ref());
    v1::ActionExecution {
        action_execution_id: id.to_string(),
        task_execution_id: id.task.to_string(),
        execution_uid: id.task.execution.to_string(),
        task_name: task_name.to_owned(),
        name: record.name.to_string(),
        state: state::action(record.state).into(),
        input: full.map(|format| payload::wire(&record.input, format)),
        output: full.and_then(output),
        accepted: record.accepted,
        item_index: field::count(record.index),
        attempt: field::count(record.attempt),
        child_execution_id: record.child.map(|uid| uid.to_string()).unwrap_or_default(),
        create_time: Some(field::timestamp(record.created_us)),
        end_time: record.finished_us.map(field::timestamp),
        lease: record.lease.as_deref().map(|lease| wire_lease(lease, full)),
        failure: failure.filter(|_| full.is_some()).map(worker::wire_failure),
    }
}

fn wire_lease(lease: &Lease, full: Option<PayloadFormat>) -> v1::ActionLease {
    let progress = |format| payload::wire_optional(lease.progress.as_ref(), format);
    v1::ActionLease {
        worker_id: lease.worker.to_string(),
        worker_identity: lease.identity.to_string(),
        queue: lease.queue.to_string(),
        // Once lost and not handed out again, it is as often as it was lost.
        delivery: field::count(lease.lost + u32::from(lease.id.is_some())),
        start_time: Some(field::timestamp(lease.started_us)),
        progress: full.and_then(progress),
        ..v1::ActionLease::default()
    }
}

/// What the desk knows of an action that workers run, and its row does not yet.
pub(crate) fn with_standing(
    mut wire: v1::ActionExecution,
    standing: Option<&Standing>,
    full: Option<PayloadFormat>,
) -> v1::ActionExecution {
    if let Some(Standing::Held {
        lease,
        expires_us,
        said_us,
    }) = standing
    {
        wire.lease = Some(v1::ActionLease {
            expire_time: Some(field::timestamp(*expires_us)),
            last_heartbeat_time: Some(field::timestamp(*said_us)),
            ..wire_lease(lease, full)
        });
    }
    wire
}

#[cfg(test)]
mod tests {
    use engine::{ActionState, Runner, TaskRuntime, TaskState};

    use super::*;

    fn action(number: u32, index: u32, accepted: bool, output: Option<&str>) -> ActionRecord {
        ActionRecord {
            number,
            name: "std.echo".into(),
            state: ActionState::Success,
            input: Data::empty_object(),
            output: output.map(Data::from_checked_text),
            accepted,
            index,
            attempt: 1,
            runner: Runner::Inline,
            child: None,
            lease: None,
            in_task_row: false,
            created_us: 0,
            finished_us: None,
        }
    }

    fn task(state: TaskState, runtime: TaskRuntime, actions: Vec<ActionRecord>) -> TaskRecord {
        TaskRecord {
            number: 1,
            name: "t".into(),
            is_workflow: false,
            state,
            state_info: None,
            processed: true,
            error_handled: false,
            next_tasks: Vec::new(),
            triggered_by: Vec::new(),
            published: None,
            published_global: None,
            global_order: 0,
            runtime,
            created_us: 0,
            started_us: None,
            updated_us: 0,
            finished_us: None,
            actions,
        }
    }

    #[test]
    fn results_are_one_value_or_a_list() {
        let plain = TaskRuntime::default;
        let items = || TaskRuntime {
            items: Some(2),
            ..plain()
        };
        let dropped = TaskRuntime {
            result_dropped: true,
            ..plain()
        };
        let (done, running) = (TaskState::Success, TaskState::Running);
        for (record, expected) in [
            (
                task(running, plain(), vec![action(1, 0, false, None)]),
                None,
            ),
            (
                task(done, plain(), vec![action(1, 0, true, Some("{ \"a\":1}"))]),
                Some("{ \"a\":1}"),
            ),
            (
                task(done, plain(), vec![action(1, 0, true, None)]),
                Some("null"),
            ),
            (task(done, plain(), Vec::new()), Some("[]")),
            (
                task(
                    done,
                    plain(),
                    vec![
                        action(1, 0, false, Some("1")),
                        action(2, 0, true, Some("2")),
                    ],
                ),
                Some("2"),
            ),
            (
                task(
                    done,
                    items(),
                    vec![action(1, 1, true, Some("\"b\"")), action(2, 0, true, None)],
                ),
                Some("[null,\"b\"]"),
            ),
            (
                task(done, items(), vec![action(1, 0, true, Some("1"))]),
                Some("[1]"),
            ),
            (
                task(done, dropped, vec![action(1, 0, true, Some("1"))]),
                Some("null"),
            ),
        ] {
            let found = result(&record);
            assert_eq!(found.as_ref().map(|data| &**data.text()), expected);
        }
    }
}
