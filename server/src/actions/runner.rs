//! Running actions: which ones are under way, starting and cancelling them, reporting their end.
//! What each action does is left to its own file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use ::http::HeaderMap;
use engine::{ActionId, Data, Delivery, Dispatch, Outcome};
use expr::Value;
use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::AbortHandle;

use super::egress::Policy;
use super::email::Email;
use super::http::{self, Http};
use super::javascript::Javascript;
#[cfg(feature = "ssh")]
use super::ssh::Ssh;
use super::{Config, Error, wait};
use crate::driver::Driver;

/// Runs the actions of the server. Cheap to clone; all clones are one runner.
#[derive(Clone)]
pub struct Runner {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Handle,
    report: OnceLock<Report>,
    running: Mutex<Running>,
    /// Slots for actions that use the network.
    slots: Semaphore,
    http: Http,
    javascript: Javascript,
    email: Email,
    #[cfg(feature = "ssh")]
    ssh: Ssh,
}

/// Where the ends of actions go.
type Report = Box<dyn Fn(ActionId, End) + Send + Sync>;

/// How the server's part of an action ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    /// And the action with it.
    Done(Outcome),
    /// Somebody outside ends the action.
    HandedOver,
}

/// The actions under way.
#[derive(Default)]
struct Running {
    tasks: HashMap<ActionId, Task>,
    last_ticket: u64,
}

struct Task {
    /// Tells this run of the action from an earlier one that was cancelled.
    ticket: u64,
    abort: AbortHandle,
}

impl Runner {
    /// Sets up, before the first action, what all of them share. Actions run on `handle`.
    pub fn new(config: &Config, handle: Handle) -> Result<Self, Error> {
        config.check()?;
        let policy = Policy::new(config.egress.clone());
        let inner = Inner {
            handle,
            report: OnceLock::new(),
            running: Mutex::default(),
            slots: Semaphore::new(config.concurrency_max),
            http: Http::new(&config.http, &policy)?,
            javascript: Javascript::new(&config.javascript),
            email: Email::new(&config.email, &policy)?,
            #[cfg(feature = "ssh")]
            ssh: Ssh::new(&config.ssh, &policy)?,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Says who is told how actions end: once, before anything is run.
    pub fn report_to(&self, driver: Driver) {
        self.report_with(Box::new(move |action, end| match end {
            End::Done(outcome) => driver.action_ended(action, outcome),
            End::HandedOver => driver.action_handed_over(action),
        }));
    }

    pub(super) fn report_with(&self, report: Report) {
        let is_first = self.inner.report.set(report).is_ok();
        assert!(is_first, "ends of actions are reported to one driver");
    }

    /// Starts an action and returns at once. One that is under way already is left alone: a
    /// dispatch may be repeated.
    pub fn run(&self, dispatch: Dispatch) {
        let id = dispatch.action;
        let mut running = self.inner.running.lock();
        let ticket = running.last_ticket + 1;
        let Entry::Vacant(place) = running.tasks.entry(id) else {
            return;
        };
        let inner = self.inner.clone();
        // It cannot end before it is entered, since its end takes the lock that is held here.
        let task = self.inner.handle.spawn(async move {
            let end = inner.end_of(&dispatch).await;
            inner.report(id, ticket, end);
        });
        place.insert(Task {
            ticket,
            abort: task.abort_handle(),
        });
        running.last_ticket = ticket;
    }

    /// Whether an action is under way. The end of one that is not any more was reported.
    pub fn is_running(&self, action: ActionId) -> bool {
        self.inner.running.lock().tasks.contains_key(&action)
    }

    /// Aborts an action; its end is not reported. One that is not under way is none.
    pub fn cancel(&self, action: ActionId) {
        if let Some(task) = self.inner.running.lock().tasks.remove(&action) {
            task.abort.abort();
        }
    }
}

impl Inner {
    /// Runs the action. A panic becomes an error: no action is lost.
    async fn end_of(&self, dispatch: &Dispatch) -> End {
        caught(dispatch.action, &dispatch.name, self.perform(dispatch)).await
    }

    async fn perform(&self, dispatch: &Dispatch) -> End {
        let input = dispatch.input.value();
        if dispatch.delivery == (Delivery::Again { safe: false }) {
            return End::Done(dispatch.unsafe_again());
        }
        End::Done(match &*dispatch.name {
            "std.sleep" => {
                let seconds = wait::seconds(input, "seconds", 1.0);
                wait::since_creation(dispatch.created_us, seconds).await;
                Outcome::Success(Data::null())
            }
            "std.echo" => {
                let seconds = wait::seconds(input, "delay", 0.0);
                wait::since_creation(dispatch.created_us, seconds).await;
                echo(input)
            }
            "std.javascript" | "std.js" => self.javascript.run(input).await,
            "std.email" => {
                let _slot = self.slot().await;
                self.email.run(dispatch.action, input).await
            }
            #[cfg(feature = "ssh")]
            name @ ("std.ssh" | "std.ssh_proxied") => {
                let _slot = self.slot().await;
                self.ssh.run(input, name == "std.ssh_proxied").await
            }
            #[cfg(not(feature = "ssh"))]
            "std.ssh" | "std.ssh_proxied" => {
                let message = "Failed to execute ssh cmd: this server was built without SSH";
                Outcome::Error(Data::string(message))
            }
            "std.http" => {
                let _slot = self.slot().await;
                self.http.run(input, HeaderMap::new()).await
            }
            "std.mistral_http" => {
                let _slot = self.slot().await;
                match self.http.run(input, http::ids_of(dispatch)).await {
                    Outcome::Success(_) => return End::HandedOver,
                    failed => failed,
                }
            }
            name => {
                let message = format!("Failed to find action [action_name={name}]");
                Outcome::Error(Data::string(&message))
            }
        })
    }

    /// Waits for the turn of an action that uses the network.
    async fn slot(&self) -> SemaphorePermit<'_> {
        let slot = self.slots.acquire().await;
        slot.expect("the semaphore is never closed")
    }

    /// Reports the end, unless the action was cancelled.
    fn report(&self, id: ActionId, ticket: u64, end: End) {
        let mut running = self.running.lock();
        if running
            .tasks
            .get(&id)
            .is_none_or(|task| task.ticket != ticket)
        {
            return;
        }
        let report = self
            .report
            .get()
            .expect("the driver is known before anything is run");
        // Under the lock: what does not run has been reported.
        report(id, end);
        running.tasks.remove(&id);
    }
}

fn echo(input: &Value) -> Outcome {
    match Data::from_value(input.get("output").unwrap_or(Value::Null)) {
        Ok(output) => Outcome::Success(output),
        Err(error) => Outcome::Error(Data::string(&error.to_string())),
    }
}

/// The end of an action, an error if it panics.
pub(super) async fn caught(id: ActionId, name: &str, action: impl Future<Output = End>) -> End {
    AssertUnwindSafe(action)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            // The panic hook has written the text of the panic; it may hold payloads, so the error
            // that the workflow sees does not repeat it.
            tracing::error!(action.id = %id, action.name = name, "action {id} ({name}) panicked");
            let message = format!("the action '{name}' failed by a defect of the server");
            End::Done(Outcome::Error(Data::string(&message)))
        })
}
