//! Watching many executions: their states, and all that happens to them.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::v1::history_event::Event;
use proto::v1::watch_executions_response::Message;
use proto::v1::{self, ExecutionState, WatchExecutionsMode, WatchExecutionsStart};
use tokio::time::timeout;
use tonic::Streaming;

use super::{ASYNC, Api, ECHO, create, reason};
use crate::Config;

fn watch(filter: &str, token: &str) -> v1::WatchExecutionsRequest {
    v1::WatchExecutionsRequest {
        filter: filter.into(),
        resume_token: token.into(),
        ..Default::default()
    }
}

async fn next(stream: &mut Streaming<v1::WatchExecutionsResponse>) -> Message {
    let message = timeout(Duration::from_secs(30), stream.message()).await;
    let message = message.expect("it comes in time").expect("it goes on");
    message.expect("the end is said").message.unwrap()
}

/// Reads until this execution has come in this state; gives the token of that message.
async fn until(
    stream: &mut Streaming<v1::WatchExecutionsResponse>,
    id: &str,
    state: ExecutionState,
) -> String {
    loop {
        if let Message::Changes(changes) = next(stream).await {
            let mut found = changes.executions.iter();
            if found.any(|execution| execution.execution_id == id && execution.state() == state) {
                return changes.resume_token;
            }
        }
    }
}

#[tokio::test]
async fn many_executions_are_watched_and_resumed_without_a_gap() {
    let mut api = Api::with(&[ASYNC, ECHO]).await;
    api.run("held", "before", "{}").await;
    let filter = "workflow_name = held";
    let request = watch(filter, "");
    let mut stream = api
        .executions
        .watch_executions(request)
        .await
        .unwrap()
        .into_inner();
    assert!(matches!(next(&mut stream).await, Message::Heartbeat(_)));
    api.run("echo", "other", "{\"word\": 1}").await;
    api.run("held", "a", "{}").await;
    let Message::Changes(first) = next(&mut stream).await else {
        panic!("no changes")
    };
    let ids: Vec<_> = first.executions.iter().map(|e| &*e.execution_id).collect();
    assert_eq!(
        ids,
        ["a"],
        "what does not match, or was before, is not sent"
    );
    drop(stream);
    // What happens while nobody watches comes when the watch is resumed, once.
    api.pause("a", "").await;
    api.run("held", "b", "{}").await;
    let resumed = watch(filter, &first.resume_token);
    let mut stream = api
        .executions
        .watch_executions(resumed)
        .await
        .unwrap()
        .into_inner();
    until(&mut stream, "a", ExecutionState::Paused).await;
    let retained = v1::WatchExecutionsRequest {
        start_at: WatchExecutionsStart::Retained.into(),
        ..watch("", "")
    };
    let mut all = api
        .executions
        .watch_executions(retained)
        .await
        .unwrap()
        .into_inner();
    until(&mut all, "before", ExecutionState::Running).await;
    // A deletion is told whatever the filter says.
    let delete = v1::DeleteExecutionRequest {
        execution_id: "other".into(),
        force: true,
        ..Default::default()
    };
    api.executions.delete_execution(delete).await.unwrap();
    let deleted = loop {
        if let Message::Changes(changes) = next(&mut stream).await
            && let Some(deleted) = changes.deleted.first()
        {
            break deleted.execution_id.clone();
        }
    };
    assert_eq!(deleted, "other");
    api.server.stop_token().cancel();
    let end = loop {
        if let Message::End(end) = next(&mut stream).await {
            break end;
        }
    };
    assert_eq!(end.reason(), v1::WatchEndReason::GoingAway);
    assert!(!end.resume_token.is_empty() && end.retry_delay.is_some());
    drop((stream, all));
    api.stop().await;
}

#[tokio::test]
async fn watches_of_many_refuse_what_they_cannot_follow() {
    let mut api = Api::with(&[ASYNC]).await;
    let stream = api
        .executions
        .watch_executions(watch("kind = ACTION", ""))
        .await;
    let Message::Heartbeat(first) = next(&mut stream.unwrap().into_inner()).await else {
        panic!("no heartbeat")
    };
    for (request, expected) in [
        (watch("state = NEVER", ""), "INVALID_FILTER"),
        (watch("", &first.resume_token), "INVALID_FIELD"),
        (watch("", "x"), "INVALID_FIELD"),
    ] {
        let refused = api.executions.watch_executions(request).await;
        assert_eq!(reason(refused), expected);
    }
    api.stop().await;
}

