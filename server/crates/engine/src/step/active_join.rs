//! Joins of all active branches (`join: all-active`): they run when something has led to them and
//! nothing that is under way can lead to them any more.
//!
//! Such a join is decided once no other step is left. While it waits it is not under way itself, so
//! that in a circle it does not wait for itself. Another one that waits may still lead to it, and
//! is waited for; where several wait for nothing but one another, the first of them begins.

use std::collections::BTreeSet;

use definition::model::{self, Join};

use super::{Inbound, Machine};
use crate::execution::Execution;
use crate::record::Trigger;
use crate::state::TaskState;

/// A join of all active branches that waits, and that nothing under way can lead to any more,
/// unless another such join leads there.
struct Settled {
    number: u32,
    spec: usize,
    triggers: Vec<Trigger>,
}

impl Machine<'_> {
    /// Plans to look again at all joins of active branches that wait.
    pub(super) fn refresh_active_joins(&mut self) {
        for number in self.ex.waiting_active_joins() {
            self.refresh_later(number);
        }
    }

    /// Looks again at a join of all active branches that waits.
    pub(super) fn refresh_active_join(&mut self, task: u32, is_last_step: bool) {
        // What follows from completed tasks is decided only once the execution goes on.
        if !self.is_running() {
            return;
        }
        let workflow = self.ex.workflow().clone();
        let spec = self.ex.task(task).spec;
        let under_way = self.ex.specs_under_way();
        let inbound = &workflow.graph.inbound[spec];
        // As long as some of these are under way themselves, there is no need to look further.
        let awaited = inbound.iter().filter(|from| under_way.contains(from));
        let awaited = awaited.count();
        self.ex.task_memory(task).awaited = awaited;
        if awaited > 0 {
            return;
        }
        let moving = self.ex.reach(&workflow, &under_way);
        if is_awaiting(&workflow, spec, &moving) {
            return;
        }
        if !is_last_step {
            self.ex.late.insert((true, task));
            return;
        }
        let settled = self.settled(&workflow, &moving);
        let Some(first) = self.first_of(&workflow, settled, task) else {
            return;
        };
        if first.number != task {
            self.ex.late.insert((true, task));
        }
        self.decide(&workflow, first);
    }

    /// Lets a join run that nothing else can lead to; one that nothing has led to fails.
    fn decide(&mut self, workflow: &model::Workflow, join: Settled) {
        let Settled {
            number,
            spec,
            triggers,
        } = join;
        let has_come = !triggers.is_empty();
        self.set_join_context(number, triggers);
        if has_come {
            self.begin(number);
            return;
        }
        let inbound = workflow.graph.inbound[spec].iter();
        let reasons = inbound.map(|from| {
            let name = &workflow.tasks[*from].name;
            match self.ex.inbound(workflow, *from, spec, &mut None) {
                Inbound::Never(why) => format!("'{name}' ({why})"),
                Inbound::Leads(_) | Inbound::May => format!("'{name}' (impossible route)"),
            }
        });
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        let info = format!("Failed by tasks: {reasons}");
        self.complete(number, TaskState::Error, Some(info.into()));
    }

    /// The joins of all active branches that wait, and that nothing in `moving` leads to.
    fn settled(&self, workflow: &model::Workflow, moving: &[bool]) -> Vec<Settled> {
        let mut settled = Vec::new();
        for number in self.ex.waiting_active_joins() {
            let spec = self.ex.task(number).spec;
            if !is_awaiting(workflow, spec, moving) {
                let triggers = self.ex.leading_to(workflow, spec);
                settled.push(Settled {
                    number,
                    spec,
                    triggers,
                });
            }
        }
        settled
    }

    /// Which of the settled joins comes first: one that fails; then `task`, unless it waits for
    /// others of them; then one that only waits for what waits for it, too, and of several the one
    /// that was there first.
    fn first_of(
        &self,
        workflow: &model::Workflow,
        mut settled: Vec<Settled>,
        task: u32,
    ) -> Option<Settled> {
        let is_free = |join: &Settled| {
            let begin = settled.iter().filter(|join| !join.triggers.is_empty());
            let others = begin.filter(|other| other.spec != join.spec);
            let sources = others.map(|other| other.spec).collect();
            !is_awaiting(workflow, join.spec, &self.ex.reach(workflow, &sources))
        };
        // What fails may lead to others.
        let mut fails = settled.iter().filter(|join| join.triggers.is_empty());
        let free = fails.find(|join| is_free(join)).or_else(|| {
            let mut all = settled.iter();
            all.find(|join| join.number == task && is_free(join))
        });
        if let Some(free) = free.map(|join| join.number) {
            return settled.into_iter().find(|join| join.number == free);
        }
        settled.retain(|join| !join.triggers.is_empty());
        let reached: Vec<Vec<bool>> = settled
            .iter()
            .map(|join| descendants(workflow, join.spec))
            .collect();
        let comes_first = |at: &usize| {
            let spec = settled[*at].spec;
            let mut before = reached.iter().zip(&settled);
            before.all(|(from, join)| !from[spec] || reached[*at][join.spec])
        };
        let first = (0..settled.len()).find(comes_first)?;
        Some(settled.swap_remove(first))
    }
}

impl Execution {
    /// The joins of all active branches that wait for others, in order of their numbers.
    fn waiting_active_joins(&self) -> Vec<u32> {
        let waiting = self.waiting.iter().copied();
        let active = waiting.filter(|number| {
            let record = &self.task(*number).record;
            let waits = record.runtime.due.is_none() && record.counts();
            waits && self.spec(*number).join == Some(Join::AllActive)
        });
        active.collect()
    }

