//! Joins of branches of which only one can run: they wait for all, and part at the same task by
//! its final state.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Graph, Join, Target, Task, Transition};

use indexmap::IndexMap;

/// Transitions that are followed in all for one workflow.
const STEPS_MAX: usize = 200_000;

/// Final states of a task on which a transition is taken, as a set of bits.
type States = u8;
const SUCCESS: States = 1;
const ERROR: States = 2;
const SKIPPED: States = 4;

/// Joins that cannot be met, each with the task at which the branches part.
pub(super) fn joins(
    tasks: &IndexMap<Arc<str>, Task>,
    graph: &Graph,
    steps: &mut usize,
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (position, task) in tasks.values().enumerate() {
        let inbound = &graph.inbound[position];
        let waits_for_all = match task.join {
            Some(Join::All) => true,
            Some(Join::Count(count)) => count as usize == inbound.len(),
            Some(Join::AllActive) | None => false,
        };
        if waits_for_all && let Some(fork) = fork(tasks, graph, position, steps) {
            found.push((position, fork));
        }
        if *steps > STEPS_MAX {
            break;
        }
    }
    found
}

/// The task that would have to end in two states for all inbound tasks of a join to run.
fn fork(
    tasks: &IndexMap<Arc<str>, Task>,
    graph: &Graph,
    join: usize,
    steps: &mut usize,
) -> Option<usize> {
    let mut needed: BTreeMap<usize, States> = BTreeMap::new();
    for &inbound in &graph.inbound[join] {
        // To know how a task leads here its transitions are looked through.
        *steps += transitions(&tasks[inbound]);
        if *steps > STEPS_MAX {
            return None;
        }
        let mut branch = vec![(inbound, states(&tasks[inbound], join))];
        let mut at = inbound;
        // Only a task with a single way to it surely runs once, and after that one.
        while let [before] = graph.inbound[at][..] {
            *steps += transitions(&tasks[before]);
            if *steps > STEPS_MAX || before == at {
                return None;
            }
            branch.push((before, states(&tasks[before], at)));
            at = before;
        }
        let is_from_start = graph.inbound[at].is_empty();
        if !is_from_start {
            continue;
        }
        for (task, states) in branch {
            let both = needed.entry(task).or_insert(SUCCESS | ERROR | SKIPPED);
            *both &= states;
            if *both == 0 {
                return Some(task);
            }
        }
    }
    None
}

fn transitions(task: &Task) -> usize {
    1 + task.on_success.len() + task.on_error.len() + task.on_complete.len() + task.on_skip.len()
}

/// The final states of a task in which it may lead to another one.
fn states(from: &Task, to: usize) -> States {
    let leads = |all: &[Transition]| {
        all.iter()
            .any(|one| matches!(one.target, Target::Task(task) if task == to))
    };
    let mut states = 0;
    if leads(&from.on_success) {
        states |= SUCCESS | SKIPPED;
    }
    if leads(&from.on_error) {
        states |= ERROR;
    }
    if leads(&from.on_skip) {
        states |= SKIPPED;
    }
    if leads(&from.on_complete) {
        states |= SUCCESS | ERROR;
    }
    states
}
