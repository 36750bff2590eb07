//! Batch operations: previewed, gone through once, and refused where they make no sense.

use proto::v1::batch_verb::Verb;
use proto::v1::{self, BatchState};

use super::callers::by;
use super::{ASYNC, Api, reason};

fn all(verb: Verb) -> v1::BatchUpdateExecutionsRequest {
    v1::BatchUpdateExecutionsRequest {
        filter: "workflow_name = held".into(),
        verb: Some(v1::BatchVerb { verb: Some(verb) }),
        rate: 1000,
        ..Default::default()
    }
}

/// Accepts an operation and waits for its end.
async fn done(api: &mut Api, request: v1::BatchUpdateExecutionsRequest) -> v1::BatchOperation {
    let accepted = api.executions.batch_update_executions(request).await;
    let batch_id = accepted.unwrap().into_inner().batch.unwrap().batch_id;
    loop {
        let look = v1::GetBatchOperationRequest {
            batch_id: batch_id.clone(),
            ..Default::default()
        };
        let found = api.executions.get_batch_operation(look).await.unwrap();
        let batch = found.into_inner().batch.unwrap();
        if batch.end_time.is_some() {
            return batch;
        }
        tokio::task::yield_now().await;
    }
}

fn counts(batch: &v1::BatchOperation) -> (BatchState, i64, i64, i64, i64) {
    let (done, skipped) = (batch.done, batch.skipped);
    (batch.state(), batch.matched, done, skipped, batch.failed)
}

#[tokio::test]
async fn a_verb_is_applied_to_each_execution_once() {
    let mut api = Api::with(&[ASYNC]).await;
    for number in 0..40 {
        api.run("held", &format!("e{number}"), "{}").await;
    }
    let pause = Verb::Pause(v1::BatchPause::default());
    let preview = v1::BatchUpdateExecutionsRequest {
        validate_only: true,
        ..all(pause.clone())
    };
    let preview = api.executions.batch_update_executions(preview).await;
    let preview = preview.unwrap().into_inner();
    assert_eq!(preview.batch.unwrap().matched, 40);
    assert_eq!(preview.sample_execution_ids.len(), 20);
    let paused = done(&mut api, all(pause.clone())).await;
    assert_eq!(counts(&paused), (BatchState::Done, 40, 40, 0, 0));
    let again = done(&mut api, all(pause)).await;
    assert_eq!(counts(&again), (BatchState::Done, 40, 0, 40, 0));
    let some = v1::BatchUpdateExecutionsRequest {
        filter: String::new(),
        execution_ids: vec!["e1".into(), "nobody".into(), "e2".into()],
        ..all(Verb::Terminate(v1::BatchTerminate {}))
    };
    let some = done(&mut api, some).await;
    assert_eq!(counts(&some), (BatchState::Done, 3, 2, 1, 0));
    let gone = done(
        &mut api,
        all(Verb::Delete(v1::BatchDelete { force: false })),
    )
    .await;
    assert_eq!(counts(&gone), (BatchState::Done, 40, 2, 38, 0));
    let listed = v1::ListBatchOperationsRequest::default();
    let listed = api.executions.list_batch_operations(listed).await.unwrap();
    assert_eq!(listed.into_inner().batches.len(), 4);
    api.stop().await;
}

#[tokio::test]
async fn an_operation_is_cancelled_between_executions() {
    let mut api = Api::with(&[ASYNC]).await;
    for number in 0..3 {
        api.run("held", &format!("e{number}"), "{}").await;
    }
    let slow = v1::BatchUpdateExecutionsRequest {
        rate: 1,
        request_id: super::REQUEST_ID.into(),
        ..all(Verb::Cancel(v1::BatchCancel {}))
    };
    let accepted = api.executions.batch_update_executions(slow.clone()).await;
    let batch_id = accepted.unwrap().into_inner().batch.unwrap().batch_id;
    let repeated = api.executions.batch_update_executions(slow).await.unwrap();
    assert_eq!(repeated.into_inner().batch.unwrap().batch_id, batch_id);
    let cancel = v1::CancelBatchOperationRequest {
        batch_id,
        ..Default::default()
    };
    let cancelled = api
        .executions
        .cancel_batch_operation(by("nina@n/5", cancel))
        .await
        .unwrap();
    let batch = cancelled.into_inner().batch.unwrap();
    assert_eq!(batch.state(), BatchState::Cancelled);
    assert_eq!(batch.cancelled_by, "nina@n/5");
    let running = v1::CountExecutionsRequest {
        filter: "state = RUNNING".into(),
        ..Default::default()
    };
    let running = api.executions.count_executions(running).await.unwrap();
    assert_eq!(running.into_inner().total, 3 - batch.done);
    api.stop().await;
}

type Change = fn(&mut v1::BatchUpdateExecutionsRequest);

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let mut api = Api::start().await;
    let pause = || all(Verb::Pause(v1::BatchPause::default()));
    let changes: [(Change, &str); 6] = [
        (|r| r.verb = None, "INVALID_FIELD"),
        (|r| r.filter.clear(), "INVALID_FIELD"),
        (|r| r.execution_ids = vec!["e".into()], "INVALID_FIELD"),
        (|r| r.rate = 1001, "INVALID_FIELD"),
        (|r| r.filter = "nothing = 1".into(), "INVALID_FILTER"),
        (|r| r.reason = "x".repeat(5000), "INVALID_FIELD"),
    ];
    for (change, expected) in changes {
        let mut request = pause();
        change(&mut request);
        let refused = api.executions.batch_update_executions(request).await;
        assert_eq!(reason(refused), expected);
    }
    let look = v1::GetBatchOperationRequest {
        batch_id: "nobody".into(),
        ..Default::default()
    };
    let refused = api.executions.get_batch_operation(look).await;
    assert_eq!(reason(refused), "BATCH_NOT_FOUND");
    api.stop().await;
}
