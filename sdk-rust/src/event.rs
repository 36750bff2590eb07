//! Events of the history of an execution.
//!
//! Owns [`Event`] and its kinds. Left to others: getting them (`watch` follows, `handle` lists).

use std::time::SystemTime;

use proto::v1::history_event::Event as Wire;
use serde::Serialize;

use crate::kind::TimerKind;
use crate::payload::Payload;
use crate::resources::{non_empty, serialize_time, to_time};
use crate::state::{ActionState, ExecutionState, TaskState};

/// Something that happened to an execution. Events are numbered 1, 2, 3 … without holes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// Number within the execution.
    pub sequence: i64,
    /// When, by the server's clock.
    #[serde(rename = "event_time", serialize_with = "serialize_time")]
    pub time: Option<SystemTime>,
    /// Run that it belongs to.
    pub run: i32,
    /// Task execution that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_execution_id: Option<String>,
    /// Name of that task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_name: Option<String>,
    /// Who caused it; absent for the engine itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// What the caller of a verb or a start said of itself, see
    /// [`ClientBuilder::identity`](crate::ClientBuilder::identity).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// The execution was accepted.
    ExecutionStarted {
        /// Full name of the workflow.
        workflow_name: String,
        /// Number of its revision.
        workflow_revision: i32,
        /// Input, if payloads were asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        input: Option<Payload>,
        /// Of a sub-workflow: the task that started it.
        #[serde(skip_serializing_if = "Option::is_none")]
        parent_task_execution_id: Option<String>,
        /// Of a restart: uid of the execution that it repeats.
        #[serde(skip_serializing_if = "Option::is_none")]
        source_execution_id: Option<String>,
    },
    /// The execution changed its state.
    ExecutionStateChanged {
        /// State before.
        previous_state: ExecutionState,
        /// State now.
        state: ExecutionState,
        /// Why, if there is something to say.
        state_info: String,
        /// Output in final states, if payloads were asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<Payload>,
    },
    /// A task execution was created.
    TaskCreated {
        /// Its first state.
        state: TaskState,
        /// Names of the tasks that led here.
        triggered_by: Vec<String>,
        /// Of what undoes a task in a rollback: the task execution that it undoes.
        #[serde(skip_serializing_if = "Option::is_none")]
        undo_of: Option<String>,
    },
    /// A task execution changed its state.
    TaskStateChanged {
        /// State before.
        previous_state: TaskState,
        /// State now.
        state: TaskState,
        /// Why, if there is something to say.
        state_info: String,
    },
    /// An action execution began.
    ActionStarted {
        /// Id of the action execution.
        action_execution_id: String,
        /// Name of the action.
        action_name: String,
        /// Item of a with-items task, from 0.
        item_index: i32,
        /// Number of the attempt, from 1.
        attempt: i32,
        /// Input, if payloads were asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        input: Option<Payload>,
    },
    /// A worker had an action execution, and its lease has ended before the action did.
    ActionLeaseLost {
        /// Id of the action execution.
        action_execution_id: String,
        /// The worker, for people.
        worker: String,
        /// How often the action execution was handed out by then.
        delivery: i32,
        /// Why: `expired`, `silent`, `released`, or a word that this version does not know.
        reason: String,
    },
    /// An action execution changed its state.
    ActionStateChanged {
        /// Id of the action execution.
        action_execution_id: String,
        /// State now.
        state: ActionState,
        /// Result or error, if payloads were asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<Payload>,
    },
    /// A task published variables.
    VariablesPublished {
        /// Names for the tasks after this one.
        branch: Vec<String>,
        /// Names for the whole execution.
        global: Vec<String>,
    },
    /// A task waits for time.
    TimerStarted {
        /// What for.
        kind: TimerKind,
        /// Until when.
        #[serde(serialize_with = "serialize_time")]
        due_time: Option<SystemTime>,
    },
    /// The time came.
    TimerFired {
        /// What for.
        kind: TimerKind,
    },
    /// A sub-workflow was started.
    ChildStarted {
        /// Uid of the child execution.
        child_execution_id: String,
        /// Full name of its workflow.
        workflow_name: String,
        /// Item of a with-items task, from 0.
        item_index: i32,
    },
    /// A verb was applied.
    VerbApplied {
        /// Name of the verb, such as `pause`.
        verb: String,
        /// Why, as the caller said.
        reason: String,
        /// Idempotency id of the call.
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
    /// The environment was changed.
    EnvironmentChanged {
        /// Names of the changed variables.
        names: Vec<String>,
    },
    /// A late or repeated result was refused or only kept for the record.
    ResultIgnored {
        /// Id of the action execution.
        action_execution_id: String,
        /// Why.
        reason: String,
    },
    /// Nothing runs any more in the paused execution, nor below it.
    ExecutionDrained,
    /// Fields of the input of a task were replaced, for its first attempt of a rerun.
    TaskInputChanged {
        /// Names of the replaced fields.
        names: Vec<String>,
    },
    /// Something that this version of the SDK does not know.
    Unknown,
}

impl EventKind {
    /// The kind as a word, such as `task_state_changed`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ExecutionStarted { .. } => "execution_started",
            Self::ExecutionStateChanged { .. } => "execution_state_changed",
            Self::TaskCreated { .. } => "task_created",
            Self::TaskStateChanged { .. } => "task_state_changed",
            Self::ActionStarted { .. } => "action_started",
            Self::ActionLeaseLost { .. } => "action_lease_lost",
            Self::ActionStateChanged { .. } => "action_state_changed",
            Self::VariablesPublished { .. } => "variables_published",
            Self::TimerStarted { .. } => "timer_started",
            Self::TimerFired { .. } => "timer_fired",
            Self::ChildStarted { .. } => "child_started",
            Self::VerbApplied { .. } => "verb_applied",
            Self::EnvironmentChanged { .. } => "environment_changed",
            Self::ResultIgnored { .. } => "result_ignored",
            Self::ExecutionDrained => "execution_drained",
            Self::TaskInputChanged { .. } => "task_input_changed",
            Self::Unknown => "unknown",
        }
    }
}

