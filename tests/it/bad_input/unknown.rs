//! Things that are not there, that are there already, and that changed meanwhile.

use proto::v1;
use proto::v1::ErrorReason as R;
use serde_json::json;
use tonic::{Code, Status};

use super::{apply, server, settle};
use crate::support::{Findings, echo};

/// Ids that no thing has, some of them not even possible.
const IDS: [&str; 5] = [
    "nothing",
    "0192f000-0000-7000-8000-000000000000",
    "",
    "../..",
    "-1",
];

#[tokio::test]
async fn executions() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let missing = Code::NotFound;
    let answer = api.start("nothing", &json!({})).await;
    findings.refused("start", answer, missing, R::WorkflowNotFound);
    let mut request = api.start_request("echo", &json!({}));
    request.workflow_revision = 9;
    let answer = api.executions().start_execution(request).await;
    findings.refused("revision", answer, missing, R::WorkflowNotFound);

    findings.refused(
        "get",
        api.execution("nothing").await,
        missing,
        R::ExecutionNotFound,
    );
    findings.refused(
        "history",
        api.history("nothing").await,
        missing,
        R::ExecutionNotFound,
    );
    findings.refused(
        "tasks",
        api.list_tasks("nothing").await,
        missing,
        R::ExecutionNotFound,
    );
    for verb in ["pause", "resume", "cancel", "stop", "delete", "wait"] {
        let answer = apply(&api, verb, "nothing").await;
        findings.refused(verb, answer, missing, R::ExecutionNotFound);
    }
    let request = v1::WatchExecutionRequest {
        project: api.project(),
        execution_id: "nothing".to_owned(),
        ..Default::default()
    };
    let answer = api.executions().watch_execution(request).await.map(drop);
    findings.refused("watch", answer, missing, R::ExecutionNotFound);

    // What one project has, another does not.
    let theirs = api.start("held", &json!({})).await.unwrap();
    let answer = api.within("other").execution(&theirs.uid).await;
    findings.refused("other project", answer, missing, R::ExecutionNotFound);
    settle(findings, &api).await;
}

#[tokio::test]
async fn tasks_and_actions() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let refused = |code: Option<Code>| matches!(code, Some(Code::NotFound | Code::InvalidArgument));
    for id in IDS {
        let request = v1::GetTaskExecutionRequest {
            project: api.project(),
            task_execution_id: id.to_owned(),
            ..Default::default()
        };
        let code = api
            .tasks()
            .get_task_execution(request)
            .await
            .err()
            .as_ref()
            .map(Status::code);
        findings.holds(&format!("task {id:?}: {code:?}"), refused(code));
        let code = api
            .complete_action(id, &json!(1))
            .await
            .err()
            .as_ref()
            .map(Status::code);
        findings.holds(&format!("action {id:?}: {code:?}"), refused(code));
    }
    settle(findings, &api).await;
}

#[tokio::test]
async fn definitions() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let (missing, project, name) = (Code::NotFound, api.project(), "nothing".to_owned());
    let (mut workflows, mut workbooks) = (api.workflows(), api.workbooks());

    let (project_2, name_2) = (project.clone(), name.clone());
    let request = v1::GetWorkflowRequest {
        project: project_2,
        name: name_2,
        ..Default::default()
    };
    let answer = workflows.get_workflow(request).await;
    findings.refused("get workflow", answer, missing, R::WorkflowNotFound);
    let request = v1::DeleteWorkflowRequest {
        project: project.clone(),
        name: name.clone(),
        ..Default::default()
    };
    let answer = workflows.delete_workflow(request).await;
    findings.refused("delete workflow", answer, missing, R::WorkflowNotFound);
    let request = v1::UpdateWorkflowRequest {
        project: project.clone(),
        source: echo("nothing"),
        ..Default::default()
    };
    let answer = workflows.update_workflow(request).await;
    findings.refused("update workflow", answer, missing, R::WorkflowNotFound);
    let request = v1::GetWorkbookRequest {
        project,
        name,
        ..Default::default()
    };
    let answer = workbooks.get_workbook(request).await;
    findings.refused("get workbook", answer, missing, R::WorkbookNotFound);

    let answer = api.create_workflow(&echo("echo")).await;
    findings.refused(
        "twice",
        answer,
        Code::AlreadyExists,
        R::WorkflowAlreadyExists,
    );
    settle(findings, &api).await;
}

#[tokio::test]
async fn etags() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let update = v1::UpdateWorkflowRequest {
        project: api.project(),
        source: echo("echo") + "# changed\n",
        etag: "stale".to_owned(),
        ..Default::default()
    };
    let answer = api.workflows().update_workflow(update).await;
    findings.refused("update", answer, Code::Aborted, R::EtagMismatch);
    let delete = v1::DeleteWorkflowRequest {
        project: api.project(),
        name: "echo".to_owned(),
        etag: "stale".to_owned(),
        ..Default::default()
    };
    let answer = api.workflows().delete_workflow(delete).await;
    findings.refused("delete", answer, Code::Aborted, R::EtagMismatch);
    settle(findings, &api).await;
}
