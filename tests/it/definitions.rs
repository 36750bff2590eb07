//! Definitions change; executions keep the revision that they started with.

use e2e::api::{Api, value};
use e2e::server::TestServer;
use proto::v1;
use serde_json::json;

use crate::support::{PATIENCE, step};

fn revision(answer: &str) -> String {
    format!(
        "version: '2.0'
wf:
  output: {{answer: {answer}}}
  tasks:
    t: {{action: std.async_noop}}
"
    )
}

async fn update(api: &Api, source: &str, etag: &str) -> v1::Workflow {
    let request = v1::UpdateWorkflowRequest {
        project: api.project(),
        source: source.to_owned(),
        etag: etag.to_owned(),
        ..Default::default()
    };
    let answer = api
        .workflows()
        .update_workflow(request)
        .await
        .unwrap()
        .into_inner();
    answer.workflows.into_iter().next().unwrap()
}

async fn get(api: &Api, revision: i32) -> v1::Workflow {
    let request = v1::GetWorkflowRequest {
        project: api.project(),
        name: "wf".to_owned(),
        revision,
        ..Default::default()
    };
    api.workflows()
        .get_workflow(request)
        .await
        .unwrap()
        .into_inner()
        .workflow
        .unwrap()
}

#[tokio::test]
async fn running_executions_keep_their_revision() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("defs");
    let first = api
        .create_workflow(&revision("old"))
        .await
        .unwrap()
        .remove(0);
    assert_eq!(first.revision, 1);
    let old = api.start("wf", &json!({})).await.unwrap();

    let second = update(&api, &revision("new"), &first.etag).await;
    assert_eq!(second.revision, 2);
    assert_ne!(second.etag, first.etag);
    let same = update(&api, &revision("new"), "").await;
    assert_eq!(same.revision, 2, "an equal text adds no revision");
    let new = api.start("wf", &json!({})).await.unwrap();
    let pinned = v1::StartExecutionRequest {
        workflow_revision: 1,
        ..api.start_request("wf", &json!({}))
    };
    let pinned = api
        .executions()
        .start_execution(pinned)
        .await
        .unwrap()
        .into_inner();
    let pinned = pinned.execution.unwrap();

    // The revision must also survive what keeps it in memory.
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let api = server.api("defs");
    for (execution, number, answer) in [(old, 1, "old"), (new, 2, "new"), (pinned, 1, "old")] {
        step(&api, &execution.uid).await;
        let done = api.finished(&execution.uid, PATIENCE).await.unwrap();
        assert_eq!(done.workflow_revision, number);
        assert_eq!(
            value(done.output.as_ref()).unwrap(),
            json!({"answer": answer})
        );
    }

    assert_eq!(get(&api, 0).await.revision, 2);
    assert_eq!(get(&api, 1).await.source, revision("old"));
    let request = v1::ListWorkflowRevisionsRequest {
        project: api.project(),
        name: "wf".to_owned(),
        ..Default::default()
    };
    let listed = api
        .workflows()
        .list_workflow_revisions(request)
        .await
        .unwrap()
        .into_inner();
    let numbers: Vec<i32> = listed
        .workflows
        .iter()
        .map(|workflow| workflow.revision)
        .collect();
    assert_eq!(numbers, [2, 1]);
}

#[tokio::test]
async fn a_deleted_workflow_lets_its_executions_finish() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("defs");
    api.create_workflow(&revision("kept")).await.unwrap();
    let execution = api.start("wf", &json!({})).await.unwrap();
    let request = v1::DeleteWorkflowRequest {
        project: api.project(),
        name: "wf".to_owned(),
        force: true,
        ..Default::default()
    };
    api.workflows().delete_workflow(request).await.unwrap();
    assert!(api.start("wf", &json!({})).await.is_err());
    step(&api, &execution.uid).await;
    let done = api.finished(&execution.uid, PATIENCE).await.unwrap();
    assert_eq!(
        value(done.output.as_ref()).unwrap(),
        json!({"answer": "kept"})
    );
}
