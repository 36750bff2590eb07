//! What becomes of streams: lost, silent, refused, ended by the server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::v1;
use tokio::sync::oneshot;
use tonic::{Code as Grpc, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::fake::{Fake, Job, PATIENCE, ack, lease, soon, task, usual_welcome, welcome};
use crate::reason::Reason;
use crate::worker::{ActionContext, Worker};

/// What the server says to a hello that is wrong.
pub(super) fn invalid() -> Status {
    let details = ErrorDetails::with_error_info("INVALID_FIELD", "autan", []);
    Status::with_error_details(Grpc::InvalidArgument, "hello.queues", details)
}

/// A function that ends when the test says so, with its key.
fn waiting(worker: Worker) -> (Worker, oneshot::Sender<()>) {
    let (go, gone) = oneshot::channel::<()>();
    let gone = Arc::new(Mutex::new(Some(gone)));
    let worker = worker.action("wait", move |(), cx: ActionContext| {
        let gone = gone.lock().unwrap().take();
        async move {
            if let Some(gone) = gone {
                let _ = gone.await;
            }
            Ok(cx.idempotency_key().to_owned())
        }
    });
    (worker, go)
}

#[tokio::test]
async fn functions_outlive_a_lost_stream() {
    let mut fake = Fake::start().await;
    let (worker, go) = waiting(fake.worker().max_tasks(5));
    let job = Job::start(worker);
    let mut first = fake.welcomed().await;
    first.deal([task("t1", "wait", "{}")]);
    first.until(|seen| seen.accepts == ["t1"]).await;
    fake.cut();

    let mut second = fake.session().await;
    assert_eq!(second.hello.held_tokens, ["t1"]);
    assert_eq!(second.hello.queues[0].credits, 4, "one place is taken");
    second.welcome(usual_welcome());
    // Nobody has said that the accept came through. The lease is renewed at once.
    second
        .until(|seen| seen.accepts == ["t1"] && seen.renewals("t1") == 1)
        .await;
    second.send(lease("t1", v1::LeaseStatus::Held));
    drop(go);
    assert_eq!(second.result("t1").await, "\"key-t1\"");
    assert_eq!(second.seen.credits, 1);

    // The result was not acknowledged, so it is said again.
    second.end(Some(Status::unavailable("gone")));
    let mut third = fake.session().await;
    assert_eq!(third.hello.held_tokens, ["t1"]);
    assert_eq!(third.hello.queues[0].credits, 5);
    third.welcome(usual_welcome());
    assert_eq!(third.result("t1").await, "\"key-t1\"");
    assert!(third.seen.accepts.is_empty() && third.seen.credits == 0);
    third.send(ack("t1", "", false));
    third.deal([task("t2", "wait", "{}")]);
    third.result("t2").await;
    third.end(None);

    let fourth = fake.session().await;
    assert_eq!(fourth.hello.held_tokens, ["t2"]);
    job.kill();
}

#[tokio::test]
async fn leases_that_ended_in_between_are_lost() {
    let mut fake = Fake::start().await;
    let worker = fake
        .worker()
        .action("wait", |(), cx: ActionContext| async move {
            Ok(cx.cancelled().await.to_string())
        });
    let _job = Job::start(worker);
    let mut first = fake.welcomed().await;
    first.deal([task("t1", "wait", "{}")]);
    first.until(|seen| seen.accepts == ["t1"]).await;
    first.end(None);
    let mut second = fake.session().await;
    second.welcome(v1::Welcome {
        lost_tokens: vec!["t1".to_owned()],
        ..usual_welcome()
    });
    second.until(|seen| seen.credits == 1).await;
    assert!(second.seen.results.is_empty() && second.seen.accepts.is_empty());
}

#[tokio::test]
async fn a_silent_stream_is_given_up() {
    let mut fake = Fake::start().await;
    let (worker, _go) = waiting(fake.worker());
    let mut health = worker.health();
    let _job = Job::start(worker);
    let first = fake.session().await;
    assert!(!health.get().connected, "nobody has welcomed it");
    first.welcome(welcome(PATIENCE, Duration::from_millis(20)));
    // It stays open, but says nothing.
    let second = fake.session().await;
    let error = health.get().last_error.unwrap();
    assert!(error.contains("no sign of life for 60ms"), "{error}");
    second.welcome(usual_welcome());
    assert!(soon(health.connected()).await && health.is_healthy());
    drop(first);
}

#[tokio::test]
async fn another_connection_is_tried_after_three_refusals() {
    let mut fake = Fake::start().await;
    for _ in 0..3 {
        fake.refuse(Status::unavailable("not now"));
    }
    let (worker, _go) = waiting(fake.worker());
    let _job = Job::start(worker);
    fake.welcomed().await;
    assert_eq!(fake.connections(), 2);
}

#[tokio::test]
async fn the_server_moves_a_worker_without_a_gap() {
    let mut fake = Fake::start().await;
    let (worker, go) = waiting(fake.worker().max_tasks(2));
    let health = worker.health();
    let _job = Job::start(worker);
    let mut old = fake.welcomed().await;
    old.deal([task("t1", "wait", "{}")]);
    old.until(|seen| seen.accepts == ["t1"]).await;
    old.send(v1::ConnectResponse {
        going_away: Some(v1::GoingAway::default()),
        ..v1::ConnectResponse::default()
    });
    let mut new = fake.session().await;
    assert_eq!(
        (new.hello.held_tokens.as_slice(), old.seen.closed),
        (&["t1".to_owned()][..], false)
    );
    assert_eq!(new.hello.queues[0].credits, 1);
    assert!(health.get().connected);
    new.welcome(usual_welcome());
    old.until(|seen| seen.closed).await;
    drop(go);
    assert_eq!(new.result("t1").await, "\"key-t1\"");
    // What the old stream still says counts.
    old.send(ack("t1", "", false));
    old.end(None);
    new.end(None);
    let third = fake.session().await;
    assert!(third.hello.held_tokens.is_empty());
}

#[tokio::test]
async fn results_go_by_calls_when_no_stream_comes_back() {
    let mut fake = Fake::start().await;
    let (worker, go) = waiting(fake.worker());
    let worker = worker.action("fail", |(), _| async {
        Err::<(), _>(crate::ActionError::new("no"))
    });
    let _job = Job::start(worker);
    let mut session = fake.session().await;
    session.welcome(welcome(Duration::from_secs(3), PATIENCE));
    session.deal([task("t1", "wait", "{}"), task("t2", "fail", "{}")]);
    session.result("t2").await;
    session.send(ack("t2", "", false));
    fake.close(Some(Status::unavailable("closed")));
    session.end(None);
    drop(go);
    assert_eq!(
        soon(fake.calls.recv()).await.unwrap(),
        "complete t1 \"key-t1\""
    );
    fake.close(None);
    let session = fake.session().await;
    // It may have come between the call and its answer.
    let held = &session.hello.held_tokens;
    assert!(held.is_empty() || *held == ["t1"], "{held:?}");
}

#[tokio::test]
async fn a_worker_that_the_server_does_not_want_ends() {
    let fake = Fake::start().await;
    fake.refuse(invalid());
    let (worker, _go) = waiting(fake.worker());
    let error = Job::start(worker).ended().await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::InvalidField));

    fake.refuse(Status::unauthenticated("who?"));
    let (worker, _go) = waiting(fake.worker());
    let error = Job::start(worker).ended().await.unwrap_err();
    assert_eq!(error.to_string(), "who? (UNAUTHENTICATED)");

    let none = Job::start(fake.worker()).ended().await.unwrap_err();
    assert_eq!(
        none.to_string(),
        "the worker has no action (INVALID_ARGUMENT)"
    );
    let (worker, _go) = waiting(fake.worker());
    let (twice, _go) = waiting(worker);
    let twice = Job::start(twice).ended().await.unwrap_err();
    assert_eq!(
        twice.to_string(),
        "the worker has two actions wait (INVALID_ARGUMENT)"
    );
}