/// Consumers that read nothing hold up neither the executions nor one another, and miss nothing.
#[tokio::test]
async fn stalled_watches_hold_nothing_up_and_miss_nothing() {
    let mut api = Api::with(&[ASYNC]).await;
    let uid = api.run("held", "h", "{}").await.uid;
    let mut stalled = Vec::new();
    for _ in 0..20 {
        let request = v1::WatchExecutionRequest {
            execution_id: "h".into(),
            ..Default::default()
        };
        let one = api.executions.watch_execution(request).await.unwrap();
        let many = api
            .executions
            .watch_executions(watch("", ""))
            .await
            .unwrap();
        stalled.push((one.into_inner(), many.into_inner()));
    }
    for _ in 0..100 {
        api.pause("h", "").await;
        let request = v1::ResumeExecutionRequest {
            execution_id: "h".into(),
            ..Default::default()
        };
        api.executions.resume_execution(request).await.unwrap();
    }
    let complete = v1::CompleteActionExecutionRequest {
        action_execution_id: format!("{uid}-t1-a1"),
        ..Default::default()
    };
    api.tasks.complete_action_execution(complete).await.unwrap();
    let last = api.finished("h").await.last_sequence;
    for (mut one, mut many) in stalled {
        let mut seen = 0;
        loop {
            let message = timeout(Duration::from_secs(30), one.message()).await;
            let message = message.expect("it comes in time").unwrap().unwrap();
            match message.message.unwrap() {
                v1::watch_execution_response::Message::Events(batch) => {
                    for event in batch.events {
                        assert_eq!(event.sequence, seen + 1);
                        seen = event.sequence;
                    }
                }
                v1::watch_execution_response::Message::End(_) => break,
                _ => {}
            }
        }
        assert_eq!(seen, last);
        until(&mut many, "h", ExecutionState::Success).await;
    }
    api.stop().await;
}

#[tokio::test]
async fn a_watch_may_follow_reruns() {
    let failing = "version: '2.0'\nfailing:\n  tasks:\n    a: {action: std.fail}\n";
    let mut api = Api::with(&[failing]).await;
    api.run("failing", "f", "{}").await;
    api.finished("f").await;
    let request = v1::WatchExecutionRequest {
        execution_id: "f".into(),
        follow_reruns: true,
        ..Default::default()
    };
    let stream = api.executions.watch_execution(request).await.unwrap();
    let mut stream = stream.into_inner();
    let rerun = v1::RerunExecutionRequest {
        execution_id: "f".into(),
        ..Default::default()
    };
    api.executions.rerun_execution(rerun).await.unwrap();
    loop {
        let message = timeout(Duration::from_secs(30), stream.message()).await;
        let message = message.expect("it comes in time").unwrap().unwrap();
        let Some(v1::watch_execution_response::Message::Events(batch)) = message.message else {
            continue;
        };
        if batch.events.iter().any(|event| event.run == 2) {
            break;
        }
    }
    drop(stream);
    api.stop().await;
}

/// A watch of all events that are kept.
fn events(filter: &str) -> v1::WatchExecutionsRequest {
    v1::WatchExecutionsRequest {
        mode: WatchExecutionsMode::Events.into(),
        start_at: WatchExecutionsStart::Retained.into(),
        ..watch(filter, "")
    }
}

/// What a watch has told, by execution.
type Heard = BTreeMap<String, Vec<v1::HistoryEvent>>;

impl Api {
    async fn opened(
        &mut self,
        request: v1::WatchExecutionsRequest,
    ) -> Streaming<v1::WatchExecutionsResponse> {
        let stream = self.executions.watch_executions(request).await;
        stream.expect("it is right").into_inner()
    }

    async fn listed(&mut self, id: &str) -> Vec<v1::HistoryEvent> {
        let request = v1::ListHistoryEventsRequest {
            execution_id: id.into(),
            page_size: 1_000,
            include_payloads: true,
            ..Default::default()
        };
        let listed = self.executions.list_history_events(request).await;
        listed.expect("it is there").into_inner().events
    }
}

/// Takes one message; gives its token.
async fn hear(stream: &mut Streaming<v1::WatchExecutionsResponse>, heard: &mut Heard) -> String {
    match next(stream).await {
        Message::Changes(changes) => {
            assert!(changes.executions.is_empty(), "states are another mode");
            for of in changes.events {
                let execution = of.execution.expect("it is named");
                assert_eq!(of.earliest_sequence, 0);
                let told = heard.entry(execution.execution_id).or_default();
                for event in of.events {
                    let last = told.last().map_or(0, |last| last.sequence);
                    assert!(event.sequence > last, "{} after {last}", event.sequence);
                    told.push(event);
                }
            }
            changes.resume_token
        }
        Message::Heartbeat(heartbeat) => heartbeat.resume_token,
        Message::End(end) => panic!("{end:?}"),
    }
}

/// Reads until an execution has come to its end.
async fn hear_end(
    stream: &mut Streaming<v1::WatchExecutionsResponse>,
    heard: &mut Heard,
    id: &str,
) -> String {
    let is_end = |event: &v1::HistoryEvent| match &event.event {
        Some(Event::ExecutionStateChanged(change)) => change.state() == ExecutionState::Success,
        _ => false,
    };
    let mut token = String::new();
    while !heard.get(id).is_some_and(|told| told.iter().any(is_end)) {
        token = hear(stream, heard).await;
    }
    token
}

