//! Workers on the server: who there is.

use std::sync::Arc;

use proto::v1::worker_admin_service_client::WorkerAdminServiceClient;
use proto::v1::worker_service_client::WorkerServiceClient;
use proto::v1::{DrainWorkerRequest, GetWorkerRequest, ListWorkersRequest};

use crate::error::Error;
use crate::listing::{Listing, Page};
use crate::resources::WorkerRecord;
use crate::transport::Transport;

/// The workers that the server has heard of lately.
#[derive(Clone, Debug)]
pub struct Workers {
    transport: Arc<Transport>,
}

impl Workers {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport }
    }

    /// All, by their ids.
    pub fn list(&self) -> Listing<WorkerRecord> {
        let transport = self.transport.clone();
        Listing::new(move |query| {
            let transport = transport.clone();
            let request = ListWorkersRequest {
                project: transport.project(),
                page_size: query.page_size,
                page_token: query.page_token,
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        WorkerAdminServiceClient::new(channel)
                            .list_workers(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.workers, answer.next_page_token))
            }
        })
    }

    /// One worker.
    pub async fn get(&self, worker_id: impl Into<String>) -> Result<WorkerRecord, Error> {
        let request = GetWorkerRequest {
            project: self.transport.project(),
            worker_id: worker_id.into(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                WorkerAdminServiceClient::new(channel)
                    .get_worker(request)
                    .await
            })
            .await?;
        let worker = answer.worker.ok_or(Error::Incomplete { field: "worker" })?;
        Ok(worker.into())
    }

    /// Gives a worker no more tasks, and says why for the log. Those that it has stay with it;
    /// their number is returned.
    pub async fn drain(
        &self,
        worker_id: impl Into<String>,
        reason: impl Into<String>,
    ) -> Result<i32, Error> {
        let request = DrainWorkerRequest {
            project: self.transport.project(),
            worker_id: worker_id.into(),
            reason: reason.into(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                WorkerServiceClient::new(channel)
                    .drain_worker(request)
                    .await
            })
            .await?;
        Ok(answer.leased)
    }
}
