//! Who leads to whom: looking targets up, joins that cannot be, tasks that are never reached.
//! Linear in the number of transitions.

use std::collections::VecDeque;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::Rule;
use crate::model::{Command, CommandKind, Graph, Join, Target, Task, Transition, WorkflowType};
use crate::position::Span;

use super::defaults::Defaults;
use super::exclusive;
use super::on_clause::Next;
use super::path::{Path, Quoted};
use super::policies;
use super::publish;
use super::sink::Sink;
use super::task::{Draft, Requirement};

/// Links of a workflow. Defaults add theirs to every task, so few lines can make many links.
const LINKS_MAX: usize = 250_000;

/// Where the tasks of a workflow are, for what is said about all of them.
pub(super) struct Place<'p> {
    /// In the structure.
    pub(super) path: &'p Path<'p>,
    /// In the text.
    pub(super) span: Span,
    /// Whether every task was read without an error.
    pub(super) is_sound: bool,
}

/// Turns drafts into tasks with their links, merging defaults in.
pub(super) fn link(
    sink: &mut Sink,
    place: &Place<'_>,
    drafts: Vec<Draft>,
    defaults: &Defaults,
    workflow_type: WorkflowType,
) -> (IndexMap<Arc<str>, Task>, Graph) {
    let mut linker = Linker {
        sink,
        index: drafts
            .iter()
            .map(|draft| Arc::clone(&draft.name))
            .zip(0..)
            .collect(),
        inbound: vec![Vec::new(); drafts.len()],
        outbound: vec![Vec::new(); drafts.len()],
        told: IndexMap::new(),
        links: 0,
    };
    if !linker.fits(place, &drafts, defaults) {
        return (IndexMap::new(), Graph::default());
    }
    let marks: Vec<Mark> = drafts.iter().map(Mark::of).collect();
    let tasks: IndexMap<Arc<str>, Task> = drafts
        .into_iter()
        .enumerate()
        .map(|(position, draft)| {
            let name = Arc::clone(&draft.name);
            (name, linker.task(position, draft, defaults, workflow_type))
        })
        .collect();
    let graph = match workflow_type {
        WorkflowType::Direct => linker.direct(place, &marks),
        WorkflowType::Reverse => linker.reverse(place.path, &marks),
    };
    if workflow_type == WorkflowType::Direct && !graph.inbound.is_empty() {
        let mut steps = 0;
        let joins = exclusive::joins(&tasks, &graph, &mut steps);
        sink.spend(steps);
        warn_of_exclusive(sink, place.path, &marks, &joins);
    }
    (tasks, graph)
}

/// What of a draft is needed to speak about the task.
struct Mark {
    name: Arc<str>,
    span: Span,
    join: Option<Join>,
    join_span: Span,
}

impl Mark {
    fn of(draft: &Draft) -> Self {
        Self {
            name: Arc::clone(&draft.name),
            span: draft.name_span,
            join: draft.join,
            join_span: draft.join_span,
        }
    }
}

struct Linker<'s> {
    sink: &'s mut Sink,
    index: IndexMap<Arc<str>, usize>,
    inbound: Vec<Vec<usize>>,
    outbound: Vec<Vec<usize>>,
    /// Links already complained about; those of defaults come by once for each task.
    told: IndexMap<Arc<str>, ()>,
    links: usize,
}

