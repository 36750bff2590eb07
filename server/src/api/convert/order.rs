//! Requests that change executions and actions, as orders to the driver.

use std::sync::Arc;
use std::time::Duration;

use engine::{ActionVerb, Caller, Data, ExecutionState, ExecutionUid, TaskId, Verb};
use expr::{Dict, Value};
use proto::v1;

use super::{field, payload};
use crate::api::fault::Fault;
use crate::driver::{self, ActionChange, OnConflict, RestartOrder, StartOrder, Subject};

/// The order to start a workflow.
pub(crate) fn start(
    request: v1::StartExecutionRequest,
    caller: Caller,
    payload_bytes_max: usize,
) -> Result<StartOrder, Fault> {
    use v1::start_execution_request::Environment as E;
    field::payload_format(request.payload_format)?;
    let params = object("params", request.params, payload_bytes_max)?;
    let given = match request.environment {
        None => None,
        Some(E::EnvironmentName(name)) => Some(Environment::Name(name)),
        Some(E::EnvironmentVariables(payload)) => Some(Environment::Variables(payload)),
    };
    let (params, environment) = environment(params, given, payload_bytes_max)?;
    Ok(StartOrder {
        project: field::project(&request.project)?,
        execution_id: field::optional_name("execution_id", &request.execution_id)?,
        namespace: field::namespace("workflow_namespace", &request.workflow_namespace)?,
        name: field::name("workflow_name", &request.workflow_name)?,
        subject: Subject::Workflow {
            revision: field::revision("workflow_revision", request.workflow_revision)?,
        },
        input: object("input", request.input, payload_bytes_max)?,
        params,
        environment,
        labels: field::labels(request.labels)?,
        description: field::text("description", &request.description)?,
        on_conflict: on_conflict(request.id_conflict_policy)?,
        validate_only: request.validate_only,
        caller,
    })
}

/// The order to run one action, which may take no longer than `timeout_max`.
pub(crate) fn run_action(
    request: v1::RunActionRequest,
    caller: Caller,
    payload_bytes_max: usize,
    timeout_max: Duration,
) -> Result<StartOrder, Fault> {
    use v1::run_action_request::Environment as E;
    let given = match request.environment {
        None => None,
        Some(E::EnvironmentName(name)) => Some(Environment::Name(name)),
        Some(E::EnvironmentVariables(payload)) => Some(Environment::Variables(payload)),
    };
    let wanted = field::duration("timeout", request.timeout)?;
    if wanted.is_some_and(|wanted| wanted.is_zero()) {
        return Err(Fault::field("timeout", "must be more than 0"));
    }
    let timeout = wanted.map_or(timeout_max, |wanted| wanted.min(timeout_max));
    let target = field::optional_name("target", &request.target)?;
    let params = single_params(timeout, target);
    let (params, environment) = environment(params, given, payload_bytes_max)?;
    Ok(StartOrder {
        project: field::project(&request.project)?,
        execution_id: field::optional_name("execution_id", &request.execution_id)?,
        namespace: field::namespace("namespace", &request.namespace)?,
        name: field::name("action_name", &request.action_name)?,
        subject: Subject::Action {
            synchronous: request.synchronous,
        },
        input: object("input", request.input, payload_bytes_max)?,
        params,
        environment,
        labels: field::labels(request.labels)?,
        description: field::text("description", &request.description)?,
        on_conflict: on_conflict(request.id_conflict_policy)?,
        validate_only: request.validate_only,
        caller,
    })
}

/// The start parameters from which the task of a single action reads how long it may take, in
/// whole seconds, and where it is to run.
fn single_params(timeout: Duration, target: Option<Arc<str>>) -> Data {
    let seconds = timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0);
    let mut params = Dict::new();
    params.insert(
        "timeout",
        Value::from(i64::try_from(seconds).unwrap_or(i64::MAX)),
    );
    if let Some(target) = target {
        params.insert("target", Value::from(target));
    }
    Data::from_value(Value::Dict(params)).expect("a number and a text can be written")
}

/// A JSON object; absent means an empty one.
fn object(name: &'static str, given: Option<v1::Payload>, bytes_max: usize) -> Result<Data, Fault> {
    let found = payload::object(name, given, bytes_max)?;
    Ok(found.unwrap_or_else(Data::empty_object))
}

fn on_conflict(policy: i32) -> Result<OnConflict, Fault> {
    match field::known("id_conflict_policy", policy)? {
        v1::IdConflictPolicy::Unspecified | v1::IdConflictPolicy::UseExisting => {
            Ok(OnConflict::UseExisting)
        }
        v1::IdConflictPolicy::Fail => Ok(OnConflict::Fail),
    }
}

/// What `env()` is to give, as a field of its own.
enum Environment {
    Name(String),
    Variables(v1::Payload),
}

