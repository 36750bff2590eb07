//! Who calls is recorded with what it calls, and a repeated call is recorded once.

use proto::v1::history_event::Event;
use proto::v1::{self, cause};
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use super::{ASYNC, Api, REQUEST_ID, start};

/// A request of somebody.
pub(super) fn by<T>(identity: &'static str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = identity.parse().expect("it can stand in a header");
    request.metadata_mut().insert("autan-identity", value);
    request
}

fn pause(reason: &str) -> v1::PauseExecutionRequest {
    v1::PauseExecutionRequest {
        execution_id: "e".into(),
        reason: reason.into(),
        request_id: REQUEST_ID.into(),
        ..Default::default()
    }
}

/// What somebody caused, with who it was.
async fn callers(api: &mut Api) -> Vec<String> {
    let request = v1::ListHistoryEventsRequest {
        execution_id: "e".into(),
        ..Default::default()
    };
    let listed = api.executions.list_history_events(request).await.unwrap();
    let events = listed.into_inner().events.into_iter();
    let named = events.filter(|event| !event.identity.is_empty());
    let lines = named.map(|event| match event.event {
        Some(Event::VerbApplied(verb)) => format!("{} {}", verb.verb, event.identity),
        Some(Event::ExecutionStarted(_)) => format!("start {}", event.identity),
        Some(Event::ActionStateChanged(_)) => format!("action ended by {}", event.identity),
        other => panic!("nobody causes that: {other:?}"),
    });
    lines.collect()
}

async fn listed_uid(api: &mut Api) -> String {
    let request = v1::GetExecutionRequest {
        execution_id: "e".into(),
        ..Default::default()
    };
    let found = api.executions.get_execution(request).await.unwrap();
    found.into_inner().execution.unwrap().uid
}

#[tokio::test]
async fn callers_stand_in_the_record() {
    let mut api = Api::with(&[ASYNC]).await;
    let order = start("held", "e", "{}");
    api.executions
        .start_execution(by("ada@a/1", order))
        .await
        .unwrap();
    for who in ["bob@b/2", "carl@c/3"] {
        let paused = api
            .executions
            .pause_execution(by(who, pause("lunch")))
            .await;
        paused.expect("the second is a repetition of the first");
    }
    assert_eq!(callers(&mut api).await, ["start ada@a/1", "pause bob@b/2"]);

    let request = v1::ExplainExecutionRequest {
        execution_id: "e".into(),
        ..Default::default()
    };
    let explained = api.executions.explain_execution(request).await.unwrap();
    let causes = explained.into_inner().causes;
    let found = causes.first().expect("it waits to be resumed");
    assert_eq!(found.text, "paused by bob@b/2 until it is resumed: lunch");
    let Some(cause::Kind::Paused(paused)) = &found.kind else {
        panic!("it is paused: {found:?}");
    };
    assert_eq!((&*paused.identity, &*paused.principal), ("bob@b/2", ""));

    let uid = listed_uid(&mut api).await;
    let fail = v1::FailActionExecutionRequest {
        action_execution_id: format!("{uid}-t1-a1"),
        ..Default::default()
    };
    api.tasks
        .fail_action_execution(by("dora@d/4", fail))
        .await
        .unwrap();
    let last = callers(&mut api).await.pop();
    assert_eq!(last.as_deref(), Some("action ended by dora@d/4"));
    api.stop().await;
}

#[tokio::test]
async fn a_batch_acts_for_its_caller() {
    let mut api = Api::with(&[ASYNC]).await;
    api.run("held", "e", "{}").await;
    let verb = v1::batch_verb::Verb::Pause(v1::BatchPause::default());
    let batch = v1::BatchUpdateExecutionsRequest {
        execution_ids: vec!["e".into()],
        verb: Some(v1::BatchVerb { verb: Some(verb) }),
        ..Default::default()
    };
    let accepted = api
        .executions
        .batch_update_executions(by("night", batch))
        .await;
    assert_eq!(
        accepted.unwrap().into_inner().batch.unwrap().identity,
        "night"
    );
    while callers(&mut api).await.is_empty() {
        // What is waited for is no end; the operation is under way in this process.
        tokio::task::yield_now().await;
    }
    assert_eq!(callers(&mut api).await, ["pause night"]);
    api.stop().await;
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused() {
    let mut api = Api::with(&[ASYNC]).await;
    api.run("held", "e", "{}").await;
    let long: &'static str = Box::leak("x".repeat(201).into_boxed_str());
    let refused = api.executions.pause_execution(by(long, pause(""))).await;
    let status: Status = refused.unwrap_err();
    let details = status
        .get_details_bad_request()
        .expect("it names the field");
    assert_eq!(details.field_violations[0].field, "autan-identity");
    api.stop().await;
}
