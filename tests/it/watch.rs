//! Watching: every event once and in order, whatever happens to the connection or the server.

use std::time::Duration;

use e2e::api::Api;
use e2e::refusal::Refusal;
use e2e::server::{Options, TestServer};
use proto::v1;
use proto::v1::watch_execution_response::Message;
use serde_json::json;
use tokio::time::timeout;
use tonic::Streaming;

use crate::support::{PATIENCE, held, sequences, step, without_holes};

/// Tasks of the watched workflow; the test lets each one end.
const TASKS: usize = 8;

async fn open(
    api: &Api,
    uid: &str,
    change: impl FnOnce(&mut v1::WatchExecutionRequest),
) -> Streaming<v1::WatchExecutionResponse> {
    let mut request = v1::WatchExecutionRequest {
        project: api.project(),
        execution_id: uid.to_owned(),
        ..Default::default()
    };
    change(&mut request);
    // Its own connection, so that dropping the stream cuts it.
    api.apart()
        .executions()
        .watch_execution(request)
        .await
        .unwrap()
        .into_inner()
}

async fn next(stream: &mut Streaming<v1::WatchExecutionResponse>) -> Option<Message> {
    let answer = timeout(PATIENCE, stream.message())
        .await
        .expect("the stream is silent");
    answer.ok().flatten().and_then(|answer| answer.message)
}

/// Reads events until there are this many in all; true if the stream goes on.
async fn read(
    stream: &mut Streaming<v1::WatchExecutionResponse>,
    events: &mut Vec<v1::HistoryEvent>,
    until: i64,
) {
    while events.last().map_or(0, |event| event.sequence) < until {
        match next(stream).await.expect("the stream ended") {
            Message::Events(batch) => events.extend(batch.events),
            Message::Heartbeat(_) => {}
            other => panic!("unexpected: {other:?}"),
        }
    }
}

/// Reads to the end of the stream.
async fn rest(
    stream: &mut Streaming<v1::WatchExecutionResponse>,
    events: &mut Vec<v1::HistoryEvent>,
) -> v1::WatchEnd {
    let mut end = None;
    while let Some(message) = next(stream).await {
        assert!(end.is_none(), "a message after the end");
        match message {
            Message::Events(batch) => events.extend(batch.events),
            Message::Heartbeat(_) => {}
            Message::End(message) => end = Some(message),
            Message::Snapshot(_) => panic!("a snapshot was not asked for"),
        }
    }
    end.expect("the stream ended without saying why")
}

#[tokio::test]
async fn every_event_once_across_cuts_and_crashes() {
    let mut server = TestServer::start().await.unwrap();
    let mut api = server.api("watch");
    api.create_workflow(&held("held", TASKS)).await.unwrap();
    let uid = api.start("held", &json!({})).await.unwrap().uid;
    let mut events = Vec::new();
    let mut stream = open(&api, &uid, |_| {}).await;
    for number in 0..TASKS {
        step(&api, &uid).await;
        let last = api.execution(&uid).await.unwrap().last_sequence;
        match number {
            // The client reads everything, and is cut.
            1 => {
                read(&mut stream, &mut events, last).await;
                drop(stream);
            }
            // The client is cut before it read anything new.
            3 => drop(stream),
            // The server crashes under the stream.
            5 => {
                read(&mut stream, &mut events, last).await;
                server.kill().await.unwrap();
                assert!(
                    next(&mut stream).await.is_none(),
                    "nobody can have sent this"
                );
                server.restart().await.unwrap();
                api = server.api("watch");
            }
            _ => continue,
        }
        let seen = events
            .last()
            .map_or(0, |event: &v1::HistoryEvent| event.sequence);
        stream = open(&api, &uid, |request| request.after_sequence = seen).await;
    }
    let end = rest(&mut stream, &mut events).await;
    assert_eq!(end.reason(), v1::WatchEndReason::Terminal);
    let execution = end.execution.unwrap();
    assert_eq!(execution.state(), v1::ExecutionState::Success);
    assert!(execution.output.is_some(), "the end carries the FULL view");
    assert_eq!(sequences(&events), without_holes(execution.last_sequence));

    // A late client, and the list, tell the same.
    let mut late = Vec::new();
    rest(&mut open(&api, &uid, |_| {}).await, &mut late).await;
    assert_eq!(late, events);
    assert_eq!(api.history(&uid).await.unwrap(), events);
    let after = execution.last_sequence;
    let mut nothing = Vec::new();
    let mut stream = open(&api, &uid, |request| request.after_sequence = after).await;
    let end = rest(&mut stream, &mut nothing).await;
    assert_eq!(
        (end.reason(), nothing.len()),
        (v1::WatchEndReason::Terminal, 0)
    );
    assert_eq!(end.resume_after_sequence, after);
}

