//! Reverse workflows: the tasks that the target requires, each when its own requirements are done.

use std::collections::{BTreeMap, BTreeSet};

use expr::Value;

use super::transitions::Command;
use super::{Fault, Machine};
use crate::record::Edge;
use crate::state::TaskState;

/// What the target of a reverse workflow needs; tasks are positions in the workflow.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The target, and all that it requires, directly or not.
    tasks: BTreeSet<usize>,
    /// For each of them, those that require it, in order.
    requiring: BTreeMap<usize, Vec<usize>>,
}

impl Wanted {
    fn of(inbound: &[Vec<usize>], target: usize) -> Self {
        let mut tasks = BTreeSet::from([target]);
        let mut stack = vec![target];
        while let Some(task) = stack.pop() {
            let required = inbound[task].iter().copied();
            stack.extend(required.filter(|required| tasks.insert(*required)));
        }
        let mut requiring: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for task in &tasks {
            for required in &inbound[*task] {
                requiring.entry(*required).or_default().push(*task);
            }
        }
        Self { tasks, requiring }
    }
}

impl Machine<'_> {
    /// Position of the task that was asked for at start.
    pub(super) fn target_task(&self) -> Option<usize> {
        match self.ex.record.params.value().get("task_name") {
            Some(Value::Str(name)) => self.ex.workflow().tasks.get_index_of(&*name),
            _ => None,
        }
    }

    pub(super) fn start_reverse(&mut self) -> Result<(), Fault> {
        if self.target_task().is_none() {
            return Err(Fault::Force(
                "the target task of the reverse workflow is unknown".into(),
            ));
        }
        let commands = self.satisfied_tasks(None);
        if commands.is_empty() {
            return Err(Fault::Force(
                "the required tasks of the target form a circle".into(),
            ));
        }
        self.dispatch(commands);
        Ok(())
    }

    /// Tasks that the target needs, were not begun, and have all their requirements in SUCCESS: all
    /// of them, or those that require a task.
    pub(super) fn satisfied_tasks(&mut self, required: Option<u32>) -> Vec<Command> {
        let Some(target) = self.target_task() else {
            return Vec::new();
        };
        let workflow = self.ex.workflow().clone();
        let graph = &workflow.graph;
        let wanted = self.ex.wanted.take();
        let wanted = wanted.unwrap_or_else(|| Wanted::of(&graph.inbound, target));
        let asked: Vec<usize> = match required {
            None => wanted.tasks.iter().copied().collect(),
            Some(task) => {
                let requiring = wanted.requiring.get(&self.ex.task(task).spec);
                requiring.cloned().unwrap_or_default()
            }
        };
        self.ex.wanted = Some(wanted);
        let succeeded = |spec: &usize| {
            let number = self.ex.latest[*spec]?;
            let state = self.ex.task(number).record.state;
            matches!(state, TaskState::Success | TaskState::Skipped).then_some(number)
        };
        let ready = asked
            .into_iter()
            .filter(|spec| self.ex.latest[*spec].is_none());
        let commands = ready.filter_map(|spec| {
            let numbers: Option<Vec<u32>> = graph.inbound[spec].iter().map(succeeded).collect();
            let event = Edge::Requires;
            let triggers = numbers?
                .into_iter()
                .map(|task| self.ex.edge_from(task, event))
                .collect();
            Some(Command::required(spec, triggers))
        });
        commands.collect()
    }
}
