//! The calls of recorded steps, made over the contract.

use anyhow::{Context as _, Result, bail};
use proto::v1;
use serde_json::Value;
use tonic::{Code, Status};

use super::actions;
use super::case::{ActionResult, Do, Reference};
use super::things::{Thing, Things};
use crate::api::{Api, payload};

/// What came of a step.
pub(super) enum Answer {
    /// It went as recorded, a refusal included.
    Done,
    /// An execution of this uid was started.
    Started(String),
    /// The contract has no such call.
    Unsupported(String),
}

/// Makes the call of a step.
pub(super) async fn call(step: &Do, api: &Api, things: &Things) -> Result<Answer> {
    let refused = step.raised.is_some();
    let answer = match step.call.as_str() {
        "create_workflows" => create_workflows(step, api).await,
        "create_workbook" => create_workbook(step, api).await,
        "create_actions" => actions::create_actions(step, api).await,
        "create_environment" => actions::create_environment(step, api).await,
        "start_action" => actions::start_action(step, api).await?,
        "start" => return start(step, api).await,
        "complete_action" => complete_action(step, api, things).await?,
        "update_action" => update_action(step, api, things).await?,
        "pause" => pause(api, execution_id(step, things).await?).await,
        "resume" => {
            let id = execution_id(step, things).await?;
            let answer = resume(step, api, id.clone()).await;
            ignored_at_the_end(answer, step, api, &id).await?
        }
        "stop" => stop(step, api, things).await?,
        "rerun" => rerun(step, api, things).await?,
        other => return Ok(Answer::Unsupported(format!("not in the contract: {other}"))),
    };
    expect(&step.call, answer, refused)?;
    Ok(Answer::Done)
}

/// A call that Mistral refused must be refused, and only such a one.
fn expect(call: &str, answer: Result<(), Status>, refused: bool) -> Result<()> {
    match (answer, refused) {
        (Ok(()), false) | (Err(_), true) => Ok(()),
        (Err(status), false) => Err(status).with_context(|| call.to_owned()),
        (Ok(()), true) => bail!("{call}: Mistral refused it"),
    }
}

async fn create_workflows(step: &Do, api: &Api) -> Result<(), Status> {
    let request = v1::CreateWorkflowRequest {
        project: api.project(),
        namespace: step.namespace.clone(),
        source: step.yaml.clone(),
        ..Default::default()
    };
    api.workflows().create_workflow(request).await.map(drop)
}

async fn create_workbook(step: &Do, api: &Api) -> Result<(), Status> {
    let request = v1::CreateWorkbookRequest {
        project: api.project(),
        namespace: step.namespace.clone(),
        source: step.yaml.clone(),
        ..Default::default()
    };
    api.workbooks().create_workbook(request).await.map(drop)
}

async fn start(step: &Do, api: &Api) -> Result<Answer> {
    let request = v1::StartExecutionRequest {
        project: api.project(),
        workflow_namespace: step.namespace.clone(),
        workflow_name: step.workflow.clone(),
        input: step.input.as_ref().map(payload),
        params: step.params.as_ref().map(payload),
        description: step.description.clone(),
        ..Default::default()
    };
    let answer = api.executions().start_execution(request).await;
    match answer {
        Ok(answer) if step.raised.is_none() => {
            let execution = answer.into_inner().execution.context("no execution")?;
            Ok(Answer::Started(execution.uid))
        }
        other => expect("start", other.map(drop), step.raised.is_some()).map(|()| Answer::Done),
    }
}

async fn execution_id(step: &Do, things: &Things) -> Result<String> {
    let reference = step.wf.as_ref().context("the step names no execution")?;
    find(things, reference).await
}

async fn find(things: &Things, reference: &Reference) -> Result<String> {
    let thing = things.find(reference).await?;
    let thing: Thing = thing.with_context(|| format!("there is no {reference:?}"))?;
    Ok(thing.id().to_owned())
}

async fn action_id(step: &Do, things: &Things) -> Result<String> {
    let action = step.action.clone().context("the step names no action")?;
    let reference = serde_json::from_value(action).context("reading the reference")?;
    find(things, &reference).await
}

