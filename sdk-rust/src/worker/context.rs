//! What an action knows of its call, and what it can say while it runs.
//!
//! Owns [`ActionContext`], [`ActionInfo`] and the cancellation of one call. Left to others: sending
//! what it says (`session`), and starting the function (`function`).

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::session::Note;
use crate::error::{Code, Error, RpcError};
use crate::payload::Payload;
use crate::resources::{serialize_time, to_duration, to_time};

/// Bytes that the progress of an action may have.
pub(crate) const PROGRESS_BYTES_MAX: usize = 64 * 1024;

/// Which call of which action this is.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct ActionInfo {
    /// Names the lease: who has it can complete the task, see
    /// [`Client::complete_task`](crate::Client::complete_task).
    pub token: String,
    /// Name of the action.
    pub action: String,
    /// Queue that it came from.
    pub queue: String,
    /// Attempt of the task's `retry`, from 1.
    pub attempt: i32,
    /// How often this attempt was handed out, from 1: more than once if its worker was lost.
    pub delivery: i32,
    /// The same for all attempts and deliveries of one call, and for no other call.
    pub idempotency_key: String,
    /// Tenant.
    pub project: String,
    /// Uid of the execution.
    pub execution_uid: String,
    /// Name of the workflow; of an action that was run without one, of the action.
    pub workflow_name: String,
    /// Name of the task.
    pub task_name: String,
    /// Id of the task execution.
    pub task_execution_id: String,
    /// Id of the action execution, by which
    /// [`ActionExecutions::complete`](crate::ActionExecutions::complete) completes a deferred one.
    pub action_execution_id: String,
    /// Item of a with-items task, from 0.
    pub item_index: i32,
    /// The version of the action that its task requires; empty = any.
    pub required_version: String,
    /// What tasks that are best run by the same worker have in common, as the workflow says; empty
    /// = nothing.
    pub affinity_key: String,
    /// When the call was made.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub schedule_time: Option<SystemTime>,
    /// When the attempt fails because it takes too long, by the clock of the server.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub deadline: Option<SystemTime>,
    /// How long it may say nothing of itself.
    #[serde(skip)]
    pub heartbeat_timeout: Option<Duration>,
}

impl ActionInfo {
    /// All of a task but its input and progress.
    pub(crate) fn of(task: &proto::v1::WorkerTask) -> Self {
        Self {
            token: task.token.clone(),
            action: task.action.clone(),
            queue: task.queue.clone(),
            attempt: task.attempt,
            delivery: task.delivery,
            idempotency_key: task.idempotency_key.clone(),
            project: task.project.clone(),
            execution_uid: task.execution_uid.clone(),
            workflow_name: task.workflow_name.clone(),
            task_name: task.task_name.clone(),
            task_execution_id: task.task_execution_id.clone(),
            action_execution_id: task.action_execution_id.clone(),
            item_index: task.item_index,
            required_version: task.required_version.clone(),
            affinity_key: task.affinity_key.clone(),
            schedule_time: to_time(task.schedule_time),
            deadline: to_time(task.deadline),
            heartbeat_timeout: to_duration(task.heartbeat_timeout),
        }
    }
}

/// Why an action should stop. As an error it ends the action: `return
/// Err(cx.cancelled().await.into())`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cancelled {
    /// The result is no longer wanted.
    #[error("cancelled: {reason}")]
    Requested {
        /// Why, as the server says.
        reason: String,
    },
    /// The lease has ended: somebody else does the work now, and what this one does is not counted.
    #[error("the lease is lost: {reason}")]
    LeaseLost {
        /// Why.
        reason: String,
    },
    /// The attempt takes too long: it has failed for the server.
    #[error("the attempt takes too long")]
    Deadline,
    /// The worker ends and waits no longer: the task is given back.
    #[error("the worker ends")]
    Drained,
}

/// One cancellation: the first cause counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancellation {
    token: CancellationToken,
    cause: Arc<OnceLock<Cancelled>>,
}

impl Cancellation {
    pub(crate) fn cancel(&self, cause: Cancelled) {
        // Whoever sees the token sees the cause.
        if self.cause.set(cause).is_ok() {
            self.token.cancel();
        }
    }

    pub(crate) fn cause(&self) -> Option<&Cancelled> {
        self.cause.get()
    }

    pub(crate) async fn cancelled(&self) -> Cancelled {
        self.token.cancelled().await;
        let cause = self.cause.get();
        // A child of somebody else's making has no cause.
        cause.cloned().unwrap_or(Cancelled::Requested {
            reason: String::new(),
        })
    }
}

/// What an action has said last and nobody has sent yet.
pub(crate) enum Beats {
    /// The session is told once for each value that it takes.
    Session {
        latest: Mutex<Option<Payload>>,
        notes: mpsc::UnboundedSender<Note>,
    },
    /// All are kept.
    Record(Mutex<Vec<Payload>>),
}

