//! The server: what the binary runs, and what tests start in process.
//!
//! `api` takes calls, `driver` owns the executions, `actions` touch the world outside. The rules of
//! workflows are not here but in the crates below.

#![forbid(unsafe_code)]

pub mod actions;
pub mod api;
pub mod cli;
pub mod clock;
mod cluster;
pub mod config;
pub mod dispatch;
pub mod driver;
mod etag;
mod middleware;
mod retention;
pub mod telemetry;
mod upkeep;

use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use cluster::Cluster;
pub use config::Config;
use dispatch::Dispatcher;
use driver::Driver;

/// A server that runs in this process.
pub struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    driver: Driver,
    #[cfg(test)]
    dispatcher: Dispatcher,
    lane: JoinHandle<()>,
    /// Tells the servers that share the database that this one leaves.
    leaving: CancellationToken,
    keeper: Option<JoinHandle<()>>,
    api: tokio::task::JoinHandle<Result<(), api::Error>>,
}

/// Why a server does not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The executions cannot be taken up.
    #[error(transparent)]
    Driver(#[from] driver::Error),
    /// The actions cannot be set up.
    #[error(transparent)]
    Actions(#[from] actions::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The API has failed.
    #[error(transparent)]
    Api(#[from] api::Error),
}

impl Server {
    /// Opens the database, takes the unfinished executions up again and begins to serve.
    pub async fn start(config: &Config) -> Result<Self, Error> {
        config.check()?;
        let address = config.listen;
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runner = actions::Runner::new(&config.actions, tokio::runtime::Handle::current())?;
        let dispatcher = Dispatcher::new(&config.workers, tokio::runtime::Handle::current());
        let limits = config.engine_limits();
        let (mut settings, hands) = (store_config(config), dispatcher.clone());
        settings.address = config.cluster.address(address);
        // Waits for the database.
        let started = tokio::task::spawn_blocking(move || {
            let store = store::Store::open(&settings)?;
            let mut writer = store.writer()?;
            let (cluster, keeper, shards) = Cluster::join(&store, &mut writer, settings.lease)?;
            let hands = (runner, hands);
            let others = cluster.clone();
            let (driver, lane) = Driver::start(&store, writer, &shards, hands, others, limits)?;
            Ok::<_, Error>((driver, lane, cluster, keeper))
        });
        let started = started.await;
        let (driver, lane, cluster, keeper) =
            started.unwrap_or_else(|gone| resume_unwind(gone.into_panic()))?;
        let leaving = CancellationToken::new();
        let until = leaving.clone();
        let keeper = keeper.map(|keeper| keeper.run(&cluster, &driver, &dispatcher, until));
        let stop = CancellationToken::new();
        let (retention, until) = (config.retention.clone(), stop.clone());
        let of = (driver.clone(), cluster.clone());
        tokio::spawn(retention::keep_clean(of, retention, until));
        let hands = dispatcher.clone();
        let context = api::Context::new(driver.clone(), hands, cluster, config, stop.clone());
        let api = tokio::spawn(api::serve(listener, context));
        Ok(Self {
            address,
            stop,
            driver,
            #[cfg(test)]
            dispatcher,
            lane,
            leaving,
            keeper,
            api,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What tells it to stop.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until it has stopped: calls under way are answered, streams end, the last commit is
    /// done.
    pub async fn stopped(self) -> Result<(), Error> {
        let served = self.api.await;
        self.driver.shut_down();
        // The lane's last batch is short; nothing else runs on this task any more.
        let lane = tokio::task::spawn_blocking(move || self.lane.join()).await;
        if !matches!(lane, Ok(Ok(()))) {
            tracing::error!("the lane has panicked");
        }
        // Now that nothing is committed any more, others may take the shards.
        self.leaving.cancel();
        if let Some(keeper) = self.keeper {
            let _ = tokio::task::spawn_blocking(move || keeper.join()).await;
        }
        match served {
            Ok(result) => Ok(result?),
            Err(panic) => resume_unwind(panic.into_panic()),
        }
    }
}

fn store_config(config: &Config) -> store::Config {
    let mut store = store::Config::new(config.store_url());
    store.synchronous = match config.store.synchronous {
        config::Synchronous::Full => store::Synchronous::Full,
        config::Synchronous::Normal => store::Synchronous::Normal,
    };
    store.history_kept = config.limits.history_events_kept;
    store.lease = config.cluster.lease.0;
    store
}
