//! What every service has at hand: the driver, the limits, and what tells streams to end.

use std::sync::Arc;

use engine::ExecutionRecord;
use proto::v1;
use store::Reader;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::batches::Batches;
use super::convert::execution;
use super::fault::Fault;
use super::idempotency;
use crate::clock;
use crate::cluster::Cluster;
use crate::config::{Config, Limits, Retention};
use crate::dispatch::Dispatcher;
use crate::driver::{Driver, RequestKey};

/// What the services share. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub(crate) driver: Driver,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) cluster: Cluster,
    pub(crate) limits: Limits,
    /// How long finished executions are kept.
    pub(crate) retention: Arc<Retention>,
    /// "sqlite" or "memory".
    pub(crate) storage: &'static str,
    /// When the server started, microseconds since the epoch.
    pub(crate) started_us: i64,
    /// The server is to stop.
    pub(crate) stop: CancellationToken,
    /// Streams end now, and calls that wait answer with what there is.
    pub(crate) going_away: CancellationToken,
    /// The open streams, waiting calls and batch operations.
    pub(crate) streams: TaskTracker,
    /// The batch operations that go on.
    pub(crate) batches: Arc<Batches>,
}

impl Context {
    /// What the services share; `stop` begins the shutdown.
    pub(crate) fn new(
        driver: Driver,
        dispatcher: Dispatcher,
        cluster: Cluster,
        config: &Config,
        stop: CancellationToken,
    ) -> Self {
        let url = config.store_url();
        let storage = match url.split(':').next() {
            Some("postgres" | "postgresql") => "postgresql",
            _ if url == "sqlite::memory:" => "memory",
            _ => "sqlite",
        };
        Self {
            driver,
            dispatcher,
            cluster,
            limits: config.limits,
            retention: Arc::new(config.retention.clone()),
            storage,
            started_us: clock::now_us(),
            stop,
            going_away: CancellationToken::new(),
            streams: TaskTracker::new(),
            batches: Arc::default(),
        }
    }

    /// An execution on the wire, in the BASIC view.
    pub(crate) fn basic(&self, record: &ExecutionRecord) -> v1::Execution {
        execution::wire(record, &self.retention, None)
    }

    /// Runs a read on a thread that may block.
    pub(crate) async fn read<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Reader) -> Result<T, Fault> + Send + 'static,
    {
        self.driver.read(move |reader| Ok(work(reader))).await?
    }

    /// Whether a request was answered before. Another request under its id is refused.
    pub(crate) async fn was_answered(&self, key: Option<RequestKey>) -> Result<bool, Fault> {
        let Some(key) = key else { return Ok(false) };
        let read = self.read(move |reader| {
            let kept = reader.find_request(&key.project, &key.id)?;
            kept.map(|kept| idempotency::is_repeated(&key, &kept))
                .transpose()
        });
        Ok(read.await?.is_some())
    }

    /// Runs what needs no store, but the processor for long enough to hold others up.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is gone, and with it whoever waits for this.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

/// A service with what it shares.
pub(super) type Shared = Arc<Context>;
