//! The background task behind a stream of events: it opens streams until everything was delivered.
//!
//! Owns resumption: the next stream begins after the last event that was delivered, so that the
//! application sees every event once and in order. Left to others: handing them out (`super`).
//!
//! | what happens to a stream                | what follows                                       |
//! |-----------------------------------------|----------------------------------------------------|
//! | cut, silent for 3 heartbeats            | pause, resume; after 5 minutes without life, error |
//! | end GOING_AWAY, MAX_AGE, SLOW_CONSUMER  | resume after the delay that the server asks for    |
//! | end TERMINAL                            | the end                                            |
//! | end DELETED                             | error                                              |
//! | an event too many                       | dropped                                            |
//! | an event too few                        | resume; error if it is still missing               |
//! | refused (NOT_FOUND, …)                  | error                                              |
//! | history trimmed                         | `on_gap` is told and it goes on, or error          |
//! | application reads too slowly            | the stream is closed; resumed when there is room   |

use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::v1::execution_service_client::ExecutionServiceClient;
use proto::v1::watch_execution_response::Message;
use proto::v1::{WatchEnd, WatchEndReason, WatchExecutionRequest, WatchStart};
use tokio::sync::mpsc;

use super::Trimmed;
use crate::error::{Code, Error, RpcError};
use crate::event::Event;
use crate::handle::fetch_execution;
use crate::reason::Reason;
use crate::resources::{Execution, to_duration};
use crate::transport::{Transport, WatchLease};

/// Batches read ahead of the application. Frames must not lie unread on the connection, which other
/// streams share; what does not fit here is asked for again later.
pub(super) const READ_AHEAD_MAX: usize = 64;
/// Streams in a row with the same hole before it is believed.
const GAPS_MAX: u32 = 3;
/// Heartbeats that may be missed.
const HEARTBEATS_MISSED_MAX: u32 = 3;

/// Called with what is missing when the server no longer has the oldest events.
type OnGap = Box<dyn FnMut(Trimmed) + Send>;

/// What the task hands to the stream.
pub(super) enum Delivery {
    Events(Vec<Event>),
    Finished(Option<Box<Execution>>),
}

/// The background task behind [`Events`].
pub(super) struct Follower {
    transport: Arc<Transport>,
    execution_id: String,
    lease: Option<WatchLease>,
    /// The last delivered event; `None` before the present is looked up.
    pub(super) last_sequence: Option<i64>,
    pub(super) include_payloads: bool,
    pub(super) on_gap: Option<OnGap>,
    /// Streams in a row that brought nothing.
    failures: u32,
    /// Streams in a row that brought a hole.
    gaps: u32,
    last_life: Instant,
}

/// How a stream ended.
enum Outcome {
    /// The application no longer listens.
    Abandoned,
    /// Everything was delivered.
    Finished(Option<Box<Execution>>),
    /// The server wants to be asked again.
    Resume(Option<Duration>),
    /// The application is behind.
    Full(Vec<Event>),
    /// It was cut, or never opened.
    Broken(Box<RpcError>),
    /// An event is missing.
    Gap { expected: i64, found: i64 },
    /// It makes no sense to go on.
    Failed(Error),
}

impl Follower {
    pub(super) fn new(transport: Arc<Transport>, execution_id: String) -> Self {
        Self {
            transport,
            execution_id,
            lease: None,
            last_sequence: Some(0),
            include_payloads: false,
            on_gap: None,
            failures: 0,
            gaps: 0,
            last_life: Instant::now(),
        }
    }

