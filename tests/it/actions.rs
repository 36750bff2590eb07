//! Actions as resources: revisions, names and namespaces, and single runs.

use e2e::api::{Api, payload, value};
use e2e::server::{Options, TestServer};
use proto::v1::{self, ActionKind, ActionState};
use serde_json::{Value, json};
use tonic::Status;

use crate::support::{PATIENCE, running_action};

/// An ad-hoc action whose result comes from outside, and says which revision it is.
fn wrap(mark: &str) -> String {
    format!("version: '2.0'\nwrap:\n  base: std.async_noop\n  output: <% $ %> {mark}\n")
}

/// A workflow that gives back what an action says.
fn calling(name: &str, action: &str) -> String {
    format!(
        "version: '2.0'
{name}:
  output: {{said: <% task(t).result %>}}
  tasks:
    t: {{action: {action}}}
"
    )
}

async fn create(api: &Api, namespace: &str, source: &str) -> Result<Vec<v1::Action>, Status> {
    let request = v1::CreateActionRequest {
        project: api.project(),
        namespace: namespace.to_owned(),
        source: source.to_owned(),
        ..Default::default()
    };
    let answer = api.actions().create_action(request).await?;
    Ok(answer.into_inner().actions)
}

async fn update(api: &Api, source: &str) -> v1::Action {
    let request = v1::UpdateActionRequest {
        project: api.project(),
        source: source.to_owned(),
        ..Default::default()
    };
    let answer = api.actions().update_action(request).await.unwrap();
    answer.into_inner().actions.remove(0)
}

async fn delete(api: &Api, name: &str) {
    let request = v1::DeleteActionRequest {
        project: api.project(),
        name: name.to_owned(),
        ..Default::default()
    };
    api.actions().delete_action(request).await.unwrap();
}

/// Names of a list, with the number of its pages.
async fn names(api: &Api, request: v1::ListActionsRequest) -> (Vec<String>, usize) {
    let mut request = v1::ListActionsRequest {
        project: api.project(),
        ..request
    };
    let (mut names, mut pages) = (Vec::new(), 0);
    loop {
        let answer = api.actions().list_actions(request.clone()).await.unwrap();
        let answer = answer.into_inner();
        names.extend(answer.actions.into_iter().map(|action| action.name));
        pages += 1;
        if answer.next_page_token.is_empty() {
            return (names, pages);
        }
        request.page_token = answer.next_page_token;
    }
}

async fn output_of(api: &Api, execution: &str) -> Value {
    let done = api.finished(execution, PATIENCE).await.unwrap();
    assert_eq!(done.state(), v1::ExecutionState::Success, "{done:?}");
    value(done.output.as_ref()).unwrap()
}

#[tokio::test]
async fn lists_show_all_kinds() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("actions");
    let source = "version: '2.0'\nloud:\n  tags: [shout]\n  description: Shouts.\n  \
                  input: [what, {mark: '!'}]\n  base: std.echo output=<% $.what %>\n\
                  quiet: {base: std.noop}\n";
    let made = create(&api, "", source).await.unwrap();
    assert_eq!((made.len(), made[0].revision), (2, 1));
    let all = v1::ListActionsRequest::default;
    let of_kind = |kind: ActionKind| v1::ListActionsRequest {
        kind: kind.into(),
        ..all()
    };
    let with_filter = |filter: &str| v1::ListActionsRequest {
        filter: filter.to_owned(),
        ..all()
    };
    let (system, _) = names(&api, of_kind(ActionKind::System)).await;
    assert!(system.len() >= 7 && system.iter().all(|name| name.starts_with("std.")));
    assert_eq!(
        names(&api, of_kind(ActionKind::Adhoc)).await.0,
        ["loud", "quiet"]
    );
    assert_eq!(names(&api, of_kind(ActionKind::Worker)).await.0.len(), 0);
    assert_eq!(names(&api, with_filter("tag = shout")).await.0, ["loud"]);
    let some = names(&api, with_filter("name = quiet OR name = std.echo")).await;
    assert_eq!(some.0, ["std.echo", "quiet"]);
    // Every size of a page gives the same list.
    let expected = [system, vec!["loud".to_owned(), "quiet".to_owned()]].concat();
    for page_size in 1..=4 {
        let (found, pages) = names(&api, v1::ListActionsRequest { page_size, ..all() }).await;
        assert_eq!(found, expected, "pages of {page_size}");
        assert!(pages > 2);
    }

    let get = |name: &str| v1::GetActionRequest {
        project: api.project(),
        name: name.to_owned(),
        ..Default::default()
    };
    let loud = api.actions().get_action(get("loud")).await.unwrap();
    let loud = loud.into_inner().action.unwrap();
    assert_eq!((loud.kind(), &*loud.base), (ActionKind::Adhoc, "std.echo"));
    assert_eq!((loud.input.len(), &*loud.description), (2, "Shouts."));
    assert_eq!(loud.source, source);
    let echo = api.actions().get_action(get("std.echo")).await.unwrap();
    let echo = echo.into_inner().action.unwrap();
    assert_eq!(echo.kind(), ActionKind::System);
    let required: Vec<bool> = echo.input.iter().map(|input| input.required).collect();
    assert_eq!(required, [true, false]);
}

