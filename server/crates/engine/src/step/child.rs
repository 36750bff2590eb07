//! Sub-workflows: an action execution of the parent stands for the child, which is an execution of
//! its own in the same shard.

use std::sync::Arc;

use definition::model::WorkflowType;
use expr::{Dict, Value};

use super::start::{bind_input, missing_inputs};
use super::{Fault, Machine};
use crate::catalog::invalid_input;
use crate::changes::Message;
use crate::data::Data;
use crate::event::{Caller, Event, Parent, Start, Verb};
use crate::execution::PRIORITY;
use crate::history::HistoryKind;
use crate::id::{ActionId, ExecutionUid};
use crate::record::Runner;
use crate::state::{ActionState, ExecutionState, TaskState};
use crate::world::Definition;

impl Machine<'_> {
    /// Starts a child. Inputs that the child does not declare become its start parameters.
    pub(super) fn run_child(
        &mut self,
        task: u32,
        definition: Arc<Definition>,
        input: Dict,
        index: u32,
    ) -> Result<(), Fault> {
        let declared = &definition.workflow.input;
        let (bound, extra) = bind_input(declared, &Value::Dict(input.clone()));
        let missing = missing_inputs(declared, &bound);
        let name = definition.reference.name.clone();
        if !missing.is_empty() {
            let missing = missing.into_iter().map(Value::from).collect();
            let class = match definition.workflow.workflow_type {
                WorkflowType::Direct => "DirectWorkflowSpec",
                WorkflowType::Reverse => "ReverseWorkflowSpec",
            };
            let message = invalid_input(&name, class, missing, Vec::new());
            return Err(Fault::Task(message));
        }
        let number = u32::try_from(self.ex.task(task).record.actions.len()).unwrap_or(0) + 1;
        let action = ActionId {
            task: self.ex.task_id(task),
            number,
        };
        let uid = ExecutionUid::child_of(action, self.now);
        let input = self.data(Value::Dict(input), "the input of the sub-workflow")?;
        let params = self.child_params(task, index, extra)?;
        self.new_action(
            task,
            name.clone(),
            input.clone(),
            index,
            Runner::Child,
            Some(uid),
        );
        let record = &self.ex.record;
        let start = Start {
            uid,
            shard: record.shard,
            project: record.project.clone(),
            execution_id: None,
            definition,
            namespace: self.namespace(),
            input,
            params,
            description: "sub-workflow execution".into(),
            labels: std::collections::BTreeMap::new(),
            parent: Some(Parent {
                action,
                item_index: index,
                root: record.root,
                depth: record.depth + 1,
            }),
            source: None,
            caller: Caller::default(),
        };
        let child = uid.to_string().into();
        let kind = HistoryKind::ChildStarted {
            action: number,
            child,
            workflow: name,
            index,
        };
        self.ex.log(self.now, Some(task), kind);
        self.out.starts.push(start);
        Ok(())
    }

    /// The environment is that of the root, handed down.
    fn child_params(&self, task: u32, index: u32, extra: Dict) -> Result<Data, Fault> {
        let mut params = extra;
        params.insert("env", self.ex.env());
        params.insert("root_execution_id", self.ex.record.root.to_string());
        params.insert("task_execution_id", self.ex.task_id(task).to_string());
        params.insert("index", i64::from(index));
        let inherited = self.ex.record.params.value().get(PRIORITY);
        if let Some(priority) = inherited.filter(|_| !params.contains_key(PRIORITY)) {
            params.insert(PRIORITY, priority);
        }
        self.data(Value::Dict(params), "the parameters of the sub-workflow")
    }

    /// A child has ended.
    pub(super) fn child_done(
        &mut self,
        task: u32,
        action: u32,
        state: ExecutionState,
        output: Data,
        info: Option<Arc<str>>,
    ) {
        let (task, action) = self.undoing(task, action);
        let known = self.ex.find(task).and_then(|found| found.action(action));
        if known.is_none_or(|record| record.state.is_final()) {
            return;
        }
        let state = match state {
            ExecutionState::Success | ExecutionState::RolledBack => ActionState::Success,
            ExecutionState::Error => ActionState::Error,
            ExecutionState::Cancelled => ActionState::Cancelled,
            ExecutionState::Idle
            | ExecutionState::Running
            | ExecutionState::Paused
            | ExecutionState::RollingBack => return,
        };
        if self.record_end((task, action), state, Some(output), &Caller::default()) {
            let info = info.filter(|_| state != ActionState::Success);
            self.task_after_action(task, state, info);
        } else if !self.is_undo(task) && !self.ex.spec(task).with_items.is_empty() {
            self.next_items(task);
        }
    }

    /// A child, or an asynchronous action, was paused or goes on: so does its task, and the
    /// execution with it.
    pub(super) fn child_paused(
        &mut self,
        task: u32,
        action: u32,
        paused: bool,
        timeouts_run: bool,
    ) {
        let (task, action) = self.undoing(task, action);
        let Some(record) = self.ex.find(task).and_then(|found| found.action(action)) else {
            return;
        };
        let state = if paused {
            ActionState::Paused
        } else {
            ActionState::Running
        };
        if record.state.is_final() || record.state == state {
            return;
        }
        let is_child = record.runner == Runner::Child;
        self.ex
            .change_action(task, action, |record| record.state = state);
        // A child that is paused says by itself when nothing runs in it any more.
        self.ex.set_undrained(task, action, is_child && paused);
        let kind = HistoryKind::ActionStateChanged { action, state };
        self.ex.log(self.now, Some(task), kind);
        if self.ex.task(task).record.state.is_final() {
            return;
        }
        if paused {
            self.set_task_state(task, TaskState::Paused, None);
            if self.is_running() || (self.is_rolling_back() && self.is_undo(task)) {
                self.pause_self(None, timeouts_run);
            }
            return;
        }
        if !self.no_longer_paused(task) {
            return;
        }
        let is_undo = self.is_undo(task);
        let mut paused = self.ex.paused.iter();
        let any_paused = paused.any(|paused| self.is_undo(*paused) == is_undo);
        // What was paused besides a rollback does not let the rollback go on.
        if is_undo != self.ex.record.is_in_rollback() {
            return;
        }
        if self.ex.record.state == ExecutionState::Paused && !any_paused {
            self.resume_self();
        }
    }

    /// Nothing runs any more in a child that is paused, or something does again.
    pub(super) fn child_drained(&mut self, task: u32, action: u32, drained: bool) {
        let (task, action) = self.undoing(task, action);
        let known = self.ex.find(task).and_then(|found| found.action(action));
        if known.is_some_and(|record| record.state == ActionState::Paused) {
            self.ex.set_undrained(task, action, !drained);
        }
    }

    /// Nothing runs any more in this execution, which is paused; or that is no longer so.
    pub(super) fn drained(&mut self, drained: bool) {
        if drained {
            self.ex.log(self.now, None, HistoryKind::ExecutionDrained);
        }
        if let Some(parent) = self.ex.record.parent {
            let event = Event::ChildDrained {
                task: parent.task.number,
                action: parent.number,
                drained,
            };
            let to = parent.task.execution;
            self.out.messages.push(Message { to, event });
        }
    }

    /// Lets a task go on of which nothing is paused any more. False if something is.
    pub(super) fn no_longer_paused(&mut self, task: u32) -> bool {
        let memory = self.ex.task(task);
        if memory.paused_actions > 0 {
            return false;
        }
        if memory.record.state == TaskState::Paused {
            self.set_task_state(task, TaskState::Running, None);
        }
        true
    }

    /// Tells the children that are under way what to do.
    pub(super) fn tell_children(&mut self, verb: &Verb) {
        for to in self.ex.active_children() {
            let event = Event::Verb {
                verb: verb.clone(),
                caller: self.caller.clone(),
            };
            self.out.messages.push(Message { to, event });
        }
    }

    pub(super) fn cancel_child(&mut self, task: u32, action: u32) {
        let child = self
            .ex
            .task(task)
            .action(action)
            .and_then(|record| record.child);
        let Some(to) = child else { return };
        let message = Some("Cancelled by its parent.".into());
        let verb = Verb::Stop {
            outcome: ExecutionState::Cancelled,
            message,
        };
        let event = Event::Verb {
            verb,
            caller: self.caller.clone(),
        };
        self.out.messages.push(Message { to, event });
    }

    /// Tells the parent that this execution was paused, and whether timeouts go on meanwhile; or
    /// that it goes on.
    pub(super) fn tell_parent_paused(&mut self, paused: bool, timeouts_run: bool) {
        if let Some(parent) = self.ex.record.parent {
            let (task, action) = (parent.task.number, parent.number);
            let event = Event::ChildPaused {
                task,
                action,
                paused,
                timeouts_run,
            };
            self.out.messages.push(Message {
                to: parent.task.execution,
                event,
            });
        }
    }
}
