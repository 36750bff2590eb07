//! One verb for many executions: preview it, begin it, follow it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::{
    BatchCancel, BatchDelete, BatchPause, BatchRerun, BatchResume, BatchRollback, BatchTerminate,
    BatchUpdateExecutionsRequest, BatchUpdateExecutionsResponse, CancelBatchOperationRequest,
    GetBatchOperationRequest, ListBatchOperationsRequest, batch_verb,
};

use crate::error::Error;
use crate::listing::{Listing, Page};
use crate::payload::Payload;
use crate::resources::{BatchOperation, BatchPreview};
use crate::transport::Transport;
use crate::verb::new_request_id;

/// How often [`Batches::wait`] asks.
const WAIT_INTERVAL: Duration = Duration::from_millis(250);

/// What a batch does to each execution.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BatchVerb {
    /// Pauses it; timeouts of tasks stand still unless they are to run.
    Pause {
        /// Whether timeouts of tasks go on meanwhile.
        timeouts_run: bool,
    },
    /// Resumes it.
    Resume {
        /// Changed variables of the environment, a JSON object.
        env: Option<Payload>,
    },
    /// Cancels it, with its actions and sub-workflows.
    Cancel,
    /// Ends it and all below it at once.
    Terminate,
    /// Runs again what has ended it.
    Rerun {
        /// Whether all items of with-items tasks run again.
        reset: bool,
        /// Changed variables of the environment, a JSON object.
        env: Option<Payload>,
    },
    /// Undoes what its tasks have done.
    Rollback,
    /// Deletes it.
    Delete {
        /// Whether in any state; one that is not finished is terminated first.
        force: bool,
    },
}

impl BatchVerb {
    fn into_proto(self) -> proto::v1::BatchVerb {
        use batch_verb::Verb;
        let env = |env: Option<Payload>| env.map(Payload::into_proto);
        let verb = match self {
            Self::Pause { timeouts_run } => Verb::Pause(BatchPause { timeouts_run }),
            Self::Resume { env: changed } => Verb::Resume(BatchResume { env: env(changed) }),
            Self::Cancel => Verb::Cancel(BatchCancel {}),
            Self::Terminate => Verb::Terminate(BatchTerminate {}),
            Self::Rerun {
                reset,
                env: changed,
            } => Verb::Rerun(BatchRerun {
                reset,
                env: env(changed),
            }),
            Self::Rollback => Verb::Rollback(BatchRollback {}),
            Self::Delete { force } => Verb::Delete(BatchDelete { force }),
        };
        proto::v1::BatchVerb { verb: Some(verb) }
    }
}

/// Verbs for many executions of a project.
#[derive(Clone, Debug)]
pub struct Batches {
    transport: Arc<Transport>,
}

impl Batches {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport }
    }

    /// Prepares a verb for the executions that match a filter, sub-workflows included unless it
    /// says otherwise. They are found as it goes on: those that were started before and match when
    /// their turn comes.
    ///
    /// Example: `state = ERROR AND workflow_name = "order*"`.
    pub fn filtered(&self, verb: BatchVerb, filter: impl Into<String>) -> StartBatch {
        let mut start = self.start(verb);
        start.request.filter = filter.into();
        start
    }

    /// Prepares a verb for executions by their ids or uids, at most 1000.
    pub fn named<I>(&self, verb: BatchVerb, ids: I) -> StartBatch
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut start = self.start(verb);
        start.request.execution_ids = ids.into_iter().map(Into::into).collect();
        start
    }

    fn start(&self, verb: BatchVerb) -> StartBatch {
        StartBatch {
            transport: self.transport.clone(),
            request: BatchUpdateExecutionsRequest {
                project: self.transport.project(),
                verb: Some(verb.into_proto()),
                request_id: new_request_id(),
                ..BatchUpdateExecutionsRequest::default()
            },
        }
    }

    /// How far one is. Operations are kept for 30 days after their end.
    pub async fn get(&self, batch_id: impl Into<String>) -> Result<BatchOperation, Error> {
        let request = GetBatchOperationRequest {
            project: self.transport.project(),
            batch_id: batch_id.into(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                ExecutionServiceClient::new(channel)
                    .get_batch_operation(request)
                    .await
            })
            .await?;
        operation(answer.batch)
    }

    /// All of them, newest first.
    pub fn list(&self) -> Listing<BatchOperation> {
        let transport = self.transport.clone();
        Listing::new(move |query| {
            let transport = transport.clone();
            let request = ListBatchOperationsRequest {
                project: transport.project(),
                page_size: query.page_size,
                page_token: query.page_token,
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        ExecutionServiceClient::new(channel)
                            .list_batch_operations(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.batches, answer.next_page_token))
            }
        })
    }

    /// Ends one after the executions under way; what was done stays. Cancelling a finished one
    /// changes nothing.
    pub async fn cancel(&self, batch_id: impl Into<String>) -> Result<BatchOperation, Error> {
        let request = CancelBatchOperationRequest {
            project: self.transport.project(),
            batch_id: batch_id.into(),
            request_id: new_request_id(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                ExecutionServiceClient::new(channel)
                    .cancel_batch_operation(request)
                    .await
            })
            .await?;
        operation(answer.batch)
    }

    /// Waits until one is finished.
    pub async fn wait(&self, batch_id: impl Into<String>) -> Result<BatchOperation, Error> {
        let batch_id = batch_id.into();
        loop {
            let batch = self.get(&batch_id).await?;
            if batch.state.is_final() {
                return Ok(batch);
            }
            tokio::time::sleep(WAIT_INTERVAL).await;
        }
    }
}

/// A batch in preparation: await it to begin it, or preview it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct StartBatch {
    transport: Arc<Transport>,
    request: BatchUpdateExecutionsRequest,
}

impl StartBatch {
    /// Most executions a second, 1 to 1000; 50 if not said.
    pub fn rate(mut self, executions_per_second: u32) -> Self {
        self.request.rate = i32::try_from(executions_per_second).unwrap_or(i32::MAX);
        self
    }

    /// Why, for the record of each execution.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }

    /// Changes nothing: says how many executions it is about, and names some.
    pub async fn preview(mut self) -> Result<BatchPreview, Error> {
        self.request.validate_only = true;
        let answer = self.send().await?;
        Ok(BatchPreview {
            matched: operation(answer.batch)?.matched,
            sample: answer.sample_execution_ids,
        })
    }

    async fn send(self) -> Result<BatchUpdateExecutionsResponse, Error> {
        self.transport
            .unary(self.request, |channel, request| async move {
                ExecutionServiceClient::new(channel)
                    .batch_update_executions(request)
                    .await
            })
            .await
    }
}

impl IntoFuture for StartBatch {
    type Output = Result<BatchOperation, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { operation(self.send().await?.batch) })
    }
}

fn operation(batch: Option<proto::v1::BatchOperation>) -> Result<BatchOperation, Error> {
    batch
        .map(BatchOperation::from)
        .ok_or(Error::Incomplete { field: "batch" })
}
