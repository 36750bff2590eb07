//! Retention: what has finished long enough ago is deleted, with everything below it.

use std::time::Duration;

use proto::v1;
use proto::v1::watch_executions_response::Message;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{ASYNC, Api, REQUEST_ID, create};
use crate::cluster::Cluster;
use crate::config::{Config, Retention, Span};
use crate::retention;
use crate::retention::unused::Unused;

const FAMILY: &str = "
version: '2.0'
above:
  tasks:
    a: {workflow: below}
below:
  tasks:
    a: {action: std.noop}
";

const LATER: &str = "
version: '2.0'
later:
  tasks:
    a: {action: std.noop, wait-before: 3600}
";

fn kept(seconds: u64) -> Span {
    Span(Duration::from_secs(seconds))
}

async fn total(api: &mut Api) -> i64 {
    let all = v1::CountExecutionsRequest::default();
    let counted = api.executions.count_executions(all).await.unwrap();
    counted.into_inner().total
}

#[tokio::test]
async fn what_finished_long_ago_is_deleted_with_all_below_it() {
    let mut api = Api::with(&[ASYNC, FAMILY]).await;
    for number in 0..3 {
        let id = format!("e{number}");
        api.run("above", &id, "{}").await;
        api.finished(&id).await;
    }
    api.run("held", "unfinished", "{}").await;
    let mut retention = Retention {
        finished: Some(kept(3_600)),
        ..Retention::default()
    };
    let driver = api.server.driver.clone();
    assert_eq!(
        retention::clean(&driver, &Cluster::alone(), &retention)
            .await
            .unwrap(),
        0
    );
    assert_eq!(total(&mut api).await, 7);
    // What a project says of itself counts, be it more or less.
    retention.finished = Some(kept(0));
    retention.projects.insert("default".into(), kept(3_600));
    assert_eq!(
        retention::clean(&driver, &Cluster::alone(), &retention)
            .await
            .unwrap(),
        0
    );
    retention.projects.insert("default".into(), kept(0));
    retention.finished = None;
    assert_eq!(
        retention::clean(&driver, &Cluster::alone(), &retention)
            .await
            .unwrap(),
        3
    );
    assert_eq!(total(&mut api).await, 1);
    api.stop().await;
}

/// Retention deletes on a server that is busy: no commit is split for it.
#[tokio::test]
async fn deletions_go_with_the_commit_of_others() {
    let mut api = Api::with(&[FAMILY, LATER]).await;
    for id in ["old", "older"] {
        api.run("above", id, "{}").await;
        api.finished(id).await;
    }
    let driver = api.server.driver.clone();
    let last_commit = async || {
        let spans = driver.read(store::Reader::spans_of_changes).await;
        let spans = spans.unwrap().into_values();
        spans.map(|(_, last)| last).sum::<i64>()
    };
    let before = last_commit().await;
    let held = driver.hold();
    let mut calls = JoinSet::new();
    for (place, (start, id)) in [(true, "a"), (false, "old"), (true, "b"), (false, "older")]
        .into_iter()
        .enumerate()
    {
        let mut executions = api.executions.clone();
        calls.spawn(async move {
            if start {
                let request = super::start("later", id, "{}");
                return executions.start_execution(request).await.map(drop);
            }
            let request = v1::DeleteExecutionRequest {
                execution_id: id.into(),
                ..Default::default()
            };
            executions.delete_execution(request).await.map(drop)
        });
        while driver.waiting() <= place {
            tokio::task::yield_now().await;
        }
    }
    drop(held);
    for call in calls.join_all().await {
        call.unwrap();
    }
    assert_eq!(last_commit().await - before, 1);
    assert_eq!(total(&mut api).await, 2);
    api.stop().await;
}

