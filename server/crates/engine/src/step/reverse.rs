//! Reverse workflows: the tasks that the target requires, each when its own requirements are done.

use std::collections::BTreeSet;

use expr::Value;

use super::transitions::Command;
use super::{Fault, Machine};
use crate::record::Edge;
use crate::state::TaskState;

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
        let commands = self.satisfied_tasks();
        if commands.is_empty() {
            return Err(Fault::Force(
                "the required tasks of the target form a circle".into(),
            ));
        }
        self.dispatch(commands);
        Ok(())
    }

    /// Tasks that the target needs, were not begun, and have all their requirements in SUCCESS.
    pub(super) fn satisfied_tasks(&self) -> Vec<Command> {
        let Some(target) = self.target_task() else {
            return Vec::new();
        };
        let graph = &self.ex.workflow().graph;
        let mut wanted = BTreeSet::from([target]);
        let mut stack = vec![target];
        while let Some(task) = stack.pop() {
            stack.extend(
                graph.inbound[task]
                    .iter()
                    .filter(|required| wanted.insert(**required)),
            );
        }
        let succeeded = |spec: &usize| {
            let number = self.ex.latest[*spec]?;
            let state = self.ex.task(number).record.state;
            matches!(state, TaskState::Success | TaskState::Skipped).then_some(number)
        };
        let ready = wanted
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
