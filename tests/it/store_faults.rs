//! A database that takes nothing: held by another program, on a full disk, asleep or away. Callers
//! are told that nothing happened, health says so, and everything goes on by itself.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

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

/// A server with an execution that waits for the test, in a database that is to take nothing.
struct Subject {
    server: TestServer,
    api: Api,
    /// The execution, and its action.
    uid: String,
    action: String,
    findings: Findings,
}

impl Subject {
    async fn start() -> Self {
        let options = Options {
            embedded: true,
            ..Options::default()
        };
        let server = TestServer::start_with(options).await.unwrap();
        let api = server.api("faults");
        api.create_workflow(&held("held", 1)).await.unwrap();
        let uid = api.start("held", &json!({})).await.unwrap().uid;
        let action = running_action(&api, &uid).await.unwrap();
        Self {
            server,
            api,
            uid,
            action: action.action_execution_id,
            findings: Findings::default(),
        }
    }

    /// Nothing is taken, and that is told; reading goes on.
    async fn is_refused(&mut self) {
        let Self { api, findings, .. } = self;
        let refused = (Code::Unavailable, ErrorReason::StoreUnavailable);
        let answer = api.executions().start_execution(start(api, "late")).await;
        findings.refused("start", answer, refused.0, refused.1);
        let answer = api.complete_action(&self.action, &json!("done")).await;
        findings.refused("complete", answer, refused.0, refused.1);
        self.server.is_ready(false).await.unwrap();
        let found = api.execution(&self.uid).await.unwrap();
        findings.holds(
            "nothing has changed",
            found.state() == v1::ExecutionState::Running,
        );
        findings.holds("no start is seen", api.execution("late").await.is_err());
    }

    /// Everything goes on, also executions that were not looked at.
    async fn goes_on(self, others: &[&str]) {
        let (api, mut findings) = (self.api, self.findings);
        // Nobody calls: the server finds out by itself.
        self.server.is_ready(true).await.unwrap();
        // The same call again, by the same request id, is the first one.
        let answer = api.executions().start_execution(start(&api, "late")).await;
        findings.holds("started once", answer.unwrap().into_inner().started);
        let done = json!("done");
        api.complete_action(&self.action, &done).await.unwrap();
        for uid in others.iter().copied().chain([&*self.uid]) {
            let done = api.finished(uid, PATIENCE).await.unwrap();
            findings.holds("success", done.state() == v1::ExecutionState::Success);
            let numbers = sequences(&api.history(uid).await.unwrap());
            findings.holds("no holes", numbers == without_holes(done.last_sequence));
        }
        findings.none();
    }
}

#[tokio::test]
async fn a_held_database_loses_nothing() {
    let mut subject = Subject::start().await;
    let api = &subject.api;
    api.create_workflow("version: '2.0'\nslow:\n  tasks:\n    t: {action: std.sleep seconds=1}\n")
        .await
        .unwrap();
    // Its end falls into the time in which nothing can be written.
    let slow = api.start("slow", &json!({})).await.unwrap().uid;

    let holder = hold(&subject.server.data_dir().join("autan.db")).await;
    subject.is_refused().await;
    release(holder).await;
    subject.goes_on(&[&slow]).await;
}

/// Lets no file of a process grow beyond a size, or any again.
async fn limit_files(server: &TestServer, bytes: Option<u64>) {
    let pid = server.pid().unwrap().to_string();
    let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let limited = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={soft}:unlimited")])
        .status()
        .await
        .expect("prlimit is part of the system");
    assert!(limited.success());
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let mut subject = Subject::start().await;
    // The log of the database is full when it is as long as it is now.
    let log = subject.server.data_dir().join("autan.db-wal");
    limit_files(&subject.server, Some(log.metadata().unwrap().len())).await;
    subject.is_refused().await;
    limit_files(&subject.server, None).await;
    subject.goes_on(&[]).await;
}

/// PostgreSQL sleeps, and then it is away: health tells of both, and goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_silent_or_away_loses_nothing() {
    if postgres_fixture::shared().is_none() {
        return;
    }
    let mut database = postgres_fixture::Server::start(&[]).unwrap();
    let options = Options {
        database: Some(database.url()),
        ..Options::default()
    };
    let server = TestServer::start_with(options).await.unwrap();
    let api = server.api("faults");
    api.create_workflow(&held("held", 1)).await.unwrap();

    database.freeze(true).unwrap();
    let mut request = tonic::Request::new(start(&api, "asleep"));
    request.set_timeout(Duration::from_secs(3));
    let answer = api.executions().start_execution(request).await;
    let code = answer.unwrap_err().code();
    assert!(
        matches!(
            code,
            Code::DeadlineExceeded | Code::Cancelled | Code::Unavailable
        ),
        "nothing is said to have happened: {code:?}"
    );
    server.is_ready(false).await.unwrap();
    database.freeze(false).unwrap();
    server.is_ready(true).await.unwrap();

    // Nothing is asked meanwhile, so that the server must notice by itself.
    tokio::task::block_in_place(|| database.shut_down().unwrap());
    server.is_ready(false).await.unwrap();
    tokio::task::block_in_place(|| database.resume().unwrap());
    server.is_ready(true).await.unwrap();

    for id in ["asleep", "afterwards"] {
        let request = v1::StartExecutionRequest {
            request_id: String::new(),
            id_conflict_policy: v1::IdConflictPolicy::UseExisting.into(),
            ..start(&api, id)
        };
        let answer = api.executions().start_execution(request).await.unwrap();
        let execution = answer.into_inner().execution.unwrap();
        let action = running_action(&api, &execution.uid).await.unwrap();
        let id = &action.action_execution_id;
        api.complete_action(id, &json!("done")).await.unwrap();
        let done = api.finished(&execution.uid, PATIENCE).await.unwrap();
        assert_eq!(done.state(), v1::ExecutionState::Success);
        let numbers = sequences(&api.history(&execution.uid).await.unwrap());
        assert_eq!(numbers, without_holes(done.last_sequence));
    }
}
