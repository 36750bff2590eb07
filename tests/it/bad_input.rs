//! Bad input: every refusal with its code and reason, and a server that serves on.

use std::fmt::Write as _;

use e2e::api::{Api, json_payload, value};
use e2e::server::TestServer;
use proto::v1;
use proto::v1::ErrorReason as R;
use serde_json::json;
use tonic::{Code, Status};

use crate::support::{Findings, PATIENCE, echo, held, step};

const MIB: usize = 1 << 20;

async fn server() -> (TestServer, Api) {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("bad");
    api.create_workflow(&echo("echo")).await.unwrap();
    api.create_workflow(&held("held", 2)).await.unwrap();
    (server, api)
}

/// After everything, a workflow still runs.
async fn still_serves(api: &Api) {
    let started = api.start("echo", &json!({"x": 1})).await.unwrap();
    let finished = api.finished(&started.uid, PATIENCE).await.unwrap();
    assert_eq!(finished.state(), v1::ExecutionState::Success);
}

/// A workflow `wf` with these tasks.
fn tasks(text: &str) -> String {
    format!("version: '2.0'\nwf:\n  tasks:\n{text}\n")
}

/// Ten lines that mean 10^11 values, and a workflow that does something with them.
fn alias_bomb(name: &str, output: &str, task: &str) -> String {
    let mut text =
        format!("version: '2.0'\n{name}:\n  output: {output}\n  vars:\n    a0: &a0 [x, x, x]\n");
    for level in 1..12 {
        let refs = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(text, "    a{level}: &a{level} [{refs}]");
    }
    format!("{text}  tasks:\n    t: {task}\n")
}

fn nested(depth: usize) -> String {
    let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    format!(
        "version: '2.0'\nwf:\n  vars:\n    deep: {value}\n  tasks:\n    t: {{action: std.noop}}\n"
    )
}

#[tokio::test]
async fn documents() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let invalid = R::InvalidDefinition;
    let table = [
        ("nothing", String::new(), invalid),
        ("no mapping", "- 1\n- 2\n".to_owned(), invalid),
        ("malformed", "version: '2.0'\nwf: [\n".to_owned(), invalid),
        (
            "tabs",
            "version: '2.0'\nwf:\n\ttasks: {}\n".to_owned(),
            invalid,
        ),
        (
            "no version",
            "wf: {tasks: {t: {action: std.noop}}}".to_owned(),
            invalid,
        ),
        ("no tasks", "version: '2.0'\nwf: {}".to_owned(), invalid),
        (
            "unknown key",
            tasks("    t: {action: std.noop, on-succes: x}"),
            invalid,
        ),
        (
            "unknown task",
            tasks("    t: {action: std.noop, on-success: nowhere}"),
            invalid,
        ),
        ("wrong type", tasks("    t: {action: [1]}"), invalid),
        (
            "tasks is a list",
            "version: '2.0'\nwf: {tasks: [1, 2]}".to_owned(),
            invalid,
        ),
        (
            "action and workflow",
            tasks("    t: {action: std.noop, workflow: wf}"),
            invalid,
        ),
        (
            "bad expression",
            tasks("    t: {action: std.noop, publish: {x: <% 1 + %>}}"),
            invalid,
        ),
        (
            "bad retry",
            tasks("    t: {action: std.noop, retry: {count: many}}"),
            invalid,
        ),
        (
            "bad join",
            tasks("    t: {action: std.noop, join: some}"),
            invalid,
        ),
        (
            "control characters",
            "version: '2.0'\nwf: \u{0}\u{7}\n".to_owned(),
            invalid,
        ),
        (
            "two documents",
            format!("{}---\n{}", echo("a"), echo("b")),
            invalid,
        ),
        ("200 levels", nested(200), invalid),
        ("100,000 levels", nested(100_000), invalid),
        (
            "2 MiB",
            format!("{}# {}\n", echo("big"), "x".repeat(2 * MIB)),
            R::DefinitionTooLarge,
        ),
    ];
    for (what, source, reason) in table {
        let answer = api.create_workflow(&source).await;
        let refusal = findings.refused(what, answer, Code::InvalidArgument, reason);
        if let Some(refusal) = refusal.filter(|_| reason == invalid) {
            findings.holds(&format!("{what}: no fields"), !refusal.fields.is_empty());
            let told = refusal.metadata.contains_key("violations_total");
            findings.holds(&format!("{what}: no violations_total"), told);
        }
        // The same faults are an answer, not an error, of a validation.
        let request = v1::ValidateWorkflowRequest {
            source,
            ..Default::default()
        };
        match api.workflows().validate_workflow(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                let good = !answer.valid && !answer.diagnostics.is_empty();
                findings.holds(&format!("{what}: valid: {answer:?}"), good);
            }
            Err(status) => findings.holds(&format!("{what}: validation: {status}"), false),
        }
    }
    let huge = format!("{}# {}\n", echo("huge"), "x".repeat(10 * MIB));
    let answer = api.create_workflow(&huge).await;
    findings.refused("10 MiB", answer, Code::InvalidArgument, R::PayloadTooLarge);
    findings.none();
    still_serves(&api).await;
}

