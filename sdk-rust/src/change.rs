//! More verbs of an execution: pausing, restarting, and changing what is said of it.
//!
//! Each is prepared, can be given a reason, and is sent by awaiting it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::restart_execution_request::Environment;
use proto::v1::{PauseExecutionRequest, RestartExecutionRequest, UpdateExecutionRequest};
use serde::Serialize;

use crate::error::Error;
use crate::handle::ExecutionHandle;
use crate::payload::Payload;
use crate::resources::Execution;
use crate::transport::Transport;
use crate::verb::new_request_id;

/// A pause in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct PauseExecution {
    transport: Arc<Transport>,
    request: PauseExecutionRequest,
}

impl PauseExecution {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let request = PauseExecutionRequest {
            project: transport.project(),
            execution_id,
            request_id: new_request_id(),
            ..PauseExecutionRequest::default()
        };
        Self { transport, request }
    }

    /// Lets the timeouts of tasks go on; one that passes meanwhile strikes at the resume.
    pub fn timeouts_run(mut self) -> Self {
        self.request.timeouts_run = true;
        self
    }

    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }
}

impl IntoFuture for PauseExecution {
    type Output = Result<Execution, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .pause_execution(request)
                        .await
                })
                .await?;
            there(answer.execution)
        })
    }
}

/// A change of labels, description or environment in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct UpdateExecution {
    transport: Arc<Transport>,
    request: UpdateExecutionRequest,
}

impl UpdateExecution {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let request = UpdateExecutionRequest {
            project: transport.project(),
            execution_id,
            request_id: new_request_id(),
            ..UpdateExecutionRequest::default()
        };
        Self { transport, request }
    }

    /// All labels from now on; none takes all away.
    pub fn labels(mut self, labels: impl IntoIterator<Item = (String, String)>) -> Self {
        self.request.labels = BTreeMap::from_iter(labels);
        self.change("labels")
    }

    /// The description from now on.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.request.description = description.into();
        self.change("description")
    }

    /// Changes these variables of the environment of a paused execution: anything that serde writes
    /// as a JSON object.
    pub fn env(mut self, env: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.environment = Some(Payload::encode(env, "the environment")?.into_proto());
        Ok(self.change("environment"))
    }

    /// Refuses (`ETAG_MISMATCH`) if labels or description were changed since this etag was read.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.request.etag = etag.into();
        self
    }

    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }

    fn change(mut self, field: &str) -> Self {
        let mask = self.request.update_mask.get_or_insert_default();
        if !mask.paths.iter().any(|path| path == field) {
            mask.paths.push(field.to_owned());
        }
        self
    }
}

impl IntoFuture for UpdateExecution {
    type Output = Result<Execution, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .update_execution(request)
                        .await
                })
                .await?;
            there(answer.execution)
        })
    }
}

/// A restart in preparation; await it to send it. What is not given is as in the source.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct RestartExecution {
    transport: Arc<Transport>,
    request: RestartExecutionRequest,
}

impl RestartExecution {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let request = RestartExecutionRequest {
            project: transport.project(),
            execution_id,
            request_id: new_request_id(),
            ..RestartExecutionRequest::default()
        };
        Self { transport, request }
    }

    /// Id of the new execution; the server gives one if none is chosen.
    pub fn id(mut self, execution_id: impl Into<String>) -> Self {
        self.request.new_execution_id = execution_id.into();
        self
    }

    /// Runs the latest revision of the workflow instead of the same one.
    pub fn latest_revision(mut self) -> Self {
        self.request.latest_revision = true;
        self
    }

    /// All inputs: anything that serde writes as a JSON object.
    pub fn input(mut self, input: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.input = Some(Payload::encode(input, "the input")?.into_proto());
        Ok(self)
    }

    /// All start parameters but the environment: an object.
    pub fn params(mut self, params: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.params = Some(Payload::encode(params, "the parameters")?.into_proto());
        Ok(self)
    }

    /// Gives it a copy of this stored environment.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.request.environment = Some(Environment::EnvironmentName(name.into()));
        self
    }

    /// Gives it these variables: anything that serde writes as a JSON object.
    pub fn env(mut self, variables: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let variables = Payload::encode(variables, "the environment")?.into_proto();
        self.request.environment = Some(Environment::EnvironmentVariables(variables));
        Ok(self)
    }

    /// All labels; none means that it has none.
    pub fn labels(mut self, labels: impl IntoIterator<Item = (String, String)>) -> Self {
        self.request.labels = BTreeMap::from_iter(labels);
        self.request.clear_labels = true;
        self
    }

    /// Free text.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.request.description = description.into();
        self
    }

    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }
}

impl IntoFuture for RestartExecution {
    type Output = Result<ExecutionHandle, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let transport = self.transport.clone();
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .restart_execution(request)
                        .await
                })
                .await?;
            let execution = there(answer.execution)?;
            Ok(ExecutionHandle::started(transport, execution, true))
        })
    }
}

fn there(execution: Option<proto::v1::Execution>) -> Result<Execution, Error> {
    execution
        .map(Execution::from)
        .ok_or(Error::Incomplete { field: "execution" })
}
