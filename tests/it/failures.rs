//! Why an execution failed, in a word that programs can tell apart.

use e2e::server::TestServer;
use proto::v1;
use serde_json::json;

use crate::support::{Findings, PATIENCE};

const WORKFLOWS: &str = "version: '2.0'
task_error:
  tasks:
    t: {action: std.fail}
expression_error:
  tasks:
    t: {action: std.echo output=<% $.missing %>}
output_expression_error:
  output: {x: <% $.missing %>}
  tasks:
    t: {action: std.noop}
limit_exceeded:
  tasks:
    t: {action: std.echo output=<% range(100000000).toList().len() %>}
fail_command:
  tasks:
    t: {action: std.noop, on-success: fail}
workflow_error:
  tasks:
    t: {action: std.no_such_action}
handled:
  tasks:
    t: {action: std.fail, on-error: noop}
stopped:
  tasks:
    t: {action: std.async_noop}
";

#[tokio::test]
async fn failures_have_a_kind() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("failures");
    api.create_workflow(WORKFLOWS).await.unwrap();
    let mut started = Vec::new();
    for (workflow, expected) in [
        ("task_error", Some("task_error")),
        ("expression_error", Some("expression_error")),
        ("output_expression_error", Some("expression_error")),
        ("limit_exceeded", Some("limit_exceeded")),
        ("fail_command", Some("fail_command")),
        ("workflow_error", Some("workflow_error")),
        ("stopped", Some("stopped")),
        ("handled", None),
    ] {
        let uid = api.start(workflow, &json!({})).await.unwrap().uid;
        if workflow == "stopped" {
            let request = v1::StopExecutionRequest {
                project: api.project(),
                execution_id: uid.clone(),
                outcome: v1::ExecutionState::Error.into(),
                ..Default::default()
            };
            api.executions().stop_execution(request).await.unwrap();
        }
        api.finished(&uid, PATIENCE).await.unwrap();
        started.push((workflow, uid, expected));
    }
    // What is told is what is stored.
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let api = server.api("failures");
    let mut findings = Findings::default();
    for (workflow, uid, expected) in started {
        let found = api.execution(&uid).await.unwrap().error;
        let kind = found.as_ref().map(|error| &*error.r#type);
        findings.holds(&format!("{workflow}: {kind:?}"), kind == expected);
        let limit = found.as_ref().and_then(|error| error.limit.as_ref());
        let limit = limit.map(|limit| (&*limit.name, limit.allowed));
        let wanted = (workflow == "limit_exceeded").then_some(("expression_steps", 1_000_000));
        findings.holds(&format!("{workflow}: {limit:?}"), limit == wanted);
    }
    findings.none();
}
