//! Actions, environments and expressions: what is refused, and how.

use e2e::api::{Api, json_payload, payload};
use proto::v1;
use proto::v1::ErrorReason as R;
use proto::v1::run_action_request::Environment;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{server, settle};
use crate::support::Findings;

const LOOP: &str = "version: '2.0'\na: {base: b}\nb: {base: a}\nlost: {base: nowhere}\n";

#[tokio::test]
async fn actions() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let (invalid, missing) = (Code::InvalidArgument, Code::NotFound);
    let create = |source: &str| v1::CreateActionRequest {
        project: api.project(),
        source: source.to_owned(),
        ..Default::default()
    };
    api.actions().create_action(create(LOOP)).await.unwrap();
    for (source, code, reason) in [
        (LOOP, Code::AlreadyExists, R::ActionAlreadyExists),
        (
            "version: '2.0'\na: {bass: b}\n",
            invalid,
            R::InvalidDefinition,
        ),
        ("", invalid, R::InvalidDefinition),
        (
            "version: '2.0'\nstd.echo: {base: std.noop}\n",
            Code::FailedPrecondition,
            R::ActionIsSystem,
        ),
    ] {
        let answer = api.actions().create_action(create(source)).await;
        findings.refused(source, answer, code, reason);
    }
    let update = v1::UpdateActionRequest {
        project: api.project(),
        source: "version: '2.0'\nnothing: {base: std.noop}\n".to_owned(),
        ..Default::default()
    };
    let answer = api.actions().update_action(update.clone()).await;
    findings.refused("update", answer, missing, R::ActionNotFound);
    let stale = v1::UpdateActionRequest {
        source: "version: '2.0'\na: {base: std.noop}\n".to_owned(),
        etag: "stale".to_owned(),
        ..update
    };
    let answer = api.actions().update_action(stale).await;
    findings.refused("etag", answer, Code::Aborted, R::EtagMismatch);
    for (name, revision) in [("nothing", 0), ("a", 9), ("std.echo", 1)] {
        let request = v1::GetActionRequest {
            project: api.project(),
            name: name.to_owned(),
            revision,
            ..Default::default()
        };
        let answer = api.actions().get_action(request).await;
        findings.refused(name, answer, missing, R::ActionNotFound);
    }
    for (name, code, reason) in [
        ("nothing", missing, R::ActionNotFound),
        ("std.noop", Code::FailedPrecondition, R::ActionIsSystem),
        ("", invalid, R::InvalidField),
    ] {
        let request = v1::DeleteActionRequest {
            project: api.project(),
            name: name.to_owned(),
            ..Default::default()
        };
        let answer = api.actions().delete_action(request).await;
        findings.refused(&format!("delete {name:?}"), answer, code, reason);
    }
    lists(&api, &mut findings).await;
    settle(findings, &api).await;
}

async fn lists(api: &Api, findings: &mut Findings) {
    let list = v1::ListActionsRequest {
        project: api.project(),
        ..Default::default()
    };
    for (filter, page_token, reason) in [
        ("colour = red", "", R::InvalidFilter),
        ("", "00", R::InvalidPageToken),
    ] {
        let request = v1::ListActionsRequest {
            filter: filter.to_owned(),
            page_token: page_token.to_owned(),
            ..list.clone()
        };
        let answer = api.actions().list_actions(request).await;
        findings.refused("list", answer, Code::InvalidArgument, reason);
    }
    let request = v1::ListActionRevisionsRequest {
        project: api.project(),
        name: "std.echo".to_owned(),
        ..Default::default()
    };
    let answer = api.actions().list_action_revisions(request).await;
    findings.refused("revisions", answer, Code::NotFound, R::ActionNotFound);
    // Faults of a document are an answer, not an error.
    let request = v1::ValidateActionRequest {
        project: api.project(),
        source: "version: '2.0'\na: {bass: b}\n".to_owned(),
        ..Default::default()
    };
    let checked = api.actions().validate_action(request).await.unwrap();
    let checked = checked.into_inner();
    findings.holds("valid", !checked.valid && checked.diagnostics[0].line == 2);
}