impl Beats {
    fn say(&self, token: &str, progress: Payload) {
        match self {
            Self::Session { latest, notes } => {
                let before = lock(latest).replace(progress);
                if before.is_none() {
                    // A session that is gone needs no heartbeats.
                    let _ = notes.send(Note::Beat(token.to_owned()));
                }
            }
            Self::Record(all) => lock(all).push(progress),
        }
    }

    /// What is to be sent now.
    pub(crate) fn take(&self) -> Option<Payload> {
        match self {
            Self::Session { latest, .. } => lock(latest).take(),
            Self::Record(_) => None,
        }
    }

    /// Everything that was said.
    pub(crate) fn recorded(&self) -> Vec<Payload> {
        match self {
            Self::Session { .. } => Vec::new(),
            Self::Record(all) => lock(all).clone(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Given to each call of an action. Clones are cheap and mean the same call.
#[derive(Clone)]
pub struct ActionContext(Arc<Inner>);

struct Inner {
    info: ActionInfo,
    earlier: Option<Payload>,
    /// What was said last, or by an earlier attempt.
    said: Mutex<Option<Payload>>,
    cancellation: Cancellation,
    beats: Arc<Beats>,
}

impl ActionContext {
    pub(crate) fn new(
        info: ActionInfo,
        earlier: Option<Payload>,
        cancellation: Cancellation,
        beats: Arc<Beats>,
    ) -> Self {
        Self(Arc::new(Inner {
            info,
            said: Mutex::new(earlier.clone()),
            earlier,
            cancellation,
            beats,
        }))
    }

    /// Which call this is.
    pub fn info(&self) -> &ActionInfo {
        &self.0.info
    }

    /// Attempt of the task's `retry`, from 1.
    pub fn attempt(&self) -> i32 {
        self.0.info.attempt
    }

    /// How often this attempt was handed out, from 1.
    pub fn delivery(&self) -> i32 {
        self.0.info.delivery
    }

    /// The same for all attempts and deliveries of one call, and for no other call: give it to what
    /// must not happen twice.
    pub fn idempotency_key(&self) -> &str {
        &self.0.info.idempotency_key
    }

    /// When the attempt fails because it takes too long, by the clock of the server.
    pub fn deadline(&self) -> Option<SystemTime> {
        self.0.info.deadline
    }

    /// What an earlier attempt or delivery has said last of its progress.
    pub fn progress<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let earlier = self.0.earlier.as_ref();
        earlier
            .map(|progress| progress.decode("the progress"))
            .transpose()
    }

    /// Says how far the action is: anything that serde writes as JSON, at most 64 KiB. It is kept
    /// for people and for the next attempt.
    ///
    /// Cheap: it waits for nothing, and of several values in a short time only the last is sent.
    pub fn heartbeat(&self, progress: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let payload = Payload::encode(progress, "the progress")?;
        let bytes = payload.json_text().map_or(0, str::len);
        if bytes > PROGRESS_BYTES_MAX {
            let message = format!("the progress has {bytes} bytes, more than {PROGRESS_BYTES_MAX}");
            return Err(RpcError::local(Code::InvalidArgument, message).into());
        }
        self.say(payload);
        Ok(())
    }

    /// Says that the action is alive, and no more: what was said last stays. Only actions with a
    /// heartbeat timeout need it; the lease is renewed without.
    pub fn alive(&self) {
        let said = lock(&self.0.said).clone();
        self.say(said.unwrap_or_else(|| Payload::from_json_text("null")));
    }

    fn say(&self, progress: Payload) {
        *lock(&self.0.said) = Some(progress.clone());
        self.0.beats.say(&self.0.info.token, progress);
    }

    /// Ends when the action should stop, with the reason.
    ///
    /// What it returns then does not count. After a grace of 10 seconds, or what
    /// [`Worker::cancel_grace`](crate::Worker::cancel_grace) says, an asynchronous function is
    /// dropped where it waits.
    pub async fn cancelled(&self) -> Cancelled {
        self.0.cancellation.cancelled().await
    }

    /// Why the action should stop, if it should: for functions that look now and then.
    pub fn cancel_cause(&self) -> Option<Cancelled> {
        self.0.cancellation.cause().cloned()
    }

    /// The token behind [`Self::cancelled`], to hand on.
    pub fn cancellation_token(&self) -> CancellationToken {
        self.0.cancellation.token.clone()
    }

    pub(crate) fn cancellation(&self) -> &Cancellation {
        &self.0.cancellation
    }
}

impl fmt::Debug for ActionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionContext")
            .field("info", &self.0.info)
            .finish_non_exhaustive()
    }
}
