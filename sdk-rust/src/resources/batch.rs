//! One verb for many executions, as the server tells of it.

use std::time::SystemTime;

use proto::v1::batch_verb::Verb;
use serde::Serialize;

use super::{serialize_time, to_time};
use crate::state::BatchState;

/// One verb for many executions, under way or finished.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct BatchOperation {
    /// Tenant.
    pub project: String,
    /// Given by the server; empty in a preview.
    pub batch_id: String,
    /// State.
    pub state: BatchState,
    /// What it does, such as `pause`; empty for a verb that this version does not know.
    pub verb: String,
    /// Which executions, if chosen by a filter.
    pub filter: String,
    /// Most executions a second.
    pub rate: i32,
    /// Executions that it is about: of a filter, those that matched when it was accepted.
    pub matched: i64,
    /// Those that the verb was applied to.
    pub done: i64,
    /// Those that it changed nothing for: they are so already, their state refuses it, or they are
    /// gone.
    pub skipped: i64,
    /// Those that it failed for.
    pub failed: i64,
    /// The first failures, at most 20.
    pub errors: Vec<BatchError>,
    /// Why, as the caller said.
    pub reason: String,
    /// What its caller said of itself; empty if nothing.
    pub identity: String,
    /// What who cancelled it said of itself; empty if nobody did.
    pub cancelled_by: String,
    /// When it was accepted.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<SystemTime>,
    /// When it last went on.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub update_time: Option<SystemTime>,
    /// When it reached a final state.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_time: Option<SystemTime>,
}

/// Why the verb of a batch failed for one execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BatchError {
    /// Uid of the execution.
    pub execution_id: String,
    /// Reason, as in errors of single calls.
    pub reason: String,
    /// What is wrong.
    pub message: String,
}

/// What a batch would come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BatchPreview {
    /// Executions that match now.
    pub matched: i64,
    /// Ids of some of them, at most 20.
    pub sample: Vec<String>,
}

impl From<proto::v1::BatchOperation> for BatchOperation {
    fn from(batch: proto::v1::BatchOperation) -> Self {
        let verb = batch.verb.and_then(|verb| verb.verb);
        let errors = batch.errors.into_iter().map(|error| BatchError {
            execution_id: error.execution_id,
            reason: error.reason,
            message: error.message,
        });
        Self {
            project: batch.project,
            batch_id: batch.batch_id,
            state: BatchState::from_number(batch.state),
            verb: verb.as_ref().map_or("", word).to_owned(),
            filter: batch.filter,
            rate: batch.rate,
            matched: batch.matched,
            done: batch.done,
            skipped: batch.skipped,
            failed: batch.failed,
            errors: errors.collect(),
            reason: batch.reason,
            identity: batch.identity,
            cancelled_by: batch.cancelled_by,
            create_time: to_time(batch.create_time),
            update_time: to_time(batch.update_time),
            end_time: to_time(batch.end_time),
        }
    }
}

fn word(verb: &Verb) -> &'static str {
    match verb {
        Verb::Pause(_) => "pause",
        Verb::Resume(_) => "resume",
        Verb::Cancel(_) => "cancel",
        Verb::Terminate(_) => "terminate",
        Verb::Rerun(_) => "rerun",
        Verb::Rollback(_) => "rollback",
        Verb::Delete(_) => "delete",
    }
}
