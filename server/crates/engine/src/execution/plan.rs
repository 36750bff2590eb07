//! What a rollback has still to undo, and what of it can be undone now: derived from the rows.
//!
//! A task can be undone when everything that it has led to is. So the order is the reverse of what
//! has happened, and branches that have nothing to do with one another unwind side by side.

use std::collections::BTreeSet;

use super::Execution;

/// The tasks of one rollback.
#[derive(Debug)]
pub(crate) struct Plan {
    /// For each task execution, how many of those that it has led to are not rolled back; `None` if
    /// it stays, or is rolled back itself.
    waits: Vec<Option<u32>>,
    /// Those that wait for nothing, and have not been looked at.
    ready: BTreeSet<u32>,
    /// Those that wait for the end of their own actions, which are sub-workflows.
    held: BTreeSet<u32>,
    left: u32,
}

impl Plan {
    /// The plan of going back to a task execution, or to the beginning.
    pub(crate) fn of(execution: &Execution, to: Option<u32>) -> Self {
        let count = execution.tasks.len();
        let is_led_to = to.map(|to| led_to(execution, to));
        let mut waits: Vec<Option<u32>> = vec![None; count];
        for record in execution.forward() {
            let index = record.number as usize - 1;
            let is_asked = is_led_to.as_ref().is_none_or(|led_to| led_to[index]);
            waits[index] = is_asked.then_some(0);
        }
        for index in 0..count {
            if waits[index].is_none() {
                continue;
            }
            for trigger in triggers(execution, index) {
                if let Some(wait) = &mut waits[trigger as usize - 1] {
                    *wait += 1;
                }
            }
        }
        let numbered = || waits.iter().zip(1..);
        Self {
            ready: numbered()
                .filter_map(|(wait, number)| (*wait == Some(0)).then_some(number))
                .collect(),
            held: BTreeSet::new(),
            left: numbered().map(|(wait, _)| u32::from(wait.is_some())).sum(),
            waits,
        }
    }

    /// Whether nothing is left to be rolled back.
    pub(crate) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// The tasks that are left, in order of their numbers.
    pub(crate) fn left(&self) -> impl Iterator<Item = u32> {
        let numbered = self.waits.iter().zip(1..);
        numbered.filter_map(|(wait, number)| wait.map(|_| number))
    }

    /// Whether some task waits for nothing, and has not been looked at.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the latest task that waits for nothing, to look after it.
    pub(crate) fn take(&mut self) -> Option<u32> {
        self.ready.pop_last()
    }

    /// Puts a task back until its own actions have ended.
    pub(crate) fn hold(&mut self, task: u32) {
        self.held.insert(task);
    }

    /// Takes note that the own actions of a task have ended.
    pub(crate) fn release(&mut self, task: u32) {
        if self.held.remove(&task) {
            self.ready.insert(task);
        }
    }

    /// Whether some task waits for the end of its own actions.
    pub(crate) fn has_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// Takes note that a task is rolled back.
    pub(crate) fn rolled_back(&mut self, execution: &Execution, task: u32) {
        let index = task as usize - 1;
        let Some(Some(_)) = self.waits.get(index) else {
            return;
        };
        self.waits[index] = None;
        self.left -= 1;
        self.ready.remove(&task);
        for trigger in triggers(execution, index) {
            if let Some(wait) = &mut self.waits[trigger as usize - 1] {
                *wait = wait.saturating_sub(1);
                if *wait == 0 {
                    self.ready.insert(trigger);
                }
            }
        }
    }

    /// Lets the latest of the tasks go ahead that wait for one another in a circle: a join that was
    /// run again may come after what it has led to before. False if there is none.
    pub(crate) fn break_circle(&mut self) -> bool {
        let Some(latest) = self.left().last() else {
            return false;
        };
        self.waits[latest as usize - 1] = Some(0);
        self.ready.insert(latest)
    }

    /// Whether a task is left to be rolled back.
    pub(crate) fn has(&self, task: u32) -> bool {
        let wait = self.waits.get(task as usize - 1);
        wait.is_some_and(Option::is_some)
    }
}

/// The distinct task executions that have led to one.
fn triggers(execution: &Execution, index: usize) -> BTreeSet<u32> {
    let record = &execution.tasks[index].record;
    let earlier = record.runtime.earlier.iter();
    let earlier = earlier.flat_map(|earlier| &earlier.triggered_by);
    let all = record.triggered_by.iter().chain(earlier);
    let triggers = all.map(|trigger| trigger.task);
    let known = |task: &u32| *task != record.number && execution.find(*task).is_some();
    triggers.filter(known).collect()
}

/// Which task executions one has led to, directly or not, by index.
fn led_to(execution: &Execution, from: u32) -> Vec<bool> {
    let count = execution.tasks.len();
    let mut leads_to = vec![Vec::new(); count];
    for index in 0..count {
        for trigger in triggers(execution, index) {
            leads_to[trigger as usize - 1].push(index);
        }
    }
    let first = from as usize - 1;
    let mut reached = vec![false; count];
    let mut stack = vec![first];
    while let Some(index) = stack.pop() {
        for next in &leads_to[index] {
            if !std::mem::replace(&mut reached[*next], true) {
                stack.push(*next);
            }
        }
    }
    reached[first] = false;
    reached
}
