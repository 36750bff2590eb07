//! Executions on the wire.

use std::time::Duration;

use engine::{Data, ExecutionRecord, ExecutionState, FailureKind};
use proto::v1::{self, PayloadFormat};

use super::{field, payload, state};
use crate::config::Retention;
use crate::etag;

/// Most bytes of the message of a failure.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

/// What goes with an execution in the FULL view.
pub(crate) struct Full<'a> {
    /// Variables published to the whole execution and `vars`.
    pub(crate) published_global: &'a Data,
    /// Arm of the payloads.
    pub(crate) format: PayloadFormat,
}

/// An execution in the BASIC view, or in the FULL one.
pub(crate) fn wire(
    record: &ExecutionRecord,
    retention: &Retention,
    full: Option<&Full<'_>>,
) -> v1::Execution {
    let mut wire = basic(record);
    wire.expire_time = expiry(record, retention.of(&record.project)).map(field::timestamp);
    if let Some(Full {
        published_global,
        format,
    }) = full
    {
        wire.input = Some(payload::wire(&record.input, *format));
        wire.params = Some(payload::wire(&record.params, *format));
        wire.output = payload::wire_optional(record.output.as_ref(), *format);
        wire.published_global = Some(payload::wire(published_global, *format));
        if let Some(error) = &mut wire.error {
            error.details = payload::wire_optional(record.output.as_ref(), *format);
        }
    }
    wire
}

fn basic(record: &ExecutionRecord) -> v1::Execution {
    let uid = record.uid.to_string();
    let labels = record
        .labels
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()));
    v1::Execution {
        project: record.project.to_string(),
        execution_id: record
            .execution_id
            .as_ref()
            .map_or_else(|| uid.clone(), ToString::to_string),
        uid,
        workflow_name: record.definition.name.to_string(),
        workflow_namespace: record.definition.namespace.to_string(),
        workflow_revision: record.definition.revision,
        state: state::execution(record.state).into(),
        state_info: field::optional(record.state_info.as_ref()),
        run: record.run,
        last_sequence: record.last_sequence,
        input: None,
        output: None,
        params: None,
        error: has_failed(record).then(|| failure(record)),
        labels: labels.collect(),
        description: record.description.to_string(),
        create_time: Some(field::timestamp(record.created_us)),
        update_time: Some(field::timestamp(record.updated_us)),
        end_time: record.finished_us.map(field::timestamp),
        parent_task_execution_id: record
            .parent
            .map(|a| a.task.to_string())
            .unwrap_or_default(),
        root_execution_id: record.root.to_string(),
        item_index: field::count(record.item_index),
        progress: Some(progress(record)),
        published_global: None,
        kind: kind(record).into(),
        source_execution_id: record.source.map(|uid| uid.to_string()).unwrap_or_default(),
        expire_time: None,
        etag: etag::of(record),
    }
}

/// When retention deletes an execution. One below others goes with them.
fn expiry(record: &ExecutionRecord, kept: Option<Duration>) -> Option<i64> {
    let finished_us = record.finished_us.filter(|_| record.parent.is_none())?;
    let kept_us = i64::try_from(kept?.as_micros()).unwrap_or(i64::MAX);
    Some(finished_us.saturating_add(kept_us))
}

/// Whether there is something that went wrong; an execution that was terminated has no output that
/// would say so.
fn has_failed(record: &ExecutionRecord) -> bool {
    record.state == ExecutionState::Error || record.failure.is_some()
}

fn kind(record: &ExecutionRecord) -> v1::ExecutionKind {
    if record.definition.is_action() {
        v1::ExecutionKind::Action
    } else {
        v1::ExecutionKind::Workflow
    }
}

fn failure(record: &ExecutionRecord) -> v1::Failure {
    let message = record.state_info.as_deref().unwrap_or_default();
    let failure = record.failure.as_ref();
    let kind = failure.map_or(FailureKind::Workflow, |failure| failure.kind);
    let limit = failure.and_then(|failure| failure.limit.as_ref());
    v1::Failure {
        r#type: kind.word().to_owned(),
        message: engine::limits::truncate(message, MESSAGE_BYTES_MAX).to_owned(),
        limit: limit.map(|limit| v1::LimitHit {
            name: limit.name.to_string(),
            allowed: i64::try_from(limit.allowed).unwrap_or(i64::MAX),
        }),
        ..v1::Failure::default()
    }
}

fn progress(record: &ExecutionRecord) -> v1::Progress {
    let progress = record.progress;
    v1::Progress {
        total: field::count(progress.total),
        active: field::count(progress.active),
        success: field::count(progress.success),
        error: field::count(progress.error),
        cancelled: field::count(progress.cancelled),
        skipped: field::count(progress.skipped),
        running_actions: field::count(progress.running_actions),
        rolled_back: field::count(progress.rolled_back),
        undoing: field::count(progress.undoing),
        undo_failed: field::count(progress.undo_failed),
    }
}
