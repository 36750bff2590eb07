//! The same request twice is one request; the same id for another one is a mistake.

use std::future::Future;

use e2e::api::{Api, payload};
use e2e::refusal::Refusal;
use e2e::server::TestServer;
use proto::v1;
use proto::v1::ErrorReason as R;
use proto::v1::history_event::Event;
use serde_json::json;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::support::{Findings, PATIENCE, echo, held, running_action};

/// Sends a request twice, and then a changed one under the same id.
async fn check<Q, A, F, Fut>(findings: &mut Findings, what: &str, request: Q, changed: Q, send: F)
where
    Q: Clone,
    A: PartialEq + std::fmt::Debug,
    F: Fn(Q) -> Fut,
    Fut: Future<Output = Result<Response<A>, Status>>,
{
    let first = send(request.clone()).await;
    let again = send(request).await;
    match (first, again) {
        (Ok(first), Ok(again)) => {
            let (first, again) = (first.into_inner(), again.into_inner());
            let text = format!("{what}: other answer:\n  {first:?}\n  {again:?}");
            findings.holds(&text, first == again);
        }
        (first, again) => {
            let text = |answer: Result<Response<A>, Status>| match answer {
                Ok(_) => "accepted".to_owned(),
                Err(status) => Refusal::of(&status).to_string(),
            };
            findings.holds(
                &format!("{what}: {}, then {}", text(first), text(again)),
                false,
            );
        }
    }
    let answer = send(changed).await.map(drop);
    let what = format!("{what}, changed");
    findings.refused(&what, answer, Code::InvalidArgument, R::RequestIdReused);
}

fn fresh() -> String {
    Uuid::new_v4().to_string()
}

