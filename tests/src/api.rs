//! Clients of every service of the contract for one project, and the small talk of tests.
//!
//! Owns short forms of calls that many tests make. Uses the generated stubs, not the SDK: tests
//! want to send what the SDK would never send, and to see exactly what came back.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use proto::v1;
use proto::v1::action_service_client::ActionServiceClient;
use proto::v1::environment_service_client::EnvironmentServiceClient;
use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::system_service_client::SystemServiceClient;
use proto::v1::task_service_client::TaskServiceClient;
use proto::v1::workbook_service_client::WorkbookServiceClient;
use proto::v1::workflow_service_client::WorkflowServiceClient;
use serde_json::Value;
use tokio::time::Instant;
use tonic::Status;
use tonic::transport::Channel;

use crate::server::lazy_channel;

/// Largest answer that is accepted; the server promises pages of at most 3 MiB.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Rows asked for at once.
const PAGE_SIZE: i32 = 1000;

/// Clients of one server for one project.
#[derive(Clone, Debug)]
pub struct Api {
    address: String,
    project: String,
    channel: Channel,
}

impl Api {
    /// Clients on a new connection to `host:port`.
    pub fn connect_lazy(address: &str, project: &str) -> Self {
        Self {
            address: address.to_owned(),
            project: project.to_owned(),
            channel: lazy_channel(address),
        }
    }

    /// The same connection for another project.
    #[must_use]
    pub fn within(&self, project: &str) -> Self {
        Self {
            project: project.to_owned(),
            ..self.clone()
        }
    }

