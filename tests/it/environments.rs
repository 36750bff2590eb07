//! Environments: kept by name, copied into the executions that start with them.

use e2e::api::{Api, payload, value};
use e2e::server::TestServer;
use proto::v1;
use proto::v1::start_execution_request::Environment as Given;
use serde_json::{Value, json};

use crate::support::{PATIENCE, step};

/// Waits for the test, then says what it and its child know of their environment.
const WORKFLOWS: &str = "version: '2.0'
parent:
  output: {own: <% env().region %>, of_child: <% task(c).result.region %>}
  tasks:
    t: {action: std.async_noop, on-success: c}
    c: {workflow: child}
child:
  output: {region: <% env().region %>}
  tasks: {t: {action: std.noop}}
";

async fn create(api: &Api, name: &str, variables: &Value) -> v1::Environment {
    let request = v1::CreateEnvironmentRequest {
        project: api.project(),
        name: name.to_owned(),
        description: format!("about {name}"),
        variables: Some(payload(variables)),
        ..Default::default()
    };
    let answer = api.environments().create_environment(request).await;
    answer.unwrap().into_inner().environment.unwrap()
}

async fn get(api: &Api, name: &str) -> v1::Environment {
    let request = v1::GetEnvironmentRequest {
        project: api.project(),
        name: name.to_owned(),
        ..Default::default()
    };
    let answer = api.environments().get_environment(request).await;
    answer.unwrap().into_inner().environment.unwrap()
}

fn variables(environment: &v1::Environment) -> Value {
    value(environment.variables.as_ref()).unwrap()
}

#[tokio::test]
async fn they_are_kept_and_changed_by_name() {
    let mut server = TestServer::start().await.unwrap();
    let api = server.api("environments");
    let made = create(&api, "prod", &json!({"a": 1, "b": [2]})).await;
    create(&api, "test", &json!({})).await;
    let change = v1::UpdateEnvironmentRequest {
        project: api.project(),
        name: "prod".to_owned(),
        variables: Some(payload(&json!({"b": 3}))),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["variables.b".to_owned(), "variables.c".to_owned()],
        }),
        etag: made.etag.clone(),
        ..Default::default()
    };
    let stale = change.clone();
    let changed = api.environments().update_environment(change).await.unwrap();
    let changed = changed.into_inner().environment.unwrap();
    assert_eq!(variables(&changed), json!({"a": 1, "b": 3}));
    assert_ne!(changed.etag, made.etag);
    assert!(api.environments().update_environment(stale).await.is_err());

    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let api = server.api("environments");
    let found = get(&api, "prod").await;
    assert_eq!(
        (&found.etag, &*found.description),
        (&changed.etag, "about prod")
    );
    for (filter, expected) in [
        ("", vec!["prod", "test"]),
        ("name = \"t*\"", vec!["test"]),
        ("create_time < \"2020-01-01T00:00:00Z\"", vec![]),
    ] {
        let request = v1::ListEnvironmentsRequest {
            project: api.project(),
            filter: filter.to_owned(),
            page_size: 1,
            ..Default::default()
        };
        let mut names = Vec::new();
        let mut next = request.clone();
        loop {
            let page = api.environments().list_environments(next).await.unwrap();
            let page = page.into_inner();
            names.extend(page.environments.into_iter().map(|one| one.name));
            if page.next_page_token.is_empty() {
                break;
            }
            next = v1::ListEnvironmentsRequest {
                page_token: page.next_page_token,
                ..request.clone()
            };
        }
        assert_eq!(names, expected, "{filter}");
    }

    // A name that is made again does not get an etag that it had.
    let delete = v1::DeleteEnvironmentRequest {
        project: api.project(),
        name: "prod".to_owned(),
        ..Default::default()
    };
    api.environments().delete_environment(delete).await.unwrap();
    let again = create(&api, "prod", &json!({})).await;
    assert!(again.etag != made.etag && again.etag != changed.etag);
}

#[tokio::test]
async fn an_execution_has_a_copy() {
    let server = TestServer::start_in_memory().await.unwrap();
    let api = server.api("environments");
    api.create_workflow(WORKFLOWS).await.unwrap();
    let stored = json!({"region": "<% env().country %>-1", "country": "fr"});
    create(&api, "prod", &stored).await;
    let start = |given: Option<Given>, params: Value| v1::StartExecutionRequest {
        environment: given,
        params: Some(payload(&params)),
        ..api.start_request("parent", &json!({}))
    };
    let by_name = || Some(Given::EnvironmentName("prod".to_owned()));
    let inline = Some(Given::EnvironmentVariables(payload(
        &json!({"region": "us"}),
    )));
    let mut started = Vec::new();
    for (request, expected) in [
        (start(by_name(), json!({})), "fr-1"),
        (start(None, json!({"env": "prod"})), "fr-1"),
        (
            start(by_name(), json!({"evaluate_env": false})),
            "<% env().country %>-1",
        ),
        (start(inline, json!({})), "us"),
    ] {
        let answer = api.executions().start_execution(request).await.unwrap();
        let execution = answer.into_inner().execution.unwrap();
        started.push((execution.uid, expected));
    }
    // What happens to the environment afterwards does not matter to them.
    let delete = v1::DeleteEnvironmentRequest {
        project: api.project(),
        name: "prod".to_owned(),
        ..Default::default()
    };
    api.environments().delete_environment(delete).await.unwrap();
    for (uid, expected) in started {
        step(&api, &uid).await;
        let done = api.finished(&uid, PATIENCE).await.unwrap();
        let wanted = json!({"own": expected, "of_child": expected});
        assert_eq!(value(done.output.as_ref()).unwrap(), wanted);
    }
}
