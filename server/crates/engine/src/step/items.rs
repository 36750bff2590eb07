//! Tasks with items: as many action executions as there are items, at most so many at a time.

use std::sync::Arc;

use definition::model;
use expr::{Dict, Value};

use super::{Fault, Machine};
use crate::state::{ExecutionState, TaskState};
use crate::task::Items;

impl Machine<'_> {
    /// Starts as many items as may run now.
    pub(super) fn run_items(&mut self, task: u32, spec: &model::Task) -> Result<(), Fault> {
        let items = self.items(task, spec)?;
        let count =
            u32::try_from(items.first().map_or(0, |(_, values)| values.len())).unwrap_or(u32::MAX);
        let most = self.world.limits().items_max;
        if count > most {
            let name = &spec.name;
            let message =
                format!("task '{name}' has {count} items, which is over the limit of {most}");
            return Err(Fault::limit(&message, "items_per_task_max", most.into()));
        }
        if self.ex.task(task).record.runtime.items != Some(count) {
            self.ex.task_mut(task).record.runtime.items = Some(count);
        }
        if count == 0 {
            self.complete(task, TaskState::Success, None);
            return Ok(());
        }
        let call = self.prepare(task, spec)?;
        let concurrency = self.ex.task(task).record.runtime.concurrency;
        loop {
            let memory = self.ex.task(task);
            let active = u32::try_from(memory.active_actions.len()).unwrap_or(u32::MAX);
            let index = memory.next_item;
            if index >= count || (concurrency > 0 && active >= concurrency) {
                // A rerun that keeps all results has nothing to wait for.
                if active == 0 && memory.accepted >= count {
                    self.item_ended(task);
                }
                return Ok(());
            }
            let is_kept = memory.kept_items.contains(&index);
            self.ex.task_memory(task).next_item = index + 1;
            if is_kept {
                continue;
            }
            let item: Dict = items
                .iter()
                .map(|(name, values)| (Value::from(name.clone()), values[index as usize].clone()))
                .collect();
            let input = self.call_input(task, spec, &call, Some(&item))?;
            self.run_call(task, &call, input, index)?;
            // A sub-workflow that cannot start ends its task at once.
            if self.ex.task(task).record.state.is_final() {
                return Ok(());
            }
        }
    }

    /// Goes on after one item has ended: with the next items, or with the end of the task.
    pub(super) fn item_ended(&mut self, task: u32) {
        self.no_longer_paused(task);
        let memory = self.ex.task(task);
        let count = memory.record.runtime.items.unwrap_or(1);
        if memory.accepted_cancelled > 0 {
            let info = "One or more actions was cancelled.";
            self.complete(task, TaskState::Cancelled, Some(info.into()));
        } else if memory.accepted >= count {
            let (state, info) = if memory.accepted_failed > 0 {
                (
                    TaskState::Error,
                    Some("One or more actions had failed.".into()),
                )
            } else {
                (TaskState::Success, None)
            };
            self.complete(task, state, info);
        } else {
            self.next_items(task);
        }
    }

    /// Begins items that wait for their turn, now that an action has ended: also one that counts no
    /// more may have been in the way.
    pub(super) fn next_items(&mut self, task: u32) {
        let memory = self.ex.task(task);
        let count = memory.record.runtime.items.unwrap_or(1);
        if self.ex.record.state == ExecutionState::Cancelled {
            // A sub-workflow has not ended in CANCELLED, since it could not undo what it had done.
            self.cancel_if_idle(task, "The execution was cancelled.");
        } else if memory.next_item < count && memory.record.state == TaskState::Running {
            let workflow = self.ex.workflow().clone();
            let spec = &workflow.tasks[self.ex.task(task).spec];
            if let Err(fault) = self.run_items(task, spec) {
                self.fault(task, fault);
            }
        }
    }

    /// The evaluated items. They follow from the context of the task, so they are not stored.
    pub(super) fn items(&mut self, task: u32, spec: &model::Task) -> Result<Items, Fault> {
        if let Some(items) = &self.ex.task(task).items {
            return Ok(items.clone());
        }
        let mut items = Vec::with_capacity(spec.with_items.len());
        for item in &spec.with_items {
            let value = self.eval_for(&item.source, task)?;
            let Some(values) = elements(&value) else {
                let (name, kind) = (&item.name, value.type_name());
                return Err(Fault::Force(format!(
                    "Wrong input format for: with-items '{name}'. Iterable type is expected for \
                     each value, got {kind}."
                )));
            };
            items.push((item.name.clone(), values));
        }
        let lengths: Vec<usize> = items.iter().map(|(_, values)| values.len()).collect();
        if lengths.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(Fault::Force(format!(
                "Wrong input format for: with-items of lengths {lengths:?}. All arrays must have \
                 the same length."
            )));
        }
        let items: Items = Arc::new(items);
        self.ex.task_memory(task).items = Some(items.clone());
        Ok(items)
    }
}

/// What Python would iterate over: list items, keys of a dict, characters of a string.
fn elements(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(items) => Some(items.to_vec()),
        Value::Dict(dict) => Some(dict.keys().collect()),
        Value::Str(text) => Some(text.chars().map(|c| Value::from(c.to_string())).collect()),
        Value::Set(_) => {
            // A set is stored as a list, in its order of insertion.
            let list = crate::data::Data::from_value(value.clone()).ok()?;
            list.value().as_list().map(<[Value]>::to_vec)
        }
        _ => None,
    }
}
