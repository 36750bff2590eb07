//! The live state of one task execution: its record, and what follows from it.
//!
//! Left to others: changing it, with all that is counted by it (`execution`).

use std::collections::BTreeSet;
use std::sync::Arc;

use definition::model;
use expr::Value;

use crate::branch::Branch;
use crate::data::Data;
use crate::record::{ActionRecord, Earlier, TaskRecord};
use crate::step::Units;

/// The items of a task, by variable; all lists are of one length.
pub(crate) type Items = Arc<Vec<(Arc<str>, Vec<Value>)>>;

/// A task execution in memory.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) record: TaskRecord,
    /// Position of its task in the workflow.
    pub(crate) spec: usize,
    /// What it sees from the tasks before it.
    pub(crate) context: Branch,
    /// What the tasks after it see; made on first use.
    pub(crate) outbound: Option<Branch>,
    /// What those saw that it had led to before it ran again or was skipped, by generation.
    pub(crate) earlier: Vec<Branch>,
    /// Action executions that are not final, by number.
    pub(crate) active_actions: BTreeSet<u32>,
    /// How many of these are paused.
    pub(crate) paused_actions: u32,
    /// Accepted action executions.
    pub(crate) accepted: u32,
    /// Accepted action executions that were cancelled, and those that failed.
    pub(crate) accepted_cancelled: u32,
    pub(crate) accepted_failed: u32,
    /// Of a join that waits: how many more inbound tasks must come before it can run; 0 if that is
    /// not known.
    pub(crate) awaited: usize,
    /// Whether looking at it again is planned.
    pub(crate) looked_at_later: bool,
    /// Of a with-items task: the first item that this attempt has not come to.
    pub(crate) next_item: u32,
    /// Of a with-items task: later items that this attempt need not come to.
    pub(crate) kept_items: BTreeSet<u32>,
    /// Of a with-items task: the evaluated items, by variable; made anew after a restart.
    pub(crate) items: Option<Items>,
    /// Of what undoes a task: what there is to undo; made anew after a restart.
    pub(crate) units: Option<Units>,
}

impl Task {
    pub(crate) fn new(record: TaskRecord, spec: usize, context: Branch) -> Self {
        let mut task = Self {
            record,
            spec,
            context,
            outbound: None,
            earlier: Vec::new(),
            active_actions: BTreeSet::new(),
            paused_actions: 0,
            accepted: 0,
            accepted_cancelled: 0,
            accepted_failed: 0,
            awaited: 0,
            looked_at_later: false,
            next_item: 0,
            kept_items: BTreeSet::new(),
            items: None,
            units: None,
        };
        task.recount();
        task
    }

    /// Derives the counters from the action records.
    pub(crate) fn recount(&mut self) {
        use crate::state::ActionState::{Cancelled, Error, Paused};
        let accepted = self.record.actions.iter().filter(|action| action.accepted);
        (self.accepted, self.accepted_cancelled, self.accepted_failed) =
            accepted.fold((0, 0, 0), |(all, cancelled, failed), action| {
                let is = |state| u32::from(action.state == state);
                (all + 1, cancelled + is(Cancelled), failed + is(Error))
            });
        let actions = &self.record.actions;
        self.active_actions = actions
            .iter()
            .filter(|a| !a.state.is_final())
            .map(|a| a.number)
            .collect();
        let paused = actions.iter().filter(|a| a.state == Paused).count();
        self.paused_actions = u32::try_from(paused).unwrap_or(u32::MAX);
        let attempt = self.record.runtime.attempt();
        let present = actions.iter().filter(|a| a.attempt == attempt);
        let mut present: BTreeSet<u32> = present.map(|a| a.index).collect();
        self.next_item = 0;
        while present.remove(&self.next_item) {
            self.next_item += 1;
        }
        let earlier = actions.iter().filter(|a| a.attempt < attempt && a.accepted);
        self.kept_items = earlier.map(|a| a.index).chain(present).collect();
    }

    /// What the tasks after it see.
    pub(crate) fn outbound(&self) -> Branch {
        match &self.outbound {
            Some(branch) => branch.clone(),
            None => after_publishing(&self.context, self.record.published.as_ref()),
        }
    }

    /// How often it had led to others and was taken back since.
    pub(crate) fn generation(&self) -> u32 {
        u32::try_from(self.record.runtime.earlier.len()).unwrap_or(u32::MAX)
    }

    /// Keeps what the tasks that it has led to see of it, now that it is about to change.
    pub(crate) fn begin_generation(&mut self) {
        self.earlier.push(self.outbound());
        let left = Earlier {
            triggered_by: self.record.triggered_by.clone(),
            published: self.record.published.clone(),
        };
        self.record.runtime.earlier.push(left);
    }

    pub(crate) fn action(&self, number: u32) -> Option<&ActionRecord> {
        self.record
            .actions
            .get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

/// A context after a task has published.
pub(crate) fn after_publishing(context: &Branch, published: Option<&Data>) -> Branch {
    match published.map(Data::value) {
        Some(Value::Dict(published)) => context.publish(published),
        _ => context.clone(),
    }
}

/// The result of a task as `task().result` and the API show it.
pub(crate) fn result_of(spec: &model::Task, record: &TaskRecord) -> Value {
    if record.runtime.result_declared {
        let declared = record.actions.last().and_then(|last| last.output.as_ref());
        return declared.map_or(Value::Null, |output| output.value().clone());
    }
    let mut accepted: Vec<&ActionRecord> = record.actions.iter().filter(|a| a.accepted).collect();
    accepted.sort_by_key(|action| (action.index, action.number));
    let value = |action: &ActionRecord| {
        action
            .output
            .as_ref()
            .map_or(Value::Null, |output: &Data| output.value().clone())
    };
    match accepted.as_slice() {
        [single] if spec.with_items.is_empty() => value(single),
        all => all.iter().map(|action| value(action)).collect(),
    }
}