/// The start parameters with inline variables in them, and the name of a stored environment. Both
/// may also stand in `params.env`, where Mistral has them.
fn environment(
    params: Data,
    given: Option<Environment>,
    bytes_max: usize,
) -> Result<(Data, Option<Arc<str>>), Fault> {
    let in_params = params.value().get("env").filter(|env| *env != Value::Null);
    match (given, in_params) {
        (Some(_), Some(_)) => Err(Fault::field(
            "environment",
            "is given twice: also as params.env",
        )),
        (Some(Environment::Name(name)), None) => {
            let name = field::name("environment_name", &name)?;
            Ok((params, Some(name)))
        }
        (Some(Environment::Variables(variables)), None) => {
            let variables = object("environment_variables", Some(variables), bytes_max)?;
            let mut params = params.value().as_dict().cloned().unwrap_or_default();
            params.insert("env", variables.value().clone());
            let params = Data::from_value(Value::Dict(params));
            let params = params.map_err(|error| Fault::PayloadInvalid {
                field: "environment_variables",
                description: error.to_string(),
            })?;
            Ok((params, None))
        }
        (None, Some(Value::Str(name))) => {
            let name = field::name("params.env", &name)?;
            Ok((params, Some(name)))
        }
        (None, _) => Ok((params, None)),
    }
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
        S::Unspecified | S::Idle | S::Running | S::Paused | S::RollingBack | S::RolledBack => {
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

/// The verb that runs tasks again, and the only task that it is about.
pub(crate) fn rerun(
    request: &v1::RerunExecutionRequest,
    payload_bytes_max: usize,
) -> Result<(Option<TaskId>, Verb), Fault> {
    let task = match request.task_execution_id.as_str() {
        "" => None,
        id => Some(field::task_id(id)?),
    };
    if task.is_none() {
        field::name("execution_id", &request.execution_id)?;
    }
    let verb = Verb::Rerun {
        task: task.map(|task| task.number),
        reset: request.reset,
        env: payload::object("env", request.env.clone(), payload_bytes_max)?,
        input: payload::object("input", request.input.clone(), payload_bytes_max)?,
    };
    Ok((task, verb))
}

/// The verb that undoes what was done, and the task execution to go back to.
pub(crate) fn rollback(
    request: &v1::RollbackExecutionRequest,
) -> Result<(Option<TaskId>, Verb), Fault> {
    let to = match request.to_task_execution_id.as_str() {
        "" => None,
        id => Some(field::task_id(id)?),
    };
    let verb = Verb::Rollback {
        to: to.map(|task| task.number),
    };
    Ok((to, verb))
}

/// The verb that skips a task, and which.
pub(crate) fn skip(
    request: &v1::SkipTaskRequest,
    payload_bytes_max: usize,
) -> Result<(TaskId, Verb), Fault> {
    let task = field::task_id(&request.task_execution_id)?;
    let result = match request.result.clone() {
        None => None,
        given => Some(payload::any("result", given, payload_bytes_max)?),
    };
    let verb = Verb::Skip {
        task: task.number,
        result,
    };
    Ok((task, verb))
}

/// The verb that ends at once.
pub(crate) fn terminate(reason: &str) -> Result<Verb, Fault> {
    let message = field::optional_text("reason", reason)?;
    Ok(Verb::Terminate { message })
}

/// The verb that changes what is said of an execution.
pub(crate) fn update(
    request: &v1::UpdateExecutionRequest,
    payload_bytes_max: usize,
) -> Result<Verb, Fault> {
    const FIELDS: [&str; 3] = ["labels", "description", "environment"];
    let mask = request.update_mask.as_ref();
    let mask = mask.filter(|mask| !mask.paths.is_empty());
    for path in mask.iter().flat_map(|mask| &mask.paths) {
        if !FIELDS.contains(&path.as_str()) {
            let description = format!("has no field {path:?}; it takes {}", FIELDS.join(", "));
            return Err(Fault::field("update_mask", description));
        }
    }
    let named = |field: &str, given: bool| match mask {
        Some(mask) => mask.paths.iter().any(|path| path == field),
        None => given,
    };
    let [labels, description, environment] = [
        named("labels", !request.labels.is_empty()),
        named("description", !request.description.is_empty()),
        named("environment", request.environment.is_some()),
    ];
    if !(labels || description || environment) {
        let description = "nothing is given: it takes labels, description, environment";
        return Err(Fault::field("update_mask", description));
    }
    let variables = request.environment.clone().filter(|_| environment);
    Ok(Verb::Update {
        labels: labels
            .then(|| field::labels(request.labels.clone()))
            .transpose()?,
        description: description
            .then(|| field::text("description", &request.description))
            .transpose()?,
        env: payload::object("environment", variables, payload_bytes_max)?,
    })
}

/// The order to start an execution like another one.
pub(crate) fn restart(
    request: v1::RestartExecutionRequest,
    source: ExecutionUid,
    caller: Caller,
    bytes_max: usize,
) -> Result<RestartOrder, Fault> {
    use driver::Environment as Given;
    use v1::restart_execution_request::Environment as E;
    let environment = match request.environment {
        None => None,
        Some(E::EnvironmentName(name)) => {
            Some(Given::Name(field::name("environment_name", &name)?))
        }
        Some(E::EnvironmentVariables(given)) => {
            let variables = object("environment_variables", Some(given), bytes_max)?;
            Some(Given::Variables(variables))
        }
    };
    let params = payload::object("params", request.params, bytes_max)?;
    if params
        .as_ref()
        .is_some_and(|params| params.value().get("env").is_some())
    {
        let description = "must not have env: give environment_name or environment_variables";
        return Err(Fault::field("params", description));
    }
    let relabelled = request.clear_labels || !request.labels.is_empty();
    Ok(RestartOrder {
        source,
        execution_id: field::optional_name("new_execution_id", &request.new_execution_id)?,
        latest_revision: request.latest_revision,
        input: payload::object("input", request.input, bytes_max)?,
        params,
        environment,
        labels: relabelled
            .then(|| field::labels(request.labels))
            .transpose()?,
        description: field::optional_text("description", &request.description)?,
        caller,
    })
}

/// The verb that lets a task go on now, and which.
pub(crate) fn retry(request: &v1::RetryTaskRequest) -> Result<(TaskId, Verb), Fault> {
    let task = field::task_id(&request.task_execution_id)?;
    Ok((task, Verb::Retry { task: task.number }))
}

/// The change of an action execution that a new state means.
pub(crate) fn action_change(new_state: i32, caller: Caller) -> Result<ActionChange, Fault> {
    use v1::ActionState as S;
    match field::known("state", new_state)? {
        S::Running => Ok(ActionVerb::Resume),
        S::Paused => Ok(ActionVerb::Pause),
        S::Cancelled => Ok(ActionVerb::Cancel),
        S::Unspecified | S::Success | S::Error => Err(Fault::field(
            "state",
            "must be RUNNING, PAUSED or CANCELLED",
        )),
    }
    .map(|verb| ActionChange::Verb { verb, caller })
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
        let order = start(request(), Caller::default(), 100).unwrap();
        assert_eq!((&*order.project, &*order.namespace), ("default", ""));
        assert_eq!(
            (&**order.input.text(), &**order.params.text()),
            ("{}", "{}")
        );
        assert_eq!((order.execution_id, order.environment), (None, None));
        assert_eq!(order.subject, Subject::Workflow { revision: None });
        assert_eq!(order.on_conflict, OnConflict::UseExisting);
    }

    #[test]
    fn a_faulty_start_names_the_field() {
        use v1::start_execution_request::Environment as E;
        type Change = fn(&mut v1::StartExecutionRequest);
        let changes: [(Change, &str); 11] = [
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
                |r| r.environment = Some(E::EnvironmentVariables(json("[]"))),
                "environment_variables: must be a JSON object",
            ),
            (
                |r| r.environment = Some(E::EnvironmentName(String::new())),
                "environment_name: is required",
            ),
            (
                |r| {
                    r.params = Some(json("{\"env\":\"prod\"}"));
                    r.environment = Some(E::EnvironmentName("prod".into()));
                },
                "environment: is given twice",
            ),
            (
                |r| r.description = "x".repeat(5000),
                "description: has 5000 bytes",
            ),
        ];
        for (change, expected) in changes {
            let mut request = request();
            change(&mut request);
            let fault = start(request, Caller::default(), 100)
                .unwrap_err()
                .to_string();
            assert!(fault.starts_with(expected), "{fault}");
        }
    }

    #[test]
    fn an_environment_has_three_places() {
        use v1::start_execution_request::Environment as E;
        let by_name = Some(E::EnvironmentName("prod".into()));
        let inline = Some(E::EnvironmentVariables(json("{\"a\":1}")));
        for (params, environment, expected) in [
            ("{}", None, ("{}", None)),
            ("{\"env\":null}", None, ("{\"env\":null}", None)),
            ("{\"env\":{\"a\":1}}", None, ("{\"env\":{\"a\":1}}", None)),
            (
                "{\"env\":\"prod\"}",
                None,
                ("{\"env\":\"prod\"}", Some("prod")),
            ),
            ("{}", by_name, ("{}", Some("prod"))),
            ("{\"x\":2}", inline, ("{\"x\":2,\"env\":{\"a\":1}}", None)),
        ] {
            let request = v1::StartExecutionRequest {
                params: Some(json(params)),
                environment,
                ..request()
            };
            let order = start(request, Caller::default(), 100).unwrap();
            let found = (&**order.params.text(), order.environment.as_deref());
            assert_eq!(found, expected);
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
                action_change(state, Caller::default()).is_ok(),
                [1, 2, 5].contains(&state),
                "state {state}"
            );
        }
    }
}