async fn complete_action(step: &Do, api: &Api, things: &Things) -> Result<Result<(), Status>> {
    let id = action_id(step, things).await?;
    let result = step.result.clone().context("the step has no result")?;
    let result: ActionResult = serde_json::from_value(result).context("reading the result")?;
    if result.cancel {
        return Ok(set_action_state(api, id, v1::ActionState::Cancelled).await);
    }
    if !result.error.is_null() {
        return Ok(fail_action(api, id, &result.error).await);
    }
    Ok(api.complete_action(&id, &result.data).await)
}

async fn fail_action(api: &Api, id: String, error: &Value) -> Result<(), Status> {
    let request = v1::FailActionExecutionRequest {
        project: api.project(),
        action_execution_id: id,
        error: Some(payload(error)),
        ..Default::default()
    };
    api.tasks().fail_action_execution(request).await.map(drop)
}

async fn update_action(step: &Do, api: &Api, things: &Things) -> Result<Result<(), Status>> {
    let id = action_id(step, things).await?;
    let state = match step.state.as_deref() {
        Some("RUNNING") => v1::ActionState::Running,
        Some("PAUSED") => v1::ActionState::Paused,
        Some("CANCELLED") => v1::ActionState::Cancelled,
        other => bail!("no such state of an action: {other:?}"),
    };
    Ok(set_action_state(api, id, state).await)
}

async fn set_action_state(api: &Api, id: String, state: v1::ActionState) -> Result<(), Status> {
    let request = v1::UpdateActionExecutionRequest {
        project: api.project(),
        action_execution_id: id,
        state: state.into(),
        ..Default::default()
    };
    api.tasks().update_action_execution(request).await.map(drop)
}

async fn pause(api: &Api, execution_id: String) -> Result<(), Status> {
    let request = v1::PauseExecutionRequest {
        project: api.project(),
        execution_id,
        ..Default::default()
    };
    api.executions().pause_execution(request).await.map(drop)
}

async fn resume(step: &Do, api: &Api, execution_id: String) -> Result<(), Status> {
    let request = v1::ResumeExecutionRequest {
        project: api.project(),
        execution_id,
        env: step.env.as_ref().map(payload),
        ..Default::default()
    };
    api.executions().resume_execution(request).await.map(drop)
}

/// Mistral's engine has one call for both: running a task again, and skipping it.
async fn rerun(step: &Do, api: &Api, things: &Things) -> Result<Result<(), Status>> {
    let task = step.task.as_ref().context("the step names no task")?;
    let task_execution_id = find(things, task).await?;
    if step.skip {
        let request = v1::SkipTaskRequest {
            project: api.project(),
            task_execution_id,
            ..Default::default()
        };
        return Ok(api.tasks().skip_task(request).await.map(drop));
    }
    let request = v1::RerunExecutionRequest {
        project: api.project(),
        task_execution_id,
        reset: step.reset,
        env: step.env.as_ref().map(payload),
        ..Default::default()
    };
    Ok(api.executions().rerun_execution(request).await.map(drop))
}

async fn stop(step: &Do, api: &Api, things: &Things) -> Result<Result<(), Status>> {
    let id = execution_id(step, things).await?;
    let outcome = match step.state.as_deref() {
        Some("SUCCESS") => v1::ExecutionState::Success,
        Some("ERROR") => v1::ExecutionState::Error,
        Some("CANCELLED") => v1::ExecutionState::Cancelled,
        other => bail!("no such outcome: {other:?}"),
    };
    let request = v1::StopExecutionRequest {
        project: api.project(),
        execution_id: id.clone(),
        outcome: outcome.into(),
        reason: step.message.clone().unwrap_or_default(),
        ..Default::default()
    };
    let answer = api.executions().stop_execution(request).await.map(drop);
    ignored_at_the_end(answer, step, api, &id).await
}

/// Mistral ignores some verbs on a finished execution in silence, where we refuse them: nothing
/// changes either way.
async fn ignored_at_the_end(
    answer: Result<(), Status>,
    step: &Do,
    api: &Api,
    id: &str,
) -> Result<Result<(), Status>> {
    match answer {
        Err(status) if status.code() == Code::FailedPrecondition && step.raised.is_none() => {
            let execution = api.execution(id).await;
            let execution = execution.context("reading the execution of the verb")?;
            let finished = execution.end_time.is_some();
            Ok(if finished { Ok(()) } else { Err(status) })
        }
        answer => Ok(answer),
    }
}
