//! How a worker ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::v1;
use tokio::sync::oneshot;
use tonic::Status;

use super::fake::{Fake, Job, ack, soon, task};
use crate::worker::{ActionContext, Worker};

/// A function that ends when the test says so, and tells when it is gone.
fn waiting(worker: Worker) -> (Worker, oneshot::Sender<()>, oneshot::Receiver<()>) {
    let (go, gone) = oneshot::channel::<()>();
    let (alive, dead) = oneshot::channel::<()>();
    let ends = Arc::new(Mutex::new(Some((gone, alive))));
    let worker = worker.action("wait", move |(), _: ActionContext| {
        let (gone, alive) = ends.lock().unwrap().take().unwrap();
        async move {
            let _alive = alive;
            let _ = gone.await;
            Ok("waited")
        }
    });
    (worker, go, dead)
}

#[tokio::test]
async fn a_drain_waits_for_functions_and_acknowledgements() {
    let mut fake = Fake::start().await;
    let (worker, go, _dead) = waiting(fake.worker());
    let health = worker.health();
    let mut job = Job::start(worker);
    let mut session = fake.welcomed().await;
    session.deal([task("t1", "wait", "{}")]);
    session.until(|seen| seen.accepts == ["t1"]).await;
    job.stop();
    session.until(|seen| seen.drained).await;
    // It was sent before the server knew.
    session.deal([task("t2", "wait", "{}")]);
    drop(go);
    assert_eq!(session.result("t1").await, "\"waited\"");
    assert!(!session.seen.closed, "the result is not acknowledged");
    session.send(ack("t1", "", false));
    session.until(|seen| seen.closed).await;
    assert_eq!((session.seen.credits, session.seen.accepts.len()), (0, 1));
    session.end(None);
    job.ended().await.unwrap();
    assert!(!health.get().connected);
}

#[tokio::test]
async fn a_drain_gives_back_what_takes_too_long() {
    let mut fake = Fake::start().await;
    let (worker, _go, dead) = waiting(fake.worker().drain_timeout(Duration::from_millis(20)));
    let mut job = Job::start(worker);
    let mut session = fake.welcomed().await;
    session.deal([task("t1", "wait", "{}")]);
    session.until(|seen| seen.accepts == ["t1"]).await;
    job.stop();
    session.until(|seen| seen.closed).await;
    assert_eq!(session.seen.releases, ["t1"]);
    assert!(session.seen.drained && session.seen.results.is_empty());
    session.end(None);
    job.ended().await.unwrap();
    assert!(soon(dead).await.is_err(), "the function was dropped");
}

#[tokio::test]
async fn a_drain_without_a_stream_uses_calls() {
    let mut fake = Fake::start().await;
    let (worker, _go, _dead) = waiting(fake.worker().drain_timeout(Duration::from_millis(20)));
    let worker = worker.action("quick", |(), _| async { Ok(1) });
    let mut job = Job::start(worker);
    let mut session = fake.welcomed().await;
    session.deal([task("t1", "wait", "{}"), task("t2", "quick", "{}")]);
    session
        .until(|seen| seen.accepts.len() == 2 && seen.result("t2").is_some())
        .await;
    fake.close(Some(Status::unavailable("closed")));
    session.end(None);
    job.stop();
    let mut calls = [soon(fake.calls.recv()).await, soon(fake.calls.recv()).await];
    calls.sort();
    assert_eq!(calls.map(Option::unwrap), ["complete t2 1", "release t1"]);
    job.ended().await.unwrap();
}

#[tokio::test]
async fn a_worker_that_is_not_connected_ends_at_once() {
    let fake = Fake::start().await;
    fake.close(Some(Status::unavailable("closed")));
    let (worker, _go, _dead) = waiting(fake.worker());
    let mut job = Job::start(worker);
    job.stop();
    job.ended().await.unwrap();
}

#[tokio::test]
async fn dropping_a_worker_ends_everything_at_once() {
    let mut fake = Fake::start().await;
    let (worker, _go, dead) = waiting(fake.worker());
    let mut health = worker.health();
    let job = Job::start(worker);
    let mut session = fake.welcomed().await;
    session.deal([task("t1", "wait", "{}")]);
    session.until(|seen| seen.accepts == ["t1"]).await;
    job.kill();
    assert!(soon(dead).await.is_err(), "the function was dropped");
    session.until(|seen| seen.closed).await;
    assert!(session.seen.results.is_empty() && session.seen.releases.is_empty());
    // The stream being cut is all that the server hears.
    while soon(health.connected()).await {
        tokio::task::yield_now().await;
    }
    session.send(v1::ConnectResponse::default());
}
