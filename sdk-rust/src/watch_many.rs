//! Following the changes of many executions over any number of broken streams.
//!
//! Owns [`Changes`], what the application sees, and resumption by token. Left to others: one
//! execution with all its events (`watch`).

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{Stream, stream};
use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::watch_executions_response::Message;
use proto::v1::{
    ExecutionEvents, WatchExecutionsMode, WatchExecutionsRequest, WatchExecutionsResponse,
    WatchExecutionsStart,
};

use crate::error::{Code, Error, RpcError};
use crate::event::Event;
use crate::resources::{Execution, to_duration};
use crate::transport::{Transport, WatchLease};

/// Heartbeats that may be missed.
const HEARTBEATS_MISSED_MAX: u32 = 3;

/// A change that a watch of many tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// An execution has changed; this is its state then or later, without payloads.
    Changed(Box<Execution>),
    /// Something happened to an execution, in a watch of events.
    Happened {
        /// The execution as it was then or later, without payloads.
        execution: Arc<Execution>,
        /// What happened.
        event: Box<Event>,
    },
    /// Events of an execution are not kept any more (`history_events_kept`), in a watch of events:
    /// what is told of it next may begin after a gap.
    Trimmed {
        /// The execution.
        execution: Arc<Execution>,
        /// Number of the first event that is kept.
        earliest_sequence: i64,
    },
    /// An execution was deleted.
    Deleted {
        /// Id that the client chose, or the uid.
        execution_id: String,
        /// Uid.
        uid: String,
        /// Why, as its deletion said; "retention" if it was old enough.
        reason: String,
        /// Who deleted it; empty for the server itself, and where callers are not known.
        principal: String,
        /// What its caller said of itself; empty if nothing.
        identity: String,
    },
}

/// The changes of all executions of a project that match a filter, made by
/// [`crate::Executions::watch`].
///
/// Each change comes at least once, as the execution is then; changes that are faster than the
/// stream come as one. Told [`Self::events`], all that happens comes instead, in order for each
/// execution, and again only where the stream was cut, with the same number. Broken connections
/// and restarts of the server are bridged. The stream has no end of its own; it fails if the call
/// is refused, or if the server stays away for five minutes.
#[must_use = "a watch begins with `stream` or `next`"]
pub struct Changes {
    transport: Arc<Transport>,
    request: WatchExecutionsRequest,
    lease: Option<WatchLease>,
    open: Option<tonic::Streaming<WatchExecutionsResponse>>,
    queue: VecDeque<Change>,
    /// Token of the message whose changes are in the queue.
    pending: Option<String>,
    failures: u32,
    last_life: Instant,
}

impl Changes {
    pub(crate) fn new(transport: Arc<Transport>, filter: String) -> Self {
        let heartbeat = transport.settings.watch.heartbeat;
        let request = WatchExecutionsRequest {
            project: transport.project(),
            filter,
            heartbeat_interval: prost_types::Duration::try_from(heartbeat).ok(),
            ..WatchExecutionsRequest::default()
        };
        Self {
            transport,
            request,
            lease: None,
            open: None,
            queue: VecDeque::new(),
            pending: None,
            failures: 0,
            last_life: Instant::now(),
        }
    }

    /// Goes on after everything that was seen when [`Self::token`] gave this.
    pub fn resume(mut self, token: impl Into<String>) -> Self {
        self.request.resume_token = token.into();
        self
    }

    /// Begins with the oldest change that the server keeps, about a day ago, instead of the next.
    pub fn from_retained(mut self) -> Self {
        self.request.start_at = WatchExecutionsStart::Retained.into();
        self
    }

    /// Tells what happens to executions, event by event, instead of what they are.
    pub fn events(mut self) -> Self {
        self.request.mode = WatchExecutionsMode::Events.into();
        self
    }

    /// Only events of this type, such as `task_state_changed`; may be said several times. Of a
    /// watch of [`Self::events`] only.
    pub fn event_type(mut self, name: impl Into<String>) -> Self {
        self.request.event_types.push(name.into());
        self
    }

    /// Carries inputs, outputs and results in the events. Of a watch of [`Self::events`] only.
    pub fn include_payloads(mut self) -> Self {
        self.request.include_payloads = true;
        self
    }

    /// Where a later watch of the same filter may go on: after all that was handed out. Empty
    /// before the server has told where the watch stands.
    pub fn token(&self) -> &str {
        match &self.pending {
            Some(token) if self.queue.is_empty() => token,
            _ => &self.request.resume_token,
        }
    }

