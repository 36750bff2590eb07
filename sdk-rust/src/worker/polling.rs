//! Work by single calls, for scripts and functions: take tasks, renew, end them.
//!
//! Owns the calls and their types. Left to others: the stream, which does the same with less effort
//! (`Worker`).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use proto::v1::worker_service_client::WorkerServiceClient;
use proto::v1::{
    CompleteTaskRequest, FailTaskRequest, HeartbeatTasksRequest, PollTasksRequest,
    QueueSubscription, ReleaseTaskRequest, TaskHeartbeat, WorkerIdentity,
};
use serde::Serialize;

use super::action::WorkerAction;
use super::context::ActionInfo;
use super::error::ActionError;
use crate::client::Client;
use crate::error::Error;
use crate::payload::Payload;
use crate::process;
use crate::resources::{to_duration, to_time};
use crate::transport::Transport;

/// How long a poll waits for a task if nothing is said.
const WAIT: Duration = Duration::from_secs(10);

impl Client {
    /// Takes tasks of a queue, and waits up to 10 seconds for the first. It is for scripts and for
    /// functions that run by themselves; a program has a [`Worker`](crate::Worker).
    ///
    /// The tasks that come must be renewed by [`Self::heartbeat_tasks`] and ended by
    /// [`Self::complete_task`], [`Self::fail_task`] or [`Self::release_task`].
    pub fn poll_tasks<A: Into<String>>(
        &self,
        queue: impl Into<String>,
        actions: impl IntoIterator<Item = A>,
    ) -> PollTasks {
        let transport = self.transport().clone();
        let named = |name: A| proto::v1::WorkerAction {
            name: name.into(),
            ..proto::v1::WorkerAction::default()
        };
        let request = PollTasksRequest {
            project: transport.project(),
            worker: Some(WorkerIdentity {
                worker_id: transport.worker_id(),
                identity: process::worker(),
                sdk: super::SDK.to_owned(),
                ..WorkerIdentity::default()
            }),
            queues: vec![QueueSubscription {
                queue: queue.into(),
                actions: actions.into_iter().map(named).collect(),
                credits: 0,
            }],
            max_tasks: 1,
            wait: None,
        };
        PollTasks {
            transport,
            request,
            wait: WAIT,
        }
    }

    /// Prepares the renewal of leases, with what their actions say of their progress.
    pub fn heartbeat_tasks(&self) -> HeartbeatTasks {
        let transport = self.transport().clone();
        let request = HeartbeatTasksRequest {
            project: transport.project(),
            worker_id: transport.worker_id(),
            tasks: Vec::new(),
        };
        HeartbeatTasks { transport, request }
    }

    /// Ends a task with its result: one that was polled, or one that its worker has deferred.
    pub async fn complete_task(
        &self,
        token: impl Into<String>,
        result: &(impl Serialize + ?Sized),
    ) -> Result<(), Error> {
        let result = Payload::encode(result, "the result")?.into_proto();
        self.complete(token.into(), Some(result)).await
    }

    /// Defers a task: somebody completes it later, and no lease runs from now on.
    pub async fn defer_task(&self, token: impl Into<String>) -> Result<(), Error> {
        self.complete(token.into(), None).await
    }

    async fn complete(
        &self,
        token: String,
        result: Option<proto::v1::Payload>,
    ) -> Result<(), Error> {
        let transport = self.transport();
        let request = CompleteTaskRequest {
            project: transport.project(),
            worker_id: transport.worker_id(),
            token,
            deferred: result.is_none(),
            result,
        };
        transport
            .unary(request, |channel, request| async move {
                WorkerServiceClient::new(channel)
                    .complete_task(request)
                    .await
            })
            .await
            .map(drop)
    }

    /// Ends a task with a failure. The `retry` of the task decides what follows.
    pub async fn fail_task(
        &self,
        token: impl Into<String>,
        error: ActionError,
    ) -> Result<(), Error> {
        let transport = self.transport();
        let request = FailTaskRequest {
            project: transport.project(),
            worker_id: transport.worker_id(),
            token: token.into(),
            failure: Some(error.into_proto()),
        };
        transport
            .unary(request, |channel, request| async move {
                WorkerServiceClient::new(channel).fail_task(request).await
            })
            .await
            .map(drop)
    }

    /// Gives a task back unfinished: it is handed out again at once, and no attempt is used up.
    pub async fn release_task(&self, token: impl Into<String>) -> Result<(), Error> {
        let transport = self.transport();
        let request = ReleaseTaskRequest {
            project: transport.project(),
            worker_id: transport.worker_id(),
            token: token.into(),
        };
        transport
            .unary(request, |channel, request| async move {
                WorkerServiceClient::new(channel)
                    .release_task(request)
                    .await
            })
            .await
            .map(drop)
    }
}

/// A poll in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct PollTasks {
    transport: Arc<Transport>,
    request: PollTasksRequest,
    wait: Duration,
}

impl PollTasks {
    /// Takes at most this many; 1 if nothing is said.
    pub fn max_tasks(mut self, tasks: u32) -> Self {
        self.request.max_tasks = i32::try_from(tasks).unwrap_or(i32::MAX);
        self
    }

