//! What a task publishes: for the tasks after it, and for the whole execution.

use std::sync::Arc;

use definition::model::Publish;
use expr::{Dict, Template, Value};

use super::{Fault, Machine};
use crate::data::Data;
use crate::history::HistoryKind;
use crate::state::TaskState;

impl Machine<'_> {
    /// Evaluates what belongs to the state that the task has reached.
    pub(super) fn publish(&mut self, task: u32) -> Result<(), Fault> {
        let workflow = self.ex.workflow().clone();
        let spec = self.ex.spec_in(&workflow, task);
        let publish = match self.ex.task(task).record.state {
            TaskState::Success => &spec.publish,
            TaskState::Error => &spec.publish_on_error,
            TaskState::Skipped => &spec.publish_on_skip,
            TaskState::Idle
            | TaskState::Waiting
            | TaskState::Running
            | TaskState::Delayed
            | TaskState::Paused
            | TaskState::Cancelled => return Ok(()),
        };
        self.publish_set(task, publish)
    }

    fn publish_set(&mut self, task: u32, publish: &Publish) -> Result<(), Fault> {
        let branch = self.published(task, publish.branch.as_ref())?;
        let global = self.published(task, publish.global.as_ref())?;
        // One event is applied at a time, so reading and writing in it is one step: that is what
        // `atomic` asks for.
        let atomic = self.published(task, publish.atomic.as_ref())?;
        if branch.is_none() && global.is_none() && atomic.is_none() {
            return Ok(());
        }
        let mut names = (Vec::new(), Vec::new());
        if let Some((dict, data)) = branch {
            names.0 = keys(&dict);
            let outbound = self.ex.task(task).context.publish(&dict);
            let memory = self.ex.task_mut(task);
            memory.outbound = Some(outbound);
            memory.record.published = Some(data);
        }
        let globals: Vec<Dict> = [global, atomic]
            .into_iter()
            .flatten()
            .map(|(d, _)| d)
            .collect();
        if !globals.is_empty() {
            let mut merged = Dict::new();
            for dict in &globals {
                merge_deep(&mut merged, dict);
                merge_deep(&mut self.ex.globals, dict);
            }
            names.1 = keys(&merged);
            let data = self.data(Value::Dict(merged), "what the task publishes")?;
            let again = self.ex.task(task).record.published_global.is_some();
            self.ex.globals_published += 1;
            let order = self.ex.globals_published;
            let record = &mut self.ex.task_mut(task).record;
            record.published_global = Some(data);
            record.global_order = order;
            if again {
                self.gather_globals()?;
            }
        }
        let kind = HistoryKind::VariablesPublished {
            branch: names.0,
            global: names.1,
        };
        self.ex.log(self.now, Some(task), kind);
        Ok(())
    }

    /// Keeps what was published to the whole execution so far in one place, because one of the
    /// tasks has published again: its row has room for its last publication only.
    fn gather_globals(&mut self) -> Result<(), Fault> {
        let globals = Value::Dict(self.ex.globals.clone());
        self.ex.payloads_mut().vars = self.data(globals, "what tasks have published globally")?;
        let records = self.ex.tasks().filter(|record| record.global_order > 0);
        for task in records.map(|record| record.number).collect::<Vec<_>>() {
            self.ex.task_mut(task).record.global_order = 0;
        }
        self.ex.globals_published = 0;
        Ok(())
    }

    fn published(
        &self,
        task: u32,
        template: Option<&Template>,
    ) -> Result<Option<(Dict, Data)>, Fault> {
        let Some(template) = template else {
            return Ok(None);
        };
        let value = self.eval_for(template, task)?;
        let data = self.data(value, "what the task publishes")?;
        // Read back in the stored form, so that a restart changes nothing of what is seen.
        match data.value() {
            Value::Dict(dict) => Ok(Some((dict.clone(), data))),
            other => {
                let kind = other.type_name();
                Err(Fault::Force(format!(
                    "what the task publishes is not a dict but {kind}"
                )))
            }
        }
    }
}

fn keys(dict: &Dict) -> Vec<Arc<str>> {
    dict.keys().map(|key| key.to_text().into()).collect()
}

/// Merges `from` into `into`: dicts key by key, anything else replaces.
pub(super) fn merge_deep(into: &mut Dict, from: &Dict) {
    for (key, value) in from.iter() {
        let merged = match (into.get_value(&key), value) {
            (Some(Value::Dict(mut old)), Value::Dict(new)) => {
                merge_deep(&mut old, &new);
                Value::Dict(old)
            }
            (_, value) => value,
        };
        into.insert(key, merged);
    }
}
