//! `Connect`: work by a stream.
//!
//! Two halves. One reads what the worker says, and never waits for the other: a reader that stops
//! would hold up the whole connection. The other writes what the desk has for the session, the ends
//! of reports that are written down meanwhile, and the heartbeat when there is nothing else.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use engine::Data;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};
use prost::Message as _;
use proto::v1;
use tokio::sync::mpsc::{self, Sender, UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::api::context::Context;
use crate::api::convert::{field, worker};
use crate::api::fault::Fault;
use crate::api::status;
use crate::clock;
use crate::dispatch::{Dispatcher, Outbox, Report, Session, WorkerKey};

/// The stream to the worker.
pub(super) type Responses = Pin<Box<dyn Stream<Item = Result<v1::ConnectResponse, Status>> + Send>>;

/// How long the first message may take.
const HELLO_MAX: Duration = Duration::from_secs(10);

/// Messages that wait for the worker to read them.
const WAITING_MAX: usize = 4;

/// How long a worker may leave that full before it counts as gone.
const BLOCKED_MAX: Duration = Duration::from_secs(30);

/// Most leases that a worker takes over.
const HELD_MAX: usize = 10_000;

/// How long a worker may be silent at most, whatever is configured.
const SILENCE_MAX: Duration = Duration::from_hours(24);

/// How long the old stream stays open for the worker to open a new one.
const LEAVE: Duration = Duration::from_secs(10);

/// Most bytes of tasks in one message: below what gRPC clients take.
const MESSAGE_BYTES_MAX: usize = 3 << 20;

/// Opens the stream: takes the first message, and answers when it is right.
pub(super) async fn connect(
    context: &Context,
    mut requests: Streaming<v1::ConnectRequest>,
) -> Result<Responses, Fault> {
    let missing = || Fault::field("hello", "is required in the first message");
    let first = timeout(HELLO_MAX, requests.message()).await;
    let first = first.map_err(|_| Fault::HelloLate(HELLO_MAX))?;
    let first = first.ok().flatten();
    let mut first = first.ok_or_else(missing)?;
    if context.going_away.is_cancelled() {
        return Err(Fault::Driver(crate::driver::Error::ShuttingDown));
    }
    let hello = first.hello.take().ok_or_else(missing)?;
    if hello.held_tokens.len() > HELD_MAX {
        let description = format!("must have at most {HELD_MAX} tokens");
        return Err(Fault::field("hello.held_tokens", description));
    }
    let opening = worker::hello(&hello)?;
    let session = Arc::new(context.dispatcher.open(&opening));
    let lost_tokens = session.take_over(&hello.held_tokens);
    let welcome = welcome(context, &session, lost_tokens);
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let (acks, acked) = mpsc::unbounded_channel();
    let reader = Reader {
        context: context.clone(),
        worker: opening.worker,
        session: session.clone(),
        acks,
    };
    let writer = Writer {
        context: context.clone(),
        session,
        sender,
        acked,
    };
    let ended = CancellationToken::new();
    let (ends, has_ended) = (ended.clone(), ended);
    context.streams.spawn(async move {
        let _ends = ends.drop_guard();
        reader.run(first, requests).await;
    });
    context.streams.spawn(writer.run(welcome, has_ended));
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

fn welcome(context: &Context, session: &Session, lost_tokens: Vec<String>) -> v1::Welcome {
    let config = context.dispatcher.config();
    let bytes_max = context.limits.payload_bytes_max;
    v1::Welcome {
        session_id: session.id().to_string(),
        lease_duration: Some(worker::wire_seconds(config.lease_duration_s)),
        heartbeat_interval: Some(worker::wire_seconds(config.heartbeat_interval_s)),
        accept_timeout: Some(worker::wire_seconds(config.accept_timeout_s)),
        lost_tokens,
        payload_bytes_max: i64::try_from(bytes_max).unwrap_or(i64::MAX),
        current_time: Some(field::timestamp(clock::now_us())),
    }
}

/// The half that hears the worker.
struct Reader {
    context: Context,
    worker: WorkerKey,
    session: Arc<Session>,
    acks: UnboundedSender<v1::TaskResultAck>,
}

impl Reader {
    /// Takes what the worker says until it has gone, and writes its reports down.
    async fn run(self, first: v1::ConnectRequest, mut requests: Streaming<v1::ConnectRequest>) {
        let heartbeat_s = self.context.dispatcher.config().heartbeat_interval_s;
        let silence = Duration::try_from_secs_f64(heartbeat_s * 3.0).unwrap_or(SILENCE_MAX);
        let mut reports = FuturesUnordered::new();
        reports.extend(self.take(first));
        let mut is_open = true;
        while is_open || !reports.is_empty() {
            tokio::select! {
                Some(ack) = reports.next() => {
                    // A writer that has gone takes no more, but what was said is written down.
                    let _ = self.acks.send(ack);
                }
                request = timeout(silence, requests.message()), if is_open => match request {
                    Ok(Ok(Some(request))) => reports.extend(self.take(request)),
                    // It has closed its half, was cut off, or says nothing any more.
                    Ok(Ok(None) | Err(_)) | Err(_) => is_open = false,
                },
            }
        }
    }

    /// Does what a message says, in the order of its fields; what takes time is given back.
    fn take(&self, request: v1::ConnectRequest) -> Vec<BoxFuture<'static, v1::TaskResultAck>> {
        self.session.accept(&request.accepts);
        // A heartbeat without anything says at least that the worker is alive.
        let heartbeats = request.heartbeats.into_iter().map(heartbeat);
        self.session.renew(&self.worker, heartbeats.collect());
        let bytes_max = self.context.limits.payload_bytes_max;
        let results = request.results.into_iter().map(|result| {
            let dispatcher = self.context.dispatcher.clone();
            // Large, and moved about by those who wait for it.
            report(dispatcher, result, bytes_max).boxed()
        });
        let results: Vec<_> = results.collect();
        for token in &request.releases {
            // One that is over needs no release.
            let _ = self.context.dispatcher.release(token);
        }
        for grant in &request.credits {
            let count = u32::try_from(grant.count)
                .unwrap_or(0)
                .min(worker::TASKS_MAX);
            let queue = worker::queue(&grant.queue);
            if !queue.is_ok_and(|queue| self.session.grant(&queue, count)) {
                tracing::debug!(worker.id = %self.worker.id, "credit for a queue not served");
            }
        }
        if request.drain.is_some() {
            self.session.drain();
        }
        results
    }
}

/// Progress that cannot be kept does not cost the worker its lease.
fn heartbeat(task: v1::TaskHeartbeat) -> (String, Option<Data>) {
    let token = task.token.clone();
    worker::heartbeats(vec![task])
        .ok()
        .and_then(|mut checked| checked.pop())
        .unwrap_or((token, None))
}

/// Writes the end of a task down.
async fn report(
    dispatcher: Dispatcher,
    result: v1::TaskResult,
    bytes_max: usize,
) -> v1::TaskResultAck {
    use v1::task_result::Outcome;
    let token = result.token;
    let read = match result.outcome {
        Some(Outcome::Result(payload)) => worker::result(Some(payload), bytes_max),
        Some(Outcome::Failure(failure)) => worker::failure(failure, bytes_max),
        Some(Outcome::Deferred(_)) => Ok(Report::Deferred),
        None => worker::result(None, bytes_max),
    };
    let written = match read {
        Ok(report) => dispatcher.report(&token, report).await.map_err(Fault::from),
        Err(fault) => Err(fault),
    };
    match written {
        Ok(()) => v1::TaskResultAck {
            token,
            ..v1::TaskResultAck::default()
        },
        Err(fault) => {
            let refusal = status::refusal(&fault);
            v1::TaskResultAck {
                token,
                error_reason: refusal.reason,
                error_message: refusal.message,
                retryable: refusal.is_retryable,
            }
        }
    }
}

/// The half that speaks to the worker.
struct Writer {
    context: Context,
    session: Arc<Session>,
    sender: Sender<Result<v1::ConnectResponse, Status>>,
    acked: UnboundedReceiver<v1::TaskResultAck>,
}

impl Writer {
    /// Says what there is to say until the worker has gone, or the stream is old.
    async fn run(mut self, welcome: v1::Welcome, reader_ended: CancellationToken) {
        let config = self.context.dispatcher.config();
        let seconds = |s: f64| Duration::try_from_secs_f64(s).unwrap_or(SILENCE_MAX);
        let heartbeat = seconds(config.heartbeat_interval_s);
        let mut leave_at = Instant::now() + age(seconds(config.stream_age_max_s));
        let mut is_leaving = false;
        let first = v1::ConnectResponse {
            welcome: Some(welcome),
            ..v1::ConnectResponse::default()
        };
        if !self.say(vec![first]).await {
            return;
        }
        loop {
            let beat_at = Instant::now() + heartbeat;
            let mut acks = Vec::new();
            let mut going_away = None;
            let is_over = tokio::select! {
                () = self.session.news() => false,
                Some(ack) = self.acked.recv() => {
                    acks.push(ack);
                    false
                }
                () = reader_ended.cancelled() => true,
                () = sleep_until(beat_at) => false,
                () = sleep_until(leave_at) => {
                    if !is_leaving {
                        going_away = Some(self.leave(&mut leave_at));
                    }
                    is_leaving && going_away.is_none()
                }
                () = self.context.going_away.cancelled(), if !is_leaving => {
                    going_away = Some(self.leave(&mut leave_at));
                    false
                }
            };
            is_leaving |= going_away.is_some();
            while let Ok(ack) = self.acked.try_recv() {
                acks.push(ack);
            }
            let outbox = self.session.collect();
            if !self.say(messages(outbox, acks, going_away)).await || is_over {
                return;
            }
        }
    }

    /// Takes leave: no more tasks come, and the worker has a while to open another stream.
    fn leave(&self, leave_at: &mut Instant) -> v1::GoingAway {
        self.session.drain();
        *leave_at = Instant::now() + LEAVE;
        v1::GoingAway {
            reconnect_delay: None,
            end_time: Some(worker::wire_deadline(clock::now_us(), LEAVE)),
        }
    }

    /// False if the worker does not hear it.
    async fn say(&self, messages: Vec<v1::ConnectResponse>) -> bool {
        for message in messages {
            let said = self.sender.send_timeout(Ok(message), BLOCKED_MAX).await;
            if said.is_err() {
                return false;
            }
        }
        true
    }
}

/// What there is to say, in messages that are not too large. At least one: to say nothing is to say
/// that the server is alive.
fn messages(
    outbox: Outbox,
    results: Vec<v1::TaskResultAck>,
    going_away: Option<v1::GoingAway>,
) -> Vec<v1::ConnectResponse> {
    let mut messages = vec![v1::ConnectResponse {
        results,
        leases: outbox.leases.into_iter().map(worker::lease).collect(),
        // A stream that the server ends is no worker that nobody wants.
        drained: outbox.drained && going_away.is_none(),
        going_away,
        ..v1::ConnectResponse::default()
    }];
    let mut bytes = messages[0].encoded_len();
    for task in outbox.tasks.iter().map(worker::task) {
        let size = task.encoded_len();
        if bytes + size > MESSAGE_BYTES_MAX && bytes > 0 {
            messages.push(v1::ConnectResponse::default());
            bytes = 0;
        }
        bytes += size;
        let last = messages.last_mut().expect("there is at least one");
        last.tasks.push(task);
    }
    messages
}

/// How old a stream gets: not all of them the same, so that they do not end at once.
fn age(most: Duration) -> Duration {
    let draw = u32::from(clock::entropy()[15]);
    most * (900 + draw * 200 / 255) / 1000
}
