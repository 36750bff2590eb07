//! Going through the executions of a batch operation, one portion after the other.

use std::sync::Arc;
use std::time::Duration;

use engine::lifecycle::{self, Answer};
use engine::{Caller, ExecutionRecord, ExecutionUid};
use futures_util::future::join_all;
use prost::Message as _;
use proto::v1::{self, BatchState};
use sha2::{Digest as _, Sha256};
use store::OperationRow;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::order::{BatchVerb, Order};
use super::{Cancel, UnderWay};
use crate::api::caller::Sender;
use crate::api::context::{Context, Shared};
use crate::api::convert::field;
use crate::api::fault::Fault;
use crate::clock;
use crate::cluster::{Change, ChangeOrder, Changed};
use crate::driver::{self, RequestKey};

/// Method of the request ids that the verbs of single executions get.
const METHOD: &str = "BatchUpdateExecutions";

/// Executions that get their verb at the same time: enough to share commits.
const PORTION_MAX: i32 = 32;

/// Failures that are kept.
const ERRORS_MAX: usize = 20;

/// How long to wait when the store is not there.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Goes on with the operations that were under way when the server stopped.
pub(crate) async fn take_up(context: &Shared) {
    let read = context.read(|reader| Ok(reader.list_unfinished_operations()?));
    match read.await {
        Ok(rows) => rows.into_iter().for_each(|row| spawn(context, row)),
        Err(fault) => tracing::error!("batch operations cannot be taken up: {fault}"),
    }
}

/// Begins, or goes on with, an operation.
pub(super) fn spawn(context: &Shared, row: OperationRow) {
    let (alive, ended) = watch::channel(());
    let cancel = Cancel::default();
    let under_way = UnderWay {
        cancel: cancel.clone(),
        ended,
    };
    let id = row.batch_id.clone();
    context
        .batches
        .under_way
        .lock()
        .insert(id.clone(), under_way);
    let (context, tracker) = (context.clone(), context.streams.clone());
    tracker.spawn(async move {
        let done = Run::of(&context, row, cancel);
        match done {
            Ok(run) => run.go().await,
            Err(fault) => tracing::error!("batch operation {id} cannot go on: {fault}"),
        }
        context.batches.under_way.lock().remove(&id);
        drop(alive);
    });
}

/// What became of the verb of one execution.
enum Outcome {
    Done,
    Skipped,
    Failed(v1::BatchError),
    /// The store was not there, or the server stops: nothing is known.
    Again,
}

/// One operation under way.
struct Run<'a> {
    context: &'a Context,
    order: Order,
    body_hash: [u8; 32],
    row: OperationRow,
    batch: v1::BatchOperation,
    cancel: Cancel,
}

impl<'a> Run<'a> {
    fn of(context: &'a Context, row: OperationRow, cancel: Cancel) -> Result<Self, Fault> {
        let batch = super::wire(&row)?;
        let request = v1::BatchUpdateExecutionsRequest::decode(&*row.request)
            .map_err(|_| Fault::Driver(driver::Error::Fault))?;
        // Whoever has asked for it is in the row, for the operation may go on in another process.
        let sender = Sender {
            identity: (!batch.identity.is_empty()).then(|| batch.identity.as_str().into()),
        };
        Ok(Self {
            context,
            order: Order::of(&request, &sender, context.limits.payload_bytes_max)?,
            body_hash: Sha256::digest(&row.request).into(),
            row,
            batch,
            cancel,
        })
    }

