//! A rollback is not lost: the server is killed in the middle of it, again and again, and in the end
//! nothing is left of what was made, in an order that its causes allow.

use std::fmt::Write as _;

use e2e::cloud::Cloud;
use e2e::server::{Options, TestServer};
use proto::v1;
use serde_json::json;
use tokio::time::timeout;

use crate::support::{PATIENCE, sequences, without_holes};

/// Tasks in a row, items, and tasks in a row of the sub-workflow.
const ROW: usize = 8;
const ITEMS: usize = 5;
const INNER: usize = 3;
const MADE: usize = ROW + ITEMS + INNER;
/// The server is killed when so much was removed.
const KILLS: [usize; 3] = [2, 6, 11];

/// A task that makes a thing, and what undoes it.
fn task(name: &str, kind: &str, thing: &str, more: &str) -> String {
    format!(
        "    {name}:
      action: std.http
      input: {{url: <% $.cloud %>/{kind}, method: POST, json: {{name: \"{thing}\"}}}}
      rollback:
        action: std.http
        input:
          url: <% $.cloud %>/{kind}/<% task().result.content.id %>
          method: DELETE
{more}"
    )
}

fn row(text: &mut String, kind: &str, count: usize) {
    for number in 1..=count {
        let next = match number {
            1 if kind == "outer" => format!("      on-success: [{kind}2, items, inner]\n"),
            _ if number < count => format!("      on-success: {kind}{}\n", number + 1),
            _ => String::new(),
        };
        let name = format!("{kind}{number}");
        text.push_str(&task(&name, kind, &name, &next));
    }
}

fn document() -> String {
    let mut text = "version: '2.0'\nfill:\n  input: [cloud]\n  tasks:\n".to_owned();
    row(&mut text, "outer", ROW);
    let items =
        format!("      with-items: i in <% range({ITEMS}).toList() %>\n      concurrency: 2\n");
    text.push_str(&task("items", "items", "item<% $.i %>", &items));
    let _ = writeln!(text, "    inner: {{workflow: inner cloud=<% $.cloud %>}}");
    text.push_str("inner:\n  input: [cloud]\n  tasks:\n");
    row(&mut text, "inner", INNER);
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_survives_crashes() {
    let cloud = Cloud::start(&[]).await.unwrap();
    let options = Options {
        // The cloud of this test is on this machine.
        config: Some("[actions.egress]\ndenied_networks = []\n".to_owned()),
        ..Options::default()
    };
    let mut server = TestServer::start_with(options).await.unwrap();
    let api = server.api("rollback");
    api.create_workflow(&document()).await.unwrap();
    let input = json!({"cloud": cloud.url()});
    let uid = api.start("fill", &input).await.unwrap().uid;
    let done = api.finished(&uid, PATIENCE).await.unwrap();
    assert_eq!(done.state(), v1::ExecutionState::Success, "{done:?}");
    assert_eq!(cloud.present().len(), MADE);

    let request = v1::RollbackExecutionRequest {
        project: api.project(),
        execution_id: uid.clone(),
        ..v1::RollbackExecutionRequest::default()
    };
    let answer = api.executions().rollback_execution(request).await.unwrap();
    let state = answer.into_inner().execution.unwrap().state();
    assert_eq!(state, v1::ExecutionState::RollingBack);
    for removed in KILLS {
        let changed = timeout(PATIENCE, cloud.changed(MADE + removed)).await;
        assert!(changed.is_ok(), "only {:?}", cloud.log());
        server.kill().await.unwrap();
        server.restart().await.unwrap();
    }
    let done = api.finished(&uid, PATIENCE).await.unwrap();
    assert_eq!(done.state(), v1::ExecutionState::RolledBack, "{done:?}");
    assert_eq!(cloud.present(), Vec::<String>::new());
    check_order(&cloud.log()[MADE..]);

    let events = api.history(&uid).await.unwrap();
    assert_eq!(sequences(&events), without_holes(done.last_sequence));
    let progress = done.progress.unwrap();
    // The tasks of the row, the one with items and the one with the sub-workflow.
    let counted = (progress.rolled_back, progress.undoing, progress.undo_failed);
    assert_eq!(counted, (i32::try_from(ROW + 2).unwrap(), 0, 0));
}

/// A thing is removed after all that was made because of it.
fn check_order(removed: &[String]) {
    assert_eq!(removed.len(), MADE, "{removed:?}");
    let place = |kind: &str, number: usize| {
        let line = format!("-{kind}/{kind}{number}");
        removed.iter().position(|other| *other == line).unwrap()
    };
    for (kind, count) in [("outer", ROW), ("inner", INNER)] {
        for number in 1..count {
            assert!(
                place(kind, number) > place(kind, number + 1),
                "{kind} {number}: {removed:?}"
            );
        }
    }
    assert_eq!(place("outer", 1), MADE - 1, "{removed:?}");
}