    /// The same on another connection, so that it can be cut without harm to this one.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self::connect_lazy(&self.address, &self.project)
    }

    /// The tenant, for requests.
    pub fn project(&self) -> String {
        self.project.clone()
    }

    /// The connection.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Client of the workflows.
    pub fn workflows(&self) -> WorkflowServiceClient<Channel> {
        WorkflowServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    /// Client of the workbooks.
    pub fn workbooks(&self) -> WorkbookServiceClient<Channel> {
        WorkbookServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    /// Client of the actions.
    pub fn actions(&self) -> ActionServiceClient<Channel> {
        ActionServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    /// Client of the environments.
    pub fn environments(&self) -> EnvironmentServiceClient<Channel> {
        EnvironmentServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    /// Client of the executions.
    pub fn executions(&self) -> ExecutionServiceClient<Channel> {
        ExecutionServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    /// Client of the tasks and actions.
    pub fn tasks(&self) -> TaskServiceClient<Channel> {
        TaskServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    /// Client of the server itself.
    pub fn system(&self) -> SystemServiceClient<Channel> {
        SystemServiceClient::new(self.channel())
    }

    /// Creates the workflows of a document.
    pub async fn create_workflow(&self, source: &str) -> Result<Vec<v1::Workflow>, Status> {
        let request = v1::CreateWorkflowRequest {
            project: self.project(),
            source: source.to_owned(),
            ..Default::default()
        };
        let answer = self.workflows().create_workflow(request).await?;
        Ok(answer.into_inner().workflows)
    }

    /// A request to start a workflow, to be filled in further.
    pub fn start_request(&self, workflow: &str, input: &Value) -> v1::StartExecutionRequest {
        v1::StartExecutionRequest {
            project: self.project(),
            workflow_name: workflow.to_owned(),
            input: Some(payload(input)),
            ..Default::default()
        }
    }

    /// Starts a workflow and returns the execution.
    pub async fn start(&self, workflow: &str, input: &Value) -> Result<v1::Execution, Status> {
        let request = self.start_request(workflow, input);
        let answer = self.executions().start_execution(request).await?;
        Ok(answer.into_inner().execution.unwrap_or_default())
    }

    /// Reads an execution in full.
    pub async fn execution(&self, id: &str) -> Result<v1::Execution, Status> {
        let request = v1::GetExecutionRequest {
            project: self.project(),
            execution_id: id.to_owned(),
            ..Default::default()
        };
        let answer = self.executions().get_execution(request).await?;
        Ok(answer.into_inner().execution.unwrap_or_default())
    }

    /// Waits until an execution is finished and returns it.
    pub async fn finished(&self, id: &str, patience: Duration) -> Result<v1::Execution> {
        let deadline = Instant::now() + patience;
        loop {
            let request = v1::WaitExecutionRequest {
                project: self.project(),
                execution_id: id.to_owned(),
                ..Default::default()
            };
            let answer = self.executions().wait_execution(request).await;
            let answer = answer.with_context(|| format!("waiting for {id}"))?;
            let answer = answer.into_inner();
            let execution = answer.execution.unwrap_or_default();
            if answer.finished {
                return Ok(execution);
            }
            if Instant::now() > deadline {
                bail!("{id} is still {:?} after {patience:?}", execution.state());
            }
        }
    }

    /// All tasks of an execution, in full, in order of their creation.
    pub async fn list_tasks(&self, execution_id: &str) -> Result<Vec<v1::TaskExecution>, Status> {
        let mut request = v1::ListTaskExecutionsRequest {
            project: self.project(),
            execution_id: execution_id.to_owned(),
            page_size: PAGE_SIZE,
            view: v1::View::Full.into(),
            ..Default::default()
        };
        let mut tasks = Vec::new();
        loop {
            let answer = self.tasks().list_task_executions(request.clone()).await?;
            let answer = answer.into_inner();
            tasks.extend(answer.task_executions);
            if answer.next_page_token.is_empty() {
                return Ok(tasks);
            }
            request.page_token = answer.next_page_token;
        }
    }

    /// All actions of an execution or a task, in full, in order of their creation.
    pub async fn list_actions(
        &self,
        parent: v1::list_action_executions_request::Parent,
    ) -> Result<Vec<v1::ActionExecution>, Status> {
        let mut request = v1::ListActionExecutionsRequest {
            project: self.project(),
            parent: Some(parent),
            page_size: PAGE_SIZE,
            view: v1::View::Full.into(),
            ..Default::default()
        };
        let mut actions = Vec::new();
        loop {
            let answer = self.tasks().list_action_executions(request.clone()).await?;
            let answer = answer.into_inner();
            actions.extend(answer.action_executions);
            if answer.next_page_token.is_empty() {
                return Ok(actions);
            }
            request.page_token = answer.next_page_token;
        }
    }

    /// The whole history of an execution.
    pub async fn history(&self, execution_id: &str) -> Result<Vec<v1::HistoryEvent>, Status> {
        let mut request = v1::ListHistoryEventsRequest {
            project: self.project(),
            execution_id: execution_id.to_owned(),
            page_size: PAGE_SIZE,
            ..Default::default()
        };
        let mut events = Vec::new();
        loop {
            let answer = self
                .executions()
                .list_history_events(request.clone())
                .await?;
            let answer = answer.into_inner();
            events.extend(answer.events);
            if answer.next_page_token.is_empty() {
                return Ok(events);
            }
            request.page_token = answer.next_page_token;
        }
    }

    /// All executions of the project that a filter finds, BASIC view.
    pub async fn list_executions(&self, filter: &str) -> Result<Vec<v1::Execution>, Status> {
        let mut request = v1::ListExecutionsRequest {
            project: self.project(),
            filter: filter.to_owned(),
            page_size: PAGE_SIZE,
            ..Default::default()
        };
        let mut executions = Vec::new();
        loop {
            let answer = self.executions().list_executions(request.clone()).await?;
            let answer = answer.into_inner();
            executions.extend(answer.executions);
            if answer.next_page_token.is_empty() {
                return Ok(executions);
            }
            request.page_token = answer.next_page_token;
        }
    }

    /// Completes an action that runs outside.
    pub async fn complete_action(&self, id: &str, result: &Value) -> Result<(), Status> {
        let request = v1::CompleteActionExecutionRequest {
            project: self.project(),
            action_execution_id: id.to_owned(),
            result: Some(payload(result)),
            ..Default::default()
        };
        self.tasks().complete_action_execution(request).await?;
        Ok(())
    }
}

/// A value as the payload that SDKs send.
pub fn payload(value: &Value) -> v1::Payload {
    json_payload(&value.to_string())
}

/// A text as a payload, be it JSON or not.
pub fn json_payload(text: &str) -> v1::Payload {
    v1::Payload {
        encoding: Some(v1::payload::Encoding::Json(text.to_owned())),
        ..Default::default()
    }
}

/// The value of a payload; absent means null.
pub fn value(payload: Option<&v1::Payload>) -> Result<Value> {
    match payload.and_then(|payload| payload.encoding.as_ref()) {
        None => Ok(Value::Null),
        Some(v1::payload::Encoding::Json(text)) => {
            serde_json::from_str(text).with_context(|| format!("not JSON: {text}"))
        }
        Some(other) => bail!("expected JSON, not {other:?}"),
    }
}
