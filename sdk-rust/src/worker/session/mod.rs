//! The session of a worker: what stands between its functions and the server.
//!
//! Owns the thread on which all of it runs, so that functions that block the runtime of the user
//! hold up no heartbeat. Left to others: the life of the session (`run`, `finish`), tasks (`tasks`,
//! `leases`, `held`), streams (`streams`, `link`), calls in their place (`call`), and the functions
//! (`super::function`).

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use proto::v1::Hello;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::run::Session;
use super::action::WorkerAction;
use super::function::Ended;
use super::health::Reporter;
use crate::error::Error;
use crate::retry::RetryPolicy;
use crate::transport::Transport;

mod call;
mod finish;
mod held;
mod leases;
mod link;
mod run;
mod streams;
mod tasks;

/// What functions tell the session.
pub(crate) enum Note {
    /// There is progress to be sent.
    Beat(String),
    Ended(String, Ended),
    /// The function was dropped by its runtime.
    Dropped(String),
}

/// What the server has said of its clock and its limits.
#[derive(Clone, Debug)]
pub(super) struct Timing {
    pub(super) lease: Duration,
    pub(super) heartbeat: Duration,
    pub(super) payload_bytes_max: usize,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            payload_bytes_max: usize::MAX,
        }
    }
}

/// All that a session has to know.
pub(super) struct Plan {
    pub(super) transport: Arc<Transport>,
    pub(super) actions: HashMap<String, WorkerAction>,
    /// Without credits and tokens.
    pub(super) hello: Hello,
    /// Tasks at a time, of each queue.
    pub(super) limits: BTreeMap<String, usize>,
    pub(super) drain_timeout: Duration,
    pub(super) cancel_grace: Duration,
    pub(super) reconnect: RetryPolicy,
    pub(super) reporter: Reporter,
}

impl Plan {
    /// Tasks at a time of a queue; none of one that was never asked for.
    fn limit(&self, queue: &str) -> usize {
        self.limits.get(queue).copied().unwrap_or(0)
    }
}

/// A session under way. Dropping it ends the session and its functions at once.
pub(super) struct Running {
    drain: CancellationToken,
    _kill: DropGuard,
    done: oneshot::Receiver<Result<(), Error>>,
}

impl Running {
    /// Takes no more tasks, and ends when those that run have ended.
    pub(super) fn drain(&self) {
        self.drain.cancel();
    }

    /// Ends with the session.
    pub(super) async fn done(&mut self) -> Result<(), Error> {
        match (&mut self.done).await {
            Ok(result) => result,
            // The thread is gone without a word: it has panicked, and has said so itself.
            Err(_) => Err(Error::System {
                what: "the session of the worker",
                source: io::Error::other("its thread has panicked"),
            }),
        }
    }
}

/// Begins a session. Functions run on the runtime that this is called in.
pub(super) fn start(plan: Plan) -> Result<Running, Error> {
    let failed = |source| Error::System {
        what: "starting the thread of the worker",
        source,
    };
    let functions = Handle::current();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let (drain, kill) = (CancellationToken::new(), CancellationToken::new());
    let (sender, done) = oneshot::channel();
    let signals = (drain.clone(), kill.clone());
    let work = move || {
        let (notes, inbox) = mpsc::unbounded_channel();
        let result = runtime.block_on(async {
            let session = Session::new(plan, functions, notes, signals.0);
            tokio::select! {
                biased;
                () = signals.1.cancelled() => Ok(()),
                result = session.run(inbox) => result,
            }
        });
        // Nobody waits for a session that was dropped.
        let _ = sender.send(result);
    };
    std::thread::Builder::new()
        .name("autan-worker".to_owned())
        .spawn(work)
        .map_err(failed)?;
    Ok(Running {
        drain,
        _kill: kill.drop_guard(),
        done,
    })
}