#[tokio::test]
async fn an_action_under_way_keeps_its_revision() {
    let options = Options {
        config: Some("[workers]\nunknown_action_wait_s = 0\n".to_owned()),
        ..Options::default()
    };
    let mut server = TestServer::start_with(options).await.unwrap();
    let api = server.api("actions");
    create(&api, "", &wrap("one")).await.unwrap();
    api.create_workflow(&calling("wf", "wrap")).await.unwrap();
    let first = api.start("wf", &json!({})).await.unwrap().uid;
    assert_eq!(update(&api, &wrap("two")).await.revision, 2);
    assert_eq!(update(&api, &wrap("two")).await.revision, 2);
    let second = api.start("wf", &json!({})).await.unwrap().uid;
    delete(&api, "wrap").await;

    // The revisions must also survive what keeps them in memory.
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let api = server.api("actions");
    for (execution, said) in [(first, "x one"), (second, "x two")] {
        let action = running_action(&api, &execution).await.unwrap();
        let id = &action.action_execution_id;
        api.complete_action(id, &json!("x")).await.unwrap();
        assert_eq!(output_of(&api, &execution).await, json!({"said": said}));
    }
    let failed = api.start("wf", &json!({})).await.unwrap().uid;
    let failed = api.finished(&failed, PATIENCE).await.unwrap();
    assert_eq!(failed.state(), v1::ExecutionState::Error);
    assert!(failed.state_info.contains("Failed to find action"));
}

#[tokio::test]
async fn names_are_looked_up_in_their_namespace_first() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("actions");
    for (namespace, name) in [("", "both"), ("eu", "both"), ("", "general")] {
        let said = if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        let source = format!("version: '2.0'\n{name}: {{base: std.echo output='{said}'}}\n");
        create(&api, namespace, &source).await.unwrap();
    }
    for (namespace, source) in [
        ("eu", calling("of_both", "both")),
        ("eu", calling("of_general", "general")),
        ("", calling("of_both", "both")),
        (
            "eu",
            "version: '2.0'\nparent: {output: {said: <% task(t).result.said %>}, \
             tasks: {t: {workflow: child}}}\n"
                .to_owned(),
        ),
        ("", calling("child", "both")),
    ] {
        let request = v1::CreateWorkflowRequest {
            project: api.project(),
            namespace: namespace.to_owned(),
            source,
            ..Default::default()
        };
        api.workflows().create_workflow(request).await.unwrap();
    }
    for (namespace, workflow, expected) in [
        ("eu", "of_both", Some("eu")),
        ("eu", "of_general", Some("default")),
        ("", "of_both", Some("default")),
        // The child is found in the default namespace; its action is looked for in that of the run.
        ("eu", "parent", Some("eu")),
        // A start takes the named namespace only.
        ("eu", "child", None),
        ("us", "of_both", None),
    ] {
        let request = v1::StartExecutionRequest {
            workflow_namespace: namespace.to_owned(),
            ..api.start_request(workflow, &json!({}))
        };
        let started = api.executions().start_execution(request).await;
        let Some(expected) = expected else {
            assert!(started.is_err(), "{namespace}/{workflow}");
            continue;
        };
        let uid = started.unwrap().into_inner().execution.unwrap().uid;
        let found = output_of(&api, &uid).await;
        assert_eq!(found, json!({"said": expected}), "{namespace}/{workflow}");
    }
}

/// A request to run an action.
fn run(api: &Api, name: &str, input: &Value) -> v1::RunActionRequest {
    v1::RunActionRequest {
        project: api.project(),
        action_name: name.to_owned(),
        input: Some(payload(input)),
        ..Default::default()
    }
}

