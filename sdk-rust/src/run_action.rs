//! Running one action without a workflow.
//!
//! Owns the start and [`ActionRun`]. Left to others: the execution that stands behind it
//! (`handle`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proto::v1::action_service_client::ActionServiceClient;
use proto::v1::run_action_request::Environment;
use proto::v1::{RunActionRequest, RunActionResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::handle::{ExecutionHandle, outcome};
use crate::listing::Listing;
use crate::payload::Payload;
use crate::resources::{ActionExecution, Execution};
use crate::start::IdConflict;
use crate::tasks::ActionExecutions;
use crate::transport::Transport;
use crate::verb::{Verb, new_request_id};
use crate::watch::Events;

/// How long the server waits for a result if it is not told.
const WAIT_DEFAULT: Duration = Duration::from_secs(10);

/// One run of an action in preparation.
#[derive(Clone, Debug)]
#[must_use = "nothing is started before `send`"]
pub struct RunAction {
    transport: Arc<Transport>,
    request: RunActionRequest,
    wait: Duration,
}

impl RunAction {
    pub(crate) fn new(transport: Arc<Transport>, namespace: String, action_name: String) -> Self {
        let request = RunActionRequest {
            project: transport.project(),
            namespace,
            action_name,
            request_id: new_request_id(),
            ..RunActionRequest::default()
        };
        Self {
            transport,
            request,
            wait: Duration::ZERO,
        }
    }

    /// The inputs of the action: anything that serde writes as a JSON object. No part of it is an
    /// expression.
    pub fn input(self, input: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        Ok(self.input_payload(Payload::encode(input, "the input")?))
    }

    /// The inputs of the action, as they are sent.
    pub fn input_payload(mut self, input: Payload) -> Self {
        self.request.input = Some(input.into_proto());
        self
    }

    /// Gives a copy of this stored environment to the expressions of an ad-hoc action.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.request.environment = Some(Environment::EnvironmentName(name.into()));
        self
    }

    /// Gives these variables to the expressions of an ad-hoc action: anything that serde writes as
    /// a JSON object.
    pub fn env(mut self, variables: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let variables = Payload::encode(variables, "the environment")?.into_proto();
        self.request.environment = Some(Environment::EnvironmentVariables(variables));
        Ok(self)
    }

    /// Looks the action up in this namespace, then in the default one.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.request.namespace = namespace.into();
        self
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

    /// Lets the server answer only with the result, or after this time, of at most 10 s. Otherwise
    /// it answers as soon as the start is stored.
    pub fn wait(mut self, time: Duration) -> Self {
        self.wait = time;
        self.request.wait_timeout = prost_types::Duration::try_from(time).ok();
        self
    }

    /// How long the action may take, in whole seconds (rounded up); the run then ends in ERROR. The
    /// server has a limit of its own, which holds if none is given and bounds the given one.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.request.timeout = prost_types::Duration::try_from(time).ok();
        self
    }

    /// Queue of the worker that is to run it; otherwise any worker that provides the action does.
    pub fn target(mut self, queue: impl Into<String>) -> Self {
        self.request.target = queue.into();
        self
    }

    /// Refuses an action whose result comes from outside.
    pub fn synchronous(mut self) -> Self {
        self.request.synchronous = true;
        self
    }

    /// Deletes the execution with its history once its result was answered by this call, for which
    /// the server waits 10 s unless told otherwise. It is kept if it is not finished by then.
    pub fn discard(mut self) -> Self {
        self.request.save = Some(false);
        self
    }

    /// Idempotency id of the call, a UUID. One is made if none is given; give your own to repeat
    /// the call after a restart of the application.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request.request_id = request_id.into();
        self
    }

    /// Starts the action. It is stored when this returns.
    pub async fn send(mut self) -> Result<ActionRun, Error> {
        if self.request.wait_timeout.is_none() {
            if self.request.save == Some(false) {
                self.wait = WAIT_DEFAULT;
            } else {
                self.request.wait_timeout = Some(prost_types::Duration::default());
            }
        }
        let transport = self.transport.clone();
        let answer = self.call().await?;
        let execution = answer
            .execution
            .ok_or(Error::Incomplete { field: "execution" })?;
        let execution = Execution::from(execution);
        Ok(ActionRun {
            handle: ExecutionHandle::started(transport.clone(), execution, answer.started),
            action: answer.action_execution.map(ActionExecution::from),
            finished: answer.finished,
            transport,
        })
    }

    /// Starts the action, and waits for its result for as long as it takes.
    pub async fn result<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.send().await?.result().await
    }

    /// Checks action and input, and starts nothing.
    pub async fn validate(mut self) -> Result<(), Error> {
        self.request.validate_only = true;
        self.call().await.map(drop)
    }

    async fn call(self) -> Result<RunActionResponse, Error> {
        let timeout = self.transport.settings.timeout + self.wait;
        self.transport
            .unary_within(timeout, self.request, |channel, request| async move {
                ActionServiceClient::new(channel).run_action(request).await
            })
            .await
    }
}

/// One run of an action by itself: an execution with one task. Dropping it changes nothing on the
/// server.
#[derive(Clone, Debug)]
pub struct ActionRun {
    transport: Arc<Transport>,
    handle: ExecutionHandle,
    action: Option<ActionExecution>,
    finished: bool,
}

impl ActionRun {
    /// Id of the execution.
    pub fn id(&self) -> &str {
        self.handle.id()
    }

    /// Whether the call started it: false if the id was in use.
    pub fn is_new(&self) -> bool {
        self.handle.is_new()
    }

    /// The execution behind it: it can be waited for, paused, stopped, deleted like any other.
    pub fn execution(&self) -> &ExecutionHandle {
        &self.handle
    }

    /// The action as the call answered it, with payloads.
    pub fn action(&self) -> Option<&ActionExecution> {
        self.action.as_ref()
    }

    /// Whether it was finished when the call answered.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Its events from the first on, until it is finished.
    pub fn events(&self) -> Events {
        self.handle.events()
    }

    /// Cancels it.
    pub fn cancel(&self) -> Verb {
        self.handle.cancel()
    }

    /// Waits until it is finished and reads its result; `Error::Execution` if the action failed,
    /// with the error result as output.
    pub async fn result<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let (execution, action) = match (self.handle.snapshot(), &self.action) {
            // The only way for one that is not kept: there is nothing left to ask for.
            (Some(execution), Some(action)) if self.finished => (execution.clone(), action.clone()),
            _ => self.wait().await?,
        };
        outcome(&execution, action.output)?.decode("the result")
    }

    /// Waits for the end and reads the last attempt.
    async fn wait(&self) -> Result<(Execution, ActionExecution), Error> {
        let execution = self.handle.wait().await?;
        let actions: Listing<ActionExecution> = self.handle.actions();
        let last = actions.collect().await?.pop().ok_or(Error::Incomplete {
            field: "action_executions",
        })?;
        let actions = ActionExecutions::new(self.transport.clone());
        let action = actions.get(last.action_execution_id).await?;
        Ok((execution, action))
    }
}
