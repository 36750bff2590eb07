//! Undoing one task: a task execution of its own, which runs what `rollback` says, or rolls the
//! sub-workflows of the task back.
//!
//! What there is to undo of a task are its **units**: of one that has succeeded, its action; of a
//! with-items task, each item that has succeeded, whatever has become of the task; and each
//! sub-workflow that the task has started and that its own `rollback` does not undo. They are
//! undone in reverse, with the concurrency of the task, and each is an action execution whose index
//! is its place in that order.

use std::sync::Arc;

use definition::model::Body;
use expr::Dict;

use super::{Fault, Machine, Work};
use crate::changes::Message;
use crate::data::Data;
use crate::event::Event;
use crate::history::HistoryKind;
use crate::id::{ActionId, ExecutionUid};
use crate::record::{ActionRecord, Runner, TaskRecord, TaskRuntime};
use crate::state::{ActionState, TaskState};
use crate::task::Task;

/// What there is to undo of a task, in the order in which it is undone.
pub(crate) type Units = Arc<Vec<Unit>>;

/// One thing to undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The action execution that did it.
    action: u32,
    /// The sub-workflow to roll back; `None` means that the `rollback` of the task is called.
    child: Option<ExecutionUid>,
}

impl Machine<'_> {
    /// Creates the task execution that undoes a task. False if there is nothing to undo.
    pub(super) fn begin_undo(&mut self, task: u32) -> bool {
        let units = self.units_of(task);
        if units.is_empty() {
            return false;
        }
        let number = self.ex.next_number();
        let memory = self.ex.task(task);
        let rollback = &self.ex.spec(task).rollback;
        let body = rollback.as_ref().map_or(Body::Workflow, |undo| undo.body);
        let record = TaskRecord {
            number,
            name: memory.record.name.clone(),
            is_workflow: body == Body::Workflow,
            state: TaskState::Idle,
            state_info: None,
            processed: false,
            error_handled: false,
            next_tasks: Vec::new(),
            triggered_by: Vec::new(),
            published: None,
            published_global: None,
            global_order: 0,
            runtime: TaskRuntime {
                undo_of: Some(task),
                ..TaskRuntime::default()
            },
            created_us: self.now,
            started_us: None,
            updated_us: self.now,
            finished_us: None,
            actions: Vec::new(),
        };
        // It sees what the task has seen, and what it has published.
        let undo = Task::new(record, memory.spec, memory.outbound());
        self.ex.push_task(undo);
        self.ex.task_mut(task).record.runtime.undone_by = Some(number);
        self.later(Work::Begin(number));
        true
    }

    /// Whether there is anything to undo of a task.
    pub(super) fn can_be_undone(&self, task: u32) -> bool {
        !self.units_of(task).is_empty()
    }

    fn units_of(&self, task: u32) -> Vec<Unit> {
        let record = &self.ex.task(task).record;
        let spec = self.ex.spec(task);
        let with_items = !spec.with_items.is_empty();
        let counts = with_items || record.state == TaskState::Success;
        let unit = |action: &ActionRecord| {
            let succeeded = action.accepted && action.state == ActionState::Success;
            let is_called = spec.rollback.is_some() && counts && succeeded;
            let child = action.child.filter(|_| !is_called);
            let action = action.number;
            (is_called || child.is_some()).then_some(Unit { action, child })
        };
        let mut actions: Vec<&ActionRecord> = record.actions.iter().collect();
        actions.sort_by_key(|action| std::cmp::Reverse((action.index, action.number)));
        actions.into_iter().filter_map(unit).collect()
    }

    fn units(&mut self, undo: u32) -> Units {
        if let Some(units) = &self.ex.task(undo).units {
            return units.clone();
        }
        let units = Arc::new(self.units_of(self.undone_task(undo)));
        self.ex.task_memory(undo).units = Some(Arc::clone(&units));
        units
    }

    /// The task execution that one undoes.
    fn undone_task(&self, undo: u32) -> u32 {
        let undone = self.ex.task(undo).record.runtime.undo_of;
        undone.expect("only what undoes a task has units")
    }

    /// Undoes as many units as may run now.
    pub(super) fn call_undo(&mut self, undo: u32) -> Result<(), Fault> {
        let units = self.units(undo);
        let task = self.undone_task(undo);
        // The attempts of a task without items came one after the other.
        let most = if self.ex.spec(task).with_items.is_empty() {
            1
        } else {
            self.ex.task(task).record.runtime.concurrency
        };
        loop {
            let memory = self.ex.task(undo);
            let active = u32::try_from(memory.active_actions.len()).unwrap_or(u32::MAX);
            let index = memory.next_item;
            let unit = units.get(index as usize).copied();
            let Some(unit) = unit.filter(|_| most == 0 || active < most) else {
                if active == 0 {
                    self.unit_ended(undo, None);
                }
                return Ok(());
            };
            let is_kept = memory.kept_items.contains(&index);
            self.ex.task_memory(undo).next_item = index + 1;
            if !is_kept {
                self.call_unit(undo, unit, index)?;
            }
            if self.ex.task(undo).record.state.is_final() {
                return Ok(());
            }
        }
    }

    fn call_unit(&mut self, undo: u32, unit: Unit, index: u32) -> Result<(), Fault> {
        if let Some(child) = unit.child {
            self.roll_back_child(undo, unit, child, index);
            return Ok(());
        }
        self.unit.set(Some(unit.action));
        let result = self.call_rollback(undo, unit, index);
        self.unit.set(None);
        result
    }

    fn call_rollback(&mut self, undo: u32, unit: Unit, index: u32) -> Result<(), Fault> {
        let items = self.items_of_unit(undo, unit)?;
        let workflow = self.ex.workflow().clone();
        let spec = self.ex.spec_in(&workflow, undo);
        let call = self.prepare(undo, spec)?;
        let input = self.call_input(undo, spec, &call, items.as_ref())?;
        self.run_call(undo, &call, input, index)
    }

    /// The variables of the item that is undone.
    fn items_of_unit(&mut self, undo: u32, unit: Unit) -> Result<Option<Dict>, Fault> {
        let task = self.undone_task(undo);
        let workflow = self.ex.workflow().clone();
        let spec = self.ex.spec_in(&workflow, task);
        if spec.with_items.is_empty() {
            return Ok(None);
        }
        let index = self.ex.task(task).action(unit.action);
        let index = index.map_or(usize::MAX, |action| action.index as usize);
        let items = self.items(task, spec)?;
        // When the task ran, a variable from before stood in front of an item of its name.
        let context = &self.ex.task(task).context;
        let shown = items.iter().filter(|(name, _)| context.get(name).is_none());
        let variables = shown.map(|(name, values)| {
            let value = values.get(index)?.clone();
            Some((expr::Value::from(name.clone()), value))
        });
        let variables: Option<Dict> = variables.collect();
        variables.map(Some).ok_or_else(|| {
            let name = &spec.name;
            Fault::Force(format!(
                "the items of task '{name}' are others than when it ran, so item {index} cannot be \
                 undone"
            ))
        })
    }

    /// While an action of an undo is prepared again, its expressions see the unit that it undoes.
    pub(super) fn set_unit(&mut self, task: u32, index: u32) {
        if self.is_undo(task) {
            let units = self.units(task);
            let unit = units.get(index as usize);
            self.unit.set(unit.map(|unit| unit.action));
        }
    }

    /// Has a sub-workflow rolled back; it reports its end as when it ran forward.
    fn roll_back_child(&mut self, undo: u32, unit: Unit, child: ExecutionUid, index: u32) {
        let task = self.ex.task(self.undone_task(undo));
        let name = task.action(unit.action).map(|action| action.name.clone());
        let name = name.unwrap_or_default();
        let (input, runner) = (Data::empty_object(), Runner::Child);
        let action = self.new_action(undo, name.clone(), input, index, runner, Some(child));
        let attempt = self.ex.task(undo).record.runtime.attempt();
        let kind = HistoryKind::ActionStarted {
            action,
            name,
            index,
            attempt,
        };
        self.ex.log(self.now, Some(undo), kind);
        let asked_by = ActionId {
            task: self.ex.task_id(undo),
            number: action,
        };
        let event = Event::RollBack { asked_by };
        self.out.messages.push(Message { to: child, event });
    }

    /// The action execution that a report of a child is about: while the child is rolled back, the
    /// one that undoes it, not the one that has started it.
    pub(super) fn undoing(&self, task: u32, action: u32) -> (u32, u32) {
        let undoing = || {
            let found = self.ex.find(task)?;
            let child = found.action(action)?.child?;
            let undo = self.ex.find(found.record.runtime.undone_by?)?;
            let mut active = undo.active_actions.iter();
            let number = active.find(|number| {
                let record = undo.action(**number);
                record.and_then(|record| record.child) == Some(child)
            })?;
            Some((undo.record.number, *number))
        };
        undoing().unwrap_or((task, action))
    }

    /// Goes on after one unit was undone, or has failed to be: the others are undone all the same.
    pub(super) fn unit_ended(&mut self, undo: u32, info: Option<Arc<str>>) {
        self.no_longer_paused(undo);
        let count = u32::try_from(self.units(undo).len()).unwrap_or(u32::MAX);
        let memory = self.ex.task(undo);
        let failed = memory.accepted_failed + memory.accepted_cancelled;
        if memory.accepted < count {
            if memory.next_item < count
                && memory.record.state == TaskState::Running
                && let Err(fault) = self.call_undo(undo)
            {
                self.fault(undo, fault);
            }
            return;
        }
        let state = match failed {
            0 => TaskState::Success,
            // Who cancels it does not want it to be tried again.
            _ if memory.accepted_failed == 0 => TaskState::Cancelled,
            _ => TaskState::Error,
        };
        let several = || format!("{failed} of {count} actions could not be undone.").into();
        let info = (failed > 0).then(|| info.filter(|_| count == 1).unwrap_or_else(several));
        self.complete(undo, state, info);
    }

    /// Before another attempt: what was undone stays undone, only the rest counts no longer.
    pub(super) fn forget_failures(&mut self, undo: u32) {
        let failed: Vec<u32> = {
            let actions = self.ex.task(undo).record.actions.iter();
            actions
                .filter(|action| action.accepted && action.state != ActionState::Success)
                .map(|action| action.number)
                .collect()
        };
        for action in failed {
            self.ex
                .change_action(undo, action, |record| record.accepted = false);
        }
    }
}
