//! What one commit writes: the changes of many executions, and what goes with them.
//!
//! Left to others: deciding what changed (`engine`), writing it (`writer`).

use std::sync::Arc;

pub use engine::Changed;
use engine::{Caller, ExecutionRecord, ExecutionUid};

/// Everything of one transaction.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    /// Executions that are new or changed.
    pub executions: Vec<Changed<'a>>,
    /// Executions that go, with all that belongs to them. Their children are not among it.
    pub deleted: Vec<Removal>,
    /// When it is committed, microseconds since the epoch.
    pub time_us: i64,
    /// Answered requests to remember. One that is known already is left as it is.
    pub requests: Vec<RequestRecord>,
}

impl Batch<'_> {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.executions.is_empty() && self.deleted.is_empty() && self.requests.is_empty()
    }
}

/// An execution that goes.
#[derive(Clone, Debug)]
pub struct Removal {
    /// Which.
    pub key: ExecutionKey,
    /// By whom, why.
    pub caller: Caller,
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