impl From<proto::v1::HistoryEvent> for Event {
    fn from(event: proto::v1::HistoryEvent) -> Self {
        Self {
            sequence: event.sequence,
            time: to_time(event.event_time),
            run: event.run,
            task_execution_id: non_empty(event.task_execution_id),
            task_name: non_empty(event.task_name),
            principal: non_empty(event.principal),
            identity: non_empty(event.identity),
            kind: event.event.map_or(EventKind::Unknown, EventKind::from),
        }
    }
}

impl From<Wire> for EventKind {
    fn from(event: Wire) -> Self {
        match event {
            Wire::ExecutionStarted(event) => Self::ExecutionStarted {
                workflow_name: event.workflow_name,
                workflow_revision: event.workflow_revision,
                input: event.input.map(Payload::from),
                parent_task_execution_id: non_empty(event.parent_task_execution_id),
                source_execution_id: non_empty(event.source_execution_id),
            },
            Wire::ExecutionStateChanged(event) => Self::ExecutionStateChanged {
                previous_state: ExecutionState::from_number(event.previous_state),
                state: ExecutionState::from_number(event.state),
                state_info: event.state_info,
                output: event.output.map(Payload::from),
            },
            Wire::TaskCreated(event) => Self::TaskCreated {
                state: TaskState::from_number(event.state),
                triggered_by: event.triggered_by,
                undo_of: Some(event.undo_of).filter(|id| !id.is_empty()),
            },
            Wire::TaskStateChanged(event) => Self::TaskStateChanged {
                previous_state: TaskState::from_number(event.previous_state),
                state: TaskState::from_number(event.state),
                state_info: event.state_info,
            },
            Wire::ActionStarted(event) => Self::ActionStarted {
                action_execution_id: event.action_execution_id,
                action_name: event.action_name,
                item_index: event.item_index,
                attempt: event.attempt,
                input: event.input.map(Payload::from),
            },
            Wire::ActionLeaseLost(event) => lease_lost(event),
            Wire::ActionStateChanged(event) => Self::ActionStateChanged {
                action_execution_id: event.action_execution_id,
                state: ActionState::from_number(event.state),
                output: event.output.map(Payload::from),
            },
            Wire::VariablesPublished(event) => Self::VariablesPublished {
                branch: event.branch,
                global: event.global,
            },
            Wire::TimerStarted(event) => Self::TimerStarted {
                kind: TimerKind::from_number(event.kind),
                due_time: to_time(event.due_time),
            },
            Wire::TimerFired(event) => Self::TimerFired {
                kind: TimerKind::from_number(event.kind),
            },
            Wire::ChildStarted(event) => Self::ChildStarted {
                child_execution_id: event.child_execution_id,
                workflow_name: event.workflow_name,
                item_index: event.item_index,
            },
            Wire::VerbApplied(event) => Self::VerbApplied {
                verb: event.verb,
                reason: event.reason,
                request_id: non_empty(event.request_id),
            },
            Wire::EnvironmentChanged(event) => Self::EnvironmentChanged { names: event.names },
            Wire::ExecutionDrained(_) => Self::ExecutionDrained,
            Wire::TaskInputChanged(event) => Self::TaskInputChanged { names: event.names },
            Wire::ResultIgnored(event) => Self::ResultIgnored {
                action_execution_id: event.action_execution_id,
                reason: event.reason,
            },
        }
    }
}

fn lease_lost(event: proto::v1::ActionLeaseLost) -> EventKind {
    let reason = match proto::v1::LeaseLoss::try_from(event.reason) {
        Ok(loss) => {
            let name = loss.as_str_name().trim_start_matches("LEASE_LOSS_");
            name.to_ascii_lowercase()
        }
        Err(_) => event.reason.to_string(),
    };
    EventKind::ActionLeaseLost {
        action_execution_id: event.action_execution_id,
        worker: event.worker,
        delivery: event.delivery,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts read events as JSON, one object each: what happened beside what it is about.
    #[test]
    fn events_are_flat_json() {
        let event = |event| {
            Event::from(proto::v1::HistoryEvent {
                sequence: 7,
                event_time: Some(prost_types::Timestamp {
                    seconds: 0,
                    nanos: 5_000_000,
                }),
                run: 1,
                task_name: "t1".to_owned(),
                event,
                ..proto::v1::HistoryEvent::default()
            })
        };
        let head = "{\"sequence\":7,\"event_time\":\"1970-01-01T00:00:00.005Z\",\"run\":1,\
                    \"task_name\":\"t1\",";
        let timer = proto::v1::TimerFired {
            kind: proto::v1::TimerKind::Retry.into(),
        };
        let done = proto::v1::ActionStateChanged {
            action_execution_id: "a1".to_owned(),
            state: 99,
            output: Some(Payload::from_json_text("{\"n\": 1}").into_proto()),
        };
        for (wire, rest) in [
            (None, "\"event\":\"unknown\"}"),
            (
                Some(Wire::TimerFired(timer)),
                "\"event\":\"timer_fired\",\"kind\":\"RETRY\"}",
            ),
            (
                Some(Wire::ActionStateChanged(done)),
                "\"event\":\"action_state_changed\",\"action_execution_id\":\"a1\",\
                 \"state\":\"STATE_99\",\"output\":{\"n\": 1}}",
            ),
        ] {
            let event = event(wire);
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(text, format!("{head}{rest}"));
            assert!(text.contains(event.kind.name()));
        }
    }
}
