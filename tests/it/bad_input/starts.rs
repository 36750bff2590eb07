//! Starts that are refused.

use e2e::api::{Api, json_payload};
use proto::v1;
use proto::v1::{ErrorReason as R, StartExecutionRequest};
use serde_json::json;
use tonic::Code;

use super::{MIB, server, settle};
use crate::support::Findings;

const NEEDS: &str = "version: '2.0'
needs: {input: [a, b: 1], tasks: {t: {action: std.noop}}}
varied: {input: [a: {}], vars: {v: '<% $.a.b %>'}, tasks: {t: {action: std.noop}}}
";

/// Workflow, input, and why it is refused.
const INPUTS: [(&str, &str, R); 11] = [
    ("echo", "[1]", R::InvalidField),
    ("echo", "\"x\"", R::InvalidField),
    ("echo", "{x: 1}", R::PayloadInvalid),
    ("echo", "", R::PayloadInvalid),
    ("echo", "{\"x\": [1", R::PayloadInvalid),
    ("echo", "{\"x\": 1, \"x\": 2}", R::PayloadInvalid),
    ("echo", "{\"x\": NaN}", R::PayloadInvalid),
    ("echo", "{\"x\": \"\\ud800\"}", R::PayloadInvalid),
    ("needs", "{}", R::InputMismatch),
    ("needs", "{\"a\": 1, \"c\": 2}", R::InputMismatch),
    ("varied", "{}", R::ExpressionFailed),
];

type Change = fn(&mut StartExecutionRequest);

/// What makes a good request a bad one.
const CHANGES: [(&str, Change); 12] = [
    ("no name", |request| request.workflow_name = String::new()),
    ("long id", |request| request.execution_id = "x".repeat(256)),
    ("control in id", |request| {
        request.execution_id = "a\nb".into();
    }),
    ("request id", |request| {
        request.request_id = "no uuid".into();
    }),
    ("revision", |request| request.workflow_revision = -1),
    ("policy", |request| request.id_conflict_policy = 99),
    ("description", |request| {
        request.description = "x".repeat(5000);
    }),
    ("label key", |request| {
        drop(request.labels.insert("k".repeat(64), "v".into()));
    }),
    ("label value", |request| {
        drop(request.labels.insert("k".into(), "v".repeat(256)));
    }),
    ("labels", |request| {
        request.labels = (0..65).map(|n| (format!("k{n}"), "v".to_owned())).collect();
    }),
    ("env", |request| {
        request.params = Some(json_payload("{\"env\": 1}"));
    }),
    ("project", |request| request.project = "x".repeat(1000)),
];

async fn refused(
    findings: &mut Findings,
    api: &Api,
    (what, request): (&str, StartExecutionRequest),
    (code, reason): (Code, R),
) {
    let answer = api.executions().start_execution(request).await;
    findings.refused(what, answer, code, reason);
}

#[tokio::test]
async fn bad_inputs() {
    let (_server, api) = server().await;
    api.create_workflow(NEEDS).await.unwrap();
    let mut findings = Findings::default();
    let deep = format!("{{\"x\": {}{}}}", "[".repeat(200), "]".repeat(200));
    let big = json!({"x": "y".repeat(MIB + 1)}).to_string();
    let large = [
        ("echo", &*deep, R::PayloadInvalid),
        ("echo", &*big, R::PayloadTooLarge),
    ];
    for (workflow, input, reason) in INPUTS.into_iter().chain(large) {
        let request = StartExecutionRequest {
            input: Some(json_payload(input)),
            ..api.start_request(workflow, &json!({}))
        };
        let what = input.get(..40).unwrap_or(input);
        refused(
            &mut findings,
            &api,
            (what, request),
            (Code::InvalidArgument, reason),
        )
        .await;
    }
    let reference = v1::Payload {
        encoding: Some(v1::payload::Encoding::Ref(v1::PayloadRef::default())),
        ..Default::default()
    };
    let request = StartExecutionRequest {
        input: Some(reference),
        ..api.start_request("echo", &json!({}))
    };
    let unsupported = (Code::Unimplemented, R::NotSupported);
    refused(&mut findings, &api, ("reference", request), unsupported).await;
    settle(findings, &api).await;
}

#[tokio::test]
async fn bad_fields() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    for (what, change) in CHANGES {
        let mut request = api.start_request("echo", &json!({}));
        change(&mut request);
        let invalid = (Code::InvalidArgument, R::InvalidField);
        refused(&mut findings, &api, (what, request), invalid).await;
    }
    settle(findings, &api).await;
}
