//! Requests that change executions and actions, as orders to the driver.

use std::sync::Arc;

use engine::{Caller, Data, ExecutionState, Outcome, Verb};
use proto::v1;

use super::{field, payload};
use crate::api::fault::Fault;
use crate::driver::{ActionChange, OnConflict, StartOrder};

/// The order to start an execution.
pub(crate) fn start(
    request: v1::StartExecutionRequest,
    payload_bytes_max: usize,
) -> Result<StartOrder, Fault> {
    let object = |name, given| {
        let found = payload::object(name, given, payload_bytes_max)?;
        Ok::<_, Fault>(found.unwrap_or_else(Data::empty_object))
    };
    field::payload_format(request.payload_format)?;
    let on_conflict = match field::known("id_conflict_policy", request.id_conflict_policy)? {
        v1::IdConflictPolicy::Unspecified | v1::IdConflictPolicy::UseExisting => {
            OnConflict::UseExisting
        }
        v1::IdConflictPolicy::Fail => OnConflict::Fail,
    };
    Ok(StartOrder {
        project: field::project(&request.project)?,
        execution_id: field::optional_name("execution_id", &request.execution_id)?,
        workflow_namespace: field::namespace("workflow_namespace", &request.workflow_namespace)?,
        workflow_name: field::name("workflow_name", &request.workflow_name)?,
        workflow_revision: field::revision("workflow_revision", request.workflow_revision)?,
        input: object("input", request.input)?,
        params: object("params", request.params)?,
        labels: field::labels(request.labels)?,
        description: field::text("description", &request.description)?,
        on_conflict,
        validate_only: request.validate_only,
        principal: None,
    })
}

/// Who calls a verb, and why.
pub(crate) fn caller(reason: &str, request_id: Option<&Arc<str>>) -> Result<Caller, Fault> {
    let reason = field::optional_text("reason", reason)?;
    Ok(Caller {
        principal: None,
        reason,
        request_id: request_id.cloned(),
    })
}

/// The verb that cancels.
pub(crate) fn cancel(reason: &str) -> Result<Verb, Fault> {
    let message = field::optional_text("reason", reason)?;
    Ok(Verb::Stop {
        outcome: ExecutionState::Cancelled,
        message,
    })
}

/// The verb that ends with a declared outcome.
pub(crate) fn stop(outcome: i32, reason: &str) -> Result<Verb, Fault> {
    use v1::ExecutionState as S;
    let outcome = match field::known("outcome", outcome)? {
        S::Success => ExecutionState::Success,
        S::Error => ExecutionState::Error,
        S::Cancelled => ExecutionState::Cancelled,
        S::Unspecified | S::Idle | S::Running | S::Paused => {
            return Err(Fault::field(
                "outcome",
                "must be SUCCESS, ERROR or CANCELLED",
            ));
        }
    };
    Ok(Verb::Stop {
        outcome,
        message: field::optional_text("reason", reason)?,
    })
}

/// The change of an action execution that a new state means.
pub(crate) fn action_change(new_state: i32) -> Result<ActionChange, Fault> {
    use v1::ActionState as S;
    match field::known("state", new_state)? {
        S::Running => Ok(ActionChange::Pause(false)),
        S::Paused => Ok(ActionChange::Pause(true)),
        S::Cancelled => Ok(ActionChange::End(Outcome::Cancelled)),
        S::Unspecified | S::Success | S::Error => Err(Fault::field(
            "state",
            "must be RUNNING, PAUSED or CANCELLED",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> v1::StartExecutionRequest {
        v1::StartExecutionRequest {
            workflow_name: "wf".into(),
            ..Default::default()
        }
    }

    fn json(text: &str) -> v1::Payload {
        let encoding = Some(v1::payload::Encoding::Json(text.into()));
        v1::Payload {
            encoding,
            ..Default::default()
        }
    }

    #[test]
    fn an_empty_start_takes_the_defaults() {
        let order = start(request(), 100).unwrap();
        assert_eq!(
            (&*order.project, &*order.workflow_namespace),
            ("default", "")
        );
        assert_eq!(
            (&**order.input.text(), &**order.params.text()),
            ("{}", "{}")
        );
        assert_eq!((order.execution_id, order.workflow_revision), (None, None));
        assert_eq!(order.on_conflict, OnConflict::UseExisting);
    }

    #[test]
    fn a_faulty_start_names_the_field() {
        type Change = fn(&mut v1::StartExecutionRequest);
        let changes: [(Change, &str); 8] = [
            (|r| r.workflow_name.clear(), "workflow_name: is required"),
            (
                |r| r.workflow_revision = -1,
                "workflow_revision: must not be negative",
            ),
            (
                |r| r.input = Some(json("[]")),
                "input: must be a JSON object",
            ),
            (|r| r.params = Some(json("{")), "params: invalid JSON"),
            (
                |r| r.execution_id = "\u{7}".into(),
                "execution_id: must have printable",
            ),
            (
                |r| r.id_conflict_policy = 7,
                "id_conflict_policy: has no value 7",
            ),
            (|r| r.payload_format = 7, "payload_format: has no value 7"),
            (
                |r| r.description = "x".repeat(5000),
                "description: has 5000 bytes",
            ),
        ];
        for (change, expected) in changes {
            let mut request = request();
            change(&mut request);
            let fault = start(request, 100).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{fault}");
        }
    }

    #[test]
    fn outcomes_and_action_states_are_limited() {
        for state in 0..9 {
            assert_eq!(
                stop(state, "").is_ok(),
                (4..=6).contains(&state),
                "outcome {state}"
            );
            assert_eq!(
                action_change(state).is_ok(),
                [1, 2, 5].contains(&state),
                "state {state}"
            );
        }
    }
}
