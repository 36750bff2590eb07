//! What can happen to an execution from outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::id::{ActionId, ExecutionUid};
use crate::lease::{Lease, Loss, WorkerReport};
use crate::lifecycle::Operation;
use crate::state::ExecutionState;
use crate::world::Definition;

/// The order to start an execution.
#[derive(Clone, Debug)]
pub struct Start {
    /// Uid of the new execution.
    pub uid: ExecutionUid,
    /// Shard that will own it.
    pub shard: i16,
    /// Tenant.
    pub project: Arc<str>,
    /// Id chosen by the client.
    pub execution_id: Option<Arc<str>>,
    /// What to run.
    pub definition: Arc<Definition>,
    /// Namespace in which names of sub-workflows and actions are looked up first.
    pub namespace: Arc<str>,
    /// An object.
    pub input: Data,
    /// An object.
    pub params: Data,
    /// Free text.
    pub description: Arc<str>,
    /// Labels for filtering.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// Of a child: where it belongs.
    pub parent: Option<Parent>,
    /// The execution that it repeats, if it was started by a restart.
    pub source: Option<ExecutionUid>,
    /// Who asked for it; of a restart, also why.
    pub caller: Caller,
}

/// Where a child execution belongs.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The action execution that stands for the child.
    pub action: ActionId,
    /// Item of a with-items task, from 0.
    pub item_index: u32,
    /// Top of the tree.
    pub root: ExecutionUid,
    /// Levels above the child, from 1.
    pub depth: i32,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// Go on with the steps that the limit per event has cut off.
    Continue,
    /// The time that [`crate::Execution::next_due_us`] named has come.
    TimeReached,
    /// The action has ended.
    ActionDone {
        /// Number of the task execution.
        task: u32,
        /// Number of the action execution.
        action: u32,
        /// How it ended.
        outcome: Outcome,
        /// Who says so.
        source: Source,
    },
    /// The server or a worker has done its part of the action; somebody outside ends it. From now
    /// on it is not run again after a restart.
    ActionHandedOver {
        /// Number of the task execution.
        task: u32,
        /// Number of the action execution.
        action: u32,
        /// If a worker says so: its lease.
        lease: Option<Box<Lease>>,
    },
    /// A worker has the action, under this lease; or it has said how far it is.
    ActionHeld {
        /// Number of the task execution.
        task: u32,
        /// Number of the action execution.
        action: u32,
        /// With its id.
        lease: Box<Lease>,
    },
    /// The lease under which a worker had the action has ended before the action did.
    ActionLost {
        /// Number of the task execution.
        task: u32,
        /// Number of the action execution.
        action: u32,
        /// The lease as it was last, with its id.
        lease: Box<Lease>,
        /// Why.
        loss: Loss,
    },
    /// Somebody asks for a change of an action execution.
    ActionVerb {
        /// Number of the task execution.
        task: u32,
        /// Number of the action execution.
        action: u32,
        /// Which change.
        verb: ActionVerb,
        /// By whom, why.
        caller: Caller,
    },
    /// A sub-workflow has ended.
    ChildDone {
        /// Number of the task execution.
        task: u32,
        /// Number of the action execution that stands for the child.
        action: u32,
        /// Its final state.
        state: ExecutionState,
        /// Its output.
        output: Data,
        /// Its `state_info`.
        info: Option<Arc<str>>,
    },
    /// A sub-workflow was paused (`true`) or goes on (`false`).
    ChildPaused {
        /// Number of the task execution.
        task: u32,
        /// Number of the action execution that stands for the child.
        action: u32,
        /// Paused or going on.
        paused: bool,
        /// Of a pause: whether the timeouts of tasks go on meanwhile.
        timeouts_run: bool,
    },
    /// In a sub-workflow that is paused nothing runs any more (`true`), or something does again
    /// (`false`): an asynchronous action in it goes on.
    ChildDrained {
        /// Number of the task execution.
        task: u32,
        /// Number of the action execution that stands for the child.
        action: u32,
        /// Whether nothing runs.
        drained: bool,
    },
    /// A sub-workflow that had ended goes on, because one of its tasks runs again or is skipped.
    ChildReopened {
        /// Number of the task execution.
        task: u32,
        /// Number of the action execution that stands for the child.
        action: u32,
    },
    /// The parent rolls back the task that this execution belongs to.
    RollBack {
        /// The action execution that is to undo it.
        asked_by: ActionId,
    },
    /// Somebody asks for a change of the life cycle.
    Verb {
        /// Which.
        verb: Verb,
        /// By whom, why.
        caller: Caller,
    },
}

