//! Watching and waiting, and the history that they show.

use std::time::Duration;

use proto::v1::history_event::Event;
use proto::v1::watch_execution_response::Message;
use proto::v1::{self, ExecutionState, WatchEndReason, WatchStart};
use tokio::time::timeout;
use tonic::Streaming;

use super::{ASYNC, Api, ECHO, create, reason, refusal, text};
use crate::Config;

fn watch(id: &str) -> v1::WatchExecutionRequest {
    v1::WatchExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    }
}

fn history(id: &str) -> v1::ListHistoryEventsRequest {
    v1::ListHistoryEventsRequest {
        execution_id: id.into(),
        ..Default::default()
    }
}

async fn next(stream: &mut Streaming<v1::WatchExecutionResponse>) -> Option<Message> {
    let message = timeout(Duration::from_secs(20), stream.message()).await;
    message
        .expect("it comes in time")
        .expect("the stream goes on")
        .map(|m| m.message.unwrap())
}

/// All events, and the end.
async fn to_end(
    mut stream: Streaming<v1::WatchExecutionResponse>,
) -> (Vec<v1::HistoryEvent>, v1::WatchEnd) {
    let mut events = Vec::new();
    loop {
        match next(&mut stream).await.expect("the end is said") {
            Message::Events(batch) => events.extend(batch.events),
            Message::End(end) => {
                assert_eq!(next(&mut stream).await, None, "the end is the last message");
                return (events, end);
            }
            Message::Snapshot(_) | Message::Heartbeat(_) => {}
        }
    }
}

fn sequences(events: &[v1::HistoryEvent]) -> Vec<i64> {
    events.iter().map(|event| event.sequence).collect()
}

#[tokio::test]
async fn a_finished_execution_is_told_to_its_end() {
    let mut api = Api::with(&[ECHO]).await;
    api.run("echo", "e", "{\"word\": \"hi\"}").await;
    let done = api.finished("e").await;
    let request = v1::WatchExecutionRequest {
        include_payloads: true,
        ..watch("e")
    };
    let stream = api
        .executions
        .watch_execution(request)
        .await
        .unwrap()
        .into_inner();
    let (events, end) = to_end(stream).await;
    assert_eq!(
        sequences(&events),
        (1..=done.last_sequence).collect::<Vec<_>>()
    );
    assert_eq!(end.reason(), WatchEndReason::Terminal);
    assert_eq!(end.execution.as_ref(), Some(&done));
    let Some(Event::ExecutionStarted(started)) = &events[0].event else {
        panic!("{events:?}")
    };
    assert!(text(started.input.as_ref()).contains("hi"));
    let created = events.iter().filter_map(|event| match &event.event {
        Some(Event::TaskCreated(created)) => Some((&*event.task_name, &*created.triggered_by)),
        _ => None,
    });
    assert_eq!(
        created.collect::<Vec<_>>(),
        [("say", &[][..]), ("check", &["say".into()][..])]
    );

    let resumed = v1::WatchExecutionRequest {
        after_sequence: 2,
        ..watch("e")
    };
    let stream = api
        .executions
        .watch_execution(resumed)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(sequences(&to_end(stream).await.0)[0], 3);
    let beyond = v1::WatchExecutionRequest {
        after_sequence: done.last_sequence + 1,
        ..watch("e")
    };
    assert_eq!(
        reason(api.executions.watch_execution(beyond).await),
        "INVALID_FIELD"
    );
    let none = api.executions.watch_execution(watch("none")).await;
    assert_eq!(reason(none), "EXECUTION_NOT_FOUND");

    let latest = v1::WatchExecutionRequest {
        start_at: WatchStart::Latest.into(),
        ..watch("e")
    };
    let stream = api
        .executions
        .watch_execution(latest)
        .await
        .unwrap()
        .into_inner();
    let (events, end) = to_end(stream).await;
    assert_eq!((events.len(), end.reason()), (0, WatchEndReason::Terminal));
    api.stop().await;
}

#[tokio::test]
async fn a_running_execution_is_followed_without_a_seam() {
    let mut api = Api::with(&[ASYNC]).await;
    let uid = api.run("held", "e", "{}").await.uid;
    let snapshot = WatchStart::Snapshot.into();
    let request = v1::WatchExecutionRequest {
        start_at: snapshot,
        ..watch("e")
    };
    let mut stream = api
        .executions
        .watch_execution(request)
        .await
        .unwrap()
        .into_inner();
    let Some(Message::Snapshot(seen)) = next(&mut stream).await else {
        panic!("no snapshot")
    };
    assert_eq!(seen.state(), ExecutionState::Running);
    let complete = v1::CompleteActionExecutionRequest {
        action_execution_id: format!("{uid}-t1-a1"),
        ..Default::default()
    };
    api.tasks.complete_action_execution(complete).await.unwrap();
    let (events, end) = to_end(stream).await;
    assert_eq!(end.reason(), WatchEndReason::Terminal);
    let last = end.execution.unwrap().last_sequence;
    assert_eq!(
        sequences(&events),
        (seen.last_sequence + 1..=last).collect::<Vec<_>>()
    );
    assert_eq!(end.resume_after_sequence, last);
    api.stop().await;
}