/// A span of whole seconds.
fn duration(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

async fn run(api: &Api, name: &str, input: &str) -> Result<v1::RunActionResponse, Status> {
    let request = v1::RunActionRequest {
        project: api.project(),
        action_name: name.to_owned(),
        input: Some(json_payload(input)),
        ..Default::default()
    };
    Ok(api.actions().run_action(request).await?.into_inner())
}

#[tokio::test]
async fn single_runs() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let (invalid, missing) = (Code::InvalidArgument, Code::NotFound);
    let request = v1::CreateActionRequest {
        project: api.project(),
        source: LOOP.to_owned(),
        ..Default::default()
    };
    api.actions().create_action(request).await.unwrap();
    for (name, input, code, reason) in [
        ("nothing", "{}", missing, R::ActionNotFound),
        ("", "{}", invalid, R::InvalidField),
        ("a", "{}", invalid, R::InvalidField),
        ("lost", "{}", invalid, R::InvalidField),
        ("std.echo", "{}", invalid, R::InputMismatch),
        ("std.noop", "{\"x\": 1}", invalid, R::InputMismatch),
        ("a", "[]", invalid, R::InvalidField),
        ("std.noop", "{", invalid, R::PayloadInvalid),
    ] {
        let answer = run(&api, name, input).await;
        findings.refused(&format!("{name:?} {input}"), answer, code, reason);
    }
    let request = v1::RunActionRequest {
        project: api.project(),
        action_name: "std.async_noop".to_owned(),
        synchronous: true,
        ..Default::default()
    };
    let answer = api.actions().run_action(request.clone()).await;
    findings.refused("synchronous", answer, invalid, R::InvalidField);
    for (name, timeout, target) in [
        ("no time", Some(duration(0)), String::new()),
        ("negative time", Some(duration(-1)), String::new()),
        ("long target", None, "x".repeat(256)),
        ("unprintable target", None, "a\nb".to_owned()),
    ] {
        let request = v1::RunActionRequest {
            synchronous: false,
            timeout,
            target,
            ..request.clone()
        };
        let answer = api.actions().run_action(request).await;
        findings.refused(name, answer, invalid, R::InvalidField);
    }
    let request = v1::RunActionRequest {
        synchronous: false,
        environment: Some(Environment::EnvironmentName("nowhere".to_owned())),
        ..request
    };
    let answer = api.actions().run_action(request).await;
    findings.refused("environment", answer, missing, R::EnvironmentNotFound);
    let none = api.list_executions("kind = ACTION").await.unwrap();
    findings.holds("nothing was started", none.is_empty());
    settle(findings, &api).await;
}

#[tokio::test]
async fn environments() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let (invalid, missing) = (Code::InvalidArgument, Code::NotFound);
    let create = |name: &str, variables: Option<&str>| v1::CreateEnvironmentRequest {
        project: api.project(),
        name: name.to_owned(),
        variables: variables.map(json_payload),
        ..Default::default()
    };
    let made = create("prod", Some("{\"a\": 1}"));
    api.environments().create_environment(made).await.unwrap();
    let large = format!("{{\"a\": \"{}\"}}", "x".repeat(super::MIB));
    for (name, variables, code, reason) in [
        (
            "prod",
            None,
            Code::AlreadyExists,
            R::EnvironmentAlreadyExists,
        ),
        ("", None, invalid, R::InvalidField),
        ("a\nb", None, invalid, R::InvalidField),
        ("list", Some("[1]"), invalid, R::InvalidField),
        ("broken", Some("{\"a\""), invalid, R::PayloadInvalid),
        ("large", Some(&*large), invalid, R::PayloadTooLarge),
    ] {
        let request = create(name, variables);
        let answer = api.environments().create_environment(request).await;
        findings.refused(&format!("create {name:?}"), answer, code, reason);
    }
    for (name, path, etag, code, reason) in [
        (
            "nothing",
            "description",
            "",
            missing,
            R::EnvironmentNotFound,
        ),
        ("prod", "colour", "", invalid, R::InvalidField),
        (
            "prod",
            "description",
            "stale",
            Code::Aborted,
            R::EtagMismatch,
        ),
    ] {
        let request = v1::UpdateEnvironmentRequest {
            project: api.project(),
            name: name.to_owned(),
            description: "new".to_owned(),
            update_mask: Some(prost_types::FieldMask {
                paths: vec![path.to_owned()],
            }),
            etag: etag.to_owned(),
            ..Default::default()
        };
        let answer = api.environments().update_environment(request).await;
        findings.refused(&format!("update {name} {path}"), answer, code, reason);
    }
    look_for_nothing(&api, &mut findings).await;
    start_with_bad_ones(&api, &mut findings).await;
    settle(findings, &api).await;
}

