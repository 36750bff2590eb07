//! Batch operations: one verb for many executions.
//!
//! | file     | owns                                                        |
//! |----------|-------------------------------------------------------------|
//! | `mod`    | the calls: accept, preview, look, cancel                    |
//! | `order`  | what is asked for, checked                                  |
//! | `run`    | going through the executions                                |
//!
//! An operation is a row: the request as it came, how far it is, and the execution that it came to
//! last. It goes on from there when the server starts again. What may have been done between the
//! last write of the row and the stop is not done twice, since each execution gets its verb under a
//! request id that is made of those of the operation and of the execution.

mod order;
mod run;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use prost::Message as _;
use proto::v1::{self, BatchState};
use store::{OperationRow, RequestRecord, Writer};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::caller::Sender;
use super::context::{Context, Shared};
use super::convert::field;
use super::fault::Fault;
use super::idempotency;
use super::page::Paging;
use crate::clock;
use order::Order;

pub(crate) use run::take_up;

/// Operations that go on at the same time; others wait for their turn.
const RUNNING_MAX: usize = 8;

/// Executions that a preview names.
const SAMPLE_MAX: u32 = 20;

/// How long finished operations are kept, microseconds.
const KEPT_US: i64 = 30 * 24 * 3600 * 1_000_000;

/// The operations that this server goes through.
pub(crate) struct Batches {
    under_way: Mutex<HashMap<Arc<str>, UnderWay>>,
    turns: Arc<Semaphore>,
}

/// How to reach an operation that goes on.
#[derive(Clone)]
struct UnderWay {
    /// Ends it.
    cancel: Cancel,
    /// Closed when it has ended.
    ended: watch::Receiver<()>,
}

/// Ends an operation, in somebody's name.
#[derive(Clone, Debug, Default)]
struct Cancel {
    asked: CancellationToken,
    /// How the first who asked for it names itself.
    identity: Arc<OnceLock<Option<Arc<str>>>>,
}

impl Cancel {
    fn by(&self, identity: Option<Arc<str>>) {
        // Who asks for it again changes nothing.
        let _ = self.identity.set(identity);
        self.asked.cancel();
    }

    fn is_asked(&self) -> bool {
        self.asked.is_cancelled()
    }

    async fn asked(&self) {
        self.asked.cancelled().await;
    }

    fn identity(&self) -> Option<Arc<str>> {
        self.identity.get().cloned().flatten()
    }
}

impl Default for Batches {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
            turns: Arc::new(Semaphore::new(RUNNING_MAX)),
        }
    }
}

/// `BatchUpdateExecutions`.
pub(super) async fn update(
    context: &Shared,
    request: v1::BatchUpdateExecutionsRequest,
    sender: &Sender,
) -> Result<v1::BatchUpdateExecutionsResponse, Fault> {
    let key = idempotency::key(&request)?;
    let order = Order::of(&request, sender, context.limits.payload_bytes_max)?;
    let now_us = clock::now_us();
    let mut batch = v1::BatchOperation {
        project: order.project.to_string(),
        verb: request.verb.clone(),
        filter: request.filter.clone(),
        rate: order.rate,
        matched: order.count(context).await?,
        reason: request.reason.clone(),
        identity: sender.identity.as_deref().unwrap_or_default().to_owned(),
        ..v1::BatchOperation::default()
    };
    if request.validate_only {
        let sample = order.sample(context, SAMPLE_MAX).await?;
        return Ok(v1::BatchUpdateExecutionsResponse {
            batch: Some(batch),
            sample_execution_ids: sample,
        });
    }
    let batch_id: Arc<str> = clock::new_uid().to_string().into();
    batch.batch_id = batch_id.to_string();
    batch.set_state(BatchState::Pending);
    batch.create_time = Some(field::timestamp(now_us));
    batch.update_time = Some(field::timestamp(now_us));
    let row = OperationRow {
        project: order.project.clone(),
        batch_id: batch_id.clone(),
        finished: false,
        request: request.encode_to_vec(),
        progress: batch.encode_to_vec(),
        position: "".into(),
        updated_us: now_us,
    };
    let record = key.map(|key| idempotency::record(key, batch_id, now_us));
    let written = context
        .driver
        .write(move |writer| accept(writer, row, record.as_ref(), now_us));
    let (row, is_new) = written.await??;
    let batch = wire(&row)?;
    if is_new {
        run::spawn(context, row);
    }
    Ok(v1::BatchUpdateExecutionsResponse {
        batch: Some(batch),
        sample_execution_ids: Vec::new(),
    })
}