#[tokio::test]
async fn a_watch_ends_with_its_execution_or_its_server() {
    let mut api = Api::with(&[ASYNC]).await;
    for id in ["deleted", "left"] {
        api.run("held", id, "{}").await;
    }
    let deleted = api
        .executions
        .watch_execution(watch("deleted"))
        .await
        .unwrap()
        .into_inner();
    let mut left = api
        .executions
        .watch_execution(watch("left"))
        .await
        .unwrap()
        .into_inner();
    assert!(matches!(next(&mut left).await, Some(Message::Events(_))));
    let delete = v1::DeleteExecutionRequest {
        execution_id: "deleted".into(),
        force: true,
        ..Default::default()
    };
    api.executions.delete_execution(delete).await.unwrap();
    assert_eq!(to_end(deleted).await.1.reason(), WatchEndReason::Deleted);

    api.server.stop_token().cancel();
    let (_, end) = to_end(left).await;
    assert_eq!(end.reason(), WatchEndReason::GoingAway);
    assert!(end.resume_after_sequence > 0 && end.retry_delay.is_some());
    api.stop().await;
}

#[tokio::test]
async fn waiting_answers_either_way() {
    let mut api = Api::with(&[ASYNC]).await;
    let uid = api.run("held", "e", "{}").await.uid;
    let wait = |nanos| v1::WaitExecutionRequest {
        execution_id: "e".into(),
        timeout: Some(prost_types::Duration { seconds: 0, nanos }),
        ..Default::default()
    };
    let waited = api
        .executions
        .wait_execution(wait(1_000_000))
        .await
        .unwrap()
        .into_inner();
    assert!(!waited.finished && waited.execution.is_some());
    assert_eq!(
        reason(api.executions.wait_execution(wait(-1)).await),
        "INVALID_FIELD"
    );
    let mut executions = api.executions.clone();
    let long = v1::WaitExecutionRequest {
        timeout: None,
        ..wait(0)
    };
    let waiting = tokio::spawn(async move { executions.wait_execution(long).await });
    let complete = v1::CompleteActionExecutionRequest {
        action_execution_id: format!("{uid}-t1-a1"),
        ..Default::default()
    };
    api.tasks.complete_action_execution(complete).await.unwrap();
    assert!(waiting.await.unwrap().unwrap().into_inner().finished);
    api.stop().await;
}

#[tokio::test]
async fn history_is_listed_both_ways() {
    let mut api = Api::with(&[ECHO]).await;
    api.run("echo", "e", "{\"word\": 1}").await;
    let last = api.finished("e").await.last_sequence;
    for descending in [false, true] {
        let mut request = v1::ListHistoryEventsRequest {
            page_size: 4,
            descending,
            after_sequence: 1,
            ..history("e")
        };
        let mut found = Vec::new();
        loop {
            let page = api
                .executions
                .list_history_events(request.clone())
                .await
                .unwrap();
            let page = page.into_inner();
            found.extend(sequences(&page.events));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let mut expected: Vec<_> = (2..=last).collect();
        if descending {
            expected.reverse();
        }
        assert_eq!(found, expected);
    }
    let none = api.executions.list_history_events(history("none")).await;
    assert_eq!(reason(none), "EXECUTION_NOT_FOUND");
    api.stop().await;
}

/// Some thousand events, in many commits.
const LOOP: &str = "
version: '2.0'
many:
  input: [count]
  tasks:
    each:
      with-items: i in <% range($.count) %>
      concurrency: 50
      action: std.sleep seconds=0
";

#[tokio::test]
async fn a_watch_of_what_is_no_longer_kept_says_where_it_may_begin() {
    let mut config = Config::in_memory();
    config.limits.history_events_kept = Some(1_000);
    let mut api = Api::on(&config).await;
    for source in [LOOP, ECHO] {
        let made = api.workflows.create_workflow(create(source)).await;
        made.expect("the workflow is right");
    }
    // Few events are all kept.
    api.run("echo", "short", "{\"word\": \"hi\"}").await;
    let short = api.finished("short").await;
    let stream = api
        .executions
        .watch_execution(watch("short"))
        .await
        .unwrap();
    let (events, _) = to_end(stream.into_inner()).await;
    assert_eq!(i64::try_from(events.len()), Ok(short.last_sequence));

    api.run("many", "long", "{\"count\": 1500}").await;
    let last = api.finished("long").await.last_sequence;
    let listed = api.executions.list_history_events(history("long")).await;
    let first = listed.unwrap().into_inner().events[0].sequence;
    assert!(first > 1 && last - first >= 999, "{first} to {last}");
    for after in [0, 1, first - 2] {
        let mut request = watch("long");
        request.after_sequence = after;
        let opened = api.executions.watch_execution(request).await.unwrap();
        let status = opened.into_inner().message().await;
        let (reason, metadata) = refusal(status.map(tonic::Response::new));
        let found = (&*reason, &*metadata["earliest_sequence"]);
        assert_eq!(
            found,
            ("HISTORY_TRIMMED", &*first.to_string()),
            "after {after}"
        );
    }
    // From there, and from a snapshot, nothing is missing.
    let mut request = watch("long");
    request.after_sequence = first - 1;
    let stream = api.executions.watch_execution(request).await.unwrap();
    let (events, _) = to_end(stream.into_inner()).await;
    assert_eq!(sequences(&events), (first..=last).collect::<Vec<_>>());
    let mut request = watch("long");
    request.start_at = WatchStart::Snapshot.into();
    let stream = api.executions.watch_execution(request).await.unwrap();
    let (events, end) = to_end(stream.into_inner()).await;
    assert_eq!((events.len(), end.reason()), (0, WatchEndReason::Terminal));
    api.stop().await;
}
