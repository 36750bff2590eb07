//! Values come back as they went in, in the form that was asked for.

use std::time::Duration;

use e2e::api::{Api, json_payload};
use e2e::server::TestServer;
use proto::v1;
use proto::v1::payload::Encoding;
use proto::v1::{ErrorReason, PayloadFormat as Format};
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{Findings, PATIENCE, echo, running_action};

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

/// Times that a call with a deadline is made until the server's answer comes before the client's
/// own timer.
const DEADLINES: usize = 50;

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

const CARRY: &str = "version: '2.0'
carry:
  tasks:
    make:
      action: std.async_noop
      publish:
        picture: <% task().result %>
        both: <% [task().result, 1] %>
      on-success: use
    use:
      action: std.echo output=<% $.picture %>
read:
  tasks:
    make:
      action: std.async_noop
      publish: {size: <% task().result.len() %>}
";

fn picture() -> v1::Payload {
    let binary = v1::Binary {
        content_type: "image/png".to_owned(),
        data: vec![0, 159, 146, 150].into(),
    };
    v1::Payload {
        encoding: Some(Encoding::Binary(binary)),
        metadata: [("key-id".to_owned(), "k7".to_owned())].into(),
    }
}

async fn complete(api: &Api, execution: &str, result: v1::Payload) {
    let action = running_action(api, execution).await.unwrap();
    let request = v1::CompleteActionExecutionRequest {
        project: api.project(),
        action_execution_id: action.action_execution_id,
        result: Some(result),
        ..Default::default()
    };
    let answer = api.tasks().complete_action_execution(request).await;
    answer.unwrap();
}

#[tokio::test]
async fn bytes_pass_through_a_workflow_and_a_restart() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("bytes");
    api.create_workflow(CARRY).await.unwrap();
    let uid = api.start("carry", &json!({})).await.unwrap().uid;
    complete(&api, &uid, picture()).await;
    let done = api.finished(&uid, PATIENCE).await.unwrap();
    assert_eq!(
        done.state(),
        v1::ExecutionState::Success,
        "{}",
        done.state_info
    );
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let api = server.api("bytes");

    let parent = v1::list_action_executions_request::Parent::ExecutionId(uid);
    let actions = api.list_actions(parent).await.unwrap();
    let outputs: Vec<_> = actions.into_iter().map(|action| action.output).collect();
    assert_eq!(outputs, [Some(picture()), Some(picture())]);
    // Within JSON, bytes stand under one reserved key.
    let Some(Encoding::Json(output)) = done.output.unwrap().encoding else {
        panic!("an output is an object");
    };
    let stands = json!({"$binary": {
        "contentType": "image/png", "base64": "AJ+Slg==", "metadata": {"key-id": "k7"}
    }});
    let expected = json!({"picture": stands, "both": [stands, 1]});
    assert_eq!(serde_json::from_str::<Value>(&output).unwrap(), expected);
}

#[tokio::test]
async fn an_expression_cannot_read_bytes() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("bytes");
    api.create_workflow(CARRY).await.unwrap();
    let uid = api.start("read", &json!({})).await.unwrap().uid;
    complete(&api, &uid, picture()).await;
    let done = api.finished(&uid, PATIENCE).await.unwrap();
    assert_eq!(done.state(), v1::ExecutionState::Error);
    assert!(
        done.state_info.contains("PAYLOAD_OPAQUE"),
        "{}",
        done.state_info
    );
}

#[tokio::test]
async fn hints_come_back_with_the_data() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("hints");
    api.create_workflow(&echo("echo")).await.unwrap();
    let hints: std::collections::BTreeMap<_, _> = [("key".to_owned(), "ü\n".to_owned())].into();
    for text in ["{\"x\": 1}", "{}"] {
        let input = v1::Payload {
            metadata: hints.clone(),
            ..json_payload(text)
        };
        let request = v1::StartExecutionRequest {
            input: Some(input),
            ..api.start_request("echo", &json!({}))
        };
        let answer = api.executions().start_execution(request).await.unwrap();
        let uid = answer.into_inner().execution.unwrap().uid;
        api.finished(&uid, PATIENCE).await.unwrap();
        server.kill().await.unwrap();
        server.restart().await.unwrap();
        let found = server.api("hints").execution(&uid).await.unwrap();
        assert_eq!(found.input.unwrap().metadata, hints, "{text}");
        assert!(found.output.unwrap().metadata.is_empty(), "{text}");
    }
}

