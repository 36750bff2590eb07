//! The auditor: what moves an execution is taken away, and comes back by itself.

use std::time::Duration;

use proto::v1;

use super::{ASYNC, Api};
use crate::driver::Driver;

/// What waits for a time, for an action of the server, and for a sub-workflow.
const WAITING: &str = "
version: '2.0'
timed:
  tasks:
    a: {action: std.noop, wait-before: 6}
asleep:
  tasks:
    a: {action: std.sleep seconds=6}
above:
  tasks:
    a: {workflow: held}
asked:
  tasks:
    a: {action: test.nobody}
";

/// How long the auditor may take; it is sure after a few seconds where nothing else runs.
const PATIENCE: Duration = Duration::from_mins(1);

async fn counts(api: &mut Api) -> (i64, i64) {
    let request = v1::GetServerInfoRequest::default();
    let info = api.system.get_server_info(request).await.unwrap();
    let info = info.into_inner();
    (info.audit_violations, info.audit_failures)
}

async fn found(api: &mut Api) {
    let found = async {
        while counts(api).await.0 == 0 {
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.expect("the auditor finds it");
}

async fn check(workflow: &str, lose: impl Fn(&Driver, engine::ExecutionUid)) {
    let mut api = Api::with(&[ASYNC, WAITING]).await;
    let uid = api.run(workflow, "e", "{}").await.uid;
    lose(&api.server.driver, uid.parse().expect("it is a uid"));
    found(&mut api).await;
    api.finished("e").await;
    assert_eq!(counts(&mut api).await, (1, 0));
    api.stop().await;
}

#[tokio::test]
async fn what_waits_for_a_time_is_told_it_again() {
    check("timed", Driver::lose_timers).await;
}

#[tokio::test]
async fn an_action_that_was_lost_runs_again() {
    check("asleep", Driver::lose_actions).await;
}

#[tokio::test]
async fn a_call_that_the_desk_has_lost_waits_again() {
    let mut api = Api::with(&[ASYNC, WAITING]).await;
    let uid = api.run("asked", "e", "{}").await.uid;
    let action = format!("{uid}-t1-a1").parse().expect("it is an id");
    let driver = &api.server.driver;
    driver.lose_actions(uid.parse().expect("it is a uid"));
    found(&mut api).await;
    let waits = async {
        while api.server.dispatcher.standing(action).is_none() {
            tokio::task::yield_now().await;
        }
    };
    let waits = tokio::time::timeout(PATIENCE, waits).await;
    waits.expect("it is handed out again");
    assert_eq!(counts(&mut api).await, (1, 0));
    api.stop().await;
}

#[tokio::test]
async fn a_sub_workflow_that_was_lost_is_found_again() {
    let mut api = Api::with(&[ASYNC, WAITING]).await;
    api.run("above", "e", "{}").await;
    let children = v1::ListExecutionsRequest {
        filter: "workflow_name = held".into(),
        ..Default::default()
    };
    let children = api.executions.list_executions(children).await.unwrap();
    let child = children.into_inner().executions.remove(0).uid;
    let driver = &api.server.driver;
    driver.lose_execution(child.parse().expect("it is a uid"));
    found(&mut api).await;
    let complete = v1::CompleteActionExecutionRequest {
        action_execution_id: format!("{child}-t1-a1"),
        ..Default::default()
    };
    api.tasks.complete_action_execution(complete).await.unwrap();
    api.finished("e").await;
    assert_eq!(counts(&mut api).await, (1, 0));
    api.stop().await;
}

#[tokio::test]
async fn what_is_well_is_left_alone() {
    let mut api = Api::with(&[ASYNC, WAITING]).await;
    for workflow in ["held", "timed", "asleep", "above"] {
        api.run(workflow, workflow, "{}").await;
    }
    for workflow in ["timed", "asleep"] {
        api.finished(workflow).await;
    }
    assert_eq!(counts(&mut api).await, (0, 0));
    api.stop().await;
}
