//! Verbs in states that do not allow them.

use proto::v1;
use proto::v1::ErrorReason as R;
use serde_json::json;
use tonic::Code;

use super::{apply, server, settle};
use crate::support::{Findings, PATIENCE, running_action, step};

#[tokio::test]
async fn of_a_running_execution() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let running = api.start("held", &json!({})).await.unwrap().uid;
    let answer = apply(&api, "delete", &running).await;
    findings.refused(
        "delete",
        answer,
        Code::FailedPrecondition,
        R::ExecutionState,
    );
    for outcome in [v1::ExecutionState::Running, v1::ExecutionState::Unspecified] {
        let request = v1::StopExecutionRequest {
            project: api.project(),
            execution_id: running.clone(),
            outcome: outcome.into(),
            ..Default::default()
        };
        let answer = api.executions().stop_execution(request).await;
        let what = format!("stop as {outcome:?}");
        findings.refused(&what, answer, Code::InvalidArgument, R::InvalidField);
    }
    let request = v1::DeleteWorkflowRequest {
        project: api.project(),
        name: "held".to_owned(),
        ..Default::default()
    };
    let answer = api.workflows().delete_workflow(request).await;
    findings.refused(
        "delete workflow",
        answer,
        Code::FailedPrecondition,
        R::DefinitionInUse,
    );
    settle(findings, &api).await;
}

#[tokio::test]
async fn of_a_finished_execution() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let uid = api.start("held", &json!({})).await.unwrap().uid;
    let action = running_action(&api, &uid)
        .await
        .unwrap()
        .action_execution_id;
    step(&api, &uid).await;
    let answer = api.complete_action(&action, &json!("again")).await;
    findings.refused(
        "complete twice",
        answer,
        Code::FailedPrecondition,
        R::ActionState,
    );
    step(&api, &uid).await;
    let done = api.finished(&uid, PATIENCE).await.unwrap();
    assert_eq!(done.state(), v1::ExecutionState::Success);
    for verb in ["pause", "resume", "cancel", "stop"] {
        let answer = apply(&api, verb, &uid).await;
        let refusal = findings.refused(verb, answer, Code::FailedPrecondition, R::ExecutionState);
        let metadata = refusal.map(|refusal| refusal.metadata).unwrap_or_default();
        let state = metadata.get("state").map(String::as_str);
        findings.holds(
            &format!("{verb}: state {state:?}"),
            state == Some("SUCCESS"),
        );
        findings.holds(&format!("{verb}: no verb"), metadata.contains_key("verb"));
    }
    settle(findings, &api).await;
}

#[tokio::test]
async fn repeating_a_verb_is_no_mistake() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let uid = api.start("held", &json!({})).await.unwrap().uid;
    let verbs = "resume pause pause resume resume cancel cancel delete";
    for verb in verbs.split(' ') {
        let answer = apply(&api, verb, &uid).await;
        findings.holds(&format!("{verb}: {answer:?}"), answer.is_ok());
    }
    settle(findings, &api).await;
}
