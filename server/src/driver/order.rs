//! What the lane can be asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{
    ActionId, ActionRecord, ActionVerb, Caller, Cause, Data, Event, ExecutionRecord,
    ExecutionState, ExecutionUid, Lease, Loss, Outcome, Source, Verb, WorkerReport,
};
use serde::{Deserialize, Serialize};
use store::{ExecutionKey, Writer};

use super::Reply;
use crate::dispatch::Report;

/// A start from outside.
#[derive(Clone, Debug)]
pub struct StartOrder {
    /// Tenant.
    pub project: Arc<str>,
    /// Chosen id.
    pub execution_id: Option<Arc<str>>,
    /// Of a workflow exactly this namespace; of an action the first to be looked in.
    pub namespace: Arc<str>,
    /// Full name.
    pub name: Arc<str>,
    /// What is to run.
    pub subject: Subject,
    /// An object.
    pub input: Data,
    /// An object.
    pub params: Data,
    /// Name of the stored environment whose variables the execution gets as `params.env`.
    pub environment: Option<Arc<str>>,
    /// Labels for filtering.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// Free text.
    pub description: Arc<str>,
    /// If an execution of the chosen id exists.
    pub on_conflict: OnConflict,
    /// Check everything, start nothing.
    pub validate_only: bool,
    /// Who asks.
    pub caller: Caller,
}

/// The order to start an execution like another one. What is `None` is as in that one.
#[derive(Clone, Debug)]
pub struct RestartOrder {
    /// The execution to repeat.
    pub source: ExecutionUid,
    /// Chosen id of the new one; must be free.
    pub execution_id: Option<Arc<str>>,
    /// With the latest revision instead of the same.
    pub latest_revision: bool,
    /// An object.
    pub input: Option<Data>,
    /// An object.
    pub params: Option<Data>,
    /// What `env()` gives.
    pub environment: Option<Environment>,
    /// Labels for filtering.
    pub labels: Option<BTreeMap<Arc<str>, Arc<str>>>,
    /// Free text.
    pub description: Option<Arc<str>>,
    /// Who asks, why.
    pub caller: Caller,
}

/// Where variables come from.
#[derive(Clone, Debug)]
pub enum Environment {
    /// The stored environment of that name.
    Name(Arc<str>),
    /// These: an object.
    Variables(Data),
}

/// What an execution runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A workflow.
    Workflow {
        /// The latest unless named.
        revision: Option<i32>,
    },
    /// One action, with the input as it is.
    Action {
        /// Refuse one whose result comes from outside.
        synchronous: bool,
    },
}

/// What to do if an execution of the chosen id exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Answer with it.
    UseExisting,
    /// Refuse.
    Fail,
}

/// The answer to a start.
#[derive(Clone, Debug)]
pub struct Started {
    /// The execution as it is after its first commit; of `validate_only`, as it would begin.
    pub execution: ExecutionRecord,
    /// False if it existed before.
    pub started: bool,
}

/// A change of an action execution from outside.
#[derive(Clone, Debug)]
pub enum ActionChange {
    /// It has ended.
    End {
        /// How.
        outcome: Outcome,
        /// Who says so.
        caller: Caller,
    },
    /// Somebody asks for a change.
    Verb {
        /// Which.
        verb: ActionVerb,
        /// By whom, why.
        caller: Caller,
    },
}

/// A verb on an execution.
#[derive(Clone, Debug)]
pub struct VerbOrder {
    /// Which execution.
    pub uid: ExecutionUid,
    /// Which verb.
    pub verb: Verb,
    /// By whom, why.
    pub caller: Caller,
    /// The etag that its labels and description must have; `None` is whatever they are.
    pub expected_etag: Option<Arc<str>>,
}

impl VerbOrder {
    /// An order that asks for no etag.
    pub fn new(uid: ExecutionUid, verb: Verb, caller: Caller) -> Self {
        Self {
            uid,
            verb,
            caller,
            expected_etag: None,
        }
    }
}

/// The deletion of an execution.
#[derive(Clone, Debug)]
pub struct DeleteOrder {
    /// Which.
    pub uid: ExecutionUid,
    /// In any state.
    pub force: bool,
    /// By whom, why; for those above, who learn of it.
    pub caller: Caller,
}

/// What an execution waits for, as it is after a commit.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Which execution.
    pub key: ExecutionKey,
    /// Its state.
    pub state: ExecutionState,
    /// Why it is in that state.
    pub state_info: Option<Arc<str>>,
    /// What it waits for, each with the name of the task that waits.
    pub causes: Vec<(Cause, Option<Arc<str>>)>,
}

/// What became of an action that workers run, as the desk knows it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum WorkerNews {
    /// A worker has it. If asked for, say when that is durable.
    Held {
        /// With its id.
        lease: Box<Lease>,
        /// Whether the action is handed out only then.
        confirm: bool,
    },
    /// Its lease has ended before the action did.
    Lost {
        /// With its id.
        lease: Box<Lease>,
        /// Why.
        loss: Loss,
    },
    /// A time for it is over.
    Ended {
        /// What that makes of it.
        outcome: Outcome,
        /// If a worker has it.
        report: Option<Box<WorkerReport>>,
    },
}

