//! Work by single calls.

use std::time::Duration;

use serde_json::json;

use super::fake::{Fake, soon};
use crate::worker::{ActionError, LeaseState, WorkerAction};

#[tokio::test]
async fn scripts_take_and_end_tasks() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let action = WorkerAction::new("b", |(), _| async { Ok(()) }).heartbeat(Duration::from_secs(1));
    let poll = client
        .poll_tasks("q", ["a", "b"])
        .max_tasks(3)
        .action(&action);
    let polled = poll.wait(Duration::from_secs(2)).await.unwrap();
    assert_eq!((polled.tasks.len(), polled.drained), (1, true));
    assert_eq!(polled.heartbeat_interval, Duration::from_secs(10));
    let task = &polled.tasks[0];
    assert_eq!((task.info.action.as_str(), task.info.attempt), ("a", 1));
    assert_eq!(task.input.to_value().unwrap(), json!({"n": 1}));

    let beats = client
        .heartbeat_tasks()
        .renew("t1")
        .progress("t2", &json!([1]));
    let states = beats.unwrap().await.unwrap();
    let state = |token: &str, held, cancel_requested| LeaseState {
        token: token.to_owned(),
        held,
        cancel_requested,
        expire_time: None,
        reason: "said the server".to_owned(),
    };
    assert_eq!(states, [state("t1", true, true), state("t2", false, false)]);

    client.complete_task("t1", &json!({"a": 1})).await.unwrap();
    client.defer_task("t1").await.unwrap();
    let error = ActionError::retry_after(Duration::from_secs(3), "busy").with_type("Busy");
    client.fail_task("t1", error).await.unwrap();
    client.release_task("t1").await.unwrap();
    assert_eq!(client.workers().drain("w1", "old").await.unwrap(), 3);
    for expected in [
        "poll shop true q [\"a\", \"b\"] 3 2",
        "heartbeat {\"t1\": \"\", \"t2\": \"[1]\"}",
        "complete t1 {\"a\":1}",
        "defer t1",
        "fail t1 Busy: busy (retry after 3 s)",
        "release t1",
        "drain w1 old",
    ] {
        assert_eq!(soon(fake.calls.recv()).await.unwrap(), expected);
    }
}
