//! Values come back as they went in, in the form that was asked for.

use std::time::Duration;

use e2e::api::{Api, json_payload};
use e2e::server::TestServer;
use proto::v1;
use proto::v1::PayloadFormat as Format;
use proto::v1::payload::Encoding;
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{PATIENCE, echo};

async fn round(api: &Api, input: v1::Payload, format: Format) -> Encoding {
    let request = v1::StartExecutionRequest {
        input: Some(input),
        ..api.start_request("echo", &json!({}))
    };
    let answer = api
        .executions()
        .start_execution(request)
        .await
        .unwrap()
        .into_inner();
    let uid = answer.execution.unwrap().uid;
    let done = api.finished(&uid, PATIENCE).await.unwrap();
    assert_eq!(
        done.state(),
        v1::ExecutionState::Success,
        "{}",
        done.state_info
    );
    let request = v1::GetExecutionRequest {
        project: api.project(),
        execution_id: uid,
        payload_format: format.into(),
        ..Default::default()
    };
    let answer = api
        .executions()
        .get_execution(request)
        .await
        .unwrap()
        .into_inner();
    answer.execution.unwrap().output.unwrap().encoding.unwrap()
}

#[tokio::test]
async fn values_survive() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("values");
    api.create_workflow(&echo("echo")).await.unwrap();
    for text in [
        "null",
        "true",
        "0",
        "-1",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "1.5",
        "1e300",
        "\"\"",
        "\"\\u0000 é 😀 \\\" \\\\\"",
        "\"<% not an expression %>\"",
        "[]",
        "{}",
        "[[[[1]]]]",
        "{\"\": {\"a b\": [null]}}",
    ] {
        let input = format!("{{\"x\": {text}}}");
        let Encoding::Json(output) = round(&api, json_payload(&input), Format::Json).await else {
            panic!("{text}: not JSON");
        };
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&output), read(&input), "{output}");
    }
}

#[tokio::test]
async fn the_value_arm_is_for_people() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("values");
    api.create_workflow(&echo("echo")).await.unwrap();
    let small = round(&api, json_payload("{\"x\": [1, \"a\"]}"), Format::Value).await;
    let Encoding::Value(value) = small.clone() else {
        panic!("{small:?}")
    };
    // The answer, sent back as an input, is the same value again.
    let input = v1::Payload {
        encoding: Some(Encoding::Value(value)),
        ..Default::default()
    };
    assert_eq!(round(&api, input, Format::Value).await, small);
    let big = round(
        &api,
        json_payload("{\"x\": 9007199254740993}"),
        Format::Value,
    )
    .await;
    assert!(
        matches!(&big, Encoding::Json(text) if text.contains("9007199254740993")),
        "{big:?}"
    );
}

#[tokio::test]
async fn deadlines_are_answered_as_such() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("values");
    api.create_workflow(&crate::support::held("held", 1))
        .await
        .unwrap();
    let started = api.start("held", &json!({})).await.unwrap();
    let mut request = tonic::Request::new(v1::WaitExecutionRequest {
        project: api.project(),
        execution_id: started.uid,
        ..Default::default()
    });
    // Told to the server only, so that the answer is the server's.
    let deadline = format!("{}m", Duration::from_millis(200).as_millis());
    request
        .metadata_mut()
        .insert("grpc-timeout", deadline.parse().unwrap());
    match api.executions().wait_execution(request).await {
        // A wait may also notice the deadline and answer in time.
        Ok(answer) => assert!(!answer.into_inner().finished),
        Err(status) => assert_eq!(status.code(), Code::DeadlineExceeded, "{status}"),
    }
}
