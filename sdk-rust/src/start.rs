//! Starting a workflow.

use std::collections::BTreeMap;
use std::sync::Arc;

use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::start_execution_request::Environment;
use proto::v1::{IdConflictPolicy, StartExecutionRequest, StartExecutionResponse};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::handle::ExecutionHandle;
use crate::payload::Payload;
use crate::resources::Execution;
use crate::transport::Transport;
use crate::verb::new_request_id;

/// What to do if an execution of the chosen id exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdConflict {
    /// Take the existing one, so that starting twice is starting once.
    #[default]
    UseExisting,
    /// Fail with [`Reason::ExecutionAlreadyExists`](crate::Reason::ExecutionAlreadyExists).
    Fail,
}

impl IdConflict {
    /// Its number in the contract.
    pub(crate) fn number(self) -> i32 {
        match self {
            Self::UseExisting => IdConflictPolicy::UseExisting.into(),
            Self::Fail => IdConflictPolicy::Fail.into(),
        }
    }
}

/// The start of a workflow in preparation.
#[derive(Clone, Debug)]
#[must_use = "nothing is started before `send`"]
pub struct StartExecution {
    transport: Arc<Transport>,
    request: StartExecutionRequest,
    priority: Option<i32>,
}

impl StartExecution {
    pub(crate) fn new(transport: Arc<Transport>, workflow_name: String) -> Self {
        let request = StartExecutionRequest {
            project: transport.project(),
            workflow_name,
            // Made here and not with each attempt: a repetition must be known as one.
            request_id: new_request_id(),
            ..StartExecutionRequest::default()
        };
        Self {
            transport,
            request,
            priority: None,
        }
    }

    /// Gives the execution this id; the server gives one otherwise.
    pub fn id(mut self, execution_id: impl Into<String>) -> Self {
        self.request.execution_id = execution_id.into();
        self
    }

    /// What to do if the id is taken.
    pub fn on_conflict(mut self, policy: IdConflict) -> Self {
        self.request.id_conflict_policy = policy.number();
        self
    }

    /// The inputs of the workflow: anything that serde writes as a JSON object.
    pub fn input(self, input: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        Ok(self.input_payload(Payload::encode(input, "the input")?))
    }

    /// The inputs of the workflow, as they are sent.
    pub fn input_payload(mut self, input: Payload) -> Self {
        self.request.input = Some(input.into_proto());
        self
    }

    /// Gives the execution a copy of this stored environment, which expressions read as `env()`.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.request.environment = Some(Environment::EnvironmentName(name.into()));
        self
    }

    /// Gives the execution these variables as its environment: anything that serde writes as a JSON
    /// object.
    pub fn env(mut self, variables: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let variables = Payload::encode(variables, "the environment")?.into_proto();
        self.request.environment = Some(Environment::EnvironmentVariables(variables));
        Ok(self)
    }

    /// Where calls wait for workers, those of executions with a higher priority go first: -100 to
    /// 100, 0 if nothing is said. Sub-workflows have that of their parent.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Start parameters: an object with `evaluate_env`, `task_name`, `notify` and free ones. It may
    /// hold `env` as well, unless the environment is given otherwise.
    pub fn params(mut self, params: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.params = Some(Payload::encode(params, "the parameters")?.into_proto());
        Ok(self)
    }

    /// A label for filtering.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.labels.insert(key.into(), value.into());
        self
    }

    /// Labels for filtering.
    pub fn labels(mut self, labels: impl IntoIterator<Item = (String, String)>) -> Self {
        self.request.labels.extend(BTreeMap::from_iter(labels));
        self
    }

    /// Free text.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.request.description = description.into();
        self
    }

    /// Runs this revision instead of the latest.
    pub fn revision(mut self, revision: i32) -> Self {
        self.request.workflow_revision = revision;
        self
    }

    /// Looks the workflow up in this namespace.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.request.workflow_namespace = namespace.into();
        self
    }

    /// Idempotency id of the call, a UUID. One is made if none is given; give your own to repeat
    /// the call after a restart of the application.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request.request_id = request_id.into();
        self
    }

    /// Starts the execution. It is stored when this returns.
    pub async fn send(self) -> Result<ExecutionHandle, Error> {
        let transport = self.transport.clone();
        let answer = self.call().await?;
        let execution = answer
            .execution
            .ok_or(Error::Incomplete { field: "execution" })?;
        Ok(ExecutionHandle::started(
            transport,
            Execution::from(execution),
            answer.started,
        ))
    }

    /// Checks workflow and input, and starts nothing.
    pub async fn validate(mut self) -> Result<(), Error> {
        self.request.validate_only = true;
        self.call().await.map(drop)
    }

    async fn call(mut self) -> Result<StartExecutionResponse, Error> {
        if let Some(priority) = self.priority {
            let given = self.request.params.take().map(Payload::from);
            let mut params: BTreeMap<String, Box<RawValue>> = match given {
                Some(given) => given.to()?,
                None => BTreeMap::new(),
            };
            let priority = serde_json::value::to_raw_value(&priority);
            params.insert(
                "priority".to_owned(),
                priority.expect("a number has a JSON form"),
            );
            self = self.params(&params)?;
        }
        self.transport
            .unary(self.request, |channel, request| async move {
                ExecutionServiceClient::new(channel)
                    .start_execution(request)
                    .await
            })
            .await
    }
}
