//! Joins: when one can run, when it never can, and what it sees.
//!
//! For each inbound task of the definition there is one of three answers: it leads here, it may
//! still lead here, or it never will. The latest execution of an inbound task counts.

use std::collections::BTreeSet;

use definition::model;

use super::{Machine, Work};
use crate::branch::Branch;
use crate::execution::Execution;
use crate::record::Trigger;
use crate::state::TaskState;
use crate::task::Task;

/// What an inbound task means for a join.
pub(crate) enum Inbound {
    /// It leads here.
    Leads(Trigger),
    /// It may still lead here.
    May,
    /// It never will, and why.
    Never(&'static str),
}

impl Machine<'_> {
    /// Plans to look again at a join.
    pub(super) fn refresh_later(&mut self, join: u32) {
        let memory = self.ex.task_memory(join);
        if !std::mem::replace(&mut memory.looked_at_later, true) {
            self.later(Work::Refresh(join));
        }
    }

    /// Plans to look again at all joins that wait.
    pub(super) fn refresh_joins(&mut self) {
        for join in self.ex.waiting.iter().copied().collect::<Vec<_>>() {
            self.refresh_later(join);
        }
    }

    /// Looks again at a join that waits. One that can never run fails once no other step is left, so
    /// that it sees all that has reached it.
    pub(super) fn refresh(&mut self, task: u32, is_last_step: bool) {
        self.ex.task_memory(task).looked_at_later = false;
        let record = &self.ex.task(task).record;
        // A join that waits for its next attempt is not ready before that.
        if record.state != TaskState::Waiting || record.runtime.due.is_some() {
            return;
        }
        if self.ex.record.state.is_final() || self.ex.record.is_in_rollback() {
            return;
        }
        let workflow = self.ex.workflow().clone();
        let spec = self.ex.task(task).spec;
        if workflow.tasks[spec].join == Some(model::Join::AllActive) {
            self.refresh_active_join(task, is_last_step);
            return;
        }
        let inbound = workflow.graph.inbound[spec].len();
        let needed = join_needs(&workflow.tasks[spec], inbound);
        let (triggers, never) = self.all_inbound(&workflow, spec);
        self.ex.task_memory(task).awaited = needed.saturating_sub(triggers.len());
        if triggers.len() >= needed {
            self.set_join_context(task, triggers);
            self.begin(task);
        } else if inbound - never.len() < needed && !is_last_step {
            self.ex.late.insert((false, task));
        } else if inbound - never.len() < needed {
            // What it fails with is what has reached it so far.
            self.set_join_context(task, triggers);
            let info = format!("Failed by tasks: {}", never.join(", "));
            self.complete(task, TaskState::Error, Some(info.into()));
        }
    }

    /// Lets a join that nobody waits for any longer see what has reached it so far.
    pub(super) fn gather_join(&mut self, task: u32) {
        let workflow = self.ex.workflow().clone();
        let (triggers, _) = self.all_inbound(&workflow, self.ex.task(task).spec);
        self.set_join_context(task, triggers);
    }

    /// Whether enough inbound tasks lead to a join, or still may.
    pub(super) fn may_run(&self, join: u32) -> bool {
        let workflow = self.ex.workflow();
        let spec = self.ex.task(join).spec;
        let inbound = workflow.graph.inbound[spec].len();
        let (_, never) = self.all_inbound(workflow, spec);
        inbound - never.len() >= join_needs(&workflow.tasks[spec], inbound)
    }

    /// What leads to a join, and the tasks that never will, with the reason.
    fn all_inbound(&self, workflow: &model::Workflow, join: usize) -> (Vec<Trigger>, Vec<String>) {
        let (mut triggers, mut never) = (Vec::new(), Vec::new());
        let mut open = None;
        for from in &workflow.graph.inbound[join] {
            match self.ex.inbound(workflow, *from, join, &mut open) {
                Inbound::Leads(trigger) => triggers.push(trigger),
                Inbound::May => {}
                Inbound::Never(why) => {
                    never.push(format!("'{}' ({why})", workflow.tasks[*from].name));
                }
            }
        }
        (triggers, never)
    }

    /// A join sees what the tasks that led to it see, in the order of the workflow.
    pub(super) fn set_join_context(&mut self, task: u32, triggers: Vec<Trigger>) {
        let branches = triggers
            .iter()
            .map(|trigger| self.ex.seen_through(*trigger));
        let context: Branch = branches
            .reduce(|left, right| left.merge(&right))
            .unwrap_or_default();
        let memory = self.ex.task_mut(task);
        memory.record.triggered_by = triggers;
        memory.context = context;
        memory.outbound = None;
    }

