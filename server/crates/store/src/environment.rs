//! Environments as the store sees them: named texts with a number that grows with each change.
//!
//! Left to others: what the variables are (`server::api`), SQL (`tables`).

use std::sync::Arc;

use crate::batch::RequestRecord;
use crate::definition::ApplyMode;

/// An environment that is to be as it says here.
#[derive(Clone, Debug)]
pub struct EnvironmentChange {
    /// Tenant.
    pub project: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// What may exist.
    pub mode: ApplyMode,
    /// Free text.
    pub description: Arc<str>,
    /// A JSON object; the store does not look inside.
    pub variables: Arc<str>,
    /// If set: the etag that it must have now.
    pub expected_etag: Option<Arc<str>>,
    /// The request to remember in the same transaction.
    pub request: Option<RequestRecord>,
    /// Now, microseconds since the epoch.
    pub now_us: i64,
}

/// A named set of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentRow {
    /// Tenant.
    pub project: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// 1, and one more for each change; goes on where the name was deleted and made again.
    pub revision: i32,
    /// Free text.
    pub description: Arc<str>,
    /// A JSON object.
    pub variables: Arc<str>,
    /// When it was created, microseconds since the epoch.
    pub created_us: i64,
    /// When it was last changed, microseconds since the epoch.
    pub updated_us: i64,
}

impl EnvironmentRow {
    /// Changes with every change; a name never gets one twice.
    pub fn etag(&self) -> String {
        self.revision.to_string()
    }
}
