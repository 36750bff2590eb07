//! The API from outside, over a real connection to a server in this process with an empty store.

mod audit;
mod batches;
mod callers;
mod definitions;
mod executions;
mod handed_over;
mod insight;
mod lifecycle;
mod patience;
mod retention;
mod tasks;
mod transport;
mod watching;
mod watching_many;
mod workers;

use std::collections::BTreeMap;

use proto::v1;
use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::payload::Encoding;
use proto::v1::system_service_client::SystemServiceClient;
use proto::v1::task_service_client::TaskServiceClient;
use proto::v1::workbook_service_client::WorkbookServiceClient;
use proto::v1::workflow_service_client::WorkflowServiceClient;
use tonic::transport::Channel;
use tonic::{Response, Status};
use tonic_types::StatusExt as _;

use crate::{Config, Server};

/// A workflow that ends at once, with its input as output.
const ECHO: &str = "
version: '2.0'
echo:
  description: Says what it hears.
  tags: [small]
  input:
    - word
    - times: 1
  output:
    said: <% $.said %>
  tasks:
    say:
      tags: [loud]
      action: std.echo output=<% $.word %>
      publish:
        said: <% task().result %>
      on-success: check
    check:
      action: std.noop
";

/// A workflow that runs until its action is completed from outside.
const ASYNC: &str = "
version: '2.0'
held:
  output:
    given: <% $.get(given) %>
  tasks:
    hold:
      action: std.async_noop
      publish:
        given: <% task().result %>
";

/// A server and its clients.
struct Api {
    server: Server,
    channel: Channel,
    workflows: WorkflowServiceClient<Channel>,
    workbooks: WorkbookServiceClient<Channel>,
    executions: ExecutionServiceClient<Channel>,
    tasks: TaskServiceClient<Channel>,
    system: SystemServiceClient<Channel>,
}

impl Api {
    async fn start() -> Self {
        Self::on(&Config::in_memory()).await
    }

    async fn on(config: &Config) -> Self {
        let server = Server::start(config).await.expect("the server starts");
        let url = format!("http://{}", server.address());
        let endpoint = Channel::from_shared(url).expect("the address is a URL");
        let channel = endpoint.connect().await.expect("the server listens");
        Self {
            server,
            workflows: WorkflowServiceClient::new(channel.clone()),
            workbooks: WorkbookServiceClient::new(channel.clone()),
            executions: ExecutionServiceClient::new(channel.clone()),
            tasks: TaskServiceClient::new(channel.clone()),
            system: SystemServiceClient::new(channel.clone()),
            channel,
        }
    }

    /// A server that has these workflows.
    async fn with(sources: &[&str]) -> Self {
        let mut api = Self::start().await;
        for source in sources {
            api.workflows
                .create_workflow(create(source))
                .await
                .expect("the workflow is right");
        }
        api
    }

    /// Starts a workflow.
    async fn run(&mut self, workflow: &str, id: &str, input: &str) -> v1::Execution {
        let started = self
            .executions
            .start_execution(start(workflow, id, input))
            .await;
        started
            .expect("it starts")
            .into_inner()
            .execution
            .expect("it is there")
    }

    /// Waits for the end of an execution.
    async fn finished(&mut self, id: &str) -> v1::Execution {
        let request = v1::WaitExecutionRequest {
            execution_id: id.into(),
            ..Default::default()
        };
        let waited = self
            .executions
            .wait_execution(request)
            .await
            .expect("it is there");
        let waited = waited.into_inner();
        assert!(waited.finished, "{:?}", waited.execution);
        waited.execution.expect("it is there")
    }

    async fn pause(&mut self, id: &str, why: &str) {
        let request = v1::PauseExecutionRequest {
            execution_id: id.into(),
            reason: why.into(),
            ..Default::default()
        };
        let paused = self.executions.pause_execution(request).await;
        paused.expect("it can be paused");
    }

    async fn stop(self) {
        self.server.stop_token().cancel();
        drop((
            self.workflows,
            self.workbooks,
            self.executions,
            self.tasks,
            self.system,
        ));
        drop(self.channel);
        self.server.stopped().await.expect("the server stops");
    }
}

fn create(source: &str) -> v1::CreateWorkflowRequest {
    v1::CreateWorkflowRequest {
        source: source.into(),
        ..Default::default()
    }
}

fn start(workflow: &str, id: &str, input: &str) -> v1::StartExecutionRequest {
    v1::StartExecutionRequest {
        workflow_name: workflow.into(),
        execution_id: id.into(),
        input: Some(json(input)),
        ..Default::default()
    }
}

fn json(text: &str) -> v1::Payload {
    v1::Payload {
        encoding: Some(Encoding::Json(text.into())),
        ..Default::default()
    }
}

/// The JSON text of a payload.
fn text(payload: Option<&v1::Payload>) -> &str {
    match payload.and_then(|payload| payload.encoding.as_ref()) {
        Some(Encoding::Json(text)) => text,
        other => panic!("no JSON: {other:?}"),
    }
}

/// The reason and the metadata of a refusal.
fn refusal<T: std::fmt::Debug>(
    result: Result<Response<T>, Status>,
) -> (String, BTreeMap<String, String>) {
    let status = result.expect_err("it is refused");
    let info = status.get_details_error_info();
    let info = info.unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    (info.reason, info.metadata.into_iter().collect())
}

/// The reason of a refusal.
fn reason<T: std::fmt::Debug>(result: Result<Response<T>, Status>) -> String {
    refusal(result).0
}

const REQUEST_ID: &str = "01920000-0000-7000-8000-000000000001";
