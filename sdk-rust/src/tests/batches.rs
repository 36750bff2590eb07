//! Batches: what is sent for each verb, and how answers are read.

use proto::v1;
use serde_json::json;

use super::fake::Fake;
use crate::{BatchState, BatchVerb, Payload};

#[tokio::test]
async fn each_verb_is_sent_as_it_is() {
    let fake = Fake::start(Vec::new()).await;
    let batches = fake.client().batches();
    let env = || Some(Payload::from_json_text("{\"a\":1}"));
    for (verb, sent) in [
        (
            BatchVerb::Pause { timeouts_run: true },
            "Pause(BatchPause { timeouts_run: true })",
        ),
        (
            BatchVerb::Resume { env: None },
            "Resume(BatchResume { env: None })",
        ),
        (BatchVerb::Resume { env: env() }, "Json(\"{\\\"a\\\":1}\")"),
        (BatchVerb::Cancel, "Cancel(BatchCancel)"),
        (BatchVerb::Terminate, "Terminate(BatchTerminate)"),
        (
            BatchVerb::Rerun {
                reset: true,
                env: None,
            },
            "Rerun(BatchRerun { reset: true, env: None })",
        ),
        (BatchVerb::Rollback, "Rollback(BatchRollback)"),
        (
            BatchVerb::Delete { force: true },
            "Delete(BatchDelete { force: true })",
        ),
    ] {
        let start = batches.filtered(verb, "state = RUNNING");
        start.rate(7).reason("lunch").await.unwrap();
        let call = fake.script.calls().pop().unwrap();
        for part in [
            sent,
            "project: \"shop\"",
            "filter: \"state = RUNNING\"",
            "rate: 7",
            "reason: \"lunch\"",
            "validate_only: false",
        ] {
            assert!(call.contains(part), "{part} is not in {call}");
        }
        assert!(!call.contains("request_id: \"\""), "{call}");
    }
}

#[tokio::test]
async fn a_preview_changes_nothing() {
    let fake = Fake::start(Vec::new()).await;
    let batches = fake.client().batches();
    let preview = batches.named(BatchVerb::Cancel, ["e1", "e2"]).preview();
    let found = preview.await.unwrap();
    assert_eq!((found.matched, found.sample.len()), (5, 2));
    let calls = fake.script.calls();
    assert!(calls[0].contains("validate_only: true"), "{calls:?}");
}

#[tokio::test]
async fn progress_is_read_and_waited_for() {
    use v1::BatchState as S;
    let fake = Fake::start(Vec::new()).await;
    let batches = fake.client().batches();
    let states = [S::Pending, S::Running, S::Done, S::Cancelled];
    *fake.script.batch_states.lock().unwrap() = states.into();
    let done = batches.wait("b1").await.unwrap();
    assert_eq!((done.state, &*done.batch_id), (BatchState::Done, "b1"));
    assert_eq!(
        (
            &*done.verb,
            done.matched,
            done.done,
            done.skipped,
            done.failed
        ),
        ("rollback", 5, 3, 1, 1)
    );
    let error = json!({"execution_id": "u1", "reason": "STORE_UNAVAILABLE", "message": "away"});
    assert_eq!(json!(done.errors), json!([error]));
    let cancelled = batches.cancel("b1").await.unwrap();
    assert_eq!(cancelled.state, BatchState::Cancelled);
    let listed = batches.list().collect().await.unwrap();
    assert_eq!(listed.len(), 2, "all pages");
}
