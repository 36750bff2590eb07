//! An action that the server hands over to somebody outside, across a restart.

use axum::Router;
use axum::routing::any;
use http::{HeaderMap, StatusCode};
use proto::v1::{self, ActionState, ExecutionState};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Api, create, json, text};
use crate::Config;

/// A service that accepts every request: its URL, and the ids of the actions that it is asked for.
async fn service() -> (String, mpsc::UnboundedReceiver<String>) {
    let (sender, asked) = mpsc::unbounded_channel();
    let accept = move |headers: HeaderMap| async move {
        let id = headers["mistral-action-execution-id"].to_str().unwrap();
        sender.send(id.to_owned()).unwrap();
        StatusCode::ACCEPTED
    };
    let routes = Router::new().route("/", any(accept));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, asked)
}

fn update(id: &str, state: ActionState) -> v1::UpdateActionExecutionRequest {
    v1::UpdateActionExecutionRequest {
        action_execution_id: id.into(),
        state: state.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_request_that_was_answered_is_not_sent_again() {
    let (url, mut asked) = service().await;
    let folder = TempDir::new().unwrap();
    let mut config = Config::in_memory();
    config.store.url = Some(format!("sqlite:{}", folder.path().join("db").display()));
    config.actions.egress.denied_networks = Vec::new();
    let mut api = Api::on(&config).await;
    let source = format!(
        "version: '2.0'\nask:\n  output: {{answer: <% $.answer %>}}\n  tasks:\n    ask:\n      \
         action: std.mistral_http url=\"{url}\"\n      publish: {{answer: <% task().result %>}}\n"
    );
    api.workflows
        .create_workflow(create(&source))
        .await
        .unwrap();
    api.run("ask", "e", "{}").await;
    let id = asked.recv().await.unwrap();
    // Only what has been handed over can be paused; the service may be faster than that.
    let paused = update(&id, ActionState::Paused);
    while api
        .tasks
        .update_action_execution(paused.clone())
        .await
        .is_err()
    {}
    let running = update(&id, ActionState::Running);
    api.tasks.update_action_execution(running).await.unwrap();
    api.stop().await;

    let mut api = Api::on(&config).await;
    let complete = v1::CompleteActionExecutionRequest {
        action_execution_id: id,
        result: Some(json("42")),
        ..Default::default()
    };
    api.tasks.complete_action_execution(complete).await.unwrap();
    let execution = api.finished("e").await;
    assert_eq!(execution.state(), ExecutionState::Success);
    assert_eq!(text(execution.output.as_ref()), r#"{"answer":42}"#);
    assert!(asked.try_recv().is_err());
    api.stop().await;
}
