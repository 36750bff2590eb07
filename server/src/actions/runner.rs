//! Running actions: which ones are under way, starting and cancelling them, reporting their end.
//! What each action does is left to its own file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use engine::{ActionId, Data, Dispatch, Outcome};
use expr::Value;
use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::http::Http;
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
}

/// Where the ends of actions go.
type Report = Box<dyn Fn(ActionId, Outcome) + Send + Sync>;

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
        let inner = Inner {
            handle,
            report: OnceLock::new(),
            running: Mutex::default(),
            slots: Semaphore::new(config.concurrency_max),
            http: Http::new(config)?,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Says who is told how actions end: once, before anything is run.
    pub fn report_to(&self, driver: Driver) {
        self.report_with(Box::new(move |action, outcome| {
            driver.action_ended(action, outcome);
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
            let outcome = inner.outcome(&dispatch).await;
            inner.end(id, ticket, outcome);
        });
        place.insert(Task {
            ticket,
            abort: task.abort_handle(),
        });
        running.last_ticket = ticket;
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
    async fn outcome(&self, dispatch: &Dispatch) -> Outcome {
        caught(dispatch.action, &dispatch.name, self.perform(dispatch)).await
    }

    async fn perform(&self, dispatch: &Dispatch) -> Outcome {
        let input = dispatch.input.value();
        match &*dispatch.name {
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
            "std.http" => {
                let _slot = self
                    .slots
                    .acquire()
                    .await
                    .expect("the semaphore is never closed");
                self.http.run(input).await
            }
            name => {
                let message = format!("Failed to find action [action_name={name}]");
                Outcome::Error(Data::string(&message))
            }
        }
    }

    /// Reports the end, unless the action was cancelled.
    fn end(&self, id: ActionId, ticket: u64, outcome: Outcome) {
        let mut running = self.running.lock();
        if running
            .tasks
            .get(&id)
            .is_none_or(|task| task.ticket != ticket)
        {
            return;
        }
        running.tasks.remove(&id);
        drop(running);
        let report = self
            .report
            .get()
            .expect("the driver is known before anything is run");
        report(id, outcome);
    }
}

fn echo(input: &Value) -> Outcome {
    match Data::from_value(input.get("output").unwrap_or(Value::Null)) {
        Ok(output) => Outcome::Success(output),
        Err(error) => Outcome::Error(Data::string(&error.to_string())),
    }
}

/// The outcome of an action, an error if it panics.
pub(super) async fn caught(
    id: ActionId,
    name: &str,
    action: impl Future<Output = Outcome>,
) -> Outcome {
    AssertUnwindSafe(action)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            // The panic hook has written the text of the panic; it may hold payloads, so the error
            // that the workflow sees does not repeat it.
            tracing::error!(action.id = %id, action.name = name, "action {id} ({name}) panicked");
            let message = format!("the action '{name}' failed by a defect of the server");
            Outcome::Error(Data::string(&message))
        })
}
