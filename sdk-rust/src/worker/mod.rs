//! Workers: programs that provide actions.
//!
//! Owns [`Worker`], how it is set up and how it ends. Left to others: the protocol (`session`),
//! functions (`action`, `function`), and calls for scripts that poll (`polling`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use proto::v1::{Hello, WorkerIdentity};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::client::Client;
use crate::error::{Code, Error, RpcError};
use crate::process;
use crate::retry::RetryPolicy;
use crate::transport::Transport;

pub use self::action::{ActionOutput, Deferred, Outcome, WorkerAction};
pub use self::context::{ActionContext, ActionInfo, Cancelled};
pub use self::error::ActionError;
pub use self::health::{Health, HealthCheck};
pub use self::polling::{HeartbeatTasks, LeaseState, PollTasks, PolledTask, PolledTasks};
pub use self::queues::{Queues, UpdateQueue};
pub use self::tester::{ActionTester, Tested};
pub use self::workers::Workers;

mod action;
mod context;
mod error;
mod function;
mod health;
mod polling;
mod queue;
mod queues;
mod session;
mod tester;
#[cfg(test)]
mod tests;
mod workers;

/// Name and version of this SDK.
pub(crate) const SDK: &str = concat!("autan-rust/", env!("CARGO_PKG_VERSION"));
/// Most tasks at the same time: what one grant of the contract can say.
const TASKS_MAX: usize = 10_000;
/// Tasks at the same time if nothing is said.
const TASKS_USUAL: usize = 50;
/// How long a drain waits for functions if nothing is said.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a function may go on after it was told to stop, if nothing is said.
const CANCEL_GRACE: Duration = Duration::from_secs(10);
/// Pauses between streams: random up to this, doubling,
const RECONNECT_FIRST: Duration = Duration::from_millis(100);
/// up to this.
const RECONNECT_MAX: Duration = Duration::from_secs(10);

/// Provides actions to the server: functions of this program, as many at a time as there is room
/// for.
///
/// ```no_run
/// use autan::{Client, Worker};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Reserve { sku: String, count: u32 }
///
/// #[derive(Serialize)]
/// struct Reserved { id: String }
///
/// # async fn example() -> Result<(), autan::Error> {
/// let client = Client::connect("http://localhost:7233").await?;
/// Worker::new(&client, "default")
///     .action("stock.reserve", |input: Reserve, cx| async move {
///         cx.heartbeat(&"asking the warehouse")?;
///         let id = format!("{} {} {}", cx.idempotency_key(), input.count, input.sku);
///         Ok(Reserved { id })
///     })
///     .run()
///     .await
/// # }
/// ```
///
/// An action may run more than once: if its worker is lost, its task is handed to another one. Use
/// [`ActionContext::idempotency_key`] where that matters. Functions go on when the connection is
/// lost, and their results are sent when it is back, as long as their leases last.
#[derive(Debug)]
#[must_use = "a worker does nothing before `run` or `run_until`"]
pub struct Worker {
    transport: Arc<Transport>,
    queue: String,
    /// Tasks at a time of the queues that have a limit of their own.
    limits: BTreeMap<String, usize>,
    actions: Vec<WorkerAction>,
    id: String,
    identity: Option<String>,
    build_id: String,
    labels: BTreeMap<String, String>,
    max_tasks: usize,
    max_outstanding_bytes: i64,
    drain_timeout: Duration,
    cancel_grace: Duration,
    reconnect: RetryPolicy,
    reporter: health::Reporter,
}

impl Worker {
    /// Prepares a worker for a queue, such as "default". A call with `target` waits in the queue of
    /// that name, one without in all queues.
    pub fn new(client: &Client, queue: impl Into<String>) -> Self {
        Self {
            transport: client.transport().clone(),
            queue: queue::named(queue.into()),
            limits: BTreeMap::new(),
            actions: Vec::new(),
            id: Uuid::new_v4().to_string(),
            identity: None,
            build_id: String::new(),
            labels: BTreeMap::new(),
            max_tasks: TASKS_USUAL,
            max_outstanding_bytes: 0,
            drain_timeout: DRAIN_TIMEOUT,
            cancel_grace: CANCEL_GRACE,
            reconnect: RetryPolicy::default().delays(RECONNECT_FIRST, RECONNECT_MAX),
            reporter: health::Reporter::new(),
        }
    }

