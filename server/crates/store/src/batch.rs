//! What one commit writes: the changes of many executions, and what goes with them.
//!
//! Left to others: deciding what changed (`engine`), writing it (`writer`).

use std::sync::Arc;

use engine::{ActionRecord, ExecutionRecord, ExecutionUid, HistoryEvent, TaskRecord};

/// Everything of one transaction.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    /// Executions that are new or changed.
    pub executions: Vec<Changed<'a>>,
    /// Executions that go, with all that belongs to them. Their children are not among it.
    pub deleted: Vec<ExecutionKey>,
    /// Answered requests to remember. One that is known already is left as it is.
    pub requests: Vec<RequestRecord>,
}

impl Batch<'_> {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.executions.is_empty() && self.deleted.is_empty() && self.requests.is_empty()
    }
}

/// What changed of one execution since its last commit.
#[derive(Clone, Debug)]
pub struct Changed<'a> {
    /// The execution as it is now.
    pub record: &'a ExecutionRecord,
    /// Whether it has no row yet.
    pub is_new: bool,
    /// Whether any field but `params`, `vars` and `output` differs from the row. New history always
    /// writes the row, since it holds the last sequence.
    pub row_changed: bool,
    /// Whether `params`, `vars` or `output` differ from what is stored. They lie in a row of their
    /// own: large payloads are not written again with every step.
    pub payloads_changed: bool,
    /// New or changed tasks, and whether they are new. Their `actions` are not looked at.
    pub tasks: Vec<(&'a TaskRecord, bool)>,
    /// New or changed actions, with the number of their task and whether they are new.
    pub actions: Vec<(u32, &'a ActionRecord, bool)>,
    /// New events, in order of their sequence, without holes.
    pub history: &'a [HistoryEvent],
}

/// Where an execution lies: its primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionKey {
    /// Shard that owns it.
    pub shard: i16,
    /// Its uid.
    pub uid: ExecutionUid,
}

impl From<&ExecutionRecord> for ExecutionKey {
    fn from(record: &ExecutionRecord) -> Self {
        Self {
            shard: record.shard,
            uid: record.uid,
        }
    }
}

/// A request that was answered: the same id gets the same outcome again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Tenant; with `request_id` the primary key.
    pub project: Arc<str>,
    /// Chosen by the client.
    pub request_id: Arc<str>,
    /// Which method.
    pub method: Arc<str>,
    /// SHA-256 of the body: another body under the same id is a mistake of the client.
    pub body_hash: [u8; 32],
    /// What the request made or changed, such as the uid of an execution.
    pub target: Arc<str>,
    /// Microseconds since the epoch.
    pub created_us: i64,
}
