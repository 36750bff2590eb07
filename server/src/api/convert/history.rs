//! History events on the wire.
//!
//! Left to others: finding the names and payloads that an event only points at (`events`).

use std::sync::Arc;

use engine::{
    ActionId, ActionState, ExecutionUid, HistoryEvent, HistoryKind, Loss, TaskId, TaskState,
    TimerKind,
};
use proto::v1::{self, history_event::Event};

use super::{field, state};

/// What an event only points at.
#[derive(Default)]
pub(crate) struct Pointed {
    /// Names of the tasks that led to a created one.
    pub(crate) triggered_by: Vec<String>,
    /// The input, output or result, if payloads are wanted.
    pub(crate) payload: Option<v1::Payload>,
}

/// An event of an execution.
pub(crate) fn wire(
    execution: ExecutionUid,
    event: &HistoryEvent,
    pointed: Pointed,
) -> v1::HistoryEvent {
    let task = event.task.map(|number| TaskId { execution, number });
    v1::HistoryEvent {
        sequence: event.sequence,
        event_time: Some(field::timestamp(event.time_us)),
        run: event.run,
        task_execution_id: task.map(|id| id.to_string()).unwrap_or_default(),
        task_name: field::optional(event.task_name.as_ref()),
        principal: field::optional(event.principal.as_ref()),
        identity: field::optional(event.identity.as_ref()),
        event: Some(kind(task, &event.kind, pointed)),
    }
}

fn kind(task: Option<TaskId>, kind: &HistoryKind, pointed: Pointed) -> Event {
    use HistoryKind as K;
    let id = |number: u32| {
        task.map(|task| ActionId { task, number }.to_string())
            .unwrap_or_default()
    };
    match kind {
        K::ExecutionStarted { .. } => execution_started(kind, pointed),
        K::ExecutionStateChanged { from, to, info } => {
            Event::ExecutionStateChanged(v1::ExecutionStateChanged {
                previous_state: state::execution(*from).into(),
                state: state::execution(*to).into(),
                state_info: field::optional(info.as_ref()),
                output: pointed.payload,
            })
        }
        K::TaskCreated { state, undo_of, .. } => task_created(*state, task.zip(*undo_of), pointed),
        K::TaskStateChanged { from, to, info } => task_changed(*from, *to, info.as_ref()),
        K::ActionStarted {
            action,
            name,
            index,
            attempt,
        } => Event::ActionStarted(v1::ActionStarted {
            action_execution_id: id(*action),
            action_name: name.to_string(),
            item_index: field::count(*index),
            attempt: field::count(*attempt),
            input: pointed.payload,
        }),
        K::ActionLeaseLost {
            action,
            worker,
            delivery,
            loss,
        } => lease_lost(id(*action), worker, *delivery, *loss),
        K::ActionStateChanged { action, state } => action_changed(id(*action), *state, pointed),
        K::VariablesPublished { branch, global } => published(branch, global),
        K::TimerStarted { timer, due_us } => timer_started(*timer, *due_us),
        K::TimerFired { timer } => Event::TimerFired(v1::TimerFired {
            kind: state::timer(*timer).into(),
        }),
        K::ChildStarted {
            child,
            workflow,
            index,
            ..
        } => Event::ChildStarted(v1::ChildStarted {
            child_execution_id: child.to_string(),
            workflow_name: workflow.to_string(),
            item_index: field::count(*index),
        }),
        K::VerbApplied {
            verb,
            reason,
            request_id,
        } => verb_applied(verb, reason.as_ref(), request_id.as_ref()),
        K::EnvironmentChanged { names } => environment_changed(names),
        K::InputChanged { names } => input_changed(names),
        K::ExecutionDrained => Event::ExecutionDrained(v1::ExecutionDrained {}),
        K::ResultIgnored { action, reason } => Event::ResultIgnored(v1::ResultIgnored {
            action_execution_id: id(*action),
            reason: reason.to_string(),
        }),
    }
}

fn execution_started(kind: &HistoryKind, pointed: Pointed) -> Event {
    let mut started = v1::ExecutionStarted {
        input: pointed.payload,
        ..v1::ExecutionStarted::default()
    };
    if let HistoryKind::ExecutionStarted {
        workflow,
        revision,
        parent_task,
        source,
    } = kind
    {
        started.workflow_name = workflow.to_string();
        started.workflow_revision = *revision;
        started.parent_task_execution_id = field::optional(parent_task.as_ref());
        started.source_execution_id = field::optional(source.as_ref());
    }
    Event::ExecutionStarted(started)
}

fn lease_lost(action_execution_id: String, worker: &str, delivery: u32, loss: Loss) -> Event {
    Event::ActionLeaseLost(v1::ActionLeaseLost {
        action_execution_id,
        worker: worker.to_owned(),
        delivery: field::count(delivery),
        reason: state::loss(loss).into(),
    })
}

/// The creation of a task, and the number of the one that it undoes.
fn task_created(state: TaskState, undo: Option<(TaskId, u32)>, pointed: Pointed) -> Event {
    let undo_of = undo.map(|(task, number)| TaskId { number, ..task }.to_string());
    let triggered_by = pointed.triggered_by;
    Event::TaskCreated(v1::TaskCreated {
        state: state::task(state).into(),
        triggered_by,
        undo_of: undo_of.unwrap_or_default(),
    })
}

fn task_changed(from: TaskState, to: TaskState, info: Option<&Arc<str>>) -> Event {
    Event::TaskStateChanged(v1::TaskStateChanged {
        previous_state: state::task(from).into(),
        state: state::task(to).into(),
        state_info: field::optional(info),
    })
}

fn action_changed(action_execution_id: String, state: ActionState, pointed: Pointed) -> Event {
    Event::ActionStateChanged(v1::ActionStateChanged {
        action_execution_id,
        state: state::action(state).into(),
        output: pointed.payload,
    })
}

fn published(branch: &[Arc<str>], global: &[Arc<str>]) -> Event {
    let (branch, global) = (field::strings(branch), field::strings(global));
    Event::VariablesPublished(v1::VariablesPublished { branch, global })
}

fn timer_started(timer: TimerKind, due_us: i64) -> Event {
    let kind = state::timer(timer).into();
    Event::TimerStarted(v1::TimerStarted {
        kind,
        due_time: Some(field::timestamp(due_us)),
    })
}

fn environment_changed(names: &[Arc<str>]) -> Event {
    Event::EnvironmentChanged(v1::EnvironmentChanged {
        names: field::strings(names),
    })
}

fn verb_applied(
    verb: &Arc<str>,
    reason: Option<&Arc<str>>,
    request_id: Option<&Arc<str>>,
) -> Event {
    Event::VerbApplied(v1::VerbApplied {
        verb: verb.to_string(),
        reason: field::optional(reason),
        request_id: field::optional(request_id),
    })
}

fn input_changed(names: &[Arc<str>]) -> Event {
    Event::TaskInputChanged(v1::TaskInputChanged {
        names: field::strings(names),
    })
}
