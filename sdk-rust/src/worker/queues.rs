//! Queues on the server: look at them, hold them, limit them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use proto::v1::worker_admin_service_client::WorkerAdminServiceClient;
use proto::v1::{GetQueueRequest, ListQueuesRequest, UpdateQueueRequest};

use crate::error::Error;
use crate::listing::{Listing, Page};
use crate::resources::{Queue, QueueLimits};
use crate::transport::Transport;

/// The queues of a project: where calls of workers' actions wait.
#[derive(Clone, Debug)]
pub struct Queues {
    transport: Arc<Transport>,
}

impl Queues {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport }
    }

    /// Those that workers serve, that have work, or that were changed, by name.
    pub fn list(&self) -> Listing<Queue> {
        let transport = self.transport.clone();
        Listing::new(move |query| {
            let transport = transport.clone();
            let request = ListQueuesRequest {
                project: transport.project(),
                page_size: query.page_size,
                page_token: query.page_token,
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        WorkerAdminServiceClient::new(channel)
                            .list_queues(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.queues, answer.next_page_token))
            }
        })
    }

    /// One queue.
    pub async fn get(&self, queue: impl Into<String>) -> Result<Queue, Error> {
        let request = GetQueueRequest {
            project: self.transport.project(),
            queue: queue.into(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                WorkerAdminServiceClient::new(channel)
                    .get_queue(request)
                    .await
            })
            .await?;
        complete(answer.queue)
    }

    /// Changes a queue, in what the returned builder is told; it need not exist.
    pub fn update(&self, queue: impl Into<String>) -> UpdateQueue {
        let request = UpdateQueueRequest {
            project: self.transport.project(),
            queue: queue.into(),
            ..UpdateQueueRequest::default()
        };
        UpdateQueue {
            transport: self.transport.clone(),
            request,
        }
    }
}

/// A change of a queue in preparation; await it to send it. What it is not told stays, and so do
/// the tasks that workers have.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct UpdateQueue {
    transport: Arc<Transport>,
    request: UpdateQueueRequest,
}

impl UpdateQueue {
    /// Hands nothing out from now on.
    pub fn pause(mut self) -> Self {
        self.request.paused = Some(true);
        self
    }

    /// Goes on handing out.
    pub fn resume(mut self) -> Self {
        self.request.paused = Some(false);
        self
    }

    /// Limits of all its tasks together.
    pub fn limits(mut self, limits: QueueLimits) -> Self {
        self.request.limits = Some(limits.into());
        self
    }

    /// Limits of one action in it; the default of [`QueueLimits`] removes them.
    pub fn action_limits(mut self, action: impl Into<String>, limits: QueueLimits) -> Self {
        self.request
            .action_limits
            .insert(action.into(), limits.into());
        self
    }

    /// Fails if the queue has changed since it had this etag.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.request.etag = etag.into();
        self
    }
}

impl IntoFuture for UpdateQueue {
    type Output = Result<Queue, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    WorkerAdminServiceClient::new(channel)
                        .update_queue(request)
                        .await
                })
                .await?;
            complete(answer.queue)
        })
    }
}

fn complete(queue: Option<proto::v1::Queue>) -> Result<Queue, Error> {
    let queue = queue.ok_or(Error::Incomplete { field: "queue" })?;
    Ok(queue.into())
}
