//! Unary calls: repetition, headers, reading of errors.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code as Grpc, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::fake::{Fake, refusal};
use crate::error::{Code, Error};
use crate::reason::Reason;
use crate::retry::RetryPolicy;
use crate::state::ExecutionState;

fn overloaded(retry_delay: Option<Duration>) -> Status {
    let details = ErrorDetails::with_retry_info(retry_delay);
    Status::with_error_details(Grpc::ResourceExhausted, "too much", details)
}

/// Starts an execution against these failures; the number of calls and the outcome as text.
async fn check(failures: Vec<Status>) -> (usize, String) {
    let fake = Fake::start(Vec::new()).await;
    *fake.script.failures.lock().unwrap() = failures.into();
    let outcome = match fake.client().start("ship").id("e1").send().await {
        Ok(handle) => format!("started {} {}", handle.id(), handle.is_new()),
        Err(error) => error.to_string(),
    };
    let calls = fake.script.calls();
    assert!(
        calls.iter().all(|call| *call == calls[0]),
        "each attempt is the same: {calls:?}"
    );
    assert!(
        calls[0].starts_with("start shop Bearer secret "),
        "{calls:?}"
    );
    assert!(
        calls[0].len() > "start shop Bearer secret ".len(),
        "no request id: {calls:?}"
    );
    (calls.len(), outcome)
}

#[tokio::test]
async fn calls_are_repeated_only_if_that_may_help() {
    let short = Some(Duration::from_millis(1));
    let away = || Status::unavailable("away");
    for (failures, calls, outcome) in [
        (vec![], 1, "started e1 true"),
        (vec![away(), away()], 3, "started e1 true"),
        (
            vec![away(), away(), away(), away()],
            4,
            "away (UNAVAILABLE)",
        ),
        (vec![overloaded(short)], 2, "started e1 true"),
        (vec![overloaded(None)], 1, "too much (RESOURCE_EXHAUSTED)"),
        (
            vec![refusal(Grpc::NotFound, "WORKFLOW_NOT_FOUND", &[])],
            1,
            "refused (WORKFLOW_NOT_FOUND)",
        ),
        (vec![Status::internal("bug")], 1, "bug (INTERNAL)"),
        (
            vec![Status::deadline_exceeded("late")],
            1,
            "late (DEADLINE_EXCEEDED)",
        ),
    ] {
        assert_eq!(check(failures).await, (calls, outcome.to_owned()));
    }
}

#[tokio::test]
async fn errors_carry_what_the_server_said() {
    let mut details = ErrorDetails::with_bad_request_violation("input.n", "must be a number");
    details.set_error_info(
        "INPUT_MISMATCH",
        "autan",
        [("missing".to_owned(), "n".to_owned())],
    );
    details.set_request_info("r-1", "");
    let status = Status::with_error_details(Grpc::InvalidArgument, "wrong input", details);
    let fake = Fake::start(Vec::new()).await;
    *fake.script.failures.lock().unwrap() = vec![status].into();

    let error = fake.client().start("ship").send().await.unwrap_err();
    assert_eq!(error.reason(), Some(&Reason::InputMismatch));
    assert!(!error.retryable() && !error.is_not_found());
    let rpc = error.rpc().unwrap();
    assert_eq!((rpc.code, rpc.disconnected), (Code::InvalidArgument, false));
    assert_eq!(rpc.metadata["missing"], "n");
    assert_eq!(rpc.violations[0].field, "input.n");
    assert_eq!(rpc.request_id.as_deref(), Some("r-1"));
}

/// Something between client and server may use the same words for something else.
#[tokio::test]
async fn reasons_of_others_are_not_ours() {
    let details = ErrorDetails::with_error_info("EXECUTION_NOT_FOUND", "proxy", HashMap::new());
    let status = Status::with_error_details(Grpc::NotFound, "no route", details);
    let fake = Fake::start(Vec::new()).await;
    *fake.script.failures.lock().unwrap() = vec![status].into();
    let error = fake.client().execution("e1").get().await.unwrap_err();
    assert_eq!((error.reason(), error.is_not_found()), (None, true));
}

#[tokio::test]
async fn no_answer_and_no_server_are_told_apart() {
    let fake = Fake::start(Vec::new()).await;
    let hasty = crate::Client::builder(fake.address()).timeout(Duration::from_millis(50));
    let late = hasty
        .connect_lazy()
        .unwrap()
        .start("slow")
        .send()
        .await
        .unwrap_err();
    assert_eq!(late.rpc().unwrap().code, Code::DeadlineExceeded);
    assert!(!late.retryable());

    let nobody = crate::Client::builder("127.0.0.1:1").retry(RetryPolicy::none());
    let gone = nobody.connect().await.unwrap_err();
    assert_eq!(gone.rpc().unwrap().code, Code::Unavailable);
    assert!(gone.retryable());
}

#[tokio::test]
async fn payloads_can_be_chosen() {
    let fake = Fake::start(Vec::new()).await;
    let run = fake.client().execution("e1");
    run.get().await.unwrap();
    run.get().only(["input", "error.details"]).await.unwrap();
    assert_eq!(fake.script.calls(), ["get", "get input error.details"]);
}

/// Waits for an execution in this state: its result, or the error, as text.
async fn result_of(state: proto::v1::ExecutionState, output: &str) -> Result<i32, Error> {
    let fake = Fake::start(Vec::new()).await;
    *fake.script.execution.lock().unwrap() = proto::v1::Execution {
        execution_id: "e1".to_owned(),
        state: state.into(),
        state_info: "because".to_owned(),
        output: Some(crate::Payload::from_json_text(output).into_proto()),
        ..proto::v1::Execution::default()
    };
    fake.client().execution("e1").result().await
}

#[tokio::test]
async fn a_failed_workflow_is_not_a_failed_call() {
    assert_eq!(
        result_of(proto::v1::ExecutionState::Success, "42")
            .await
            .unwrap(),
        42
    );

    let shape = result_of(proto::v1::ExecutionState::Success, "{}")
        .await
        .unwrap_err();
    assert_eq!(
        shape.to_string(),
        "the output does not have the expected shape"
    );

    let failed = result_of(proto::v1::ExecutionState::Error, "{\"why\":1}")
        .await
        .unwrap_err();
    assert_eq!(failed.to_string(), "execution e1 ended in ERROR: because");
    let Error::Execution(failed) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(failed.state, ExecutionState::Error);
    assert_eq!(failed.output.unwrap().json_text(), Some("{\"why\":1}"));
}
