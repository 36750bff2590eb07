//! What a rollback means for the records of an execution: what undoes a task, and what is undone.
//!
//! Left to others: the order of undoing (`plan`), and doing it (`step/rollback`, `step/undo`).

use std::sync::LazyLock;

use definition::model;
use expr::Value;

use super::{Execution, Plan, count};
use crate::state::ExecutionState;

impl Execution {
    /// What a task execution runs, by its workflow: of one that undoes a task, what undoes it.
    pub(crate) fn spec_in<'w>(
        &self,
        workflow: &'w model::Workflow,
        number: u32,
    ) -> &'w model::Task {
        let task = self.task(number);
        let spec = &workflow.tasks[task.spec];
        if task.record.is_undo() {
            return spec.rollback.as_deref().unwrap_or(&ROLLBACK_OF_CHILDREN);
        }
        spec
    }

    /// Whether a rollback can go on without any event from outside.
    pub(super) fn unwinds(&self) -> bool {
        let goes_on = self.record.state == ExecutionState::RollingBack;
        goes_on && self.plan.as_ref().is_none_or(Plan::has_ready)
    }

    /// Takes note that a task is rolled back.
    pub(crate) fn set_rolled_back(&mut self, number: u32) {
        let record = &mut self.task_mut(number).record;
        record.runtime.rolled_back = true;
        record.processed = true;
        let state = record.state;
        let progress = &mut self.record_mut().progress;
        count(progress, false, state, -1);
        progress.rolled_back += 1;
    }

    /// Forgets the rollback: the execution is as it was at the task that it has gone back to.
    pub(crate) fn end_rollback(&mut self) {
        self.record_mut().rollback = None;
        self.latest.fill(None);
        for task in self.tasks.iter().filter(|task| task.record.counts()) {
            self.latest[task.spec] = Some(task.record.number);
        }
    }
}

/// What undoes a task that says nothing of it itself: its sub-workflows are rolled back.
static ROLLBACK_OF_CHILDREN: LazyLock<model::Task> = LazyLock::new(|| {
    let call = model::Call {
        name: expr::Template::literal(Value::Null),
        params: indexmap::IndexMap::new(),
    };
    model::Task::calling("".into(), model::Body::Workflow, call)
});