    /// Joins that a completed task may have made ready or impossible. Those that it led to were
    /// told already; the others matter only if it did not go everywhere that it could have gone.
    pub(super) fn refresh_joins_after(&mut self, task: u32) {
        if self.ex.waiting.is_empty() {
            return;
        }
        let workflow = self.ex.workflow().clone();
        let memory = self.ex.task(task);
        let went = &memory.record.next_tasks;
        let is_left_out = |target: &usize| {
            let name = &workflow.tasks[*target].name;
            !went.iter().any(|(next, _)| next == name)
        };
        // Only what these lead to can have become impossible.
        let mut reached: BTreeSet<usize> = targets(&workflow.tasks[memory.spec])
            .filter(is_left_out)
            .collect();
        let mut stack: Vec<usize> = reached.iter().copied().collect();
        while let Some(spec) = stack.pop() {
            let next = targets(&workflow.tasks[spec]);
            stack.extend(next.filter(|next| reached.insert(*next)));
        }
        let waiting = self.ex.waiting.iter().copied();
        let joins = waiting.filter(|join| reached.contains(&self.ex.task(*join).spec));
        for join in joins.collect::<Vec<_>>() {
            self.refresh_later(join);
        }
    }
}

impl Execution {
    /// What an inbound task means for a join; `open` is found out when it is needed first.
    pub(crate) fn inbound(
        &self,
        workflow: &model::Workflow,
        from: usize,
        join: usize,
        open: &mut Option<Vec<bool>>,
    ) -> Inbound {
        if self.is_pending(from) {
            let open = open.get_or_insert_with(|| self.open_tasks(workflow));
            return if open[from] {
                Inbound::May
            } else {
                Inbound::Never("impossible route")
            };
        }
        let number = self.latest[from].expect("what is not pending was created");
        let record = &self.task(number).record;
        // While an execution is paused, what follows from a completed task is not decided yet.
        if !record.state.is_final() || !record.processed {
            return Inbound::May;
        }
        let name = &workflow.tasks[join].name;
        // What came after a `pause` is under way only once the execution is resumed.
        let mut backlog = self.record.backlog.iter();
        if backlog.any(|held| held.trigger.task == number && held.target == *name) {
            return Inbound::May;
        }
        match record.next_tasks.iter().find(|(next, _)| next == name) {
            Some((_, event)) => Inbound::Leads(self.edge_from(number, *event)),
            None => Inbound::Never("not triggered"),
        }
    }

    /// Whether a task can only be brought about by others: it was never created, or is a join that
    /// waits for them.
    fn is_pending(&self, spec: usize) -> bool {
        self.latest[spec].is_none_or(|number| {
            let record = &self.task(number).record;
            record.state == TaskState::Waiting && record.runtime.due.is_none()
        })
    }

    /// Whether a task has been there and was rolled back.
    fn was_rolled_back(&self, spec: usize) -> bool {
        let is_it = |task: &Task| task.spec == spec && task.record.runtime.rolled_back;
        self.record.progress.rolled_back > 0 && self.tasks.iter().any(is_it)
    }

    /// Which tasks may still come to their end: those under way, and those that enough of these
    /// lead to. Joins that wait for one another in a circle are not among them.
    fn open_tasks(&self, workflow: &model::Workflow) -> Vec<bool> {
        let count = workflow.tasks.len();
        let mut leads_to = vec![Vec::new(); count];
        let (mut open, mut arrived) = (vec![false; count], vec![0; count]);
        let mut stack = Vec::new();
        for (to, inbound) in workflow.graph.inbound.iter().enumerate() {
            for from in inbound {
                leads_to[*from].push(to);
            }
            open[to] = match self.latest[to] {
                // A task that nothing leads to runs once: a rollback to a task starts it no more.
                _ if self.is_pending(to) => inbound.is_empty() && !self.was_rolled_back(to),
                None => false,
                Some(number) => {
                    let record = &self.task(number).record;
                    !record.state.is_final() || !record.processed
                }
            };
            if open[to] {
                stack.push(to);
            }
        }
        // What has ended has led where it has led.
        let ended = (0..count).filter(|spec| !open[*spec] && !self.is_pending(*spec));
        let mut steps: Vec<usize> = Vec::new();
        for from in ended {
            let number = self.latest[from].expect("what is not pending was created");
            let next = &self.task(number).record.next_tasks;
            let went = |to: &&usize| {
                next.iter()
                    .any(|(name, _)| *name == workflow.tasks[**to].name)
            };
            steps.extend(leads_to[from].iter().filter(went));
        }
        loop {
            for to in std::mem::take(&mut steps) {
                arrived[to] += 1;
                let needed = match workflow.tasks[to].join {
                    Some(_) => join_needs(&workflow.tasks[to], workflow.graph.inbound[to].len()),
                    None => 1,
                };
                if arrived[to] >= needed && self.is_pending(to) && !open[to] {
                    open[to] = true;
                    stack.push(to);
                }
            }
            let Some(from) = stack.pop() else {
                return open;
            };
            steps.extend(&leads_to[from]);
        }
    }
}

/// The tasks that one may lead to.
fn targets(task: &model::Task) -> impl Iterator<Item = usize> {
    let clauses = [
        &task.on_success,
        &task.on_error,
        &task.on_complete,
        &task.on_skip,
    ];
    let targets = clauses.into_iter().flatten();
    targets.filter_map(|transition| match &transition.target {
        model::Target::Task(target) => Some(*target),
        model::Target::Command(_) => None,
    })
}

/// How many inbound tasks a join needs at least.
pub(crate) fn join_needs(task: &model::Task, inbound: usize) -> usize {
    match task.join {
        Some(model::Join::All) | None => inbound,
        Some(model::Join::AllActive) => 1,
        Some(model::Join::Count(count)) => count as usize,
    }
}