/// Writes a new operation, unless the request came before; then gives the one that it has made.
fn accept(
    writer: &mut Writer,
    row: OperationRow,
    request: Option<&RequestRecord>,
    now_us: i64,
) -> Result<Result<(OperationRow, bool), Fault>, store::Error> {
    if let Some(request) = request {
        let reader = writer.read();
        if let Some(kept) = reader.find_request(&request.project, &request.request_id)? {
            if (&kept.method, &kept.body_hash) != (&request.method, &request.body_hash) {
                return Ok(Err(Fault::request_reused(&request.request_id)));
            }
            let found = reader.find_operation(&kept.project, &kept.target)?;
            let found = found.ok_or_else(|| Fault::BatchNotFound { id: kept.target });
            return Ok(found.map(|row| (row, false)));
        }
    }
    writer.expire_operations(now_us.saturating_sub(KEPT_US))?;
    writer.put_operation(&row, request)?;
    Ok(Ok((row, true)))
}

/// `GetBatchOperation`.
pub(super) async fn get(
    context: &Context,
    request: v1::GetBatchOperationRequest,
) -> Result<v1::GetBatchOperationResponse, Fault> {
    let batch = find(context, &request.project, &request.batch_id).await?;
    Ok(v1::GetBatchOperationResponse { batch: Some(batch) })
}

/// `ListBatchOperations`.
pub(super) async fn list(
    context: &Context,
    request: v1::ListBatchOperationsRequest,
) -> Result<v1::ListBatchOperationsResponse, Fault> {
    let project = field::project(&request.project)?;
    let paging = Paging::of(&request)?;
    let read = context.read(move |reader| {
        let slice = reader.list_operations(&project, &paging.page)?;
        paging.fill(slice, |row| row.batch_id.clone(), |row| wire(&row))
    });
    let (batches, next_page_token) = read.await?;
    Ok(v1::ListBatchOperationsResponse {
        batches,
        next_page_token,
    })
}

/// `CancelBatchOperation`: answers when nothing more is done.
pub(super) async fn cancel(
    context: &Context,
    request: v1::CancelBatchOperationRequest,
    sender: &Sender,
) -> Result<v1::CancelBatchOperationResponse, Fault> {
    // The same call does the same again, so its id needs no record; but it must be one.
    idempotency::key(&request)?;
    find(context, &request.project, &request.batch_id).await?;
    let under_way = context
        .batches
        .under_way
        .lock()
        .get(&*request.batch_id)
        .cloned();
    if let Some(mut under_way) = under_way {
        under_way.cancel.by(sender.identity.clone());
        // Nothing is ever sent: this ends when the other side is dropped.
        let _ = under_way.ended.changed().await;
    }
    let batch = find(context, &request.project, &request.batch_id).await?;
    Ok(v1::CancelBatchOperationResponse { batch: Some(batch) })
}

async fn find(context: &Context, project: &str, id: &str) -> Result<v1::BatchOperation, Fault> {
    let project = field::project(project)?;
    let id = field::name("batch_id", id)?;
    let read = context.read(move |reader| {
        let row = reader.find_operation(&project, &id)?;
        wire(&row.ok_or(Fault::BatchNotFound { id })?)
    });
    read.await
}

/// An operation as its row has it.
fn wire(row: &OperationRow) -> Result<v1::BatchOperation, Fault> {
    v1::BatchOperation::decode(&*row.progress).map_err(|error| {
        tracing::error!(
            "the row of batch operation {} does not read: {error}",
            row.batch_id
        );
        Fault::Driver(crate::driver::Error::Fault)
    })
}