    async fn go(mut self) {
        let stop = self.context.going_away.clone();
        let _turn = tokio::select! {
            turn = self.context.batches.turns.acquire() => turn.ok(),
            () = self.cancel.asked() => None,
            // It is taken up again when the server starts.
            () = stop.cancelled() => return,
        };
        let mut next = Instant::now();
        loop {
            if self.cancel.is_asked() {
                self.batch.cancelled_by = field::optional(self.cancel.identity().as_ref());
                return self.end(BatchState::Cancelled).await;
            }
            if stop.is_cancelled() {
                return;
            }
            let begin = Instant::now();
            match self.portion().await {
                Some(0) => return self.end(BatchState::Done).await,
                Some(count) => {
                    let interval = Duration::from_secs(1) / self.order.rate.unsigned_abs();
                    next = next.max(begin) + interval * count;
                }
                None => next = Instant::now() + RETRY_DELAY,
            }
            tokio::select! {
                () = sleep_until(next) => {}
                () = self.cancel.asked() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Applies the verb to the next executions; gives their number, or nothing if they must be come
    /// to again.
    async fn portion(&mut self) -> Option<u32> {
        let most = (self.order.rate / 4).clamp(1, PORTION_MAX).unsigned_abs();
        let before = self.row.batch_id.parse::<ExecutionUid>().ok();
        let position = self.row.position.clone();
        let found = self
            .order
            .portion(self.context, &position, before, most)
            .await;
        let portion = match found {
            Ok(portion) => portion,
            Err(fault) => {
                tracing::warn!("batch operation {} waits: {fault}", self.row.batch_id);
                return None;
            }
        };
        // Whoever comes to this portion again must find the same executions, and count each once.
        if let Some(begun) = self.order.begun(&position, &portion) {
            self.row.position = begun.into();
            if !self.save().await {
                self.row.position = position;
                return None;
            }
        }
        let count = u32::try_from(portion.executions.len()).unwrap_or(u32::MAX);
        let outcomes = portion.executions.iter().map(|found| self.apply(found));
        let outcomes = join_all(outcomes).await;
        if outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::Again))
        {
            return None;
        }
        for outcome in outcomes {
            match outcome {
                Outcome::Done => self.batch.done += 1,
                Outcome::Skipped | Outcome::Again => self.batch.skipped += 1,
                Outcome::Failed(error) => {
                    self.batch.failed += 1;
                    if self.batch.errors.len() < ERRORS_MAX {
                        self.batch.errors.push(error);
                    }
                }
            }
        }
        self.row.position = portion.position.into();
        if count > 0 {
            self.batch.set_state(BatchState::Running);
            self.save().await;
        }
        Some(count)
    }

    /// Applies the verb to one execution. Whether it was applied already is looked up first, since
    /// its state then refuses it.
    async fn apply(&self, found: &Result<ExecutionRecord, String>) -> Outcome {
        let record = match found {
            Ok(record) => record,
            Err(id) => return self.gone(id).await,
        };
        let key = self.key(record.uid);
        let rule = lifecycle::rule(self.order.verb.operation(), record.state);
        if rule.answer != Answer::Apply {
            return match self.context.was_answered(Some(key)).await {
                Ok(true) => Outcome::Done,
                Ok(false) => Outcome::Skipped,
                Err(_) => Outcome::Again,
            };
        }
        let caller = Caller {
            request_id: Some(key.id.clone()),
            ..self.order.caller.clone()
        };
        let change = match &self.order.verb {
            BatchVerb::Verb(verb) => Change::Verb(verb.clone()),
            BatchVerb::Delete { force } => Change::Delete { force: *force },
        };
        let order = ChangeOrder {
            uid: record.uid,
            change,
            caller,
            request: Some(key),
        };
        let (driver, cluster) = (&self.context.driver, &self.context.cluster);
        match cluster.change(driver, order).await {
            Changed::Done => Outcome::Done,
            Changed::Skipped => Outcome::Skipped,
            Changed::Again => Outcome::Again,
            Changed::Failed { reason, message } => Outcome::Failed(v1::BatchError {
                execution_id: record.uid.to_string(),
                reason,
                message,
            }),
        }
    }

    /// What became of an execution that is not there: it may have been deleted by this operation.
    async fn gone(&self, id: &str) -> Outcome {
        let Ok(uid) = id.parse() else {
            return Outcome::Skipped;
        };
        match self.context.was_answered(Some(self.key(uid))).await {
            Ok(true) => Outcome::Done,
            Ok(false) => Outcome::Skipped,
            Err(_) => Outcome::Again,
        }
    }

    /// The request of one execution: the same whenever the operation comes to it.
    fn key(&self, uid: ExecutionUid) -> RequestKey {
        let text = format!("{} {uid}", self.row.batch_id);
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
        RequestKey {
            project: self.row.project.clone(),
            id: id.to_string().into(),
            method: METHOD.into(),
            body_hash: self.body_hash,
        }
    }

    async fn end(&mut self, state: BatchState) {
        self.batch.set_state(state);
        self.batch.end_time = Some(field::timestamp(clock::now_us()));
        self.row.finished = true;
        while !self.save().await {
            if self.context.going_away.is_cancelled() {
                return;
            }
            sleep(RETRY_DELAY).await;
        }
    }

    /// Writes how far it is. If that fails, the next write says it, or a restart finds it out.
    async fn save(&mut self) -> bool {
        let now_us = clock::now_us();
        self.batch.update_time = Some(field::timestamp(now_us));
        self.row.updated_us = now_us;
        self.row.progress = self.batch.encode_to_vec();
        let row = self.row.clone();
        let written = self
            .context
            .driver
            .write(move |writer| writer.put_operation(&row, None));
        match written.await {
            Ok(()) => true,
            Err(error) => {
                let id: &Arc<str> = &self.row.batch_id;
                tracing::warn!("the progress of batch operation {id} is not stored: {error}");
                false
            }
        }
    }
}
