//! Rolling back against a small cloud: everything is removed, in an order that the cloud allows,
//! also if the server is killed in the middle.

use e2e::cloud::{Cloud, Faults};
use e2e::server::{Options, TestServer};
use proto::v1;
use proto::v1::ExecutionState;
use serde_json::json;

use crate::support::{PATIENCE, sequences, without_holes};

/// The workflow of the demo.
const WORKFLOW: &str = include_str!("../demo/cloud.yaml");

/// What removing all of it looks like; the two servers come in any order.
const REMOVED: [&str; 4] = [
    "DELETE servers/db",
    "DELETE servers/web",
    "DELETE volumes/blue",
    "DELETE networks/blue",
];

async fn start(cloud: &Cloud) -> (TestServer, String) {
    let options = Options {
        // The cloud is on this machine.
        config: Some("[actions.egress]\ndenied_networks = []\n".to_owned()),
        ..Options::default()
    };
    let server = TestServer::start_with(options).await.unwrap();
    let api = server.api("rollback");
    api.create_workflow(WORKFLOW).await.unwrap();
    let input = json!({"cloud": cloud.url(), "name": "blue"});
    let uid = api.start("provision", &input).await.unwrap().uid;
    (server, uid)
}

/// The removals that the cloud was asked for, each once, in the order of the first time.
fn removals(cloud: &Cloud) -> Vec<String> {
    let mut seen = Vec::new();
    for call in cloud.calls() {
        if call.starts_with("DELETE") && !seen.contains(&call) {
            seen.push(call);
        }
    }
    // The servers go side by side.
    let servers = seen.len().min(2);
    seen[..servers].sort();
    seen
}

async fn check_rolled_back(server: &TestServer, uid: &str, cloud: &Cloud) {
    let api = server.api("rollback");
    let done = match api.finished(uid, PATIENCE).await {
        Ok(done) => done,
        Err(error) => panic!("{error}: the cloud was asked for {:?}", cloud.calls()),
    };
    assert_eq!(done.state(), ExecutionState::RolledBack, "{done:?}");
    let error = done.error.unwrap_or_default();
    assert!(error.message.contains("dns"), "{error:?}");
    assert_eq!(cloud.things(), Vec::<String>::new());
    let tasks = api.list_tasks(uid).await.unwrap();
    let undone = tasks.iter().filter(|task| task.rolled_back).count();
    let undoing = tasks.iter().filter(|task| !task.undo_of.is_empty()).count();
    assert_eq!((undone, undoing), (5, 4), "{tasks:?}");
    let history = api.history(uid).await.unwrap();
    assert_eq!(sequences(&history), without_holes(done.last_sequence));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_built_is_removed_when_the_last_step_fails() {
    let faults = Faults {
        full: Some("records"),
        busy: Some(("networks", 1)),
        ..Faults::default()
    };
    let cloud = Cloud::open(faults).await.unwrap();
    let (server, uid) = start(&cloud).await;
    check_rolled_back(&server, &uid, &cloud).await;
    assert_eq!(removals(&cloud), REMOVED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_goes_on_after_the_server_was_killed_in_it() {
    for held in ["servers", "volumes", "networks"] {
        let faults = Faults {
            full: Some("records"),
            held: Some(held),
            ..Faults::default()
        };
        let cloud = Cloud::open(faults).await.unwrap();
        let (mut server, uid) = start(&cloud).await;
        // The first of each is never answered, so none may be left for the server that comes after.
        for call in REMOVED.iter().filter(|call| call.contains(held)) {
            cloud.asked(call).await;
        }
        let api = server.api("rollback");
        let state = api.execution(&uid).await.unwrap().state();
        assert_eq!(state, ExecutionState::RollingBack, "{held}");
        server.kill().await.unwrap();
        server.restart().await.unwrap();
        check_rolled_back(&server, &uid, &cloud).await;
        assert_eq!(removals(&cloud), REMOVED, "{held}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_succeeded_can_be_removed_later() {
    let cloud = Cloud::open(Faults::default()).await.unwrap();
    let (server, uid) = start(&cloud).await;
    let api = server.api("rollback");
    let done = api.finished(&uid, PATIENCE).await.unwrap();
    assert_eq!(done.state(), ExecutionState::Success, "{done:?}");
    assert_eq!(cloud.things().len(), 5);
    let request = v1::RollbackExecutionRequest {
        project: api.project(),
        execution_id: uid.clone(),
        ..Default::default()
    };
    api.executions().rollback_execution(request).await.unwrap();
    let done = api.finished(&uid, PATIENCE).await.unwrap();
    assert_eq!(done.state(), ExecutionState::RolledBack, "{done:?}");
    assert_eq!(cloud.things(), Vec::<String>::new());
}
