//! What must be done because of an event. The rows that changed stay marked in the execution until
//! they are committed; what stands here happens besides.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::event::{Event, Outcome, Start};
use crate::id::{ActionId, ExecutionUid};
use crate::lease::{CallTimes, Lease};
use crate::record::Runner;

/// The consequences of one event.
#[derive(Debug, Default)]
pub struct Changes {
    /// Children to start: in the **same commit** as the rows.
    pub starts: Vec<Start>,
    /// Events for other executions of the tree: in the **same commit** as the rows.
    pub messages: Vec<Message>,
    /// Actions to run: **after** the commit.
    pub dispatches: Vec<Dispatch>,
    /// Actions of the server and of workers whose result is no longer wanted: **after** the commit.
    pub cancels: Vec<ActionId>,
    /// The limit of steps was hit: apply [`Event::Continue`] soon, other executions first.
    pub more: bool,
}

/// An event for another execution.
#[derive(Debug)]
pub struct Message {
    /// For whom.
    pub to: ExecutionUid,
    /// What.
    pub event: Event,
}

/// Whether an action may have been run before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// It was just created.
    First,
    /// It was under way when the execution was last in memory.
    Again {
        /// Whether it may be run twice: `safe-rerun`, or an action that touches nothing outside.
        /// One that may not, and is not under way any more, ends with [`Dispatch::unsafe_again`].
        safe: bool,
    },
}

/// An action to run outside the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dispatch {
    /// Which action execution it is. Its attempt is a new number, so a late result of an earlier
    /// attempt cannot be taken for it.
    pub action: ActionId,
    /// Name of the action.
    pub name: Arc<str>,
    /// An object.
    pub input: Data,
    /// When the action execution was created, microseconds since the epoch. An action that lasts a
    /// given time counts from here, also after a restart.
    pub created_us: i64,
    /// Attempt, from 1.
    pub attempt: u32,
    /// Seconds after which the task gives up.
    pub timeout_s: Option<u64>,
    /// Of one that workers run: what its task says of times.
    pub times: CallTimes,
    /// Of one that workers run: those with a higher one are handed out first; 0 is usual.
    pub priority: i32,
    /// Queue of workers that it waits in; `None` means all.
    pub target: Option<Arc<str>>,
    /// Version of the action that its worker must provide; `None` means any.
    pub version: Option<Arc<str>>,
    /// What it has in common with others that are best run by the same worker.
    pub affinity: Option<Arc<str>>,
    /// Who runs it: the server or a worker.
    pub runner: Runner,
    /// Top of the tree of its execution.
    pub root: ExecutionUid,
    /// Item of a with-items task, from 0.
    pub index: u32,
    /// Of one that workers run: what is known of its leases.
    pub lease: Option<Box<Lease>>,
    /// What an earlier attempt has said last of its progress.
    pub progress: Option<Data>,
    /// Whether it may have been run before.
    pub delivery: Delivery,
    /// Of one that workers run: whether it may be handed out again after its worker was lost.
    pub is_repeatable: bool,
    /// Tenant.
    pub project: Arc<str>,
    /// Name of the workflow.
    pub workflow_name: Arc<str>,
    /// Name of the task.
    pub task_name: Arc<str>,
}

impl Dispatch {
    /// The error of an action that was interrupted and must not be run again.
    pub fn unsafe_again(&self) -> Outcome {
        unsafe_again(self.action, &self.name)
    }
}

/// The error of an action that was interrupted and must not be run again, as Mistral words it.
pub(crate) fn unsafe_again(id: ActionId, name: &str) -> Outcome {
    let message = format!(
        "Request to run action {id} was redelivered, but action {name} cannot be re-run safely."
    );
    Outcome::Error(Data::string(&message))
}
