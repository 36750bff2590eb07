//! Tasks and actions by their own ids; completing what runs outside.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use proto::v1::list_action_executions_request::Parent;
use proto::v1::task_service_client::TaskServiceClient;
use proto::v1::{
    CompleteActionExecutionRequest, FailActionExecutionRequest, GetActionExecutionRequest,
    GetTaskExecutionRequest, ListActionExecutionsRequest, RetryTaskRequest, SkipTaskRequest,
    UpdateActionExecutionRequest, View,
};
use serde::Serialize;

use crate::error::Error;
use crate::get::Get;
use crate::listing::{Listing, Page};
use crate::payload::Payload;
use crate::resources::{ActionExecution, TaskExecution};
use crate::state::ActionState;
use crate::transport::Transport;
use crate::verb::new_request_id;

/// Task executions by their own id.
#[derive(Clone, Debug)]
pub struct Tasks {
    transport: Arc<Transport>,
}

impl Tasks {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport }
    }

    /// One task execution, with payloads: `result`, `published` and `published_global`, or those
    /// chosen by [`Get::only`].
    pub fn get(&self, task_execution_id: impl Into<String>) -> Get<TaskExecution> {
        let (transport, task_execution_id) = (self.transport.clone(), task_execution_id.into());
        Get::new(move |read_mask| {
            let transport = transport.clone();
            let request = GetTaskExecutionRequest {
                project: transport.project(),
                task_execution_id: task_execution_id.clone(),
                view: View::Full.into(),
                read_mask,
                ..GetTaskExecutionRequest::default()
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        TaskServiceClient::new(channel)
                            .get_task_execution(request)
                            .await
                    })
                    .await?;
                let task = answer.task_execution.ok_or(Error::Incomplete {
                    field: "task_execution",
                })?;
                Ok(task.into())
            }
        })
    }

    /// Skips a failed task: what would have followed its success, follows.
    pub fn skip(&self, task_execution_id: impl Into<String>) -> SkipTask {
        let request = SkipTaskRequest {
            project: self.transport.project(),
            task_execution_id: task_execution_id.into(),
            request_id: new_request_id(),
            ..SkipTaskRequest::default()
        };
        SkipTask {
            transport: self.transport.clone(),
            request,
        }
    }

    /// Lets a task go on now that waits for its next attempt, or for another time.
    pub fn retry(&self, task_execution_id: impl Into<String>) -> RetryTask {
        let request = RetryTaskRequest {
            project: self.transport.project(),
            task_execution_id: task_execution_id.into(),
            request_id: new_request_id(),
            ..RetryTaskRequest::default()
        };
        RetryTask {
            transport: self.transport.clone(),
            request,
        }
    }

    /// Its attempts, in order of creation.
    pub fn actions(&self, task_execution_id: impl Into<String>) -> Listing<ActionExecution> {
        list_actions(
            self.transport.clone(),
            Parent::TaskExecutionId(task_execution_id.into()),
        )
    }
}

/// A skip in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct SkipTask {
    transport: Arc<Transport>,
    request: SkipTaskRequest,
}

impl SkipTask {
    /// What counts as the result of the task: anything that serde writes as JSON.
    pub fn result(mut self, result: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.result = Some(Payload::encode(result, "the result")?.into_proto());
        Ok(self)
    }

    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }
}

impl IntoFuture for SkipTask {
    type Output = Result<TaskExecution, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    TaskServiceClient::new(channel).skip_task(request).await
                })
                .await?;
            let task = answer.task_execution.ok_or(Error::Incomplete {
                field: "task_execution",
            })?;
            Ok(task.into())
        })
    }
}

/// A retry in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct RetryTask {
    transport: Arc<Transport>,
    request: RetryTaskRequest,
}

impl RetryTask {
    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }
}

impl IntoFuture for RetryTask {
    type Output = Result<TaskExecution, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    TaskServiceClient::new(channel).retry_task(request).await
                })
                .await?;
            let task = answer.task_execution.ok_or(Error::Incomplete {
                field: "task_execution",
            })?;
            Ok(task.into())
        })
    }
}