    /// The next change.
    pub async fn next(&mut self) -> Result<Change, Error> {
        loop {
            if let Some(change) = self.queue.pop_front() {
                return Ok(change);
            }
            // All of the last message was handed out, so it need not come again.
            if let Some(token) = self.pending.take() {
                self.request.resume_token = token;
            }
            match self.message().await {
                Ok(message) => self.take(message).await,
                Err(status) => {
                    self.open = None;
                    self.pause(RpcError::from_status(&status)).await?;
                }
            }
        }
    }

    /// The changes as a stream.
    pub fn stream(self) -> impl Stream<Item = Result<Change, Error>> + Send + Unpin + 'static {
        Box::pin(stream::try_unfold(self, |mut changes| async move {
            let change = changes.next().await?;
            Ok(Some((change, changes)))
        }))
    }

    /// The next message of the open stream, or of one that is opened for it.
    async fn message(&mut self) -> Result<Message, tonic::Status> {
        let silence_max = self.transport.settings.watch.heartbeat * HEARTBEATS_MISSED_MAX;
        let silent = || tonic::Status::unavailable("no sign of life from the server");
        if self.open.is_none() {
            let lease = self
                .lease
                .get_or_insert_with(|| self.transport.watch_channel());
            let mut client = ExecutionServiceClient::new(lease.channel());
            let opening = client.watch_executions(self.transport.request(self.request.clone()));
            let opened = tokio::time::timeout(silence_max, opening).await;
            self.open = Some(opened.map_err(|_| silent())??.into_inner());
        }
        let stream = self.open.as_mut().expect("it was just opened");
        loop {
            let message = tokio::time::timeout(silence_max, stream.message()).await;
            match message.map_err(|_| silent())?? {
                // A message of a newer server is not for us.
                Some(WatchExecutionsResponse { message: None }) => {}
                Some(WatchExecutionsResponse {
                    message: Some(message),
                }) => return Ok(message),
                None => {
                    return Err(tonic::Status::unavailable(
                        "the stream ended without a word",
                    ));
                }
            }
        }
    }

    async fn take(&mut self, message: Message) {
        self.last_life = Instant::now();
        if let Some(lease) = &self.lease {
            lease.report(true);
        }
        match message {
            Message::Changes(batch) => {
                self.failures = 0;
                let executions = batch.executions.into_iter();
                self.queue
                    .extend(executions.map(|one| Change::Changed(Box::new(one.into()))));
                self.queue
                    .extend(batch.events.into_iter().flat_map(happened));
                let deleted = batch.deleted.into_iter();
                self.queue.extend(deleted.map(|gone| Change::Deleted {
                    execution_id: gone.execution_id,
                    uid: gone.uid,
                    reason: gone.reason,
                    principal: gone.principal,
                    identity: gone.identity,
                }));
                self.pending = Some(batch.resume_token);
            }
            Message::Heartbeat(heartbeat) => {
                self.request.resume_token = heartbeat.resume_token;
            }
            Message::End(end) => {
                self.open = None;
                self.request.resume_token = end.resume_token;
                let asked = to_duration(end.retry_delay).unwrap_or_default();
                // A server that ends each stream at once must not be asked in a tight loop.
                self.failures = self.failures.saturating_add(1);
                let own = match self.failures {
                    1 => Duration::ZERO,
                    failures => self.transport.settings.retry.delay(failures - 1, None),
                };
                tokio::time::sleep(asked.max(own)).await;
            }
        }
    }

    /// Waits before another stream is opened, if that may fare better.
    async fn pause(&mut self, error: RpcError) -> Result<(), Error> {
        let is_cut = error.retryable()
            || error.reason.is_none()
                && matches!(
                    error.code,
                    Code::Cancelled
                        | Code::Unknown
                        | Code::DeadlineExceeded
                        | Code::ResourceExhausted
                        | Code::Aborted
                        | Code::Internal
                );
        if !is_cut || self.last_life.elapsed() > self.transport.settings.watch.patience {
            return Err(error.into());
        }
        self.failures = self.failures.saturating_add(1);
        if self
            .lease
            .as_ref()
            .is_some_and(|lease| !lease.report(false))
        {
            self.lease = None;
        }
        let retry = &self.transport.settings.retry;
        tokio::time::sleep(retry.delay(self.failures, error.retry_delay)).await;
        Ok(())
    }
}

/// What a message tells of one execution.
fn happened(told: ExecutionEvents) -> impl Iterator<Item = Change> {
    let execution = Arc::new(Execution::from(told.execution.unwrap_or_default()));
    let trimmed = (told.earliest_sequence > 0).then(|| Change::Trimmed {
        execution: execution.clone(),
        earliest_sequence: told.earliest_sequence,
    });
    let events = told.events.into_iter().map(move |event| Change::Happened {
        execution: execution.clone(),
        event: Box::new(event.into()),
    });
    trimmed.into_iter().chain(events)
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("filter", &self.request.filter)
            .finish_non_exhaustive()
    }
}