    /// Provides an asynchronous function as an action, see [`WorkerAction::new`].
    pub fn action<I, O, F, Fut>(self, name: impl Into<String>, function: F) -> Self
    where
        F: Fn(I, ActionContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, ActionError>> + Send + 'static,
        I: DeserializeOwned + Send + 'static,
        O: ActionOutput,
    {
        self.register(WorkerAction::new(name, function))
    }

    /// Provides an action that was made elsewhere, or has timeouts.
    pub fn register(mut self, action: WorkerAction) -> Self {
        self.actions.push(action);
        self
    }

    /// Takes tasks from another queue as well: at most this many at a time, 1 to 10,000, whatever
    /// runs of other queues. Actions name it with [`WorkerAction::queue`]; a queue that only an
    /// action names has the limit of the worker.
    ///
    /// ```no_run
    /// # use autan::{ActionError, Client, Worker, WorkerAction};
    /// # async fn render(_: (), _: autan::ActionContext) -> Result<(), ActionError> { Ok(()) }
    /// # async fn resize(_: (), _: autan::ActionContext) -> Result<(), ActionError> { Ok(()) }
    /// # fn example(client: &Client) -> Worker {
    /// Worker::new(client, "default")
    ///     .action("picture.resize", resize)
    ///     .queue("gpu", 1)
    ///     .register(WorkerAction::new("picture.render", render).queue("gpu"))
    /// # }
    /// ```
    pub fn queue(mut self, queue: impl Into<String>, max_tasks: usize) -> Self {
        let limit = max_tasks.clamp(1, TASKS_MAX);
        self.limits.insert(queue::named(queue.into()), limit);
        self
    }

    /// Runs at most this many functions at a time from each queue, 1 to 10,000; 50 if nothing is
    /// said.
    pub fn max_tasks(mut self, tasks: usize) -> Self {
        self.max_tasks = tasks.clamp(1, TASKS_MAX);
        self
    }

    /// Bytes of input that it may have of tasks that are not ended; no limit if nothing is said.
    pub fn max_outstanding_bytes(mut self, bytes: u64) -> Self {
        self.max_outstanding_bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self
    }

    /// What people see as its name; "host:pid" if nothing is said.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Which build of the program it is.
    pub fn build_id(mut self, build_id: impl Into<String>) -> Self {
        self.build_id = build_id.into();
        self
    }

    /// A label, for people and tools; at most 64.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// How long its end waits for functions that run; 30 seconds if nothing is said. Tasks of those
    /// that run longer are given back.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// How long an asynchronous function may go on after it was told to stop, before it is dropped;
    /// 10 seconds if nothing is said.
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.cancel_grace = grace;
        self
    }

    #[cfg(test)]
    pub(crate) fn reconnect(mut self, reconnect: RetryPolicy) -> Self {
        self.reconnect = reconnect;
        self
    }

    /// Its id: other than its identity, no two workers have the same.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Tells how it is, from now on until it has ended.
    pub fn health(&self) -> HealthCheck {
        self.reporter.check()
    }

    /// Works until the process is told to end, by SIGTERM or Ctrl-C, then ends in good order: see
    /// [`Self::run_until`]. A second signal ends it at once, as dropping this future does.
    pub async fn run(self) -> Result<(), Error> {
        let failed = |source| Error::System {
            what: "listening for signals",
            source,
        };
        let mut signals = Signals::new().map_err(failed)?;
        let mut running = session::start(self.plan()?)?;
        tokio::select! {
            result = running.done() => return result,
            () = signals.next() => running.drain(),
        }
        tokio::select! {
            result = running.done() => result,
            () = signals.next() => Ok(()),
        }
    }

    /// Works until the future ends. Then no more tasks are taken, those that run may end within the
    /// drain timeout, and the rest are given back.
    ///
    /// Functions run on the Tokio runtime that this is called in; everything else on a thread of
    /// its own. Lost connections are made again; it fails only if the server refuses the worker.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let mut running = session::start(self.plan()?)?;
        tokio::select! {
            result = running.done() => return result,
            () = stop => running.drain(),
        }
        running.done().await
    }

    fn plan(self) -> Result<session::Plan, Error> {
        let refused = |message: String| Err(RpcError::local(Code::InvalidArgument, message).into());
        if self.actions.is_empty() {
            return refused("the worker has no action".to_owned());
        }
        let queues = queue::subscriptions(&self.queue, &self.actions);
        if let Some(idle) = self.limits.keys().find(|name| !queues.contains_key(*name)) {
            return refused(format!(
                "no action of the worker is called from queue {idle}"
            ));
        }
        let limit = |name: &String| *self.limits.get(name).unwrap_or(&self.max_tasks);
        let limits = queues.keys().map(|name| (name.clone(), limit(name)));
        let limits: BTreeMap<String, usize> = limits.collect();
        let mut actions = HashMap::new();
        for action in self.actions {
            if let Some(twice) = actions.insert(action.name().to_owned(), action) {
                return refused(format!("the worker has two actions {}", twice.name()));
            }
        }
        let hello = Hello {
            project: self.transport.project(),
            worker: Some(WorkerIdentity {
                worker_id: self.id,
                identity: self.identity.unwrap_or_else(process::worker),
                sdk: SDK.to_owned(),
                build_id: self.build_id,
                labels: self.labels,
            }),
            queues: queues.into_values().collect(),
            held_tokens: Vec::new(),
            max_outstanding_bytes: self.max_outstanding_bytes,
        };
        Ok(session::Plan {
            transport: self.transport,
            actions,
            hello,
            limits,
            drain_timeout: self.drain_timeout,
            cancel_grace: self.cancel_grace,
            reconnect: self.reconnect,
            reporter: self.reporter,
        })
    }
}

/// What tells a process to end.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What tells a process to end.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "the same as on Unix")]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
