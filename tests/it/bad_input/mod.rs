//! Bad input: every refusal with its code and reason, and a server that serves on.

mod documents;
mod lists;
mod resources;
mod starts;
mod states;
mod unknown;

use e2e::api::Api;
use e2e::server::TestServer;
use proto::v1;
use serde_json::json;
use tonic::Status;

use crate::support::{Findings, PATIENCE, echo, held};

const MIB: usize = 1 << 20;

/// A server with the workflows `echo` and `held`.
async fn server() -> (TestServer, Api) {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("bad");
    api.create_workflow(&echo("echo")).await.unwrap();
    api.create_workflow(&held("held", 2)).await.unwrap();
    (server, api)
}

/// Nothing was found, and after everything a workflow still runs.
async fn settle(findings: Findings, api: &Api) {
    findings.none();
    let started = api.start("echo", &json!({"x": 1})).await.unwrap();
    let finished = api.finished(&started.uid, PATIENCE).await.unwrap();
    assert_eq!(finished.state(), v1::ExecutionState::Success);
}

/// Applies a verb; `stop` declares success.
async fn apply(api: &Api, verb: &str, id: &str) -> Result<(), Status> {
    let (project, execution_id) = (api.project(), id.to_owned());
    let mut client = api.executions();
    macro_rules! call {
        ($method:ident, $request:ident { $($field:ident : $value:expr),* }) => {{
            let request = v1::$request {
                project,
                execution_id,
                $($field: $value,)*
                ..Default::default()
            };
            client.$method(request).await.map(drop)
        }};
    }
    match verb {
        "pause" => call!(pause_execution, PauseExecutionRequest {}),
        "resume" => call!(resume_execution, ResumeExecutionRequest {}),
        "cancel" => call!(cancel_execution, CancelExecutionRequest {}),
        "stop" => {
            let success = v1::ExecutionState::Success.into();
            call!(stop_execution, StopExecutionRequest { outcome: success })
        }
        "delete" => call!(delete_execution, DeleteExecutionRequest {}),
        "wait" => call!(wait_execution, WaitExecutionRequest {}),
        other => panic!("no such verb: {other}"),
    }
}
