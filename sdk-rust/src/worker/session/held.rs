//! One task that this worker holds.
//!
//! Owns the states of a lease as the worker sees it, by its own clock. Left to others: the queues
//! of what is to be sent (`leases`), and time that passes (`mod`).
//!
//! | state   | event                          | next    | what happens                      |
//! |---------|--------------------------------|---------|-----------------------------------|
//! | Running | the function ends              | Ended   | its end is to be sent             |
//! | Running | the lease is lost or runs out  | Lost    | the function is cancelled         |
//! | Running | cancelled, or the deadline     | Running | the function is cancelled         |
//! | Ended   | recorded, or refused as lost   | (gone)  |                                   |
//! | Ended   | refused, and may be sent again | Ended   | it is to be sent, after a pause   |
//! | Ended   | refused for what it is         | Ended   | a bare failure is to be sent      |
//! | Lost    | the function ends              | (gone)  | its end is dropped                |

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proto::v1::payload::Encoding;
use proto::v1::task_result::Outcome;
use proto::v1::{Deferral, Payload, TaskFailure, TaskHeartbeat, WorkerTask};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Timing;
use crate::resources::to_time;
use crate::worker::action::Done;
use crate::worker::context::{Beats, Cancellation};
use crate::worker::error::ActionError;
use crate::worker::function::Ended;

/// Progress is sent at most so often.
const BEAT_PAUSE: Duration = Duration::from_secs(1);
/// Renewals without an answer that are remembered.
const RENEWALS_MAX: usize = 8;

/// Where the end of a task is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sent {
    /// It is to be sent.
    Due,
    /// It is to be sent at this time.
    At(Instant),
    /// It was sent over the stream of this number.
    OnStream(u64),
    /// It was sent by a call.
    ByCall,
}

/// The end of a task, until the server has recorded it.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    pub(super) sent: Sent,
    pub(super) sent_at: Instant,
    /// How often the server could not record it.
    pub(super) attempts: u32,
    /// Whether the server would not have it as it was.
    pub(super) refused: bool,
}

#[derive(Debug)]
pub(super) enum State {
    Running,
    Ended(Box<Ending>),
    Lost,
}

pub(super) struct Held {
    pub(super) state: State,
    pub(super) cancellation: Cancellation,
    pub(super) beats: Arc<Beats>,
    pub(super) abort: Option<AbortHandle>,
    /// Ids, for the log.
    pub(super) place: String,
    /// Where it came from.
    pub(super) queue: String,
    /// Whether the server has said that we hold it.
    pub(super) confirmed: bool,
    pub(super) expires: Instant,
    pub(super) deadline: Option<Instant>,
    heartbeat_timeout: Option<Duration>,
    /// When renewals were sent that have no answer yet.
    renewals: VecDeque<Instant>,
    /// Whether there is progress to be sent.
    pub(super) dirty: bool,
    /// Whether it waits in the queue of such.
    pub(super) queued: bool,
    said_at: Option<Instant>,
    said: Option<Payload>,
}

impl Held {
    pub(super) fn new(
        now: Instant,
        task: &WorkerTask,
        timing: &Timing,
        cancellation: Cancellation,
        beats: Arc<Beats>,
    ) -> Self {
        Self {
            state: State::Running,
            cancellation,
            beats,
            abort: None,
            place: format!(
                "{} of task {} in execution {}",
                task.action, task.task_name, task.execution_uid
            ),
            queue: task.queue.clone(),
            confirmed: false,
            expires: now + timing.lease,
            deadline: remaining(task, timing).map(|left| now + left + DEADLINE_GRACE),
            heartbeat_timeout: crate::resources::to_duration(task.heartbeat_timeout),
            renewals: VecDeque::new(),
            dirty: false,
            queued: false,
            said_at: None,
            said: None,
        }
    }

    pub(super) fn is_leased(&self) -> bool {
        !matches!(self.state, State::Lost)
    }

    /// The end of its function is to be sent.
    pub(super) fn end(&mut self, now: Instant, ended: Ended) {
        let outcome = match ended {
            Ok(Done::Result(payload)) => Outcome::Result(payload.into_proto()),
            Ok(Done::Deferred) => Outcome::Deferred(Deferral {}),
            Err(error) => Outcome::Failure(error.into_proto()),
        };
        self.state = State::Ended(Box::new(Ending {
            outcome,
            sent: Sent::Due,
            sent_at: now,
            attempts: 0,
            refused: false,
        }));
    }

    /// Whether it is renewed: the lease of a task whose end was sent ends with the answer.
    pub(super) fn wants_renewal(&self) -> bool {
        match &self.state {
            State::Running => true,
            State::Ended(ending) => matches!(ending.sent, Sent::Due | Sent::At(_)),
            State::Lost => false,
        }
    }