const LARGE: &str = "version: '2.0'
large:
  input: [x]
  output: {x: <% $.x %>}
  tasks:
    keep:
      action: std.noop
      on-success:
        publish:
          global: {g: <% $.x %>}
        next: many
    many:
      with-items: i in <% range(5).toList() %>
      action: std.echo output=<% $.x %>
";

/// Payloads of 1 MiB each: an execution that has four of them, and a task with five results.
#[tokio::test]
async fn answers_stay_readable() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("large");
    api.create_workflow(LARGE).await.unwrap();
    let text = "x".repeat((1 << 20) - 16);
    let request = v1::StartExecutionRequest {
        params: Some(json_payload(&json!({"y": text}).to_string())),
        ..api.start_request("large", &json!({"x": text}))
    };
    let answer = api.executions().start_execution(request).await.unwrap();
    let uid = answer.into_inner().execution.unwrap().uid;
    let get = |paths: &[&str]| v1::GetExecutionRequest {
        project: api.project(),
        execution_id: uid.clone(),
        read_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(ToString::to_string).collect(),
        }),
        ..Default::default()
    };
    let mut findings = Findings::default();
    let refused = (Code::FailedPrecondition, ErrorReason::LimitExceeded);
    let whole = api.executions().get_execution(get(&[])).await;
    findings.refused("whole execution", whole, refused.0, refused.1);
    let parts = get(&["input", "output", "published_global"]);
    let parts = api.executions().get_execution(parts).await.unwrap();
    let parts = parts.into_inner().execution.unwrap();
    findings.holds("it succeeded", parts.state() == v1::ExecutionState::Success);
    let sizes = [&parts.input, &parts.output, &parts.published_global];
    let large = |payload: &Option<v1::Payload>| {
        let encoding = payload
            .as_ref()
            .and_then(|payload| payload.encoding.as_ref());
        matches!(encoding, Some(Encoding::Json(json)) if json.len() > 1_000_000)
    };
    findings.holds("three are there", sizes.into_iter().all(large));
    findings.holds("params are not", parts.params.is_none());
    let typo = api.executions().get_execution(get(&["inptu"])).await;
    findings.refused(
        "typo",
        typo,
        Code::InvalidArgument,
        ErrorReason::InvalidField,
    );

    let tasks = v1::ListTaskExecutionsRequest {
        project: api.project(),
        execution_id: uid.clone(),
        filter: "task_name = many".to_owned(),
        view: v1::View::Full.into(),
        ..Default::default()
    };
    let whole = api.tasks().list_task_executions(tasks).await;
    findings.refused("whole task", whole, refused.0, refused.1);
    let parent = v1::list_action_executions_request::Parent::ExecutionId(uid);
    let actions = api.list_actions(parent).await.unwrap();
    findings.holds("each action fits", actions.len() == 6);
    findings.none();
}

#[tokio::test]
async fn deadlines_are_answered_as_such() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("values");
    api.create_workflow(&crate::support::held("held", 1))
        .await
        .unwrap();
    let started = api.start("held", &json!({})).await.unwrap();
    for _ in 0..DEADLINES {
        let mut request = tonic::Request::new(v1::WaitExecutionRequest {
            project: api.project(),
            execution_id: started.uid.clone(),
            ..Default::default()
        });
        request.set_timeout(Duration::from_millis(200));
        match api.executions().wait_execution(request).await {
            // A wait may also notice the deadline and answer in time.
            Ok(answer) => return assert!(!answer.into_inner().finished),
            // The client's own timer was first, which says nothing about the server.
            Err(status) if std::error::Error::source(&status).is_some() => {}
            Err(status) => return assert_eq!(status.code(), Code::DeadlineExceeded, "{status}"),
        }
    }
    panic!("the server is never in time");
}