#[tokio::test]
async fn every_event_of_many_executions_is_told_in_order() {
    let mut api = Api::with(&[ASYNC, ECHO]).await;
    let word = "{\"word\": \"hi\"}";
    api.run("echo", "a", word).await;
    api.finished("a").await;
    let held = api.run("held", "h", "{}").await.uid;
    let request = v1::WatchExecutionsRequest {
        include_payloads: true,
        ..events("")
    };
    let mut stream = api.opened(request.clone()).await;
    let mut heard = Heard::new();
    hear_end(&mut stream, &mut heard, "a").await;
    // Changes that are much faster than a watch of states would tell them.
    for round in 0..20 {
        api.pause("h", &format!("round {round}")).await;
        let resume = v1::ResumeExecutionRequest {
            execution_id: "h".into(),
            ..Default::default()
        };
        api.executions.resume_execution(resume).await.unwrap();
    }
    api.run("echo", "b", word).await;
    let token = hear_end(&mut stream, &mut heard, "b").await;
    drop(stream);
    // While nobody watches.
    api.run("echo", "c", word).await;
    let complete = v1::CompleteActionExecutionRequest {
        action_execution_id: format!("{held}-t1-a1"),
        ..Default::default()
    };
    api.tasks.complete_action_execution(complete).await.unwrap();
    api.finished("h").await;
    let resumed = v1::WatchExecutionsRequest {
        resume_token: token.clone(),
        ..request
    };
    let mut stream = api.opened(resumed).await;
    hear_end(&mut stream, &mut heard, "c").await;
    hear_end(&mut stream, &mut heard, "h").await;
    for id in ["a", "b", "c", "h"] {
        let told = heard.remove(id).unwrap();
        assert_eq!(told, api.listed(id).await, "{id}");
    }
    assert!(heard.is_empty(), "{heard:?}");
    // A token is a place, and good for either mode.
    let states = v1::WatchExecutionsRequest {
        resume_token: token,
        ..watch("", "")
    };
    let mut stream = api.opened(states).await;
    until(&mut stream, "c", ExecutionState::Success).await;
    drop(stream);
    api.stop().await;
}

#[tokio::test]
async fn events_are_chosen_by_type_and_execution() {
    let mut api = Api::with(&[ASYNC, ECHO]).await;
    for id in ["a", "b"] {
        api.run("echo", id, "{\"word\": \"hi\"}").await;
        api.finished(id).await;
    }
    api.run("held", "h", "{}").await;
    let request = v1::WatchExecutionsRequest {
        event_types: vec![
            "action_state_changed".into(),
            "execution_state_changed".into(),
        ],
        ..events("workflow_name = echo")
    };
    let mut stream = api.opened(request).await;
    let mut heard = Heard::new();
    hear_end(&mut stream, &mut heard, "a").await;
    hear_end(&mut stream, &mut heard, "b").await;
    assert_eq!(heard.len(), 2, "{heard:?}");
    for (id, told) in heard {
        let wanted = |event: &v1::HistoryEvent| {
            matches!(
                event.event,
                Some(Event::ActionStateChanged(_) | Event::ExecutionStateChanged(_))
            )
        };
        let mut listed = api.listed(&id).await;
        listed.retain(wanted);
        let numbers = |events: &[v1::HistoryEvent]| -> Vec<i64> {
            events.iter().map(|event| event.sequence).collect()
        };
        assert!(told.len() > 2);
        assert_eq!(numbers(&told), numbers(&listed), "{id}");
    }
    drop(stream);
    api.stop().await;
}

#[tokio::test]
async fn events_that_are_not_kept_are_not_passed_over_in_silence() {
    let mut config = Config::in_memory();
    config.limits.history_events_kept = Some(1_000);
    let mut api = Api::on(&config).await;
    let many = "
version: '2.0'
many:
  tasks:
    each:
      with-items: i in <% range(1500) %>
      concurrency: 50
      action: std.sleep seconds=0
";
    api.workflows.create_workflow(create(many)).await.unwrap();
    api.run("many", "long", "{}").await;
    let last = api.finished("long").await.last_sequence;
    let first = api.listed("long").await[0].sequence;
    let mut stream = api.opened(events("")).await;
    let (mut earliest, mut told) = (0, Vec::new());
    while told.last() != Some(&last) {
        if let Message::Changes(changes) = next(&mut stream).await {
            for of in changes.events {
                earliest = earliest.max(of.earliest_sequence);
                told.extend(of.events.iter().map(|event| event.sequence));
            }
        }
    }
    assert!(first > 1);
    assert_eq!(earliest, first);
    assert_eq!(told, (first..=last).collect::<Vec<_>>());
    drop(stream);
    api.stop().await;
}
