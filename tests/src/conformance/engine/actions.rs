//! Recorded calls about actions by themselves and about environments.

use anyhow::{Context as _, Result, bail};
use prost_types::Duration;
use proto::v1;
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::case::Do;
use super::follow::action_word;
use super::recorded::stand_in;
use crate::api::{Api, payload, value};
use crate::conformance::same::{Order, same};

/// Waiting is left to the call, as in the recorded tests.
const WAIT_S: i64 = 10;

pub(super) async fn create_actions(step: &Do, api: &Api) -> Result<(), Status> {
    let request = v1::CreateActionRequest {
        project: api.project(),
        namespace: step.namespace.clone(),
        source: step.yaml.clone(),
        ..Default::default()
    };
    api.actions().create_action(request).await.map(drop)
}

pub(super) async fn create_environment(step: &Do, api: &Api) -> Result<(), Status> {
    let variables = step.variables.clone().unwrap_or_else(|| json!({}));
    let request = v1::CreateEnvironmentRequest {
        project: api.project(),
        name: step.name.clone(),
        description: step.description.clone(),
        variables: Some(payload(&variables)),
        ..Default::default()
    };
    api.environments()
        .create_environment(request)
        .await
        .map(drop)
}

/// Runs an action by itself. Where a result was recorded, ours must be the same.
pub(super) async fn start_action(step: &Do, api: &Api) -> Result<Result<(), Status>> {
    let name = step.action.as_ref().and_then(Value::as_str);
    let name = name.context("the step names no action")?;
    bring(step, name, api).await?;
    let is_sync = |params: &Value| params["run_sync"].as_bool();
    let params = step.params.as_ref();
    let request = v1::RunActionRequest {
        project: api.project(),
        namespace: step.namespace.clone(),
        action_name: name.to_owned(),
        input: step.input.as_ref().map(payload),
        synchronous: params.and_then(is_sync).unwrap_or_default(),
        wait_timeout: Some(Duration {
            seconds: WAIT_S,
            nanos: 0,
        }),
        ..Default::default()
    };
    let answer = match api.actions().run_action(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Ok(Err(status)),
    };
    let Some(wanted) = &step.result else {
        return Ok(Ok(()));
    };
    let action = answer.action_execution.context("no action execution")?;
    let state = action_word(action.state());
    let found = json!({"result": value(action.output.as_ref())?});
    let is_same = same(&wanted["output"], &found, Order::Kept);
    if wanted["state"].as_str() != Some(state) || !is_same {
        bail!("start_action gave {state} {found}, wanted {wanted}");
    }
    Ok(Ok(()))
}

/// Brings the action that a recorded test brought with it in Python: one that our server does not
/// know, and that succeeded there.
async fn bring(step: &Do, name: &str, api: &Api) -> Result<()> {
    let input = step.input.as_ref().and_then(Value::as_object);
    let (Some(result), Some(input)) = (&step.result, input) else {
        return Ok(());
    };
    if step.raised.is_some() || result["state"] != "SUCCESS" {
        return Ok(());
    }
    let request = v1::GetActionRequest {
        project: api.project(),
        namespace: step.namespace.clone(),
        name: name.to_owned(),
        ..Default::default()
    };
    match api.actions().get_action(request).await {
        Err(status) if status.code() == Code::NotFound => {}
        known => return known.map(drop).context("looking for the action"),
    }
    let request = v1::CreateActionRequest {
        project: api.project(),
        namespace: step.namespace.clone(),
        source: stand_in(name, input, &result["output"]["result"]),
        ..Default::default()
    };
    let created = api.actions().create_action(request).await;
    created.map(drop).context("bringing the action of the test")
}