#[tokio::test]
async fn an_alias_bomb_harms_nobody() {
    let (_server, api) = server().await;
    let (none, noop) = ("{}", "{action: std.noop}");
    for (name, output, task) in [
        ("kept", none, noop),
        ("shown", "{x: <% $.a11 %>}", noop),
        ("echoed", none, "{action: std.echo output=<% $.a11 %>}"),
        (
            "written",
            none,
            "{action: std.noop, publish: {y: '<% $.a11 %> and <% $.a11 %>'}}",
        ),
        (
            "walked",
            none,
            "{action: std.noop, publish: {y: <% $.a11.flatten().len() %>}}",
        ),
        (
            "items",
            none,
            "{with-items: i in <% $.a11 %>, action: std.echo output=<% $.i %>}",
        ),
    ] {
        let source = alias_bomb(name, output, task);
        let Ok(workflows) = api.create_workflow(&source).await else {
            continue;
        };
        let started = api.start(&workflows[0].name, &json!({})).await.unwrap();
        let finished = api.finished(&started.uid, PATIENCE).await.unwrap();
        let size = value(finished.output.as_ref()).unwrap().to_string().len();
        assert!(size < 4 * MIB, "{name}: an output of {size} bytes");
        // What cannot be shown must not have succeeded.
        let good = name == "kept" || finished.state() == v1::ExecutionState::Error;
        assert!(good, "{name}: {:?}", finished.state());
        api.history(&started.uid).await.unwrap();
        api.list_tasks(&started.uid).await.unwrap();
    }
    still_serves(&api).await;
}

#[tokio::test]
async fn many_faults_fit_into_an_answer() {
    let (_server, api) = server().await;
    let mut text = String::new();
    for number in 0..500 {
        let _ = writeln!(
            text,
            "    t{number}: {{action: std.noop, on-success: nowhere}}"
        );
    }
    let mut findings = Findings::default();
    let answer = api.create_workflow(&tasks(&text)).await;
    let refusal = findings.refused(
        "500 faults",
        answer,
        Code::InvalidArgument,
        R::InvalidDefinition,
    );
    findings.none();
    let refusal = refusal.unwrap();
    assert!(
        (1..=20).contains(&refusal.fields.len()),
        "{}",
        refusal.fields.len()
    );
    assert_eq!(refusal.metadata["violations_total"], "500");
}