#[tokio::test]
async fn single_runs_answer_with_the_result() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("actions");
    let source = "version: '2.0'\n\
                  twice: {input: [s], base: std.echo output='<% $.s %><% $.s %>'}\n\
                  four: {input: [s], base: twice s=<% $.s %>, output: {all: <% $ %>}}\n\
                  where: {base: std.echo output=<% env().region %>}\n";
    create(&api, "", source).await.unwrap();
    let (success, error) = (ActionState::Success, ActionState::Error);
    for (name, input, state, expected) in [
        (
            "std.echo",
            json!({"output": [1, 2]}),
            success,
            json!([1, 2]),
        ),
        // Input is data, never an expression.
        (
            "std.echo",
            json!({"output": "<% 1 %>"}),
            success,
            json!("<% 1 %>"),
        ),
        (
            "std.echo",
            json!({"output": "late", "delay": 0.1}),
            success,
            json!("late"),
        ),
        ("std.fail", json!({"error_data": "no"}), error, json!("no")),
        ("four", json!({"s": "ab"}), success, json!({"all": "abab"})),
        ("where", json!({}), success, json!("eu")),
    ] {
        let variables = payload(&json!({"region": "eu", "__actions": {"std.echo": {"delay": 9}}}));
        let request = v1::RunActionRequest {
            environment: Some(v1::run_action_request::Environment::EnvironmentVariables(
                variables,
            )),
            ..run(&api, name, &input)
        };
        let answer = api
            .actions()
            .run_action(request)
            .await
            .unwrap()
            .into_inner();
        let action = answer.action_execution.unwrap();
        assert_eq!((action.state(), answer.finished), (state, true), "{name}");
        assert_eq!(value(action.output.as_ref()).unwrap(), expected, "{name}");
        assert_eq!(value(action.input.as_ref()).unwrap(), input, "{name}");
        let execution = answer.execution.unwrap();
        assert_eq!(execution.kind(), v1::ExecutionKind::Action);
        assert_eq!(execution.workflow_name, name);
    }
    let found = api.list_executions("kind = ACTION").await.unwrap();
    assert_eq!(found.len(), 6);
    assert_eq!(
        api.list_executions("kind = WORKFLOW").await.unwrap().len(),
        0
    );

    let gone = v1::RunActionRequest {
        save: Some(false),
        ..run(&api, "std.noop", &json!({}))
    };
    let gone = api.actions().run_action(gone).await.unwrap().into_inner();
    assert!(gone.finished && gone.action_execution.is_some());
    assert!(api.execution(&gone.execution.unwrap().uid).await.is_err());
}

#[tokio::test]
async fn a_single_run_survives_a_crash() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("actions");
    let request = v1::RunActionRequest {
        execution_id: "approval".to_owned(),
        wait_timeout: Some(prost_types::Duration::default()),
        ..run(&api, "std.async_noop", &json!({}))
    };
    let answer = api.actions().run_action(request.clone()).await.unwrap();
    let answer = answer.into_inner();
    assert!(!answer.finished && answer.started);
    let action = answer.action_execution.unwrap();
    assert_eq!(action.state(), ActionState::Running);

    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let api = server.api("actions");
    let id = &action.action_execution_id;
    api.complete_action(id, &json!("yes")).await.unwrap();
    let found = output_of(&api, "approval").await;
    assert_eq!(found, json!({"result": "yes"}));
    let again = api
        .actions()
        .run_action(request)
        .await
        .unwrap()
        .into_inner();
    assert!(again.finished && !again.started);
}

#[tokio::test]
async fn a_single_run_ends_when_its_time_is_over() {
    let limited = Options {
        config: Some("[limits]\nsingle_action_timeout = \"1s\"\n".to_owned()),
        ..Options::default()
    };
    let asked = |seconds| prost_types::Duration { seconds, nanos: 0 };
    let fraction = prost_types::Duration {
        seconds: 0,
        nanos: 1,
    };
    // The time that a request gives holds within the limit of the server, and is rounded up.
    for (options, timeouts) in [
        (Options::default(), vec![Some(asked(1)), Some(fraction)]),
        (limited, vec![None, Some(asked(3600))]),
    ] {
        let server = TestServer::start_with(options).await.unwrap();
        let api = server.api("actions");
        for timeout in timeouts {
            let request = v1::RunActionRequest {
                timeout,
                wait_timeout: Some(prost_types::Duration::default()),
                ..run(&api, "std.async_noop", &json!({}))
            };
            let answer = api.actions().run_action(request).await.unwrap();
            let uid = answer.into_inner().execution.unwrap().uid;
            let ended = api.finished(&uid, PATIENCE).await.unwrap();
            assert_eq!(ended.state(), v1::ExecutionState::Error, "{timeout:?}");
            let why = "timed out [timeout(s)=1]";
            assert!(ended.state_info.contains(why), "{}", ended.state_info);
        }
    }
}
