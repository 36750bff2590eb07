//! What the store keeps for workers: the actions that they provide, and how their queues are set.
//!
//! Left to others: what stands in the JSON (`server::dispatch`), SQL (`tables`).

use std::sync::Arc;

/// An action that workers have provided in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerActionRow {
    /// Tenant.
    pub project: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The queue.
    pub queue: Arc<str>,
    /// A JSON object; the store does not look inside.
    pub details: Arc<str>,
    /// When it was provided first, microseconds since the epoch.
    pub created_us: i64,
    /// When its details were last changed, microseconds since the epoch.
    pub updated_us: i64,
}

/// How a queue is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// Tenant.
    pub project: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// 1, and one more for each change.
    pub revision: i32,
    /// A JSON object; the store does not look inside.
    pub settings: Arc<str>,
    /// When it was last changed, microseconds since the epoch.
    pub updated_us: i64,
}