/// Starts whose environment is not there, or is none.
async fn start_with_bad_ones(api: &Api, findings: &mut Findings) {
    let (invalid, missing) = (Code::InvalidArgument, Code::NotFound);
    let start = |env: Value| v1::StartExecutionRequest {
        params: Some(payload(&json!({"env": env}))),
        ..api.start_request("echo", &json!({}))
    };
    for (env, code, reason) in [
        (json!("nowhere"), missing, R::EnvironmentNotFound),
        (json!([1]), invalid, R::InvalidField),
        (json!(""), invalid, R::InvalidField),
    ] {
        let answer = api.executions().start_execution(start(env.clone())).await;
        findings.refused(&format!("start with {env}"), answer, code, reason);
    }
}

/// Reading and deleting what is not there, and a filter on what environments do not have.
async fn look_for_nothing(api: &Api, findings: &mut Findings) {
    let missing = Code::NotFound;
    let (project, name) = (api.project(), "nothing".to_owned());
    let request = v1::GetEnvironmentRequest {
        project: project.clone(),
        name: name.clone(),
        ..Default::default()
    };
    let answer = api.environments().get_environment(request).await;
    findings.refused("get", answer, missing, R::EnvironmentNotFound);
    let request = v1::DeleteEnvironmentRequest {
        project: project.clone(),
        name,
        ..Default::default()
    };
    let answer = api.environments().delete_environment(request).await;
    findings.refused("delete", answer, missing, R::EnvironmentNotFound);
    let request = v1::ListEnvironmentsRequest {
        project,
        filter: "colour = red".to_owned(),
        ..Default::default()
    };
    let answer = api.environments().list_environments(request).await;
    findings.refused("list", answer, Code::InvalidArgument, R::InvalidFilter);
}

#[tokio::test]
async fn expressions() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let ask = |expression: &str, env: &str| v1::EvaluateExpressionRequest {
        project: api.project(),
        expression: expression.to_owned(),
        env: Some(json_payload(env)),
        ..Default::default()
    };
    let long = "x".repeat((64 << 10) + 1);
    for (expression, env, reason) in [
        (&*long, "{}", R::InvalidField),
        ("1", "[]", R::InvalidField),
        ("1", "{", R::PayloadInvalid),
    ] {
        let request = ask(expression, env);
        let answer = api.workflows().evaluate_expression(request).await;
        findings.refused("evaluate", answer, Code::InvalidArgument, reason);
    }
    // A wrong expression is an answer.
    for expression in ["<% 1 + %>", "<% $.nothing %>", "{{ nothing( }}"] {
        let request = ask(expression, "{}");
        let answer = api.workflows().evaluate_expression(request).await;
        let answer = answer.unwrap().into_inner().result;
        let is_error = matches!(
            answer,
            Some(v1::evaluate_expression_response::Result::Error(_))
        );
        findings.holds(expression, is_error);
    }
    // A limit is not.
    for (expression, name, limit) in [
        ("<% sequence().len() %>", "expression_steps", "1000000"),
        ("<% def(f, f()) -> f() %>", "expression_depth", "150"),
        (
            "<% 'x' * 99999999 %>",
            "expression_output_bytes",
            "16777216",
        ),
    ] {
        let request = ask(expression, "{}");
        let refused = api.workflows().evaluate_expression(request).await;
        let metadata = refused
            .as_ref()
            .err()
            .and_then(Status::get_details_error_info)
            .map(|info| info.metadata)
            .unwrap_or_default();
        let (code, reason) = (Code::FailedPrecondition, R::LimitExceeded);
        findings.refused(expression, refused, code, reason);
        let told = |key: &str, value: &str| metadata.get(key).is_some_and(|told| told == value);
        findings.holds(expression, told("name", name) && told("limit", limit));
    }
    settle(findings, &api).await;
}