#[tokio::test]
async fn starts() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let needs = "version: '2.0'\nneeds:\n  input: [a, b: 1]\n  tasks: {t: {action: std.noop}}\n";
    api.create_workflow(needs).await.unwrap();
    let deep = format!("{{\"x\": {}{}}}", "[".repeat(200), "]".repeat(200));
    let big = json!({"x": "y".repeat(MIB + 1)}).to_string();
    let table = [
        ("a list", "echo", "[1]", R::InvalidField),
        ("a text", "echo", "\"x\"", R::InvalidField),
        ("not JSON", "echo", "{x: 1}", R::PayloadInvalid),
        ("nothing", "echo", "", R::PayloadInvalid),
        ("cut off", "echo", "{\"x\": [1", R::PayloadInvalid),
        (
            "two keys",
            "echo",
            "{\"x\": 1, \"x\": 2}",
            R::PayloadInvalid,
        ),
        ("not a number", "echo", "{\"x\": NaN}", R::PayloadInvalid),
        (
            "lone surrogate",
            "echo",
            "{\"x\": \"\\ud800\"}",
            R::PayloadInvalid,
        ),
        ("too deep", "echo", deep.as_str(), R::PayloadInvalid),
        ("too large", "echo", big.as_str(), R::PayloadTooLarge),
        ("missing", "needs", "{}", R::InputMismatch),
        (
            "unexpected",
            "needs",
            "{\"a\": 1, \"c\": 2}",
            R::InputMismatch,
        ),
    ];
    for (what, workflow, input, reason) in table {
        let request = v1::StartExecutionRequest {
            input: Some(json_payload(input)),
            ..api.start_request(workflow, &json!({}))
        };
        let answer = api.executions().start_execution(request).await;
        findings.refused(what, answer, Code::InvalidArgument, reason);
    }
    let field = R::InvalidField;
    let requests = [
        (
            "no name",
            change(&api, |r| r.workflow_name = String::new()),
            field,
        ),
        (
            "long id",
            change(&api, |r| r.execution_id = "x".repeat(256)),
            field,
        ),
        (
            "control in id",
            change(&api, |r| r.execution_id = "a\nb".into()),
            field,
        ),
        (
            "request id",
            change(&api, |r| r.request_id = "no uuid".into()),
            field,
        ),
        (
            "revision",
            change(&api, |r| r.workflow_revision = -1),
            field,
        ),
        ("policy", change(&api, |r| r.id_conflict_policy = 99), field),
        (
            "description",
            change(&api, |r| r.description = "x".repeat(5000)),
            field,
        ),
        (
            "label key",
            change(&api, |r| drop(r.labels.insert("k".repeat(64), "v".into()))),
            field,
        ),
        (
            "label value",
            change(&api, |r| drop(r.labels.insert("k".into(), "v".repeat(256)))),
            field,
        ),
        (
            "env",
            change(&api, |r| r.params = Some(json_payload("{\"env\": 1}"))),
            field,
        ),
        (
            "project",
            change(&api, |r| r.project = "x".repeat(1000)),
            field,
        ),
    ];
    for (what, request, reason) in requests {
        let answer = api.executions().start_execution(request).await;
        findings.refused(what, answer, Code::InvalidArgument, reason);
    }
    let labels = change(&api, |r| {
        r.labels = (0..65).map(|n| (format!("k{n}"), "v".to_owned())).collect();
    });
    let answer = api.executions().start_execution(labels).await;
    findings.refused("65 labels", answer, Code::InvalidArgument, field);
    let reference = change(&api, |r| {
        let encoding = v1::payload::Encoding::Ref(v1::PayloadRef::default());
        r.input = Some(v1::Payload {
            encoding: Some(encoding),
            ..Default::default()
        });
    });
    let answer = api.executions().start_execution(reference).await;
    findings.refused("reference", answer, Code::Unimplemented, R::NotSupported);
    findings.none();
    still_serves(&api).await;
}

fn change(
    api: &Api,
    change: impl FnOnce(&mut v1::StartExecutionRequest),
) -> v1::StartExecutionRequest {
    let mut request = api.start_request("echo", &json!({}));
    change(&mut request);
    request
}