/// Action executions by their own id.
#[derive(Clone, Debug)]
pub struct ActionExecutions {
    transport: Arc<Transport>,
}

impl ActionExecutions {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport }
    }

    /// One action execution, with payloads: `input` and `output`, or the one chosen by
    /// [`Get::only`].
    pub fn get(&self, action_execution_id: impl Into<String>) -> Get<ActionExecution> {
        let (transport, action_execution_id) = (self.transport.clone(), action_execution_id.into());
        Get::new(move |read_mask| {
            let transport = transport.clone();
            let request = GetActionExecutionRequest {
                project: transport.project(),
                action_execution_id: action_execution_id.clone(),
                view: View::Full.into(),
                read_mask,
                ..GetActionExecutionRequest::default()
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        TaskServiceClient::new(channel)
                            .get_action_execution(request)
                            .await
                    })
                    .await?;
                complete(answer.action_execution)
            }
        })
    }

    /// Completes an action that runs outside, with its result.
    pub async fn complete(
        &self,
        action_execution_id: impl Into<String>,
        result: &(impl Serialize + ?Sized),
    ) -> Result<ActionExecution, Error> {
        let request = CompleteActionExecutionRequest {
            project: self.transport.project(),
            action_execution_id: action_execution_id.into(),
            result: Some(Payload::encode(result, "the result")?.into_proto()),
            request_id: new_request_id(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                TaskServiceClient::new(channel)
                    .complete_action_execution(request)
                    .await
            })
            .await?;
        complete(answer.action_execution)
    }

    /// Completes an action that runs outside, with an error: any value, often a text.
    pub async fn fail(
        &self,
        action_execution_id: impl Into<String>,
        error: &(impl Serialize + ?Sized),
    ) -> Result<ActionExecution, Error> {
        let request = FailActionExecutionRequest {
            project: self.transport.project(),
            action_execution_id: action_execution_id.into(),
            error: Some(Payload::encode(error, "the error")?.into_proto()),
            request_id: new_request_id(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                TaskServiceClient::new(channel)
                    .fail_action_execution(request)
                    .await
            })
            .await?;
        complete(answer.action_execution)
    }

    /// Puts an asynchronous action into RUNNING, PAUSED or CANCELLED.
    pub fn update(
        &self,
        action_execution_id: impl Into<String>,
        state: ActionState,
    ) -> UpdateAction {
        let request = UpdateActionExecutionRequest {
            project: self.transport.project(),
            action_execution_id: action_execution_id.into(),
            state: state.number(),
            reason: String::new(),
            request_id: new_request_id(),
        };
        UpdateAction {
            transport: self.transport.clone(),
            request,
        }
    }
}

/// A change of an action's state in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct UpdateAction {
    transport: Arc<Transport>,
    request: UpdateActionExecutionRequest,
}

impl UpdateAction {
    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }
}

impl IntoFuture for UpdateAction {
    type Output = Result<ActionExecution, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    TaskServiceClient::new(channel)
                        .update_action_execution(request)
                        .await
                })
                .await?;
            complete(answer.action_execution)
        })
    }
}

pub(crate) fn list_actions(transport: Arc<Transport>, parent: Parent) -> Listing<ActionExecution> {
    Listing::new(move |query| {
        let transport = transport.clone();
        let request = ListActionExecutionsRequest {
            project: transport.project(),
            parent: Some(parent.clone()),
            page_size: query.page_size,
            page_token: query.page_token,
            view: query.view.into(),
            ..ListActionExecutionsRequest::default()
        };
        async move {
            let answer = transport
                .unary(request, |channel, request| async move {
                    TaskServiceClient::new(channel)
                        .list_action_executions(request)
                        .await
                })
                .await?;
            Ok(Page::new(answer.action_executions, answer.next_page_token))
        }
    })
}

fn complete(action: Option<proto::v1::ActionExecution>) -> Result<ActionExecution, Error> {
    action.map(ActionExecution::from).ok_or(Error::Incomplete {
        field: "action_execution",
    })
}
