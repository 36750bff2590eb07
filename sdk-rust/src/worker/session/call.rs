//! Ends of tasks by calls, for when there is no stream.
//!
//! Owns one attempt of each. Left to others: when that is due, and when it is tried again
//! (`leases`).

use std::sync::Arc;

use proto::v1::task_result::Outcome;
use proto::v1::worker_service_client::WorkerServiceClient;
use proto::v1::{CompleteTaskRequest, FailTaskRequest, ReleaseTaskRequest, TaskResultAck};
use tonic::transport::Channel;
use tracing::debug;

use crate::error::{Error, RpcError};
use crate::transport::Transport;

/// Where calls go, and in whose name.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) channel: Channel,
    pub(super) transport: Arc<Transport>,
    pub(super) worker_id: String,
}

impl Caller {
    /// Tells the end of a task, and what the server says to it.
    pub(super) async fn end(self, token: String, outcome: Outcome) -> TaskResultAck {
        let answer = match outcome {
            Outcome::Result(result) => self.complete(&token, Some(result)).await,
            Outcome::Deferred(_) => self.complete(&token, None).await,
            Outcome::Failure(failure) => {
                let request = FailTaskRequest {
                    project: self.transport.project(),
                    worker_id: self.worker_id.clone(),
                    token: token.clone(),
                    failure: Some(failure),
                };
                self.transport
                    .unary_once(
                        self.channel.clone(),
                        request,
                        |channel, request| async move {
                            WorkerServiceClient::new(channel).fail_task(request).await
                        },
                    )
                    .await
                    .map(drop)
            }
        };
        match answer {
            Ok(()) => TaskResultAck {
                token,
                ..TaskResultAck::default()
            },
            Err(error) => refusal(token, &error),
        }
    }

    async fn complete(&self, token: &str, result: Option<proto::v1::Payload>) -> Result<(), Error> {
        let request = CompleteTaskRequest {
            project: self.transport.project(),
            worker_id: self.worker_id.clone(),
            token: token.to_owned(),
            deferred: result.is_none(),
            result,
        };
        self.transport
            .unary_once(
                self.channel.clone(),
                request,
                |channel, request| async move {
                    WorkerServiceClient::new(channel)
                        .complete_task(request)
                        .await
                },
            )
            .await
            .map(drop)
    }

    /// Gives a task back. If that fails the lease runs out.
    pub(super) async fn release(self, token: String) {
        let request = ReleaseTaskRequest {
            project: self.transport.project(),
            worker_id: self.worker_id.clone(),
            token: token.clone(),
        };
        let answer = self
            .transport
            .unary_once(
                self.channel.clone(),
                request,
                |channel, request| async move {
                    WorkerServiceClient::new(channel)
                        .release_task(request)
                        .await
                },
            )
            .await;
        if let Err(error) = answer {
            debug!(task.token = token, "a task was not given back: {error}");
        }
    }
}

/// An error in the words of the stream. What has no reason comes from the way, not from the server.
fn refusal(token: String, error: &Error) -> TaskResultAck {
    let rpc = error.rpc();
    let reason = rpc.and_then(|error| error.reason.as_ref());
    TaskResultAck {
        token,
        error_reason: reason
            .map_or("UNAVAILABLE", |reason| reason.as_str())
            .to_owned(),
        error_message: error.to_string(),
        retryable: reason.is_none() || rpc.is_some_and(RpcError::retryable),
    }
}