#[tokio::test]
async fn unknown_things() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let missing = Code::NotFound;
    let project = api.project();
    let name = "nothing".to_owned();
    let answer = api.start("nothing", &json!({})).await;
    findings.refused("start", answer, missing, R::WorkflowNotFound);
    let request = change(&api, |r| r.workflow_revision = 9);
    let answer = api.executions().start_execution(request).await;
    findings.refused("revision", answer, missing, R::WorkflowNotFound);
    let answer = api.execution("nothing").await;
    findings.refused("get", answer, missing, R::ExecutionNotFound);
    let answer = api.history("nothing").await;
    findings.refused("history", answer, missing, R::ExecutionNotFound);
    let answer = api.list_tasks("nothing").await;
    findings.refused("tasks", answer, missing, R::ExecutionNotFound);
    for verb in VERBS {
        let answer = apply(&api, verb, "nothing").await;
        findings.refused(verb, answer, missing, R::ExecutionNotFound);
    }
    let request = v1::WatchExecutionRequest {
        project: project.clone(),
        execution_id: name.clone(),
        ..Default::default()
    };
    let answer = api.executions().watch_execution(request).await.map(drop);
    findings.refused("watch", answer, missing, R::ExecutionNotFound);
    let request = v1::GetWorkflowRequest {
        project: project.clone(),
        name: name.clone(),
        ..Default::default()
    };
    let answer = api.workflows().get_workflow(request).await;
    findings.refused("get workflow", answer, missing, R::WorkflowNotFound);
    let request = v1::DeleteWorkflowRequest {
        project: project.clone(),
        name: name.clone(),
        ..Default::default()
    };
    let answer = api.workflows().delete_workflow(request).await;
    findings.refused("delete workflow", answer, missing, R::WorkflowNotFound);
    let request = v1::GetWorkbookRequest {
        project: project.clone(),
        name: name.clone(),
        ..Default::default()
    };
    let answer = api.workbooks().get_workbook(request).await;
    findings.refused("get workbook", answer, missing, R::WorkbookNotFound);
    let request = v1::UpdateWorkflowRequest {
        project: project.clone(),
        source: echo("nothing"),
        ..Default::default()
    };
    let answer = api.workflows().update_workflow(request).await;
    findings.refused("update workflow", answer, missing, R::WorkflowNotFound);
    let answer = api.create_workflow(&echo("echo")).await;
    findings.refused(
        "create twice",
        answer,
        Code::AlreadyExists,
        R::WorkflowAlreadyExists,
    );
    for id in [
        "nothing",
        "0192f000-0000-7000-8000-000000000000",
        "",
        "../..",
        "-1",
    ] {
        let request = v1::GetTaskExecutionRequest {
            project: project.clone(),
            task_execution_id: id.to_owned(),
            ..Default::default()
        };
        let answer = api.tasks().get_task_execution(request).await;
        let refused = answer.as_ref().err().map(Status::code);
        let good = matches!(refused, Some(Code::NotFound | Code::InvalidArgument));
        findings.holds(&format!("task {id:?}: {answer:?}"), good);
        let answer = api.complete_action(id, &json!(1)).await;
        let refused = answer.as_ref().err().map(Status::code);
        let good = matches!(refused, Some(Code::NotFound | Code::InvalidArgument));
        findings.holds(&format!("action {id:?}: {answer:?}"), good);
    }
    // What one project has, another does not.
    let theirs = api.start("held", &json!({})).await.unwrap();
    let answer = api.within("other").execution(&theirs.uid).await;
    findings.refused("other project", answer, missing, R::ExecutionNotFound);
    findings.none();
    still_serves(&api).await;
}

const VERBS: [&str; 6] = ["pause", "resume", "cancel", "stop", "delete", "wait"];

/// Applies a verb; `stop` declares success.
async fn apply(api: &Api, verb: &str, id: &str) -> Result<(), Status> {
    let (project, execution_id) = (api.project(), id.to_owned());
    let mut client = api.executions();
    macro_rules! call {
        ($method:ident, $request:ident { $($field:ident : $value:expr),* }) => {{
            let request = v1::$request {
                project,
                execution_id,
                $($field: $value,)*
                ..Default::default()
            };
            client.$method(request).await.map(drop)
        }};
    }
    match verb {
        "pause" => call!(pause_execution, PauseExecutionRequest {}),
        "resume" => call!(resume_execution, ResumeExecutionRequest {}),
        "cancel" => call!(cancel_execution, CancelExecutionRequest {}),
        "stop" => {
            let outcome = v1::ExecutionState::Success.into();
            call!(stop_execution, StopExecutionRequest { outcome: outcome })
        }
        "delete" => call!(delete_execution, DeleteExecutionRequest {}),
        "wait" => call!(wait_execution, WaitExecutionRequest {}),
        other => panic!("no such verb: {other}"),
    }
}

#[tokio::test]
async fn wrong_states() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let precondition = Code::FailedPrecondition;

    let running = api.start("held", &json!({})).await.unwrap().uid;
    let answer = apply(&api, "delete", &running).await;
    findings.refused(
        "delete a running one",
        answer,
        precondition,
        R::ExecutionState,
    );
    for outcome in [v1::ExecutionState::Running, v1::ExecutionState::Unspecified] {
        let request = v1::StopExecutionRequest {
            project: api.project(),
            execution_id: running.clone(),
            outcome: outcome.into(),
            ..Default::default()
        };
        let answer = api.executions().stop_execution(request).await;
        findings.refused(
            "stop as running",
            answer,
            Code::InvalidArgument,
            R::InvalidField,
        );
    }
    let request = v1::DeleteWorkflowRequest {
        project: api.project(),
        name: "held".to_owned(),
        ..Default::default()
    };
    let answer = api.workflows().delete_workflow(request).await;
    findings.refused(
        "delete a used workflow",
        answer,
        precondition,
        R::DefinitionInUse,
    );

    let action = crate::support::running_action(&api, &running)
        .await
        .unwrap();
    step(&api, &running).await;
    let answer = api
        .complete_action(&action.action_execution_id, &json!("again"))
        .await;
    findings.refused("complete twice", answer, precondition, R::ActionState);
    step(&api, &running).await;
    let done = api.finished(&running, PATIENCE).await.unwrap();
    assert_eq!(done.state(), v1::ExecutionState::Success);
    for verb in ["pause", "resume", "cancel", "stop"] {
        let answer = apply(&api, verb, &running).await;
        let what = format!("{verb} a finished one");
        if let Some(refusal) = findings.refused(&what, answer, precondition, R::ExecutionState) {
            let state = refusal.metadata.get("state").map(String::as_str);
            findings.holds(
                &format!("{what}: state {state:?}"),
                state == Some("SUCCESS"),
            );
            findings.holds(
                &format!("{what}: no verb"),
                refusal.metadata.contains_key("verb"),
            );
        }
    }
    // Repeating a verb changes nothing and is no mistake.
    let again = api.start("held", &json!({})).await.unwrap().uid;
    for verb in [
        "resume", "pause", "pause", "resume", "resume", "cancel", "cancel", "delete",
    ] {
        if let Err(status) = apply(&api, verb, &again).await {
            findings.holds(&format!("{verb}: {status}"), false);
        }
    }
    findings.none();
    still_serves(&api).await;
}