impl WorkerNews {
    /// The event for the execution.
    pub(super) fn event(self, action: ActionId) -> Event {
        let (task, action) = (action.task.number, action.number);
        match self {
            Self::Held { lease, .. } => Event::ActionHeld {
                task,
                action,
                lease,
            },
            Self::Lost { lease, loss } => Event::ActionLost {
                task,
                action,
                lease,
                loss,
            },
            Self::Ended { outcome, report } => Event::ActionDone {
                task,
                action,
                outcome,
                source: report.map_or(Source::Server, Source::Worker),
            },
        }
    }
}

/// The event of a worker's report.
pub(super) fn report_event(action: ActionId, lease: Box<Lease>, report: Report) -> Event {
    let (task, action) = (action.task.number, action.number);
    match report {
        Report::Deferred => Event::ActionHandedOver {
            task,
            action,
            lease: Some(lease),
        },
        Report::End {
            outcome,
            failure,
            next_attempt,
        } => {
            let lease = Lease { failure, ..*lease };
            let report = WorkerReport {
                lease,
                is_over: false,
                next_attempt,
            };
            Event::ActionDone {
                task,
                action,
                outcome,
                source: Source::Worker(Box::new(report)),
            }
        }
    }
}

/// What makes a request the same as an earlier one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestKey {
    /// Tenant.
    pub project: Arc<str>,
    /// Chosen by the client.
    pub id: Arc<str>,
    /// Which method.
    pub method: Cow<'static, str>,
    /// SHA-256 of the request without its id.
    pub body_hash: [u8; 32],
}

/// Of what the causes are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) uid: ExecutionUid,
    /// Number of the only task that is asked about.
    pub(super) task: Option<u32>,
    /// Most causes.
    pub(super) max: usize,
}

/// What waits for the lane.
pub(super) enum Command {
    Start {
        order: Box<StartOrder>,
        request: Option<RequestKey>,
        reply: Reply<Started>,
    },
    Restart {
        order: Box<RestartOrder>,
        request: Option<RequestKey>,
        reply: Reply<Started>,
    },
    Verb {
        order: VerbOrder,
        request: Option<RequestKey>,
        reply: Reply<ExecutionRecord>,
    },
    Action {
        action: ActionId,
        change: ActionChange,
        request: Option<RequestKey>,
        reply: Reply<(Arc<str>, ActionRecord)>,
    },
    Delete {
        order: DeleteOrder,
        request: Option<RequestKey>,
        reply: Reply<()>,
    },
    /// An action that the server ran has ended.
    Ended {
        action: ActionId,
        outcome: Outcome,
    },
    /// The server has done its part of an action, and somebody outside ends it.
    HandedOver {
        action: ActionId,
    },
    /// What an execution waits for.
    Explain {
        question: Question,
        reply: Reply<Explained>,
    },
    /// What became of an action that a worker has.
    Worker {
        action: ActionId,
        news: WorkerNews,
    },
    /// A worker says how an action has ended.
    Report {
        action: ActionId,
        lease: Box<Lease>,
        report: Report,
        reply: Reply<()>,
    },
    /// Another server hands work out from now on: it has to know what there is.
    OfferAgain,
    /// The seat among the servers is to be kept: its session was lost.
    KeepSeat {
        reply: Reply<()>,
    },
    /// Shards are owned from now on.
    Acquire {
        shards: Vec<i16>,
        reply: Reply<()>,
    },
    /// Shards are no longer owned: at most so many.
    Release {
        count: usize,
        reply: Reply<Vec<i16>>,
    },
    /// A write that is not of an execution.
    Write {
        work: Box<dyn FnOnce(&mut Writer) + Send>,
    },
    ShutDown,
    /// Something that a test does to the lane.
    #[cfg(test)]
    Tamper(Box<dyn FnOnce(&mut super::lane::Lane) + Send>),
}

impl Command {
    /// What makes it the same as an earlier one, if it may come twice.
    pub(super) fn request(&self) -> Option<&RequestKey> {
        match self {
            Self::Start { request, .. }
            | Self::Restart { request, .. }
            | Self::Verb { request, .. }
            | Self::Action { request, .. }
            | Self::Delete { request, .. } => request.as_ref(),
            _ => None,
        }
    }

    /// Whether somebody waits for its answer, and it counts against how many may.
    pub(super) fn is_asked(&self) -> bool {
        match self {
            Self::Ended { .. }
            | Self::HandedOver { .. }
            | Self::Worker { .. }
            | Self::OfferAgain
            | Self::ShutDown => false,
            #[cfg(test)]
            Self::Tamper(_) => false,
            Self::Start { .. }
            | Self::Restart { .. }
            | Self::Verb { .. }
            | Self::Action { .. }
            | Self::Delete { .. }
            | Self::Explain { .. }
            | Self::Report { .. }
            | Self::KeepSeat { .. }
            | Self::Acquire { .. }
            | Self::Release { .. }
            | Self::Write { .. } => true,
        }
    }
}