impl Linker<'_> {
    fn fits(&mut self, place: &Place<'_>, drafts: &[Draft], defaults: &Defaults) -> bool {
        let clauses = &defaults.clauses;
        let of_defaults = clauses.success.next.len()
            + clauses.error.next.len()
            + clauses.complete.next.len()
            + clauses.skip.next.len()
            + defaults.requires.len();
        self.links = drafts.len().saturating_mul(of_defaults);
        if self.links > LINKS_MAX {
            let message = format!("the task defaults make more than {LINKS_MAX} links");
            self.sink
                .error(Rule::TooManyNodes, place.path, place.span, message);
        }
        self.links <= LINKS_MAX
    }

    fn task(
        &mut self,
        position: usize,
        draft: Draft,
        defaults: &Defaults,
        workflow_type: WorkflowType,
    ) -> Task {
        let own = draft.clauses;
        let default = &defaults.clauses;
        let name = &draft.name;
        let is_direct = workflow_type == WorkflowType::Direct;
        let mut transitions = |own: &[Next], default: &[Next]| {
            // Defaults stand in only where a task has no target of its own of the same kind.
            let inherited = if own.is_empty() && is_direct {
                default
            } else {
                &[]
            };
            let inherited = inherited.iter().filter(|next| next.name != *name);
            own.iter()
                .chain(inherited)
                .filter_map(|next| self.transition(position, next))
                .collect()
        };
        let on_success = transitions(&own.success.next, &default.success.next);
        let on_error = transitions(&own.error.next, &default.error.next);
        let on_complete = transitions(&own.complete.next, &default.complete.next);
        let on_skip = transitions(&own.skip.next, &default.skip.next);
        let requires = if is_direct {
            Vec::new()
        } else {
            self.requires(position, name, &draft.requires, &defaults.requires)
        };
        let complete = Some(&own.complete.publish);
        Task {
            publish: publish::combine([Some(&own.success.publish), Some(&draft.publish), complete]),
            publish_on_error: publish::combine([
                Some(&own.error.publish),
                Some(&draft.publish_on_error),
                complete,
            ]),
            publish_on_skip: publish::combine([
                Some(&own.skip.publish),
                Some(&draft.publish_on_skip),
                complete,
            ]),
            name: draft.name,
            description: draft.description,
            tags: draft.tags,
            body: draft.body,
            call: draft.call,
            input: draft.input,
            with_items: draft.with_items,
            policies: policies::with_defaults(draft.policies, &defaults.policies),
            on_success,
            on_error,
            on_complete,
            on_skip,
            join: draft.join,
            target: draft.target,
            action_version: draft.action_version,
            affinity_key: draft.affinity_key,
            keep_result: draft.keep_result,
            safe_rerun: draft.safe_rerun.or_else(|| defaults.safe_rerun.clone()),
            rollback: draft.rollback,
            requires,
            spec: draft.spec,
        }
    }

    fn transition(&mut self, from: usize, next: &Next) -> Option<Transition> {
        let task = self.index.get(&next.name).copied();
        if let Some(to) = task {
            self.outbound[from].push(to);
            if self.inbound[to].last() != Some(&from) {
                self.inbound[to].push(from);
            }
        }
        let target = match (command(&next.name), task) {
            (Some(kind), task) => {
                if task.is_some() {
                    self.warn_of_command_name(next);
                }
                let message = next.message.clone();
                Target::Command(Command { kind, message })
            }
            (None, Some(to)) => Target::Task(to),
            (None, None) => {
                self.unknown(&next.name, next.span, &next.path);
                return None;
            }
        };
        let condition = next.condition.clone();
        Some(Transition { target, condition })
    }

    fn warn_of_command_name(&mut self, next: &Next) {
        if self.told.insert(Arc::clone(&next.path), ()).is_none() {
            let message = format!(
                "{} is the engine command here, not the task",
                Quoted(&next.name)
            );
            let root = Path::ROOT;
            self.sink
                .warn(
                    Rule::CommandName,
                    &root.verbatim(&next.path),
                    next.span,
                    message,
                )
                .help("give the task another name");
        }
    }

    fn requires(
        &mut self,
        position: usize,
        name: &Arc<str>,
        own: &[Requirement],
        default: &[Requirement],
    ) -> Vec<Arc<str>> {
        let mut all: IndexMap<Arc<str>, ()> = IndexMap::new();
        for requirement in own.iter().filter(|one| one.name == *name) {
            let message = "a task does not wait for itself";
            let root = Path::ROOT;
            let path = root.verbatim(&requirement.path);
            self.sink
                .warn(Rule::IgnoredValue, &path, requirement.span, message);
        }
        for requirement in own.iter().chain(default) {
            if requirement.name == *name || all.contains_key(&requirement.name) {
                continue;
            }
            all.insert(Arc::clone(&requirement.name), ());
            match self.index.get(&requirement.name) {
                Some(&required) => {
                    self.inbound[position].push(required);
                    self.outbound[required].push(position);
                }
                None => self.unknown(&requirement.name, requirement.span, &requirement.path),
            }
        }
        all.into_keys().collect()
    }

    fn unknown(&mut self, name: &str, span: Span, path: &Arc<str>) {
        if self.told.insert(Arc::clone(path), ()).is_some() {
            return;
        }
        let suggestion = self.sink.suggest(name, self.index.keys().map(|key| &**key));
        let message = format!("there is no task {}", Quoted(name));
        let root = Path::ROOT;
        self.sink
            .error(Rule::UnknownTask, &root.verbatim(path), span, message)
            .suggestion = suggestion;
    }

    fn direct(mut self, place: &Place<'_>, marks: &[Mark]) -> Graph {
        let path = place.path;
        let start: Vec<usize> = (0..marks.len())
            .filter(|position| self.inbound[*position].is_empty())
            .collect();
        if !place.is_sound {
            return Graph::default();
        }
        if start.is_empty() {
            let message = "no task can start: each one has a transition to it";
            self.sink
                .error(Rule::NoStartTask, path, place.span, message);
        } else {
            self.warn_of_islands(path, &start, marks);
        }
        for (mark, inbound) in marks.iter().zip(&self.inbound) {
            let needed = match mark.join {
                None => continue,
                Some(Join::All | Join::AllActive) => 1,
                Some(Join::Count(count)) => count as usize,
            };
            if inbound.len() < needed {
                let path = &path.key(&mark.name);
                let message = match inbound.len() {
                    0 => "no task leads to this join".to_owned(),
                    count => format!("this join waits for {needed} tasks, {count} lead to it"),
                };
                self.sink.error(
                    Rule::ImpossibleJoin,
                    &path.key("join"),
                    mark.join_span,
                    message,
                );
            }
        }
        Graph {
            start,
            inbound: self.inbound,
        }
    }

    fn warn_of_islands(&mut self, path: &Path<'_>, start: &[usize], marks: &[Mark]) {
        let mut reached = vec![false; marks.len()];
        let mut queue: VecDeque<usize> = start.iter().copied().collect();
        while let Some(position) = queue.pop_front() {
            if !std::mem::replace(&mut reached[position], true) {
                queue.extend(&self.outbound[position]);
            }
        }
        for mark in marks
            .iter()
            .zip(reached)
            .filter_map(|(mark, is_reached)| (!is_reached).then_some(mark))
        {
            let message = format!("the task {} is never reached", Quoted(&mark.name));
            self.sink
                .warn(
                    Rule::UnreachableTask,
                    &path.key(&mark.name),
                    mark.span,
                    message,
                )
                .help("only tasks that no transition leads to start by themselves");
        }
    }

    fn reverse(self, path: &Path<'_>, marks: &[Mark]) -> Graph {
        let mut missing: Vec<usize> = self.inbound.iter().map(Vec::len).collect();
        let mut ready: Vec<usize> = (0..marks.len()).filter(|at| missing[*at] == 0).collect();
        while let Some(position) = ready.pop() {
            for &next in &self.outbound[position] {
                missing[next] -= 1;
                if missing[next] == 0 {
                    ready.push(next);
                }
            }
        }
        for position in self.on_cycles(&missing) {
            let mark = &marks[position];
            let message = format!(
                "the task {} requires itself, through others",
                Quoted(&mark.name)
            );
            self.sink.warn(
                Rule::RequirementCycle,
                &path.key(&mark.name),
                mark.span,
                message,
            );
        }
        Graph {
            start: Vec::new(),
            inbound: self.inbound,
        }
    }

    /// A task on each cycle of requirements that is met by following the first of them that is
    /// stuck, from each task that is.
    fn on_cycles(&self, missing: &[usize]) -> Vec<usize> {
        let mut first_met_from = vec![None; missing.len()];
        let mut found = Vec::new();
        for start in (0..missing.len()).filter(|at| missing[*at] > 0) {
            let mut position = start;
            while first_met_from[position].is_none() {
                first_met_from[position] = Some(start);
                position = self.inbound[position]
                    .iter()
                    .copied()
                    .find(|required| missing[*required] > 0)
                    .expect("a stuck task requires a stuck task");
            }
            if first_met_from[position] == Some(start) {
                found.push(position);
            }
        }
        found
    }
}

fn warn_of_exclusive(sink: &mut Sink, path: &Path<'_>, marks: &[Mark], joins: &[(usize, usize)]) {
    for &(join, fork) in joins {
        let (join, fork) = (&marks[join], &marks[fork]);
        let message = format!(
            "this join waits for branches of which only one runs, whatever becomes of {}",
            Quoted(&fork.name)
        );
        let path = path.key(&join.name);
        sink.warn(
            Rule::ExclusiveJoin,
            &path.key("join"),
            join.join_span,
            message,
        )
        .help("write `join: all-active`, or `join: one`")
        .also(fork.span, "the branches part here");
    }
}

fn command(name: &str) -> Option<CommandKind> {
    Some(match name {
        "noop" => CommandKind::Noop,
        "fail" => CommandKind::Fail,
        "succeed" => CommandKind::Succeed,
        "pause" => CommandKind::Pause,
        _ => return None,
    })
}