    pub(super) async fn run(mut self: Box<Self>, sender: mpsc::Sender<Result<Delivery, Error>>) {
        self.last_life = Instant::now();
        loop {
            let outcome = tokio::select! {
                () = sender.closed() => return,
                outcome = self.follow(&sender) => outcome,
            };
            let wait = match outcome {
                Outcome::Abandoned => return,
                Outcome::Finished(execution) => {
                    // Nobody is there to hear of a failed delivery.
                    let _ = sender.send(Ok(Delivery::Finished(execution))).await;
                    return;
                }
                Outcome::Full(events) => {
                    if sender.send(Ok(Delivery::Events(events))).await.is_err() {
                        return;
                    }
                    // Resuming for each single free place would cost a call for each batch.
                    let _ = sender.reserve_many(READ_AHEAD_MAX / 2).await;
                    Ok(Duration::ZERO)
                }
                Outcome::Resume(asked) => Ok(self.pause_before_resuming(asked)),
                Outcome::Broken(error) => self.pause_after_break(*error),
                Outcome::Gap { expected, found } => self.pause_after_gap(expected, found),
                Outcome::Failed(error) => Err(error),
            };
            match wait {
                Ok(delay) => tokio::select! {
                    () = sender.closed() => return,
                    () = tokio::time::sleep(delay) => {}
                },
                Err(error) => {
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            }
        }
    }

    /// Runs one stream to its end.
    async fn follow(&mut self, sender: &mpsc::Sender<Result<Delivery, Error>>) -> Outcome {
        let after = match self.position().await {
            Ok(after) => after,
            Err(outcome) => return outcome,
        };
        let heartbeat = self.transport.settings.watch.heartbeat;
        let request = WatchExecutionRequest {
            project: self.transport.project(),
            execution_id: self.execution_id.clone(),
            after_sequence: after,
            start_at: WatchStart::Beginning.into(),
            heartbeat_interval: prost_types::Duration::try_from(heartbeat).ok(),
            include_payloads: self.include_payloads,
            ..WatchExecutionRequest::default()
        };
        let lease = self
            .lease
            .get_or_insert_with(|| self.transport.watch_channel());
        let mut client = ExecutionServiceClient::new(lease.channel());
        let opening = client.watch_execution(self.transport.request(request));
        let silence_max = heartbeat * HEARTBEATS_MISSED_MAX;
        let mut stream = match tokio::time::timeout(silence_max, opening).await {
            Ok(Ok(response)) => response.into_inner(),
            Ok(Err(status)) => return self.refused(&status),
            Err(_) => return silent(silence_max),
        };
        loop {
            let message = match tokio::time::timeout(silence_max, stream.message()).await {
                Ok(Ok(Some(message))) => message.message,
                Ok(Ok(None)) => {
                    let error =
                        RpcError::local(Code::Unavailable, "the stream ended without a word");
                    return Outcome::Broken(Box::new(error));
                }
                Ok(Err(status)) => return self.refused(&status),
                Err(_) => return silent(silence_max),
            };
            self.last_life = Instant::now();
            if let Err(outcome) = self.take(message, sender) {
                return outcome;
            }
        }
    }

    /// The sequence after which to go on.
    async fn position(&mut self) -> Result<i64, Outcome> {
        if let Some(last) = self.last_sequence {
            return Ok(last);
        }
        // Asking the watch itself to begin with the next event would lose what happens between a
        // break before the first event and the resumption.
        match fetch_execution(&self.transport, &self.execution_id).await {
            Ok(execution) => {
                self.last_sequence = Some(execution.last_sequence);
                Ok(execution.last_sequence)
            }
            Err(Error::Rpc(error)) if error.retryable() => Err(Outcome::Broken(error)),
            Err(error) => Err(Outcome::Failed(error)),
        }
    }

    /// Handles one message; `Err` is the end of the stream.
    fn take(
        &mut self,
        message: Option<Message>,
        sender: &mpsc::Sender<Result<Delivery, Error>>,
    ) -> Result<(), Outcome> {
        match message {
            Some(Message::Events(batch)) => {
                let events = self.accept(batch.events)?;
                if events.is_empty() {
                    return Ok(());
                }
                self.healthy();
                self.gaps = 0;
                match sender.try_send(Ok(Delivery::Events(events))) {
                    Ok(()) => Ok(()),
                    Err(mpsc::error::TrySendError::Full(Ok(Delivery::Events(events)))) => {
                        Err(Outcome::Full(events))
                    }
                    Err(_) => Err(Outcome::Abandoned),
                }
            }
            Some(Message::Heartbeat(heartbeat)) => {
                self.expect_none_before(heartbeat.last_sequence)?;
                self.healthy();
                Ok(())
            }
            Some(Message::End(end)) => Err(self.ended(end)),
            // A snapshot is not asked for; a message of a newer server is not for us.
            Some(Message::Snapshot(_)) | None => Ok(()),
        }
    }

    /// The events that are new, if none is missing.
    fn accept(&mut self, batch: Vec<proto::v1::HistoryEvent>) -> Result<Vec<Event>, Outcome> {
        let mut last = self.last_sequence.unwrap_or(0);
        let mut accepted = Vec::with_capacity(batch.len());
        for event in batch {
            if event.sequence <= last {
                continue;
            }
            if event.sequence != last + 1 {
                return Err(Outcome::Gap {
                    expected: last + 1,
                    found: event.sequence,
                });
            }
            last = event.sequence;
            accepted.push(Event::from(event));
        }
        self.last_sequence = Some(last);
        Ok(accepted)
    }

    /// Everything up to `sequence` was sent, says the server; so it must have come.
    fn expect_none_before(&self, sequence: i64) -> Result<(), Outcome> {
        let last = self.last_sequence.unwrap_or(0);
        if sequence > last {
            return Err(Outcome::Gap {
                expected: last + 1,
                found: sequence,
            });
        }
        Ok(())
    }

    fn ended(&mut self, end: WatchEnd) -> Outcome {
        match end.reason() {
            WatchEndReason::Terminal => {
                if let Err(gap) = self.expect_none_before(end.resume_after_sequence) {
                    return gap;
                }
                Outcome::Finished(end.execution.map(|execution| Box::new(execution.into())))
            }
            WatchEndReason::Deleted => Outcome::Failed(Error::Deleted {
                execution_id: self.execution_id.clone(),
            }),
            // A reason of a newer server is no reason to stop.
            WatchEndReason::GoingAway
            | WatchEndReason::MaxAge
            | WatchEndReason::SlowConsumer
            | WatchEndReason::Unspecified => Outcome::Resume(to_duration(end.retry_delay)),
        }
    }

    fn refused(&mut self, status: &tonic::Status) -> Outcome {
        let error = RpcError::from_status(status);
        if error.reason == Some(Reason::HistoryTrimmed)
            && let Some(trimmed) = self.trimmed(&error)
            && let Some(on_gap) = &mut self.on_gap
        {
            on_gap(trimmed);
            self.last_sequence = Some(trimmed.earliest_sequence - 1);
            return Outcome::Resume(None);
        }
        if resumable(&error) {
            Outcome::Broken(Box::new(error))
        } else {
            Outcome::Failed(error.into())
        }
    }

    fn trimmed(&self, error: &RpcError) -> Option<Trimmed> {
        let earliest_sequence = error.metadata.get("earliest_sequence")?.parse().ok()?;
        let after_sequence = self.last_sequence.unwrap_or(0);
        (earliest_sequence > after_sequence).then_some(Trimmed {
            after_sequence,
            earliest_sequence,
        })
    }

    fn healthy(&mut self) {
        self.failures = 0;
        if let Some(lease) = &self.lease {
            lease.report(true);
        }
    }

    /// A server that ends each stream at once must not be asked in a tight loop.
    fn pause_before_resuming(&mut self, asked: Option<Duration>) -> Duration {
        self.failures += 1;
        let delay = match self.failures {
            1 => Duration::ZERO,
            failures => self.transport.settings.retry.delay(failures - 1, None),
        };
        delay.max(asked.unwrap_or_default())
    }

    fn pause_after_break(&mut self, error: RpcError) -> Result<Duration, Error> {
        if self.last_life.elapsed() > self.transport.settings.watch.patience {
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
        Ok(self
            .transport
            .settings
            .retry
            .delay(self.failures, error.retry_delay))
    }

    fn pause_after_gap(&mut self, expected: i64, found: i64) -> Result<Duration, Error> {
        self.gaps += 1;
        if self.gaps >= GAPS_MAX {
            let execution_id = self.execution_id.clone();
            return Err(Error::Gap {
                execution_id,
                expected,
                found,
            });
        }
        Ok(self.transport.settings.retry.delay(self.gaps, None))
    }
}

fn silent(silence_max: Duration) -> Outcome {
    let message = format!("no sign of life for {silence_max:?}");
    Outcome::Broken(Box::new(RpcError::local(Code::Unavailable, message)))
}

/// Whether another stream may fare better. Proxies cut streams with codes of their own; an error
/// with a reason comes from the server, which knows what it says.
fn resumable(error: &RpcError) -> bool {
    error.retryable()
        || error.reason.is_none()
            && matches!(
                error.code,
                Code::Cancelled
                    | Code::Unknown
                    | Code::DeadlineExceeded
                    | Code::ResourceExhausted
                    | Code::Aborted
                    | Code::Internal
            )
}