    /// Waits so long for the first, at most 10 seconds.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait.min(WAIT);
        self
    }

    /// Says more of an action than its name: its parameters and timeouts. Its function is not run.
    pub fn action(mut self, action: &WorkerAction) -> Self {
        for queue in &mut self.request.queues {
            queue.actions.retain(|other| other.name != action.name());
            queue.actions.push(action.to_proto());
        }
        self
    }

    /// Under which id tasks are taken and renewed; one id for each client if nothing is said.
    pub fn worker_id(mut self, worker_id: impl Into<String>) -> Self {
        self.request.worker.get_or_insert_default().worker_id = worker_id.into();
        self
    }
}

impl IntoFuture for PollTasks {
    type Output = Result<PolledTasks, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(mut self) -> Self::IntoFuture {
        self.request.wait = self.wait.try_into().ok();
        let timeout = self.transport.settings.timeout + self.wait;
        Box::pin(async move {
            let answer = self
                .transport
                .unary_within(timeout, self.request, |channel, request| async move {
                    WorkerServiceClient::new(channel).poll_tasks(request).await
                })
                .await?;
            Ok(PolledTasks {
                tasks: answer.tasks.into_iter().map(PolledTask::from).collect(),
                lease_duration: to_duration(answer.lease_duration).unwrap_or_default(),
                heartbeat_interval: to_duration(answer.heartbeat_interval).unwrap_or_default(),
                drained: answer.drained,
            })
        })
    }
}

/// The answer to a poll.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PolledTasks {
    /// Tasks; none if there were none in time.
    pub tasks: Vec<PolledTask>,
    /// How long a lease lasts unless it is renewed.
    pub lease_duration: Duration,
    /// How often to renew.
    pub heartbeat_interval: Duration,
    /// Whether the worker was drained: it gets no more tasks.
    pub drained: bool,
}

/// A task under a lease.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PolledTask {
    /// Which call of which action it is.
    pub info: ActionInfo,
    /// Its input.
    pub input: Payload,
    /// What an earlier attempt or delivery has said last of its progress.
    pub progress: Option<Payload>,
    /// When the lease ends unless it is renewed.
    pub lease_expire_time: Option<SystemTime>,
}

impl From<proto::v1::WorkerTask> for PolledTask {
    fn from(task: proto::v1::WorkerTask) -> Self {
        Self {
            info: ActionInfo::of(&task),
            input: task
                .input
                .map_or_else(|| Payload::from_json_text("{}"), Payload::from),
            progress: task.progress.map(Payload::from),
            lease_expire_time: to_time(task.lease_expire_time),
        }
    }
}

/// A renewal of leases in preparation; await it to send it. Without any lease it says that the
/// worker is alive.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct HeartbeatTasks {
    transport: Arc<Transport>,
    request: HeartbeatTasksRequest,
}

impl HeartbeatTasks {
    /// Renews a lease.
    pub fn renew(mut self, token: impl Into<String>) -> Self {
        self.request.tasks.push(TaskHeartbeat {
            token: token.into(),
            progress: None,
        });
        self
    }

    /// Renews a lease, and keeps how far the action is: anything that serde writes as JSON, at most
    /// 64 KiB.
    pub fn progress(
        mut self,
        token: impl Into<String>,
        progress: &(impl Serialize + ?Sized),
    ) -> Result<Self, Error> {
        let progress = Payload::encode(progress, "the progress")?;
        self.request.tasks.push(TaskHeartbeat {
            token: token.into(),
            progress: Some(progress.into_proto()),
        });
        Ok(self)
    }

    /// Under which id the tasks were taken; one id for each client if nothing is said.
    pub fn worker_id(mut self, worker_id: impl Into<String>) -> Self {
        self.request.worker_id = worker_id.into();
        self
    }
}

impl IntoFuture for HeartbeatTasks {
    type Output = Result<Vec<LeaseState>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    WorkerServiceClient::new(channel)
                        .heartbeat_tasks(request)
                        .await
                })
                .await?;
            Ok(answer.tasks.into_iter().map(LeaseState::from).collect())
        })
    }
}

/// What became of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseState {
    /// The lease.
    pub token: String,
    /// Whether it is held; if not, what the action still does counts for nothing.
    pub held: bool,
    /// Whether the result is no longer wanted: end the action soon.
    pub cancel_requested: bool,
    /// When it ends unless it is renewed again.
    pub expire_time: Option<SystemTime>,
    /// Why it was cancelled or lost.
    pub reason: String,
}

impl From<proto::v1::TaskHeartbeatResult> for LeaseState {
    fn from(result: proto::v1::TaskHeartbeatResult) -> Self {
        use proto::v1::LeaseStatus;
        Self {
            held: result.status() != LeaseStatus::Lost,
            cancel_requested: result.status() == LeaseStatus::CancelRequested,
            expire_time: to_time(result.lease_expire_time),
            token: result.token,
            reason: result.reason,
        }
    }
}
