//! What a batch holds, by table: rows of one table are written together.

use engine::{ActionRecord, ExecutionRecord, HistoryEvent, TaskChange, TaskRecord};

use crate::batch::{Batch, ExecutionKey};

/// The rows of a batch, by table and by whether they are new: rows of one table go together.
#[derive(Default)]
pub(super) struct Rows<'a> {
    pub(super) new_executions: Vec<&'a ExecutionRecord>,
    /// Those whose state has changed, and those that have gone on in the same.
    pub(super) executions: Vec<&'a ExecutionRecord>,
    pub(super) steps: Vec<&'a ExecutionRecord>,
    pub(super) payloads: Vec<&'a ExecutionRecord>,
    pub(super) described: Vec<(&'a ExecutionKey, &'a ExecutionRecord)>,
    pub(super) new_tasks: Vec<(&'a ExecutionKey, &'a TaskRecord)>,
    pub(super) tasks: Vec<(&'a ExecutionKey, &'a TaskRecord, TaskChange)>,
    pub(super) new_actions: Vec<(&'a ExecutionKey, u32, &'a ActionRecord)>,
    pub(super) actions: Vec<(&'a ExecutionKey, u32, &'a ActionRecord)>,
    pub(super) history: Vec<(&'a ExecutionKey, &'a [HistoryEvent])>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(batch: &'a Batch<'_>, keys: &'a [ExecutionKey]) -> Self {
        let mut rows = Self::default();
        for (changed, key) in batch.executions.iter().zip(keys) {
            if changed.is_new {
                rows.new_executions.push(changed.record);
            } else {
                if changed.row_changed || !changed.history.is_empty() {
                    let is_step = changed.stored_state == Some(changed.record.state);
                    let list = if is_step {
                        &mut rows.steps
                    } else {
                        &mut rows.executions
                    };
                    list.push(changed.record);
                }
                if changed.payloads_changed {
                    rows.payloads.push(changed.record);
                }
                if changed.details_changed {
                    rows.described.push((key, changed.record));
                }
            }
            for (task, change) in &changed.tasks {
                match change {
                    TaskChange::New => rows.new_tasks.push((key, task)),
                    _ => rows.tasks.push((key, task, *change)),
                }
            }
            for (task, action, is_new) in &changed.actions {
                let list = if *is_new {
                    &mut rows.new_actions
                } else {
                    &mut rows.actions
                };
                list.push((key, *task, action));
            }
            if !changed.history.is_empty() {
                rows.history.push((key, changed.history));
            }
        }
        rows
    }
}