#[tokio::test]
async fn lists() {
    let (_server, api) = server().await;
    for _ in 0..3 {
        api.start("echo", &json!({})).await.unwrap();
    }
    let mut findings = Findings::default();
    for filter in [
        "state",
        "state =",
        "= ERROR",
        "state = ",
        "colour = red",
        "state = NOSUCH",
        "(state = ERROR",
        "state = ERROR)",
        "state ~ ERROR",
        "create_time > yesterday",
        "state = \"ERROR",
        "labels = x",
        "state = ERROR AND",
        "NOT",
    ] {
        let answer = api.list_executions(filter).await;
        let what = format!("filter {filter:?}");
        findings.refused(&what, answer, Code::InvalidArgument, R::InvalidFilter);
    }
    let deep = format!(
        "{}state = ERROR{}",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    let long = vec!["state = ERROR"; 20_000].join(" OR ");
    for (what, filter) in [("deep filter", deep), ("long filter", long)] {
        let answer = api.list_executions(&filter).await;
        findings.refused(what, answer, Code::InvalidArgument, R::InvalidFilter);
    }
    let page = |size: i32, token: &str, filter: &str| v1::ListExecutionsRequest {
        project: api.project(),
        page_size: size,
        page_token: token.to_owned(),
        filter: filter.to_owned(),
        ..Default::default()
    };
    let answer = api.executions().list_executions(page(-1, "", "")).await;
    findings.refused("page size", answer, Code::InvalidArgument, R::InvalidField);
    let first = api
        .executions()
        .list_executions(page(1, "", ""))
        .await
        .unwrap()
        .into_inner();
    let token = first.next_page_token;
    let other = token.chars().rev().collect::<String>();
    for (what, request) in [
        ("bad token", page(1, "rubbish", "")),
        ("changed token", page(1, &other, "")),
        ("token of another filter", page(1, &token, "state = ERROR")),
    ] {
        let answer = api.executions().list_executions(request).await;
        findings.refused(what, answer, Code::InvalidArgument, R::InvalidPageToken);
    }
    let elsewhere = v1::ListExecutionsRequest {
        project: "other".into(),
        ..page(1, &token, "")
    };
    let answer = api.executions().list_executions(elsewhere).await;
    findings.refused(
        "token of another project",
        answer,
        Code::InvalidArgument,
        R::InvalidPageToken,
    );
    findings.none();
    still_serves(&api).await;
}

#[tokio::test]
async fn etags() {
    let (_server, api) = server().await;
    let mut findings = Findings::default();
    let update = v1::UpdateWorkflowRequest {
        project: api.project(),
        source: echo("echo") + "# changed\n",
        etag: "stale".to_owned(),
        ..Default::default()
    };
    let answer = api.workflows().update_workflow(update).await;
    findings.refused("update", answer, Code::Aborted, R::EtagMismatch);
    let delete = v1::DeleteWorkflowRequest {
        project: api.project(),
        name: "echo".to_owned(),
        etag: "stale".to_owned(),
        ..Default::default()
    };
    let answer = api.workflows().delete_workflow(delete).await;
    findings.refused("delete", answer, Code::Aborted, R::EtagMismatch);
    findings.none();
    still_serves(&api).await;
}
