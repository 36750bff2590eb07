//! What becomes of a task: accepted, run, renewed, cancelled, ended.

use std::io;
use std::sync::{Arc, Mutex, mpsc as std_mpsc};
use std::time::{Duration, SystemTime};

use proto::v1;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::fake::{Fake, Job, PATIENCE, ack, lease, soon, task, welcome};
use crate::worker::{ActionContext, ActionError, Cancelled, Deferred, Worker, WorkerAction};

#[derive(Deserialize)]
struct Add {
    a: i64,
    b: i64,
}

async fn add(input: Add, _: ActionContext) -> Result<i64, ActionError> {
    Ok(input.a + input.b)
}

#[tokio::test]
async fn a_task_is_accepted_run_and_ended() {
    let mut fake = Fake::start().await;
    let action = WorkerAction::new("add", add)
        .description("adds")
        .version("2")
        .input("a")
        .input_or("b", 0)
        .start_to_close(Duration::from_secs(5))
        .schedule_to_start(Duration::from_secs(6))
        .heartbeat(Duration::from_secs(7));
    let worker = fake.worker().register(action).max_tasks(3).identity("me");
    let worker = worker
        .build_id("b1")
        .label("zone", "eu")
        .max_outstanding_bytes(99);
    let id = worker.id().to_owned();
    let _job = Job::start(worker);

    let mut session = fake.welcomed().await;
    let hello = &session.hello;
    assert_eq!(session.headers, "shop Bearer secret");
    assert_eq!(
        (hello.project.as_str(), hello.max_outstanding_bytes),
        ("shop", 99)
    );
    let who = hello.worker.as_ref().unwrap();
    assert_eq!((&who.worker_id, who.identity.as_str()), (&id, "me"));
    assert!(who.sdk.starts_with("autan-rust/") && who.build_id == "b1");
    assert_eq!(who.labels["zone"], "eu");
    let queue = &hello.queues[0];
    assert_eq!((queue.queue.as_str(), queue.credits), ("q", 3));
    let told = &queue.actions[0];
    assert_eq!(
        (told.name.as_str(), told.description.as_str()),
        ("add", "adds")
    );
    assert_eq!(told.version, "2");
    let inputs: Vec<_> = told
        .input
        .iter()
        .map(|input| (input.name.as_str(), input.required))
        .collect();
    assert_eq!(inputs, [("a", true), ("b", false)]);
    let timeouts = [
        told.start_to_close_timeout,
        told.schedule_to_start_timeout,
        told.heartbeat_timeout,
    ];
    assert_eq!(timeouts.map(|timeout| timeout.unwrap().seconds), [5, 6, 7]);

    session.deal([task("t1", "add", r#"{"a": 1, "b": 2}"#)]);
    assert_eq!(session.result("t1").await, "3");
    assert_eq!(session.seen.accepts, ["t1"]);
    assert_eq!(session.seen.credits, 1, "it comes with the result");
}

#[tokio::test]
async fn it_runs_no_more_than_there_is_room_for() {
    let mut fake = Fake::start().await;
    let (release, released) = oneshot::channel::<()>();
    let released = Arc::new(Mutex::new(Some(released)));
    let worker = fake.worker().max_tasks(1).action("hold", move |(), _| {
        let released = released.lock().unwrap().take().unwrap();
        async move {
            let _ = released.await;
            Ok("held")
        }
    });
    let health = worker.health();
    let _job = Job::start(worker);
    let mut session = fake.welcomed().await;
    session.deal([task("t1", "hold", "{}"), task("t2", "hold", "{}")]);
    session
        .until(|seen| seen.releases == ["t2"] && seen.accepts == ["t1"])
        .await;
    assert_eq!(health.get().running, 1);
    assert_eq!(session.seen.credits, 0);
    drop(release);
    assert_eq!(session.result("t1").await, "\"held\"");
    assert_eq!((session.seen.credits, health.get().running), (1, 0));
}

#[tokio::test]
async fn queues_have_their_own_actions_and_room() {
    let mut fake = Fake::start().await;
    let (release, released) = oneshot::channel::<()>();
    let released = Arc::new(Mutex::new(Some(released)));
    let render = WorkerAction::new("render", move |(), cx: ActionContext| {
        let released = released.lock().unwrap().take().unwrap();
        async move {
            let _ = released.await;
            Ok(format!(
                "{} for {}",
                cx.info().required_version,
                cx.info().affinity_key
            ))
        }
    });
    let queue = async |(), cx: ActionContext| Ok(cx.info().queue.clone());
    let worker = fake
        .worker()
        .max_tasks(3)
        .queue("gpu", 1)
        .action("where", queue);
    let worker = worker.register(render.queue("gpu"));
    let _job = Job::start(worker);
    let mut session = fake.welcomed().await;
    let told = session.hello.queues.iter().map(|queue| {
        let actions = queue.actions.iter().map(|action| action.name.as_str());
        (
            queue.queue.as_str(),
            actions.collect::<Vec<_>>(),
            queue.credits,
        )
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [("gpu", vec!["render"], 1), ("q", vec!["where"], 3)]
    );
    let of_gpu = |token: &str| v1::WorkerTask {
        queue: "gpu".to_owned(),
        required_version: "2".to_owned(),
        affinity_key: "picture 7".to_owned(),
        ..task(token, "render", "{}")
    };
    // The one queue is full, and the other is not.
    session.deal([of_gpu("g1"), of_gpu("g2"), task("q1", "where", "{}")]);
    session.until(|seen| seen.releases == ["g2"]).await;
    assert_eq!(session.result("q1").await, "\"q\"");
    assert_eq!(session.seen.grants, [("q".to_owned(), 1)]);
    drop(release);
    assert_eq!(session.result("g1").await, "\"2 for picture 7\"");
    assert_eq!(session.seen.grants[1..], [("gpu".to_owned(), 1)]);
}

#[tokio::test]
async fn a_queue_without_actions_is_refused() {
    let fake = Fake::start().await;
    let worker = fake
        .worker()
        .queue("gpu", 1)
        .action("a", async |(), _| Ok(()));
    let error = worker.run_until(std::future::pending()).await.unwrap_err();
    let text = "no action of the worker is called from queue gpu";
    assert!(error.to_string().contains(text), "{error}");
}

#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer(#[source] io::Error);

fn fail(input: &Value) -> Result<Value, ActionError> {
    let inner = || io::Error::other("inner");
    match input["how"].as_str().unwrap_or_default() {
        "error" => Err(Outer(inner()))?,
        "text" => Err(ActionError::new("no").with_type("Mine")),
        "never" => Err(ActionError::non_retryable(Outer(inner()))),
        "later" => Err(ActionError::retry_after(Duration::from_secs(9), "busy")),
        "panic" => panic!("oh no"),
        _ => Ok(json!("well")),
    }
}

#[tokio::test]
async fn every_end_is_told() {
    let mut fake = Fake::start().await;
    let worker = fake
        .worker()
        .action("add", add)
        .action("fail", |input: Value, _| async move { fail(&input) })
        .action("defer", |(), _| async { Ok(Deferred) })
        .register(WorkerAction::blocking("block", |input: Value, _| {
            fail(&input)
        }));
    let _job = Job::start(worker);
    let mut session = fake.welcomed().await;
    let cases = [
        ("fail", r#"{"how": "error"}"#, "Outer: outer"),
        ("fail", r#"{"how": "text"}"#, "Mine: no"),
        (
            "fail",
            r#"{"how": "never"}"#,
            "Outer: outer (non-retryable)",
        ),
        (
            "fail",
            r#"{"how": "later"}"#,
            "Error: busy (retry after 9 s)",
        ),
        ("fail", r#"{"how": "panic"}"#, "panic: oh no"),
        ("block", r#"{"how": "panic"}"#, "panic: oh no"),
        ("block", "{}", "\"well\""),
        ("defer", "{}", "deferred"),
        (
            "add",
            r#"{"a": 1}"#,
            "InvalidInput: the input does not fit: missing field `b` at line 1 column 8 \
             (non-retryable)",
        ),
        (
            "none",
            "{}",
            "UnknownAction: this worker has no action none",
        ),
        // All of that has not ended the worker.
        ("add", r#"{"a": 1, "b": 1}"#, "2"),
    ];
    for (index, (action, input, expected)) in cases.into_iter().enumerate() {
        let token = format!("t{index}");
        session.deal([task(&token, action, input)]);
        assert_eq!(session.result(&token).await, expected);
    }
}

/// An action that tells the test when it runs, and how it was cancelled.
fn held(worker: Worker) -> (Worker, mpsc::UnboundedReceiver<String>) {
    let (seen, events) = mpsc::unbounded_channel();
    let worker = worker.action("held", move |(), cx: ActionContext| {
        let seen = seen.clone();
        async move {
            seen.send("runs".to_owned()).unwrap();
            let cause: Cancelled = cx.cancelled().await;
            seen.send(cause.to_string()).unwrap();
            Ok("the result of a cancelled function")
        }
    });
    (worker, events)
}

#[tokio::test]
async fn a_cancelled_task_fails_as_such() {
    let mut fake = Fake::start().await;
    let (worker, mut events) = held(fake.worker().action("add", add));
    let _job = Job::start(worker);
    let mut session = fake.welcomed().await;
    session.deal([
        task("t1", "held", "{}"),
        task("t2", "add", r#"{"a": 1, "b": 1}"#),
    ]);
    assert_eq!(soon(events.recv()).await.unwrap(), "runs");
    assert_eq!(session.result("t2").await, "2");
    for token in ["t1", "t2"] {
        session.send(lease(token, v1::LeaseStatus::CancelRequested));
    }
    assert_eq!(
        soon(events.recv()).await.unwrap(),
        "cancelled: said the server"
    );
    assert_eq!(
        session.result("t1").await,
        "Cancelled: cancelled: said the server"
    );
    assert_eq!(session.seen.result("t2"), Some("2"), "it had ended before");
}

#[tokio::test]
async fn a_lost_task_says_nothing_more() {
    let mut fake = Fake::start().await;
    let (worker, mut events) = held(fake.worker());
    let _job = Job::start(worker);
    let mut session = fake.welcomed().await;
    session.deal([task("t1", "held", "{}")]);
    assert_eq!(soon(events.recv()).await.unwrap(), "runs");
    session.send(lease("t1", v1::LeaseStatus::Lost));
    let lost = "the lease is lost: said the server";
    assert_eq!(soon(events.recv()).await.unwrap(), lost);
    session.until(|seen| seen.credits == 1).await;
    assert!(session.seen.results.is_empty());
}

#[tokio::test]
async fn the_server_knows_the_deadline_best() {
    let mut fake = Fake::start().await;
    let (worker, mut events) = held(fake.worker());
    let _job = Job::start(worker);
    let mut session = fake.welcomed().await;
    session.deal([task("t1", "held", "{}")]);
    assert_eq!(soon(events.recv()).await.unwrap(), "runs");
    let mut message = lease("t1", v1::LeaseStatus::Lost);
    message.leases[0].reason = "deadline".to_owned();
    session.send(message);
    assert_eq!(
        soon(events.recv()).await.unwrap(),
        "the attempt takes too long"
    );
    session.until(|seen| seen.credits == 1).await;
    assert!(session.seen.results.is_empty());
}

#[tokio::test]
async fn a_result_that_nobody_answers_is_sent_again() {
    let mut fake = Fake::start().await;
    let _job = Job::start(fake.worker().action("add", add));
    let mut session = fake.session().await;
    session.welcome(welcome(Duration::from_secs(1), PATIENCE));
    session.deal([task("t1", "add", r#"{"a": 1, "b": 1}"#)]);
    session.until(|seen| seen.results.len() >= 2).await;
    assert_eq!(session.seen.results[0], session.seen.results[1]);
}

#[tokio::test]
async fn a_lease_that_nobody_confirms_is_lost() {
    let mut fake = Fake::start().await;
    let (worker, mut events) = held(fake.worker());
    let _job = Job::start(worker);
    let session = fake.session().await;
    session.welcome(welcome(Duration::from_millis(100), PATIENCE));
    session.deal([task("t1", "held", "{}")]);
    assert_eq!(soon(events.recv()).await.unwrap(), "runs");
    let lost = "the lease is lost: it was not renewed in time";
    assert_eq!(soon(events.recv()).await.unwrap(), lost);
}

#[tokio::test]
async fn a_deadline_cancels() {
    let mut fake = Fake::start().await;
    let (worker, mut events) = held(fake.worker());
    let _job = Job::start(worker);
    let mut session = fake.session().await;
    let lease = Duration::from_mins(10);
    session.welcome(welcome(lease, PATIENCE));
    // The clock of this server is wrong by an hour.
    let server_now = SystemTime::now() + Duration::from_hours(1);
    let mut late = task("t1", "held", "{}");
    late.deadline = Some((server_now + Duration::from_millis(50)).into());
    late.lease_expire_time = Some((server_now + lease).into());
    session.deal([late]);
    assert_eq!(soon(events.recv()).await.unwrap(), "runs");
    assert_eq!(
        soon(events.recv()).await.unwrap(),
        "the attempt takes too long"
    );
    // What it makes of that is for the server to judge.
    session.until(|seen| seen.result("t1").is_some()).await;
}

#[tokio::test]
async fn leases_are_renewed_while_a_function_blocks_everything() {
    let mut fake = Fake::start().await;
    let (unblock, blocked) = std_mpsc::channel::<()>();
    let blocked = Arc::new(Mutex::new(blocked));
    let worker = fake.worker().action("block", move |(), _| {
        let blocked = blocked.clone();
        async move {
            // What no asynchronous function should do.
            let _ = blocked.lock().unwrap().recv();
            Ok(())
        }
    });
    // The only thread of the runtime of the functions.
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(worker.run_until(std::future::pending()))
    });
    let mut session = fake.session().await;
    session.welcome(welcome(PATIENCE * 10, Duration::from_secs(1)));
    session.deal([task("t1", "block", "{}")]);
    for renewals in 1..=2 {
        session.until(|seen| seen.renewals("t1") >= renewals).await;
        // The server is heard, too.
        session.send(lease("t1", v1::LeaseStatus::Held));
    }
    assert!(session.seen.results.is_empty());
    drop(unblock);
    session
        .until(|seen| seen.result("t1") == Some("null"))
        .await;
    // A stream that is refused for what the worker says ends the worker.
    fake.refuse(super::streams::invalid());
    session.end(None);
    let ended = tokio::task::spawn_blocking(move || thread.join().unwrap());
    assert!(soon(ended).await.unwrap().is_err());
}

#[tokio::test]
async fn progress_is_gathered_and_kept() {
    let mut fake = Fake::start().await;
    let (go, gone) = oneshot::channel::<()>();
    let gone = Arc::new(Mutex::new(Some(gone)));
    let (said, mut told) = mpsc::unbounded_channel();
    let worker = fake.worker().action("steps", move |(), cx: ActionContext| {
        let said = said.clone();
        let gone = gone.lock().unwrap().take().unwrap();
        async move {
            said.send(cx.progress::<Value>()?).unwrap();
            for step in 1..=1000 {
                cx.heartbeat(&step)?;
            }
            let _ = gone.await;
            cx.heartbeat("last")?;
            Err::<(), _>(ActionError::new("failed"))
        }
    });
    let _job = Job::start(worker);
    let mut session = fake.welcomed().await;
    let mut second = task("t1", "steps", "{}");
    second.progress = Some(crate::Payload::from_json_text("\"earlier\"").into_proto());
    session.deal([second]);
    assert_eq!(soon(told.recv()).await.unwrap(), Some(json!("earlier")));
    session
        .until(|seen| seen.progress("t1") == Some("1000"))
        .await;
    let count = session.seen.heartbeats.len();
    assert!(count < 100, "{count} heartbeats");
    // Nobody has said that it came through.
    session.end(None);
    let mut session = fake.welcomed().await;
    session
        .until(|seen| seen.progress("t1") == Some("1000"))
        .await;
    drop(go);
    assert_eq!(session.result("t1").await, "Error: failed");
    assert_eq!(
        session.seen.progress("t1"),
        Some("\"last\""),
        "the next attempt gets it"
    );
}

#[tokio::test]
async fn refused_results_are_sent_again_or_not() {
    let mut fake = Fake::start().await;
    let worker = fake.worker().action("size", |bytes: Value, _| async move {
        let bytes = bytes["bytes"].as_u64().unwrap_or(0);
        Ok("x".repeat(usize::try_from(bytes)?))
    });
    let job = Job::start(worker);
    let mut session = fake.welcomed().await;
    let deal = |session: &super::fake::Session, token: &str, bytes: usize| {
        session.deal([task(token, "size", &format!("{{\"bytes\": {bytes}}}"))]);
    };

    deal(&session, "t1", 1);
    session.result("t1").await;
    session.send(ack("t1", "STORE_UNAVAILABLE", true));
    let twice = |seen: &super::fake::Seen| seen.results.len() == 2;
    session.until(twice).await;
    assert_eq!(session.seen.results[0], session.seen.results[1]);
    session.send(ack("t1", "", false));

    deal(&session, "t2", 1);
    session.result("t2").await;
    session.send(ack("t2", "PAYLOAD_INVALID", false));
    let refused = "PAYLOAD_INVALID: said the server (non-retryable)";
    session
        .until(|seen| seen.result("t2") == Some(refused))
        .await;
    session.send(ack("t2", "", false));

    // The welcome has said that there is no use in sending it.
    deal(&session, "t3", 2000);
    let large = "PAYLOAD_TOO_LARGE: the result has 2002 bytes, more than 1024 (non-retryable)";
    assert_eq!(session.result("t3").await, large);
    // Even the failure is refused: nothing more can be said.
    session.send(ack("t3", "INVALID_FIELD", false));
    deal(&session, "t4", 1);
    session.result("t4").await;
    session.send(ack("t4", "TASK_LEASE_LOST", false));

    // Nothing is left to be said over another stream.
    session.end(None);
    let session = fake.session().await;
    assert!(
        session.hello.held_tokens.is_empty(),
        "{:?}",
        session.hello.held_tokens
    );
    job.kill();
}
