//! A database that another program holds: callers are told that nothing happened, and everything
//! goes on when it is free again.

use std::path::Path;
use std::process::Stdio;

use e2e::api::Api;
use e2e::server::{Options, TestServer};
use proto::v1;
use proto::v1::ErrorReason;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tonic::Code;

use crate::support::{Findings, PATIENCE, held, running_action, sequences, without_holes};

/// Takes the lock that every writer needs, says so, and holds it until its input ends.
const HOLD: &str = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
db.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.read()
db.execute('ROLLBACK')
";

async fn hold(database: &Path) -> Child {
    let mut holder = Command::new("python3")
        .args(["-c", HOLD])
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("python3 is there: the scenarios need it too");
    let output = holder.stdout.take().unwrap();
    let line = BufReader::new(output).lines().next_line().await.unwrap();
    assert_eq!(line.as_deref(), Some("held"));
    holder
}

async fn release(mut holder: Child) {
    drop(holder.stdin.take());
    assert!(holder.wait().await.unwrap().success());
}

fn start(api: &Api, id: &str) -> v1::StartExecutionRequest {
    v1::StartExecutionRequest {
        execution_id: id.to_owned(),
        request_id: "6f1c1f0e-5a58-4c53-9b6f-0d1f3a1f5c01".to_owned(),
        ..api.start_request("held", &json!({}))
    }
}

#[tokio::test]
async fn a_held_database_loses_nothing() {
    let options = Options {
        embedded: true,
        ..Options::default()
    };
    let server = TestServer::start_with(options).await.unwrap();
    let api = server.api("faults");
    api.create_workflow(&held("held", 1)).await.unwrap();
    api.create_workflow("version: '2.0'\nslow:\n  tasks:\n    t: {action: std.sleep seconds=1}\n")
        .await
        .unwrap();
    let before = api.start("held", &json!({})).await.unwrap().uid;
    let action = running_action(&api, &before).await.unwrap();
    // Its end falls into the time in which nothing can be written.
    let slow = api.start("slow", &json!({})).await.unwrap().uid;

    let holder = hold(&server.data_dir().join("autan.db")).await;
    let mut findings = Findings::default();
    let refused = (Code::Unavailable, ErrorReason::StoreUnavailable);
    let answer = api.executions().start_execution(start(&api, "late")).await;
    findings.refused("start", answer, refused.0, refused.1);
    let id = &action.action_execution_id;
    let answer = api.complete_action(id, &json!("done")).await;
    findings.refused("complete", answer, refused.0, refused.1);
    // Reading goes on.
    let found = api.execution(&before).await.unwrap();
    findings.holds(
        "nothing has changed",
        found.state() == v1::ExecutionState::Running,
    );
    findings.holds("no start is seen", api.execution("late").await.is_err());
    release(holder).await;

    // The same call again, by the same request id, is the first one.
    let answer = api.executions().start_execution(start(&api, "late")).await;
    findings.holds("started once", answer.unwrap().into_inner().started);
    api.complete_action(id, &json!("done")).await.unwrap();
    for uid in [&before, &slow] {
        let done = api.finished(uid, PATIENCE).await.unwrap();
        findings.holds("success", done.state() == v1::ExecutionState::Success);
        let events = api.history(uid).await.unwrap();
        let numbers = sequences(&events);
        findings.holds("no holes", numbers == without_holes(done.last_sequence));
    }
    findings.none();
}
