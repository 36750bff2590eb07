//! `WorkerService`: work by unary calls. Work by a stream is in `stream`.

mod admin;
mod stream;

use std::time::Duration;

use proto::v1;
use proto::v1::worker_service_server::WorkerService;
use tonic::{Request, Response, Status, Streaming};

use super::context::Shared;
use super::convert::{field, worker};
use super::fault::Fault;
use crate::dispatch::{Report, ReportError, Session};

pub(super) use admin::WorkerAdmin;

/// How long a poll waits: below the timers of common proxies.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Most leases that one call renews.
const HEARTBEATS_MAX: usize = 1_000;

/// The service.
pub(super) struct Workers(pub(super) Shared);

#[tonic::async_trait]
impl WorkerService for Workers {
    type ConnectStream = stream::Responses;

    async fn connect(
        &self,
        request: Request<Streaming<v1::ConnectRequest>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let stream = stream::connect(&self.0, request.into_inner()).await?;
        Ok(Response::new(stream))
    }

    async fn poll_tasks(
        &self,
        request: Request<v1::PollTasksRequest>,
    ) -> Result<Response<v1::PollTasksResponse>, Status> {
        Ok(Response::new(self.poll(request.into_inner()).await?))
    }

    async fn heartbeat_tasks(
        &self,
        request: Request<v1::HeartbeatTasksRequest>,
    ) -> Result<Response<v1::HeartbeatTasksResponse>, Status> {
        Ok(Response::new(self.heartbeat(request.into_inner())?))
    }

    async fn complete_task(
        &self,
        request: Request<v1::CompleteTaskRequest>,
    ) -> Result<Response<v1::CompleteTaskResponse>, Status> {
        let request = request.into_inner();
        let report = if request.deferred {
            if request.result.is_some() {
                let description = "must be absent if the task is deferred";
                return Err(Fault::field("result", description).into());
            }
            Report::Deferred
        } else {
            worker::result(request.result, self.0.limits.payload_bytes_max)?
        };
        self.report(&request.project, &request.worker_id, &request.token, report)
            .await?;
        Ok(Response::new(v1::CompleteTaskResponse {}))
    }

    async fn fail_task(
        &self,
        request: Request<v1::FailTaskRequest>,
    ) -> Result<Response<v1::FailTaskResponse>, Status> {
        let request = request.into_inner();
        let failure = request.failure;
        let failure = failure.ok_or_else(|| Fault::field("failure", "is required"))?;
        let report = worker::failure(failure, self.0.limits.payload_bytes_max)?;
        self.report(&request.project, &request.worker_id, &request.token, report)
            .await?;
        Ok(Response::new(v1::FailTaskResponse {}))
    }

    async fn release_task(
        &self,
        request: Request<v1::ReleaseTaskRequest>,
    ) -> Result<Response<v1::ReleaseTaskResponse>, Status> {
        let request = request.into_inner();
        worker::key(&request.project, &request.worker_id)?;
        field::name("token", &request.token)?;
        let released = self.0.dispatcher.release(&request.token);
        released.map_err(Fault::LeaseLost)?;
        Ok(Response::new(v1::ReleaseTaskResponse {}))
    }

    async fn drain_worker(
        &self,
        request: Request<v1::DrainWorkerRequest>,
    ) -> Result<Response<v1::DrainWorkerResponse>, Status> {
        let request = request.into_inner();
        let key = worker::key(&request.project, &request.worker_id)?;
        let reason = field::text("reason", &request.reason)?;
        let leased = self.0.dispatcher.drain_worker(&key);
        let leased = leased.ok_or_else(|| Fault::WorkerNotFound { id: key.id.clone() })?;
        tracing::info!(worker.id = %key.id, "worker {} is drained: {reason}", key.id);
        let leased = field::count(leased);
        Ok(Response::new(v1::DrainWorkerResponse { leased }))
    }
}

impl Workers {
    async fn poll(&self, request: v1::PollTasksRequest) -> Result<v1::PollTasksResponse, Fault> {
        let (opening, wait) = worker::poll(&request)?;
        let wait = wait.unwrap_or(WAIT_MAX).min(WAIT_MAX);
        let config = self.0.dispatcher.config();
        let mut response = v1::PollTasksResponse {
            lease_duration: Some(worker::wire_seconds(config.lease_duration_s)),
            heartbeat_interval: Some(worker::wire_seconds(config.heartbeat_interval_s)),
            ..v1::PollTasksResponse::default()
        };
        if self.0.going_away.is_cancelled() {
            return Ok(response);
        }
        let session = self.0.dispatcher.open(&opening);
        let first = first_news(&session, &mut response);
        tokio::select! {
            () = first => {}
            () = tokio::time::sleep(wait) => take(&session, &mut response),
            () = self.0.going_away.cancelled() => take(&session, &mut response),
        }
        Ok(response)
    }

    fn heartbeat(
        &self,
        request: v1::HeartbeatTasksRequest,
    ) -> Result<v1::HeartbeatTasksResponse, Fault> {
        let key = worker::key(&request.project, &request.worker_id)?;
        if request.tasks.len() > HEARTBEATS_MAX {
            let description = format!("must have at most {HEARTBEATS_MAX} leases");
            return Err(Fault::field("tasks", description));
        }
        let tasks = worker::heartbeats(request.tasks)?;
        let (tasks, drained) = self.0.dispatcher.renew(&key, tasks);
        Ok(v1::HeartbeatTasksResponse {
            tasks: tasks.into_iter().map(worker::lease).collect(),
            drained,
        })
    }

    async fn report(
        &self,
        project: &str,
        worker_id: &str,
        token: &str,
        report: Report,
    ) -> Result<(), Fault> {
        worker::key(project, worker_id)?;
        field::name("token", token)?;
        Ok(self.0.dispatcher.report(token, report).await?)
    }
}

impl From<ReportError> for Fault {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Lost(why) => Self::LeaseLost(why),
            ReportError::Driver(error) => Self::Driver(error),
        }
    }
}

/// Waits until there are tasks, or there never will be.
async fn first_news(session: &Session, response: &mut v1::PollTasksResponse) {
    while response.tasks.is_empty() && !response.drained {
        session.news().await;
        take(session, response);
    }
}

fn take(session: &Session, response: &mut v1::PollTasksResponse) {
    let outbox = session.collect();
    response.tasks.extend(outbox.tasks.iter().map(worker::task));
    response.drained |= outbox.drained;
}