#[tokio::test]
async fn snapshots_and_the_latest() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("watch");
    api.create_workflow(&held("held", 2)).await.unwrap();
    let uid = api.start("held", &json!({})).await.unwrap().uid;
    step(&api, &uid).await;
    let mut stream = open(&api, &uid, |request| {
        request.start_at = v1::WatchStart::Snapshot.into();
    })
    .await;
    let Some(Message::Snapshot(snapshot)) = next(&mut stream).await else {
        panic!("the first message is not a snapshot")
    };
    assert_eq!(snapshot.uid, uid);
    assert_eq!(snapshot.state(), v1::ExecutionState::Running);
    let mut latest = open(&api, &uid, |request| {
        request.start_at = v1::WatchStart::Latest.into();
    })
    .await;
    step(&api, &uid).await;
    for stream in [&mut stream, &mut latest] {
        let mut events = Vec::new();
        rest(stream, &mut events).await;
        assert_eq!(events.first().unwrap().sequence, snapshot.last_sequence + 1);
    }
}

#[tokio::test]
async fn events_of_a_commit_come_together() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("watch");
    api.create_workflow(&held("held", 2)).await.unwrap();
    let uid = api.start("held", &json!({})).await.unwrap().uid;
    let before = api.execution(&uid).await.unwrap().last_sequence;
    let mut stream = open(&api, &uid, |request| {
        request.start_at = v1::WatchStart::Latest.into();
    })
    .await;
    step(&api, &uid).await;
    let after = api.execution(&uid).await.unwrap().last_sequence;
    let Some(Message::Events(batch)) = next(&mut stream).await else {
        panic!("no events")
    };
    let expected: Vec<i64> = (before + 1..=after).collect();
    assert_eq!(sequences(&batch.events), expected);
}

#[tokio::test]
async fn a_silent_stream_beats() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("watch");
    api.create_workflow(&held("held", 1)).await.unwrap();
    let execution = api.start("held", &json!({})).await.unwrap();
    let mut stream = open(&api, &execution.uid, |request| {
        request.start_at = v1::WatchStart::Latest.into();
        request.heartbeat_interval = Some(Duration::from_secs(5).try_into().unwrap());
    })
    .await;
    let Some(Message::Heartbeat(beat)) = next(&mut stream).await else {
        panic!("no heartbeat")
    };
    assert_eq!(beat.last_sequence, execution.last_sequence);
}

#[tokio::test]
async fn a_deleted_execution_ends_its_streams() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("watch");
    api.create_workflow(&held("held", 1)).await.unwrap();
    let uid = api.start("held", &json!({})).await.unwrap().uid;
    let mut stream = open(&api, &uid, |_| {}).await;
    assert!(matches!(next(&mut stream).await, Some(Message::Events(_))));
    let request = v1::DeleteExecutionRequest {
        project: api.project(),
        execution_id: uid,
        force: true,
        ..Default::default()
    };
    api.executions().delete_execution(request).await.unwrap();
    let end = rest(&mut stream, &mut Vec::new()).await;
    assert_eq!(end.reason(), v1::WatchEndReason::Deleted);
}

#[tokio::test]
async fn many_watch_one_execution() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("watch");
    api.create_workflow(&held("held", 3)).await.unwrap();
    let uid = api.start("held", &json!({})).await.unwrap().uid;
    let mut watchers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut stream = open(&api, &uid, |_| {}).await;
        watchers.spawn(async move {
            let mut events = Vec::new();
            rest(&mut stream, &mut events).await;
            sequences(&events)
        });
    }
    for _ in 0..3 {
        step(&api, &uid).await;
    }
    let last = api.finished(&uid, PATIENCE).await.unwrap().last_sequence;
    for seen in watchers.join_all().await {
        assert_eq!(seen, without_holes(last));
    }
}

#[tokio::test]
async fn what_is_no_longer_kept_is_said_and_the_rest_is_whole() {
    let server = TestServer::start_with(Options {
        config: Some("[limits]\nhistory_events_kept = 1000\n".to_owned()),
        ..Options::default()
    });
    let server = server.await.unwrap();
    let api = server.api("watch");
    let source = "version: '2.0'
long:
  tasks:
    each:
      with-items: i in <% range(1000) %>
      concurrency: 50
      action: std.sleep seconds=0
";
    api.create_workflow(source).await.unwrap();
    let uid = api.start("long", &json!({})).await.unwrap().uid;
    let last = api.finished(&uid, PATIENCE).await.unwrap().last_sequence;
    let kept = sequences(&api.history(&uid).await.unwrap());
    let first = kept[0];
    assert!(first > 1 && last - first >= 999, "{first} to {last}");
    assert_eq!(kept, (first..=last).collect::<Vec<_>>());
    let refused = open(&api, &uid, |_| {}).await.message().await.unwrap_err();
    let refusal = Refusal::of(&refused).to_string();
    assert!(refusal.contains("HISTORY_TRIMMED"), "{refusal}");
    let mut stream = open(&api, &uid, |request| request.after_sequence = first - 1).await;
    let mut events = Vec::new();
    rest(&mut stream, &mut events).await;
    assert_eq!(sequences(&events), kept);
}