#[tokio::test]
async fn workflows() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("twice");
    let mut findings = Findings::default();
    let (project, workflows) = (api.project(), api.workflows());

    let create = |source: String, request_id: &str| v1::CreateWorkflowRequest {
        project: project.clone(),
        source,
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    let id = fresh();
    let (request, changed) = (create(echo("a"), &id), create(echo("b"), &id));
    let send = |request| {
        let mut client = workflows.clone();
        async move { client.create_workflow(request).await }
    };
    check(&mut findings, "create workflow", request, changed, send).await;

    let update = |source: String, request_id: &str| v1::UpdateWorkflowRequest {
        project: project.clone(),
        source,
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    let id = fresh();
    let (request, changed) = (
        update(echo("a") + "# 2\n", &id),
        update(echo("a") + "# 3\n", &id),
    );
    let send = |request| {
        let mut client = workflows.clone();
        async move { client.update_workflow(request).await }
    };
    check(&mut findings, "update workflow", request, changed, send).await;

    let delete = |name: &str, request_id: &str| v1::DeleteWorkflowRequest {
        project: project.clone(),
        name: name.to_owned(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    let id = fresh();
    let (request, changed) = (delete("a", &id), delete("other", &id));
    let send = |request| {
        let mut client = workflows.clone();
        async move { client.delete_workflow(request).await }
    };
    check(&mut findings, "delete workflow", request, changed, send).await;
    findings.none();
}

#[tokio::test]
async fn workbooks() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("twice");
    let mut findings = Findings::default();
    let book = |extra: &str| {
        format!("version: '2.0'\nname: book\nactions: {{a: {{base: std.noop}}}}\n{extra}")
    };
    let (project, workbooks) = (api.project(), api.workbooks());
    let create = |source: String, request_id: &str| v1::CreateWorkbookRequest {
        project: project.clone(),
        source,
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    let id = fresh();
    let (request, changed) = (create(book(""), &id), create(book("description: d\n"), &id));
    let send = |request| {
        let mut client = workbooks.clone();
        async move { client.create_workbook(request).await }
    };
    check(&mut findings, "create workbook", request, changed, send).await;

    let update = |source: String, request_id: &str| v1::UpdateWorkbookRequest {
        project: project.clone(),
        source,
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    let id = fresh();
    let (request, changed) = (
        update(book("description: two\n"), &id),
        update(book(""), &id),
    );
    let send = |request| {
        let mut client = workbooks.clone();
        async move { client.update_workbook(request).await }
    };
    check(&mut findings, "update workbook", request, changed, send).await;

    let delete = |name: &str, request_id: &str| v1::DeleteWorkbookRequest {
        project: project.clone(),
        name: name.to_owned(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    let id = fresh();
    let (request, changed) = (delete("book", &id), delete("other", &id));
    let send = |request| {
        let mut client = workbooks.clone();
        async move { client.delete_workbook(request).await }
    };
    check(&mut findings, "delete workbook", request, changed, send).await;
    findings.none();
}

#[tokio::test]
async fn ad_hoc_actions() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("twice");
    let mut findings = Findings::default();
    let (project, actions) = (api.project(), api.actions());
    let source = |name: &str, extra: &str| {
        format!("version: '2.0'\n{name}: {{base: std.echo output=1}}\n{extra}")
    };
    macro_rules! check_call {
        ($what:literal, $method:ident, $request:ident, $field:ident: $first:expr, $other:expr) => {{
            let id = fresh();
            let make = |$field: String| v1::$request {
                project: project.clone(),
                $field,
                request_id: id.clone(),
                ..Default::default()
            };
            let send = |request| {
                let mut client = actions.clone();
                async move { client.$method(request).await }
            };
            let (first, other) = (make($first), make($other));
            check(&mut findings, $what, first, other, send).await;
        }};
    }
    check_call!("create action", create_action, CreateActionRequest,
        source: source("a", ""), source("b", ""));
    check_call!("update action", update_action, UpdateActionRequest,
        source: source("a", "# 2\n"), source("a", "# 3\n"));
    check_call!("run action", run_action, RunActionRequest,
        action_name: "a".to_owned(), "std.noop".to_owned());
    check_call!("delete action", delete_action, DeleteActionRequest,
        name: "a".to_owned(), "other".to_owned());
    let started = api.list_executions("kind = ACTION").await.unwrap().len();
    findings.holds(&format!("{started} runs"), started == 1);
    findings.none();
}

#[tokio::test]
async fn environments() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("twice");
    let mut findings = Findings::default();
    let (project, environments) = (api.project(), api.environments());
    macro_rules! check_call {
        (
            $what:literal, $method:ident,
            $request:ident { $($field:ident: $first:expr),* }, $changed:literal
        ) => {{
            let id = fresh();
            let make = |name: &str| v1::$request {
                project: project.clone(),
                name: name.to_owned(),
                $($field: $first,)*
                request_id: id.clone(),
                ..Default::default()
            };
            let send = |request| {
                let mut client = environments.clone();
                async move { client.$method(request).await }
            };
            check(&mut findings, $what, make("prod"), make($changed), send).await;
        }};
    }
    check_call!(
        "create environment",
        create_environment,
        CreateEnvironmentRequest {
            variables: Some(payload(&json!({"a": 1})))
        },
        "test"
    );
    check_call!(
        "update environment",
        update_environment,
        UpdateEnvironmentRequest {
            description: "new".to_owned()
        },
        "test"
    );
    check_call!(
        "delete environment",
        delete_environment,
        DeleteEnvironmentRequest {},
        "test"
    );
    findings.none();
}

#[tokio::test]
async fn executions() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("twice");
    api.create_workflow(&held("held", 1)).await.unwrap();
    let mut findings = Findings::default();
    let start = |label: &str, request_id: &str| v1::StartExecutionRequest {
        // Several labels: their order on the wire must not make another request of it.
        labels: (0..20)
            .map(|n| (format!("k{n}"), label.to_owned()))
            .collect(),
        request_id: request_id.to_owned(),
        ..api.start_request("held", &json!({}))
    };
    let id = fresh();
    let send = |request| {
        let mut client = api.executions();
        async move { client.start_execution(request).await }
    };
    check(
        &mut findings,
        "start",
        start("a", &id),
        start("b", &id),
        send,
    )
    .await;
    let all = api.list_executions("").await.unwrap();
    findings.holds(
        &format!("{} executions were started", all.len()),
        all.len() == 1,
    );
    findings.none();
}

/// Sends verbs of an execution twice, with a reason, and then with another one.
macro_rules! verbs {
    (
        $api:expr, $findings:expr, $uid:expr;
        $($method:ident $request:ident { $($field:ident : $value:expr),* })*
    ) => {$({
        let id = fresh();
        let request = |reason: &str| v1::$request {
            project: $api.project(),
            execution_id: $uid.clone(),
            reason: reason.to_owned(),
            request_id: id.clone(),
            $($field: $value,)*
            ..Default::default()
        };
        let send = |request| {
            let mut client = $api.executions();
            async move { client.$method(request).await }
        };
        let what = stringify!($method);
        check(&mut $findings, what, request("a"), request("b"), send).await;
    })*};
}

/// The verbs in the history, and whether each has the reason of the request that was applied.
async fn recorded(api: &Api, uid: &str) -> Vec<(String, bool)> {
    let events = api.history(uid).await.unwrap().into_iter();
    let verbs = events.filter_map(|event| match event.event {
        Some(Event::VerbApplied(applied)) => {
            let is_said = applied.reason == "a" && !applied.request_id.is_empty();
            Some((applied.verb, is_said))
        }
        _ => None,
    });
    verbs.collect()
}

#[tokio::test]
#[expect(clippy::needless_update, reason = "some requests have no other fields")]
async fn verbs() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("twice");
    api.create_workflow(&held("held", 1)).await.unwrap();
    let mut findings = Findings::default();
    let uid = api.start("held", &json!({})).await.unwrap().uid;
    let outcome = v1::ExecutionState::Error.into();
    // In an order in which each has something to do.
    verbs! { api, findings, uid;
        pause_execution PauseExecutionRequest {}
        resume_execution ResumeExecutionRequest {}
        update_execution UpdateExecutionRequest { description: "new".to_owned() }
        stop_execution StopExecutionRequest { outcome: outcome }
        rerun_execution RerunExecutionRequest {}
        cancel_execution CancelExecutionRequest {}
        rollback_execution RollbackExecutionRequest {}
        restart_execution RestartExecutionRequest {}
    }
    let words = [
        "pause", "resume", "update", "stop", "rerun", "cancel", "rollback",
    ];
    let expected = words.map(|word| (word.to_owned(), true));
    let found = recorded(&api, &uid).await;
    findings.holds(&format!("recorded {found:?}"), found == expected);
    verbs! { api, findings, uid; delete_execution DeleteExecutionRequest {} }
    let all = api.list_executions("").await.unwrap();
    findings.holds(&format!("{} are left", all.len()), all.len() == 1);
    let uid = all[0].uid.clone();
    verbs! { api, findings, uid; terminate_execution TerminateExecutionRequest {} }
    let found = recorded(&api, &uid).await;
    let expected = ["restart", "terminate"].map(|word| (word.to_owned(), true));
    findings.holds(&format!("recorded {found:?}"), found == expected);
    findings.none();
}

/// Fails after one attempt, and would try again in an hour.
const FAILING: &str = "
version: '2.0'
failing:
  tasks:
    t: {action: std.fail, retry: {count: 1, delay: 3600}}
";

#[tokio::test]
async fn tasks() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("twice");
    api.create_workflow(FAILING).await.unwrap();
    let mut findings = Findings::default();
    let uid = api.start("failing", &json!({})).await.unwrap().uid;
    let task = api.list_tasks(&uid).await.unwrap().remove(0);

    let request_id = fresh();
    let retry = |reason: &str| v1::RetryTaskRequest {
        project: api.project(),
        task_execution_id: task.task_execution_id.clone(),
        reason: reason.to_owned(),
        request_id: request_id.clone(),
    };
    let send = |request| {
        let mut client = api.tasks();
        async move { client.retry_task(request).await }
    };
    check(&mut findings, "retry", retry("a"), retry("b"), send).await;
    let done = api.finished(&uid, PATIENCE).await.unwrap();
    findings.holds(
        "the second attempt was the last",
        done.state() == v1::ExecutionState::Error,
    );

    let request_id = fresh();
    let skip = |reason: &str| v1::SkipTaskRequest {
        project: api.project(),
        task_execution_id: task.task_execution_id.clone(),
        reason: reason.to_owned(),
        request_id: request_id.clone(),
        result: None,
    };
    let send = |request| {
        let mut client = api.tasks();
        async move { client.skip_task(request).await }
    };
    check(&mut findings, "skip", skip("a"), skip("b"), send).await;
    let found = recorded(&api, &uid).await;
    let expected = ["retry", "skip"].map(|word| (word.to_owned(), true));
    findings.holds(&format!("recorded {found:?}"), found == expected);
    findings.none();
}

#[tokio::test]
async fn actions() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("twice");
    api.create_workflow(&held("held", 1)).await.unwrap();
    let mut findings = Findings::default();

    let action = waiting_action(&api).await;
    let request_id = fresh();
    let complete = |result: i32| v1::CompleteActionExecutionRequest {
        project: api.project(),
        action_execution_id: action.clone(),
        result: Some(payload(&json!(result))),
        request_id: request_id.clone(),
    };
    let send = |request| {
        let mut client = api.tasks();
        async move { client.complete_action_execution(request).await }
    };
    check(&mut findings, "complete", complete(1), complete(2), send).await;

    let action = waiting_action(&api).await;
    let request_id = fresh();
    let fail = |error: &str| v1::FailActionExecutionRequest {
        project: api.project(),
        action_execution_id: action.clone(),
        error: Some(payload(&json!(error))),
        request_id: request_id.clone(),
    };
    let send = |request| {
        let mut client = api.tasks();
        async move { client.fail_action_execution(request).await }
    };
    check(&mut findings, "fail", fail("a"), fail("b"), send).await;

    let action = waiting_action(&api).await;
    let request_id = fresh();
    let update = |state: v1::ActionState| v1::UpdateActionExecutionRequest {
        project: api.project(),
        action_execution_id: action.clone(),
        state: state.into(),
        request_id: request_id.clone(),
        ..Default::default()
    };
    let send = |request| {
        let mut client = api.tasks();
        async move { client.update_action_execution(request).await }
    };
    let (paused, running) = (v1::ActionState::Paused, v1::ActionState::Running);
    check(
        &mut findings,
        "update",
        update(paused),
        update(running),
        send,
    )
    .await;
    findings.none();
}