/// Who reports the end of an action.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The server, which ran it.
    Server,
    /// Somebody outside, by the API.
    External(Box<Caller>),
    /// A worker, under a lease.
    Worker(Box<WorkerReport>),
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// With a result.
    Success(Data),
    /// With an error result.
    Error(Data),
    /// It was cancelled.
    Cancelled,
}

/// A change of the life cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verb {
    /// Pause; also all children.
    Pause {
        /// Whether timeouts count on; otherwise they stand still until the resume.
        timeouts_run: bool,
    },
    /// Resume, with variables to merge into the environment.
    Resume {
        /// An object.
        env: Option<Data>,
    },
    /// End now with this outcome: SUCCESS, ERROR or CANCELLED.
    Stop {
        /// The final state.
        outcome: ExecutionState,
        /// Becomes the `state_info`.
        message: Option<Arc<str>>,
    },
    /// End now, with all below, and evaluate nothing.
    Terminate {
        /// Why; part of the `state_info`.
        message: Option<Arc<str>>,
    },
    /// Run failed or cancelled tasks again, in place.
    Rerun {
        /// Number of the only task execution to run again; `None` means all that have failed
        /// without being handled or were cancelled.
        task: Option<u32>,
        /// Of with-items tasks: all items, not only those that failed or never began.
        reset: bool,
        /// An object of variables to merge into the environment.
        env: Option<Data>,
        /// Of one task: an object whose fields replace those of its input, in the first attempt.
        input: Option<Data>,
    },
    /// Go on after a failed task as if it were not there.
    Skip {
        /// Number of the task execution.
        task: u32,
        /// What counts as its result; `None` leaves it as it is.
        result: Option<Data>,
    },
    /// Undo what was done, in reverse order.
    Rollback {
        /// Number of the task execution to go back to, which stays done; `None` means that nothing
        /// stays.
        to: Option<u32>,
    },
    /// Let a task go on that waits for its next attempt, or for another time.
    Retry {
        /// Number of the task execution.
        task: u32,
    },
    /// Change what is said of the execution; `None` leaves it as it is.
    Update {
        /// All labels.
        labels: Option<BTreeMap<Arc<str>, Arc<str>>>,
        /// Free text.
        description: Option<Arc<str>>,
        /// An object of variables to merge into the environment.
        env: Option<Data>,
    },
}

/// A change of an asynchronous action execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionVerb {
    /// It is paused, and its task and execution with it.
    Pause,
    /// It goes on.
    Resume,
    /// It has ended: it was cancelled.
    Cancel,
}

impl ActionVerb {
    /// Its name, as history and errors show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause_action",
            Self::Resume => "resume_action",
            Self::Cancel => "cancel_action",
        }
    }
}

impl Verb {
    /// Its name, as history and errors show it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::Stop {
                outcome: ExecutionState::Cancelled,
                ..
            } => "cancel",
            Self::Stop { .. } => "stop",
            Self::Rerun { .. } => "rerun",
            Self::Skip { .. } => "skip",
            Self::Rollback { .. } => "rollback",
            Self::Terminate { .. } => "terminate",
            Self::Retry { .. } => "retry",
            Self::Update { .. } => "update",
        }
    }

    /// Its row in the table of what is allowed when.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Pause { .. } => Operation::Pause,
            Self::Resume { env: None } => Operation::Resume,
            Self::Resume { env: Some(_) } => Operation::ResumeWithEnv,
            Self::Stop {
                outcome: ExecutionState::Cancelled,
                ..
            } => Operation::Cancel,
            Self::Stop { .. } => Operation::Stop,
            Self::Terminate { .. } => Operation::Terminate,
            Self::Rerun { task: None, .. } => Operation::Rerun,
            Self::Rerun { task: Some(_), .. } => Operation::RerunTask,
            Self::Skip { .. } => Operation::SkipTask,
            Self::Rollback { to: None } => Operation::Rollback,
            Self::Rollback { to: Some(_) } => Operation::RollbackTo,
            Self::Retry { .. } => Operation::RetryTask,
            Self::Update { env: None, .. } => Operation::Update,
            Self::Update { env: Some(_), .. } => Operation::UpdateEnv,
        }
    }
}

/// By whom a verb was called, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Who.
    pub principal: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// Idempotency id of the call.
    pub request_id: Option<Arc<str>>,
    /// What the caller says of itself, for people: nothing vouches for it.
    #[serde(default)]
    pub identity: Option<Arc<str>>,
}

impl Caller {
    /// What to call it before people.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.principal.as_ref().or(self.identity.as_ref())
    }
}
