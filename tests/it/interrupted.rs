//! Actions that were under way when the server was killed: `safe-rerun` decides about them.

use e2e::http::HttpServer;
use e2e::server::{Options, TestServer};
use proto::v1;
use serde_json::json;

use crate::support::PATIENCE;

const WORKFLOW: &str = "
version: '2.0'
interrupted:
  input: [base]
  output:
    safe: <% $.get(safe) %>
    guarded: <% $.get(guarded) %>
    error: <% $.get(error) %>
    retried: <% $.get(retried) %>
    slept: <% $.get(slept) %>
  tasks:
    safe:
      action: std.http url=\"<% $.base %>/held/safe\"
      safe-rerun: <% $.base.startsWith('http') %>
      publish: {safe: <% task().result.content.path %>}
    guarded:
      action: std.http url=\"<% $.base %>/held/guarded\"
      publish: {guarded: true}
      publish-on-error: {error: <% task().result %>}
      on-error: noop
    retried:
      action: std.http url=\"<% $.base %>/held/retried\"
      retry: {count: 1, delay: 0}
      publish: {retried: <% task().result.content.path %>}
    slept:
      action: std.sleep seconds=1
      publish: {slept: true}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_action_runs_again_only_where_that_is_safe() {
    let web = HttpServer::start().await.unwrap();
    let options = Options {
        // The web server of this test is on this machine.
        config: Some("[actions.egress]\ndenied_networks = []\n".to_owned()),
        ..Options::default()
    };
    let mut server = TestServer::start_with(options).await.unwrap();
    let api = server.api("interrupted");
    api.create_workflow(WORKFLOW).await.unwrap();
    let input = json!({"base": web.url()});
    let started = api.start("interrupted", &input).await.unwrap();
    web.asked_for(&["/held/safe", "/held/guarded", "/held/retried"])
        .await;
    server.kill().await.unwrap();
    server.restart().await.unwrap();

    let done = api.finished(&started.uid, PATIENCE).await.unwrap();
    let output = e2e::api::value(done.output.as_ref()).unwrap();
    assert_eq!(done.state(), v1::ExecutionState::Success, "{output}");
    assert_eq!(output["safe"], "/held/safe");
    assert_eq!(output["guarded"], json!(null));
    assert_eq!(output["retried"], "/held/retried");
    assert_eq!(output["slept"], true);
    let error = output["error"].as_str().unwrap();
    assert!(error.ends_with("cannot be re-run safely."), "{error}");
    // What must not be sent twice was sent once; a retry is a request of its own.
    let counts = web.counts();
    assert_eq!(
        ["/held/safe", "/held/guarded", "/held/retried"].map(|path| counts[path]),
        [2, 1, 2]
    );
}
