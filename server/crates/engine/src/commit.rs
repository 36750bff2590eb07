//! What a commit must write of an execution: the rows that changed since the last one, and the new
//! history. Left to others: marking them (`execution`).

use std::collections::BTreeMap;

use crate::execution::Execution;
use crate::history::HistoryEvent;
use crate::record::{ActionRecord, ExecutionRecord, TaskRecord};
use crate::state::ExecutionState;

/// What was changed since the last commit.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each mark is of another row")]
pub(crate) struct Marks {
    pub(crate) is_new: bool,
    pub(crate) execution: bool,
    pub(crate) payloads: bool,
    pub(crate) details: bool,
    /// By number.
    pub(crate) tasks: BTreeMap<u32, TaskChange>,
    /// Task and action number → whether the row is new. Those in the rows of their tasks are not
    /// here.
    pub(crate) actions: BTreeMap<(u32, u32), bool>,
}

/// How much of the row of a task a commit must write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskChange {
    /// What can change of it, and of the action that lies in it.
    Known,
    /// That, and all of the action that lies in it: the row does not have it yet.
    NewAction,
    /// All: there is no row yet.
    New,
}

impl Marks {
    pub(crate) fn task(&mut self, number: u32, change: TaskChange) {
        let mark = self.tasks.entry(number).or_insert(change);
        *mark = change.max(*mark);
    }
}

/// What changed of an execution since its last commit: the rows that the next one must write.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each flag is of another row")]
pub struct Changed<'a> {
    /// The execution as it is now.
    pub record: &'a ExecutionRecord,
    /// Whether it has no row yet.
    pub is_new: bool,
    /// The state that its row says; `None` if it has none yet.
    pub stored_state: Option<ExecutionState>,
    /// Whether any field but `params`, `vars` and `output` differs from the row. New history always
    /// writes the row, since it holds the last sequence.
    pub row_changed: bool,
    /// Whether `params`, `vars` or `output` differ from what is stored. They lie in a row of their
    /// own: large payloads are not written again with every step.
    pub payloads_changed: bool,
    /// Whether labels or description differ from the row.
    pub details_changed: bool,
    /// New or changed tasks. Of their `actions` only those that lie in their rows are looked at.
    pub tasks: Vec<(&'a TaskRecord, TaskChange)>,
    /// New or changed actions that have rows of their own, with the number of their task and
    /// whether they are new.
    pub actions: Vec<(u32, &'a ActionRecord, bool)>,
    /// New events, in order of their sequence, without holes.
    pub history: &'a [HistoryEvent],
}

impl Execution {
    /// Whether a commit must write anything.
    pub fn is_changed(&self) -> bool {
        let marks = &self.changed;
        marks.is_new || marks.execution || !marks.tasks.is_empty() || !marks.actions.is_empty()
    }

    /// The rows that a commit must write.
    pub fn changed(&self) -> Changed<'_> {
        let marks = &self.changed;
        let tasks = marks.tasks.iter();
        let actions = marks.actions.iter();
        Changed {
            record: &self.record,
            is_new: marks.is_new,
            stored_state: self.stored_state,
            row_changed: marks.execution,
            payloads_changed: marks.payloads,
            details_changed: marks.details,
            tasks: tasks
                .map(|(number, change)| (&self.task(*number).record, *change))
                .collect(),
            actions: actions
                .map(|((task, action), is_new)| {
                    let record = self.task(*task).action(*action);
                    (*task, record.expect("a marked action exists"), *is_new)
                })
                .collect(),
            history: &self.history,
        }
    }

    /// Forgets what was changed: it is committed.
    pub fn committed(&mut self) {
        self.changed = Marks::default();
        self.stored_state = Some(self.record.state);
        self.history.clear();
    }
}
