//! Verbs that change an execution.
//!
//! Each is prepared, can be given a reason, and is sent by awaiting it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::{
    CancelExecutionRequest, DeleteExecutionRequest, RerunExecutionRequest, ResumeExecutionRequest,
    RollbackExecutionRequest, StopExecutionRequest, TerminateExecutionRequest,
};
use serde::Serialize;
use uuid::Uuid;

use crate::error::Error;
use crate::payload::Payload;
use crate::resources::Execution;
use crate::state::ExecutionState;
use crate::transport::Transport;

#[derive(Clone, Copy, Debug)]
pub(crate) enum VerbKind {
    Cancel,
    Terminate,
    Stop(ExecutionState),
}

/// A cancel, terminate or stop in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct Verb {
    transport: Arc<Transport>,
    execution_id: String,
    kind: VerbKind,
    reason: String,
    request_id: String,
}

impl Verb {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String, kind: VerbKind) -> Self {
        Self {
            transport,
            execution_id,
            kind,
            reason: String::new(),
            request_id: new_request_id(),
        }
    }

    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    async fn send(self) -> Result<Execution, Error> {
        let Self {
            transport,
            execution_id,
            kind,
            reason,
            request_id,
        } = self;
        let project = transport.project();
        let execution = match kind {
            VerbKind::Terminate => {
                let request = TerminateExecutionRequest {
                    project,
                    execution_id,
                    reason,
                    request_id,
                };
                transport
                    .unary(request, |channel, request| async move {
                        ExecutionServiceClient::new(channel)
                            .terminate_execution(request)
                            .await
                    })
                    .await?
                    .execution
            }
            VerbKind::Cancel => {
                let request = CancelExecutionRequest {
                    project,
                    execution_id,
                    reason,
                    request_id,
                };
                transport
                    .unary(request, |channel, request| async move {
                        ExecutionServiceClient::new(channel)
                            .cancel_execution(request)
                            .await
                    })
                    .await?
                    .execution
            }
            VerbKind::Stop(outcome) => {
                let outcome = outcome.number();
                let request = StopExecutionRequest {
                    project,
                    execution_id,
                    outcome,
                    reason,
                    request_id,
                };
                transport
                    .unary(request, |channel, request| async move {
                        ExecutionServiceClient::new(channel)
                            .stop_execution(request)
                            .await
                    })
                    .await?
                    .execution
            }
        };
        execution
            .map(Execution::from)
            .ok_or(Error::Incomplete { field: "execution" })
    }
}

impl IntoFuture for Verb {
    type Output = Result<Execution, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A resume in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct ResumeExecution {
    transport: Arc<Transport>,
    request: ResumeExecutionRequest,
}

impl ResumeExecution {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let request = ResumeExecutionRequest {
            project: transport.project(),
            execution_id,
            request_id: new_request_id(),
            ..ResumeExecutionRequest::default()
        };
        Self { transport, request }
    }

    /// Changes these variables of the environment: anything that serde writes as a JSON object.
    pub fn env(mut self, env: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.env = Some(Payload::encode(env, "the environment")?.into_proto());
        Ok(self)
    }

    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }
}

impl IntoFuture for ResumeExecution {
    type Output = Result<Execution, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .resume_execution(request)
                        .await
                })
                .await?;
            answer
                .execution
                .map(Execution::from)
                .ok_or(Error::Incomplete { field: "execution" })
        })
    }
}

/// A rerun in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct RerunExecution {
    transport: Arc<Transport>,
    request: RerunExecutionRequest,
}

impl RerunExecution {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let request = RerunExecutionRequest {
            project: transport.project(),
            execution_id,
            request_id: new_request_id(),
            ..RerunExecutionRequest::default()
        };
        Self { transport, request }
    }

    /// Runs this task only, instead of all that have ended the execution.
    pub fn task(mut self, task_execution_id: impl Into<String>) -> Self {
        self.request.task_execution_id = task_execution_id.into();
        self
    }

    /// Replaces these fields of the input of the task, which must be named, in its first attempt:
    /// anything that serde writes as a JSON object.
    pub fn input(mut self, input: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.input = Some(Payload::encode(input, "the input")?.into_proto());
        Ok(self)
    }

    /// Runs all items of with-items tasks, not only those that failed or never began.
    pub fn reset(mut self) -> Self {
        self.request.reset = true;
        self
    }

    /// Changes these variables of the environment: anything that serde writes as a JSON object.
    pub fn env(mut self, env: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.env = Some(Payload::encode(env, "the environment")?.into_proto());
        Ok(self)
    }

    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }
}

impl IntoFuture for RerunExecution {
    type Output = Result<Execution, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .rerun_execution(request)
                        .await
                })
                .await?;
            answer
                .execution
                .map(Execution::from)
                .ok_or(Error::Incomplete { field: "execution" })
        })
    }
}

/// A rollback in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct RollbackExecution {
    transport: Arc<Transport>,
    request: RollbackExecutionRequest,
}

impl RollbackExecution {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let request = RollbackExecutionRequest {
            project: transport.project(),
            execution_id,
            request_id: new_request_id(),
            ..RollbackExecutionRequest::default()
        };
        Self { transport, request }
    }

    /// Undoes only what this task execution has led to, and leaves the execution paused there.
    pub fn to_task(mut self, task_execution_id: impl Into<String>) -> Self {
        self.request.to_task_execution_id = task_execution_id.into();
        self
    }

    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }
}

impl IntoFuture for RollbackExecution {
    type Output = Result<Execution, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .rollback_execution(request)
                        .await
                })
                .await?;
            answer
                .execution
                .map(Execution::from)
                .ok_or(Error::Incomplete { field: "execution" })
        })
    }
}

/// A deletion in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct DeleteExecution {
    transport: Arc<Transport>,
    request: DeleteExecutionRequest,
}

impl DeleteExecution {
    pub(crate) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        let request = DeleteExecutionRequest {
            project: transport.project(),
            execution_id,
            request_id: new_request_id(),
            ..DeleteExecutionRequest::default()
        };
        Self { transport, request }
    }

    /// Deletes it in any state; one that is not finished is terminated first.
    pub fn force(mut self) -> Self {
        self.request.force = true;
        self
    }

    /// Succeeds if there is no such execution.
    pub fn allow_missing(mut self) -> Self {
        self.request.allow_missing = true;
        self
    }

    /// Why, for the record.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }
}

impl IntoFuture for DeleteExecution {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.transport
                .unary(self.request, |channel, request| async move {
                    ExecutionServiceClient::new(channel)
                        .delete_execution(request)
                        .await
                })
                .await
                .map(drop)
        })
    }
}

/// Made once for a call and all its repetitions, by which the server knows them as one. It begins
/// with the time: those of one hour lie side by side in the server's index.
pub(crate) fn new_request_id() -> String {
    Uuid::now_v7().to_string()
}