    /// When progress may be sent next.
    pub(super) fn beat_due(&self, timing: &Timing) -> Option<Instant> {
        let said_at = self.said_at?;
        let mut pause = BEAT_PAUSE.min(timing.heartbeat);
        if let Some(timeout) = self.heartbeat_timeout {
            pause = pause.min(timeout / 3);
        }
        Some(said_at + pause)
    }

    /// A renewal, with progress if there is any and it is wanted.
    pub(super) fn renewal(
        &mut self,
        now: Instant,
        token: &str,
        with_progress: bool,
    ) -> TaskHeartbeat {
        let mut progress = None;
        if with_progress && self.dirty {
            if let Some(latest) = self.beats.take() {
                self.said = Some(latest.into_proto());
            }
            progress.clone_from(&self.said);
            self.said_at = Some(now);
            self.dirty = false;
        }
        if self.renewals.len() < RENEWALS_MAX {
            self.renewals.push_back(now);
        }
        TaskHeartbeat {
            token: token.to_owned(),
            progress,
        }
    }

    /// The server holds the lease: for its duration from when the renewal was sent.
    pub(super) fn renewed(&mut self, timing: &Timing) {
        self.confirmed = true;
        if let Some(sent) = self.renewals.pop_front() {
            self.expires = self.expires.max(sent + timing.lease);
        }
    }

    /// Nothing that was sent over a stream can be answered any more.
    pub(super) fn unanswered(&mut self) {
        // The progress may have been in a renewal that nobody has read.
        self.dirty |= self.said.is_some() && !self.renewals.is_empty();
        self.renewals.clear();
    }
}

/// How long after its deadline a function is cancelled without a word of the server, which ends the
/// attempt by itself: were it sooner, what the function says of it could come first.
const DEADLINE_GRACE: Duration = Duration::from_secs(1);

/// How long the attempt may still take. By the clock of the server alone: those of two machines
/// differ.
fn remaining(task: &WorkerTask, timing: &Timing) -> Option<Duration> {
    let deadline = to_time(task.deadline)?;
    let expiry = to_time(task.lease_expire_time);
    let server_now = expiry.and_then(|expiry| expiry.checked_sub(timing.lease));
    let server_now = server_now.unwrap_or_else(SystemTime::now);
    Some(deadline.duration_since(server_now).unwrap_or_default())
}

impl Ending {
    /// The server would not have it, and never will: the task fails for that. `false` if it was the
    /// bare failure already that was refused.
    pub(super) fn refuse(&mut self, reason: &str, message: &str) -> bool {
        if self.refused {
            return false;
        }
        self.refused = true;
        self.sent = Sent::Due;
        self.outcome = match &mut self.outcome {
            Outcome::Failure(TaskFailure {
                failure: Some(failure),
                non_retryable,
                retry_after,
            }) => {
                let bare = proto::v1::Failure {
                    r#type: failure.r#type.clone(),
                    message: failure.message.clone(),
                    ..proto::v1::Failure::default()
                };
                Outcome::Failure(TaskFailure {
                    failure: Some(bare),
                    non_retryable: *non_retryable,
                    retry_after: *retry_after,
                })
            }
            Outcome::Failure(_) | Outcome::Result(_) | Outcome::Deferred(_) => {
                let error = ActionError::of_type(reason, message).without_retry();
                Outcome::Failure(error.into_proto())
            }
        };
        true
    }

    /// Makes a failure of what is over the limit of the server: sending it might end the stream.
    pub(super) fn limit(&mut self, payload_bytes_max: usize) {
        let payload = match &self.outcome {
            Outcome::Result(payload) => Some(payload),
            Outcome::Failure(failure) => {
                let failure = failure.failure.as_ref();
                failure.and_then(|failure| failure.details.as_ref())
            }
            Outcome::Deferred(_) => None,
        };
        let bytes = payload.map_or(0, payload_bytes);
        if bytes > payload_bytes_max {
            let message = format!("the result has {bytes} bytes, more than {payload_bytes_max}");
            self.refuse("PAYLOAD_TOO_LARGE", &message);
        }
    }

    /// About how many bytes it has on the wire.
    pub(super) fn bytes(&self) -> usize {
        match &self.outcome {
            Outcome::Result(payload) => payload_bytes(payload),
            Outcome::Failure(failure) => failure.failure.as_ref().map_or(0, failure_bytes),
            Outcome::Deferred(_) => 0,
        }
    }
}

pub(super) fn payload_bytes(payload: &Payload) -> usize {
    match &payload.encoding {
        Some(Encoding::Json(text)) => text.len(),
        Some(Encoding::Binary(binary)) => binary.data.len(),
        Some(Encoding::Value(_) | Encoding::Ref(_)) | None => 0,
    }
}

fn failure_bytes(failure: &proto::v1::Failure) -> usize {
    let details = failure.details.as_ref().map_or(0, payload_bytes);
    let cause = failure.cause.as_deref().map_or(0, failure_bytes);
    failure.message.len() + failure.stack.len() + details + cause
}