    /// The tasks of which an execution is under way. Joins that wait for others are not.
    fn specs_under_way(&self) -> BTreeSet<usize> {
        let active = self.active.iter().map(|number| self.task(*number));
        let moves = active.filter(|task| {
            let is_join = task.record.state == TaskState::Waiting;
            task.record.counts() && (!is_join || task.record.runtime.due.is_some())
        });
        moves.map(|task| task.spec).collect()
    }

    /// What leads to a join now; the latest execution of each inbound task counts.
    fn leading_to(&self, workflow: &model::Workflow, join: usize) -> Vec<Trigger> {
        let inbound = workflow.graph.inbound[join].iter();
        inbound
            .filter_map(|from| self.led(workflow, *from, join))
            .collect()
    }

    fn led(&self, workflow: &model::Workflow, from: usize, to: usize) -> Option<Trigger> {
        let number = self.latest[from]?;
        let record = &self.task(number).record;
        let is_done = record.state.is_final() && record.processed;
        let mut next = record.next_tasks.iter().filter(|_| is_done);
        let (_, event) = next.find(|(name, _)| *name == workflow.tasks[to].name)?;
        Some(self.edge_from(number, *event))
    }

    /// Inbound tasks that a join of all active branches still waits for.
    pub(crate) fn awaited_by(&self, workflow: &model::Workflow, join: usize) -> Vec<usize> {
        let mut sources = self.specs_under_way();
        let others = self.waiting_active_joins().into_iter();
        let others = others.map(|number| self.task(number).spec);
        sources.extend(
            others.filter(|spec| *spec != join && !self.leading_to(workflow, *spec).is_empty()),
        );
        // What it may lead to itself is nothing that it waits for.
        let open = self.reach_without(workflow, &sources, Some(join));
        let inbound = workflow.graph.inbound[join].iter().copied();
        inbound.filter(|from| open[*from]).collect()
    }

    /// Which tasks may run from now on if these do, these included. Those that have run before may
    /// run again: there are circles.
    fn reach(&self, workflow: &model::Workflow, sources: &BTreeSet<usize>) -> Vec<bool> {
        self.reach_without(workflow, sources, None)
    }

    /// The same, as if nothing led to one of them.
    fn reach_without(
        &self,
        workflow: &model::Workflow,
        sources: &BTreeSet<usize>,
        closed: Option<usize>,
    ) -> Vec<bool> {
        let leads_to = leads_to(workflow);
        let mut open = vec![false; leads_to.len()];
        let mut gates = vec![Gate::default(); leads_to.len()];
        let mut stack: Vec<usize> = sources.iter().copied().collect();
        for source in sources {
            open[*source] = true;
        }
        while let Some(from) = stack.pop() {
            let targets = leads_to[from].iter().filter(|to| Some(**to) != closed);
            for to in targets {
                if !open[*to] && self.opens(workflow, from, *to, &mut gates[*to]) {
                    open[*to] = true;
                    stack.push(*to);
                }
            }
        }
        open
    }

    /// Whether a task may run, now that one more of those that lead to it may.
    fn opens(&self, workflow: &model::Workflow, from: usize, to: usize, gate: &mut Gate) -> bool {
        let task = &workflow.tasks[to];
        if matches!(task.join, None | Some(Join::AllActive)) {
            return true;
        }
        let inbound = &workflow.graph.inbound[to];
        let led = |from: &usize| self.led(workflow, *from, to).is_some();
        let come = gate
            .come
            .get_or_insert_with(|| inbound.iter().filter(|from| led(from)).count());
        *come += usize::from(!led(&from));
        // One that has run begins a new round only with a task that it has seen before.
        gate.is_seen |= self.latest[to].is_none_or(|number| {
            let record = &self.task(number).record;
            record.state == TaskState::Waiting || record.runtime.join_seen.contains(from)
        });
        gate.is_seen && *come >= super::join_needs(task, inbound.len())
    }
}

/// What is known of a join of all or of a number while it is found out what may run.
#[derive(Clone, Default)]
struct Gate {
    /// Inbound tasks that lead to it, or may.
    come: Option<usize>,
    /// Whether one that may run would be taken notice of.
    is_seen: bool,
}

/// Whether an inbound task of a join is open.
fn is_awaiting(workflow: &model::Workflow, join: usize, open: &[bool]) -> bool {
    workflow.graph.inbound[join].iter().any(|from| open[*from])
}

/// For each task, those that it may lead to.
fn leads_to(workflow: &model::Workflow) -> Vec<Vec<usize>> {
    let mut leads_to = vec![Vec::new(); workflow.tasks.len()];
    for (to, inbound) in workflow.graph.inbound.iter().enumerate() {
        for from in inbound {
            leads_to[*from].push(to);
        }
    }
    leads_to
}

/// The tasks that can be reached from one by transitions, whatever becomes of any.
fn descendants(workflow: &model::Workflow, from: usize) -> Vec<bool> {
    let leads_to = leads_to(workflow);
    let mut reached = vec![false; leads_to.len()];
    let mut stack = vec![from];
    while let Some(at) = stack.pop() {
        for to in &leads_to[at] {
            if !std::mem::replace(&mut reached[*to], true) {
                stack.push(*to);
            }
        }
    }
    reached
}