async fn waiting_action(api: &Api) -> String {
    let execution = api.start("held", &json!({})).await.unwrap();
    running_action(api, &execution.uid)
        .await
        .unwrap()
        .action_execution_id
}

#[tokio::test]
async fn chosen_ids() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("twice");
    api.create_workflow(&held("held", 1)).await.unwrap();
    let request = |policy: v1::IdConflictPolicy| v1::StartExecutionRequest {
        execution_id: "order-42".to_owned(),
        id_conflict_policy: policy.into(),
        ..api.start_request("held", &json!({}))
    };
    let start = |policy| {
        let (mut client, request) = (api.executions(), request(policy));
        async move {
            client
                .start_execution(request)
                .await
                .map(Response::into_inner)
        }
    };
    let first = start(v1::IdConflictPolicy::Fail).await.unwrap();
    assert!(first.started);
    let uid = first.execution.unwrap().uid;

    // A chosen id is kept with the data, not with the process.
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let api = server.api("twice");
    let start = |policy| {
        let (mut client, request) = (api.executions(), request(policy));
        async move {
            client
                .start_execution(request)
                .await
                .map(Response::into_inner)
        }
    };
    let again = start(v1::IdConflictPolicy::UseExisting).await.unwrap();
    assert!(!again.started);
    assert_eq!(again.execution.unwrap().uid, uid);
    let refusal = Refusal::of(&start(v1::IdConflictPolicy::Fail).await.unwrap_err());
    assert!(
        refusal.is(Code::AlreadyExists, R::ExecutionAlreadyExists),
        "{refusal}"
    );
    assert_eq!(refusal.metadata["uid"], uid);
    assert_eq!(refusal.metadata["state"], "RUNNING");
}
