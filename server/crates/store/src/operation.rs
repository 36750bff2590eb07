//! Batch operations as the store sees them: what was asked for and how far it is, unread.
//!
//! Left to others: what they do (`server::api::batches`), SQL (`tables`).

use std::sync::Arc;

/// One verb for many executions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRow {
    /// Tenant.
    pub project: Arc<str>,
    /// UUID whose text grows with the time of its making.
    pub batch_id: Arc<str>,
    /// Whether it is in a final state.
    pub finished: bool,
    /// What was asked for; the store does not look inside.
    pub request: Vec<u8>,
    /// How far it is; the store does not look inside.
    pub progress: Vec<u8>,
    /// The execution that it came to last, as its owner writes it; empty before the first.
    pub position: Arc<str>,
    /// When it last changed, microseconds since the epoch.
    pub updated_us: i64,
}
