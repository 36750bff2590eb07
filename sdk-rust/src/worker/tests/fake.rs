//! A server that a test plays: it deals tasks, drops streams, loses leases, and sees what is said.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use proto::v1;
use proto::v1::task_result::Outcome;
use proto::v1::worker_service_server::{WorkerService, WorkerServiceServer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tonic::{Request, Response, Status, Streaming};

use crate::client::Client;
use crate::error::Error;
use crate::payload::Payload;
use crate::retry::RetryPolicy;
use crate::worker::Worker;

/// Longer than anything takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that must come.
pub(super) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let soon = tokio::time::timeout(PATIENCE, future).await;
    soon.expect("it comes in time")
}

/// What is shared with the service.
#[derive(Default)]
struct Script {
    /// One refusal for each stream or call, while there are any.
    refusals: Mutex<VecDeque<Status>>,
    /// Refusal of all streams, if there is one.
    closed: Mutex<Option<Status>>,
    connections: AtomicUsize,
}

struct Service {
    script: Arc<Script>,
    sessions: mpsc::UnboundedSender<Session>,
    calls: mpsc::UnboundedSender<String>,
}

/// The fake server behind a proxy that can cut connections.
pub(super) struct Fake {
    address: SocketAddr,
    script: Arc<Script>,
    proxy: Arc<Mutex<JoinSet<()>>>,
    sessions: mpsc::UnboundedReceiver<Session>,
    pub(super) calls: mpsc::UnboundedReceiver<String>,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let (to_sessions, sessions) = mpsc::unbounded_channel();
        let (to_calls, calls) = mpsc::unbounded_channel();
        let script = Arc::new(Script::default());
        let service = Service {
            script: script.clone(),
            sessions: to_sessions,
            calls: to_calls,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let server =
            tonic::transport::Server::builder().add_service(WorkerServiceServer::new(service));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = front.local_addr().unwrap();
        let proxy = Arc::new(Mutex::new(JoinSet::new()));
        let (connections, counter) = (proxy.clone(), script.clone());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = front.accept().await {
                counter.connections.fetch_add(1, Ordering::Relaxed);
                connections.lock().unwrap().spawn(async move {
                    let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self {
            address,
            script,
            proxy,
            sessions,
            calls,
        }
    }

    pub(super) fn client(&self) -> Client {
        let client = Client::builder(self.address.to_string()).project("shop");
        client.token("secret").connect_lazy().unwrap()
    }

    /// A worker that comes back fast.
    pub(super) fn worker(&self) -> Worker {
        let fast = Duration::from_millis(2);
        Worker::new(&self.client(), "q").reconnect(RetryPolicy::default().delays(fast, fast))
    }

    /// The next stream that a worker opens.
    pub(super) async fn session(&mut self) -> Session {
        soon(self.sessions.recv()).await.unwrap()
    }

    /// The next stream, welcomed.
    pub(super) async fn welcomed(&mut self) -> Session {
        let session = self.session().await;
        session.welcome(usual_welcome());
        session
    }

    /// Refuses the next stream or call.
    pub(super) fn refuse(&self, status: Status) {
        self.script.refusals.lock().unwrap().push_back(status);
    }

    /// Refuses all streams from now on.
    pub(super) fn close(&self, status: Option<Status>) {
        *self.script.closed.lock().unwrap() = status;
    }

    /// Cuts all connections as a dying server or proxy would.
    pub(super) fn cut(&self) {
        self.proxy.lock().unwrap().abort_all();
    }

    pub(super) fn connections(&self) -> usize {
        self.script.connections.load(Ordering::Relaxed)
    }
}

/// A welcome with so much time that nothing runs out in a test.
pub(super) fn usual_welcome() -> v1::Welcome {
    welcome(PATIENCE * 10, PATIENCE * 2)
}

pub(super) fn welcome(lease: Duration, heartbeat: Duration) -> v1::Welcome {
    v1::Welcome {
        session_id: "s".to_owned(),
        lease_duration: lease.try_into().ok(),
        heartbeat_interval: heartbeat.try_into().ok(),
        payload_bytes_max: 1024,
        ..v1::Welcome::default()
    }
}

/// A task of this token.
pub(super) fn task(token: &str, action: &str, input: &str) -> v1::WorkerTask {
    v1::WorkerTask {
        token: token.to_owned(),
        action: action.to_owned(),
        queue: "q".to_owned(),
        input: Some(Payload::from_json_text(input).into_proto()),
        attempt: 1,
        delivery: 1,
        idempotency_key: format!("key-{token}"),
        ..v1::WorkerTask::default()
    }
}

pub(super) fn ack(token: &str, error_reason: &str, retryable: bool) -> v1::ConnectResponse {
    let ack = v1::TaskResultAck {
        token: token.to_owned(),
        error_reason: error_reason.to_owned(),
        error_message: "said the server".to_owned(),
        retryable,
    };
    v1::ConnectResponse {
        results: vec![ack],
        ..v1::ConnectResponse::default()
    }
}

pub(super) fn lease(token: &str, status: v1::LeaseStatus) -> v1::ConnectResponse {
    let lease = v1::TaskHeartbeatResult {
        token: token.to_owned(),
        status: status.into(),
        reason: "said the server".to_owned(),
        ..v1::TaskHeartbeatResult::default()
    };
    v1::ConnectResponse {
        leases: vec![lease],
        ..v1::ConnectResponse::default()
    }
}

/// One stream, as the server sees it.
pub(super) struct Session {
    pub(super) hello: v1::Hello,
    pub(super) headers: String,
    incoming: mpsc::UnboundedReceiver<v1::ConnectRequest>,
    outgoing: Option<mpsc::UnboundedSender<Result<v1::ConnectResponse, Status>>>,
    /// All that was said so far.
    pub(super) seen: Seen,
}

/// What a worker has said over a stream.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) accepts: Vec<String>,
    /// Tokens with the progress that was said of them, in order.
    pub(super) heartbeats: Vec<(String, Option<String>)>,
    /// Tokens with their ends as text.
    pub(super) results: Vec<(String, String)>,
    pub(super) releases: Vec<String>,
    pub(super) credits: i32,
    /// Credits by queue, in order.
    pub(super) grants: Vec<(String, i32)>,
    pub(super) drained: bool,
    pub(super) messages: usize,
    /// Whether the worker has nothing more to say.
    pub(super) closed: bool,
}

impl Seen {
    fn add(&mut self, message: v1::ConnectRequest) {
        assert!(message.hello.is_none(), "a second hello");
        self.messages += 1;
        self.accepts.extend(message.accepts);
        self.releases.extend(message.releases);
        self.credits += message.credits.iter().map(|grant| grant.count).sum::<i32>();
        let grants = message.credits.into_iter();
        self.grants
            .extend(grants.map(|grant| (grant.queue, grant.count)));
        self.drained |= message.drain.is_some();
        for beat in message.heartbeats {
            let progress = beat.progress.map(Payload::from);
            let text = progress.and_then(|progress| progress.json_text().map(str::to_owned));
            self.heartbeats.push((beat.token, text));
        }
        for result in message.results {
            let text = match result.outcome.unwrap() {
                Outcome::Result(payload) => Payload::from(payload).json_text().unwrap().to_owned(),
                Outcome::Failure(failure) => describe(&failure),
                Outcome::Deferred(_) => "deferred".to_owned(),
            };
            self.results.push((result.token, text));
        }
    }

    /// The end of a task, the last one that was sent.
    pub(super) fn result(&self, token: &str) -> Option<&str> {
        let mut results = self.results.iter().rev();
        let found = results.find(|(other, _)| other == token);
        found.map(|(_, text)| text.as_str())
    }

    /// The last progress of a task.
    pub(super) fn progress(&self, token: &str) -> Option<&str> {
        let mut beats = self.heartbeats.iter().rev();
        let found = beats.find(|(other, progress)| other == token && progress.is_some());
        found.and_then(|(_, progress)| progress.as_deref())
    }

    pub(super) fn renewals(&self, token: &str) -> usize {
        let beats = self.heartbeats.iter();
        beats.filter(|(other, _)| other == token).count()
    }
}

/// `type: message`, with what follows from it.
fn describe(failure: &v1::TaskFailure) -> String {
    let what = failure.failure.as_ref().unwrap();
    let mut text = format!("{}: {}", what.r#type, what.message);
    if failure.non_retryable {
        text.push_str(" (non-retryable)");
    }
    if let Some(delay) = &failure.retry_after {
        let _ = write!(text, " (retry after {} s)", delay.seconds);
    }
    text
}

impl Session {
    pub(super) fn send(&self, message: v1::ConnectResponse) {
        if let Some(outgoing) = &self.outgoing {
            // A worker that is gone is what some tests are about.
            let _ = outgoing.send(Ok(message));
        }
    }

    pub(super) fn welcome(&self, welcome: v1::Welcome) {
        self.send(v1::ConnectResponse {
            welcome: Some(welcome),
            ..v1::ConnectResponse::default()
        });
    }

    pub(super) fn deal(&self, tasks: impl IntoIterator<Item = v1::WorkerTask>) {
        self.send(v1::ConnectResponse {
            tasks: tasks.into_iter().collect(),
            ..v1::ConnectResponse::default()
        });
    }

    /// Ends the stream, with an error if there is one.
    pub(super) fn end(&mut self, status: Option<Status>) {
        if let (Some(outgoing), Some(status)) = (&self.outgoing, status) {
            let _ = outgoing.send(Err(status));
        }
        self.outgoing = None;
    }

    /// Reads until this holds.
    pub(super) async fn until(&mut self, holds: impl Fn(&Seen) -> bool) {
        let reading = async {
            while !holds(&self.seen) {
                if let Some(message) = self.incoming.recv().await {
                    self.seen.add(message);
                } else {
                    assert!(!self.seen.closed, "it will never hold: {:?}", self.seen);
                    self.seen.closed = true;
                }
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, reading).await.is_ok();
        assert!(in_time, "it does not hold in time: {:?}", self.seen);
    }

    /// The end of a task, when it comes.
    pub(super) async fn result(&mut self, token: &str) -> String {
        self.until(|seen| seen.result(token).is_some()).await;
        self.seen.result(token).unwrap().to_owned()
    }
}

/// A worker that runs until it is stopped.
pub(super) struct Job {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    handle: JoinHandle<Result<(), Error>>,
}

impl Job {
    pub(super) fn start(worker: Worker) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        Self {
            stop: Some(stop),
            handle: tokio::spawn(worker.run_until(stopped)),
        }
    }

    /// Tells it to stop.
    pub(super) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Its end.
    pub(super) async fn ended(self) -> Result<(), Error> {
        soon(self.handle).await.unwrap()
    }

    /// Ends it without a word.
    pub(super) fn kill(self) {
        self.handle.abort();
    }
}

type Outgoing = Pin<Box<dyn Stream<Item = Result<v1::ConnectResponse, Status>> + Send>>;

impl Service {
    fn call<A: Default>(&self, call: String) -> Result<Response<A>, Status> {
        self.calls.send(call).unwrap();
        let refusal = self.script.refusals.lock().unwrap().pop_front();
        refusal.map_or_else(|| Ok(Response::new(A::default())), Err)
    }
}

fn text(payload: Option<v1::Payload>) -> String {
    let payload = payload.map(Payload::from);
    payload.map_or_else(String::new, |payload| {
        payload.json_text().unwrap().to_owned()
    })
}

#[tonic::async_trait]
impl WorkerService for Service {
    type ConnectStream = Outgoing;

    async fn connect(
        &self,
        request: Request<Streaming<v1::ConnectRequest>>,
    ) -> Result<Response<Outgoing>, Status> {
        let refusal = self.script.refusals.lock().unwrap().pop_front();
        let refusal = refusal.or_else(|| self.script.closed.lock().unwrap().clone());
        if let Some(status) = refusal {
            return Err(status);
        }
        let headers = ["autan-project", "authorization"].map(|name| {
            let value = request.metadata().get(name).unwrap();
            value.to_str().unwrap().to_owned()
        });
        let mut incoming = request.into_inner();
        let first = incoming.message().await?.unwrap();
        let (to_test, from_worker) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = incoming.next().await {
                // A test that has seen enough is no fault.
                let _ = to_test.send(message);
            }
        });
        let (outgoing, to_worker) = mpsc::unbounded_channel();
        let session = Session {
            hello: first.hello.unwrap(),
            headers: headers.join(" "),
            incoming: from_worker,
            outgoing: Some(outgoing),
            seen: Seen::default(),
        };
        let _ = self.sessions.send(session);
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(
            to_worker,
        ))))
    }

    async fn poll_tasks(
        &self,
        request: Request<v1::PollTasksRequest>,
    ) -> Result<Response<v1::PollTasksResponse>, Status> {
        let poll = request.into_inner();
        let queue = &poll.queues[0];
        let names: Vec<_> = queue.actions.iter().map(|action| &action.name).collect();
        let (most, wait) = (poll.max_tasks, poll.wait.unwrap().seconds);
        let known = !poll.worker.unwrap().worker_id.is_empty();
        let project = poll.project;
        let call = format!(
            "poll {project} {known} {} {names:?} {most} {wait}",
            queue.queue
        );
        self.call::<()>(call)?;
        Ok(Response::new(v1::PollTasksResponse {
            tasks: vec![task("t1", "a", "{\"n\":1}")],
            lease_duration: Duration::from_secs(30).try_into().ok(),
            heartbeat_interval: Duration::from_secs(10).try_into().ok(),
            drained: true,
        }))
    }

    async fn heartbeat_tasks(
        &self,
        request: Request<v1::HeartbeatTasksRequest>,
    ) -> Result<Response<v1::HeartbeatTasksResponse>, Status> {
        let tasks = request.into_inner().tasks;
        let said = tasks
            .into_iter()
            .map(|beat| (beat.token, text(beat.progress)));
        let said: BTreeMap<_, _> = said.collect();
        self.call::<()>(format!("heartbeat {said:?}"))?;
        let statuses = [v1::LeaseStatus::CancelRequested, v1::LeaseStatus::Lost];
        let tasks = said.into_keys().zip(statuses).map(|(token, status)| {
            let message = lease(&token, status);
            message.leases.into_iter().next().unwrap()
        });
        Ok(Response::new(v1::HeartbeatTasksResponse {
            tasks: tasks.collect(),
            drained: false,
        }))
    }

    async fn complete_task(
        &self,
        request: Request<v1::CompleteTaskRequest>,
    ) -> Result<Response<v1::CompleteTaskResponse>, Status> {
        let done = request.into_inner();
        let (token, result) = (done.token, text(done.result));
        self.call(if done.deferred {
            format!("defer {token}")
        } else {
            format!("complete {token} {result}")
        })
    }

    async fn fail_task(
        &self,
        request: Request<v1::FailTaskRequest>,
    ) -> Result<Response<v1::FailTaskResponse>, Status> {
        let failed = request.into_inner();
        let failure = describe(&failed.failure.unwrap());
        self.call(format!("fail {} {failure}", failed.token))
    }

    async fn release_task(
        &self,
        request: Request<v1::ReleaseTaskRequest>,
    ) -> Result<Response<v1::ReleaseTaskResponse>, Status> {
        self.call(format!("release {}", request.into_inner().token))
    }

    async fn drain_worker(
        &self,
        request: Request<v1::DrainWorkerRequest>,
    ) -> Result<Response<v1::DrainWorkerResponse>, Status> {
        let drain = request.into_inner();
        self.call::<()>(format!("drain {} {}", drain.worker_id, drain.reason))?;
        Ok(Response::new(v1::DrainWorkerResponse { leased: 3 }))
    }
}
