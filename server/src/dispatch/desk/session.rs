//! Who takes work: a stream for as long as it is open, a poll until it has some.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use engine::{ActionId, Data, Dispatch};

use super::registry::Provided;

/// A worker: of a project, by its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct WorkerKey {
    pub(crate) project: Arc<str>,
    pub(crate) id: Arc<str>,
}

/// Who a worker is, as it says itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Identity {
    /// For people.
    pub(crate) name: Arc<str>,
    pub(crate) sdk: Arc<str>,
    pub(crate) build_id: Arc<str>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// What a worker takes from one queue.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) queue: Arc<str>,
    pub(crate) actions: Vec<Offered>,
    /// Tasks that it takes.
    pub(crate) credits: u32,
}

/// An action that a worker offers to run.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) name: Arc<str>,
    /// Empty if it has none.
    pub(crate) version: Arc<str>,
    pub(crate) provided: Arc<Provided>,
}

/// A session that begins.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) worker: WorkerKey,
    pub(crate) identity: Identity,
    pub(crate) subscriptions: Vec<Subscription>,
    /// Most tasks of all queues together.
    pub(crate) tasks_max: u32,
    /// Most bytes of input that it may have; 0 = no limit.
    pub(crate) bytes_max: u64,
    /// Whether tasks wait to be accepted.
    pub(crate) is_stream: bool,
}

/// Number of a session.
pub(crate) type SessionId = u64;

/// A session.
pub(super) struct Session {
    pub(super) worker: WorkerKey,
    pub(super) identity: Arc<str>,
    pub(super) queues: BTreeMap<Arc<str>, Serving>,
    pub(super) tasks_left: u32,
    pub(super) bytes_max: u64,
    pub(super) bytes: u64,
    pub(super) is_stream: bool,
    pub(super) drained: bool,
    /// Tasks that it has.
    pub(super) held: BTreeSet<ActionId>,
    pub(super) outbox: Outbox,
}

/// What a session takes from one queue.
pub(super) struct Serving {
    /// With their versions, empty where there is none.
    pub(super) actions: HashMap<Arc<str>, Arc<str>>,
    pub(super) credits: u32,
}

/// What a session is to be told.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) tasks: Vec<Offer>,
    pub(crate) leases: Vec<LeaseNews>,
    /// It gets no more tasks.
    pub(crate) drained: bool,
}

/// A task that is handed out.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) token: String,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) queue: Arc<str>,
    pub(crate) delivery: u32,
    pub(crate) progress: Option<Data>,
    pub(crate) expires_us: i64,
    pub(crate) deadline_us: Option<i64>,
    pub(crate) silence_us: Option<i64>,
}

/// What became of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeaseNews {
    pub(crate) token: String,
    pub(crate) status: Status,
    pub(crate) reason: &'static str,
}

/// How a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Held until this time, microseconds since the epoch.
    Held(i64),
    /// Held until this time, and no longer wanted.
    Cancelled(i64),
    Lost,
}

impl Session {
    pub(super) fn new(opening: &Opening) -> Self {
        let mut queues: BTreeMap<Arc<str>, Serving> = BTreeMap::new();
        for subscription in &opening.subscriptions {
            let serving = queues
                .entry(subscription.queue.clone())
                .or_insert_with(|| Serving {
                    actions: HashMap::new(),
                    credits: 0,
                });
            let actions = subscription.actions.iter();
            let versions = actions.map(|action| (action.name.clone(), action.version.clone()));
            serving.actions.extend(versions);
            serving.credits = serving.credits.saturating_add(subscription.credits);
        }
        Self {
            worker: opening.worker.clone(),
            identity: opening.identity.name.clone(),
            queues,
            tasks_left: opening.tasks_max,
            bytes_max: opening.bytes_max,
            bytes: 0,
            is_stream: opening.is_stream,
            drained: false,
            held: BTreeSet::new(),
            outbox: Outbox::default(),
        }
    }

    /// Whether it takes another task from a queue.
    pub(super) fn takes(&self, queue: &str) -> bool {
        let has_bytes = self.bytes_max == 0 || self.bytes < self.bytes_max;
        let credits = self.queues.get(queue).map_or(0, |serving| serving.credits);
        !self.drained && has_bytes && self.tasks_left > 0 && credits > 0
    }

    /// Whether a task of so many bytes fits beside what it has. One that is larger than all it
    /// wants comes alone.
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        let most = self.bytes_max;
        most == 0 || self.bytes == 0 || self.bytes.saturating_add(bytes) <= most
    }

    /// Whether it runs an action of a queue, in the version that is required.
    pub(super) fn serves(&self, queue: &str, action: &str, required: Option<&str>) -> bool {
        let serving = self.queues.get(queue);
        let version = serving.and_then(|serving| serving.actions.get(action));
        version.is_some_and(|version| required.is_none_or(|required| **version == *required))
    }
}