#[tokio::test]
async fn an_execution_says_when_it_will_be_deleted() {
    let mut config = Config::in_memory();
    config
        .retention
        .projects
        .insert("default".into(), kept(3_600));
    let mut api = Api::on(&config).await;
    for source in [ASYNC, FAMILY] {
        let made = api.workflows.create_workflow(create(source)).await;
        made.expect("the workflow is right");
    }
    api.run("above", "ended", "{}").await;
    let ended = api.finished("ended").await;
    let (end, expiry) = (ended.end_time.unwrap(), ended.expire_time.unwrap());
    assert_eq!(
        (end.seconds + 3_600, end.nanos),
        (expiry.seconds, expiry.nanos)
    );
    let running = api.run("held", "running", "{}").await;
    assert_eq!(running.expire_time, None, "it has not ended");
    let all = v1::ListExecutionsRequest::default();
    let listed = api.executions.list_executions(all).await.unwrap();
    let expiring: Vec<_> = listed
        .into_inner()
        .executions
        .into_iter()
        .filter(|execution| execution.expire_time.is_some())
        .map(|execution| execution.execution_id)
        .collect();
    assert_eq!(expiring, ["ended"], "what is below goes with it");
    api.stop().await;
}

#[tokio::test]
async fn who_watches_learns_who_deleted_what_and_why() {
    let mut api = Api::with(&[ASYNC]).await;
    for id in ["by hand", "by age"] {
        api.run("held", id, "{}").await;
    }
    let delete = v1::DeleteExecutionRequest {
        execution_id: "by hand".into(),
        force: true,
        reason: "tidying up".into(),
        request_id: REQUEST_ID.into(),
        ..Default::default()
    };
    api.executions.delete_execution(delete).await.unwrap();
    let cancel = v1::CancelExecutionRequest {
        execution_id: "by age".into(),
        ..Default::default()
    };
    api.executions.cancel_execution(cancel).await.unwrap();
    let retention = Retention {
        finished: Some(kept(0)),
        ..Retention::default()
    };
    let driver = api.server.driver.clone();
    assert_eq!(
        retention::clean(&driver, &Cluster::alone(), &retention)
            .await
            .unwrap(),
        1
    );
    let watch = v1::WatchExecutionsRequest {
        start_at: v1::WatchExecutionsStart::Retained.into(),
        ..Default::default()
    };
    let watched = api.executions.watch_executions(watch).await.unwrap();
    let mut stream = watched.into_inner();
    let mut found = Vec::new();
    while found.len() < 2 {
        let message = timeout(Duration::from_secs(20), stream.message()).await;
        let message = message.expect("it comes in time").unwrap().unwrap();
        if let Some(Message::Changes(changes)) = message.message {
            let told = changes.deleted.into_iter();
            found.extend(told.map(|gone| (gone.execution_id, gone.reason, gone.request_id)));
        }
    }
    drop(stream);
    let said = |id: &str, reason: &str, request: &str| {
        (id.to_owned(), reason.to_owned(), request.to_owned())
    };
    let expected = [
        said("by hand", "tidying up", REQUEST_ID),
        said("by age", "retention", ""),
    ];
    assert_eq!(found, expected);
    api.stop().await;
}

#[tokio::test]
async fn a_document_goes_with_the_last_execution_that_needs_it() {
    let mut api = Api::with(&[ASYNC, FAMILY]).await;
    api.run("above", "ended", "{}").await;
    api.finished("ended").await;
    for name in ["above", "below"] {
        let delete = v1::DeleteWorkflowRequest {
            name: name.into(),
            ..Default::default()
        };
        api.workflows.delete_workflow(delete).await.unwrap();
    }
    let driver = api.server.driver.clone();
    let mut unused = Unused::default();
    for round in 0..3 {
        assert_eq!(unused.look(&driver).await.unwrap(), 0, "round {round}");
    }
    let retention = Retention {
        finished: Some(kept(0)),
        ..Retention::default()
    };
    let cluster = Cluster::alone();
    let cleaned = retention::clean(&driver, &cluster, &retention);
    assert_eq!(cleaned.await.unwrap(), 1);
    let mut deleted = Vec::new();
    for _ in 0..3 {
        deleted.push(unused.look(&driver).await.unwrap());
    }
    assert_eq!(deleted, [0, 1, 0], "the second search in a row decides");
    // What is defined still runs.
    api.run("held", "afterwards", "{}").await;
    api.stop().await;
}
