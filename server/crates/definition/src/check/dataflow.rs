//! Variables that are read and that nothing can have set by then.
//!
//! Only what is certain is said. A variable may come from the input, from `vars`, from a global
//! that any task publishes, from the items of the task itself, and from what is published by the
//! task or by any task that leads to it, whatever the conditions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use expr::Template;

use crate::diagnostic::{Diagnostic, Rule};
use crate::model::{Graph, Parameter, Publish, WorkflowType};

use super::facts::{Use, Wanted};
use super::path::{Path, Quoted};
use super::sink::Sink;
use super::task::Draft;

/// Transitions that are followed in all for one workflow. Looking for all variables of a workflow
/// is not linear, so only so much is looked at.
const STEPS_MAX: usize = 500_000;

/// Longer names are not put into suggestions.
const NAME_BYTES_MAX: usize = 60;

/// What the data flow of a task depends on.
pub(super) struct TaskFlow {
    name: Arc<str>,
    uses: Vec<Use>,
    published: Vec<Arc<str>>,
    items: Vec<Arc<str>>,
    globals: Vec<Arc<str>>,
}

impl TaskFlow {
    /// Takes the uses of a draft, and notes what it publishes.
    pub(super) fn of(draft: &mut Draft) -> Self {
        let clauses = &draft.clauses;
        let all = [
            &draft.publish,
            &draft.publish_on_error,
            &draft.publish_on_skip,
            &clauses.success.publish,
            &clauses.error.publish,
            &clauses.complete.publish,
            &clauses.skip.publish,
        ];
        let names = |scope: fn(&Publish) -> Option<&Template>| {
            all.iter()
                .filter_map(|publish| scope(publish))
                .flat_map(names)
                .collect()
        };
        let published = names(|publish| publish.branch.as_ref());
        let mut globals: Vec<Arc<str>> = names(|publish| publish.global.as_ref());
        globals.extend::<Vec<Arc<str>>>(names(|publish| publish.atomic.as_ref()));
        Self {
            name: Arc::clone(&draft.name),
            uses: std::mem::take(&mut draft.uses),
            published,
            items: draft
                .with_items
                .iter()
                .map(|item| Arc::clone(&item.name))
                .collect(),
            globals,
        }
    }
}

/// The keys of a dict template.
fn names(template: &Template) -> Vec<Arc<str>> {
    match template.source() {
        expr::Value::Dict(dict) => dict
            .iter()
            .filter_map(|(key, _)| key.as_str().map(Arc::from))
            .collect(),
        _ => Vec::new(),
    }
}

/// A workflow whose tasks are linked.
pub(super) struct Flow<'w> {
    pub(super) input: &'w [Parameter],
    pub(super) vars: Option<&'w Template>,
    /// Uses by `vars`.
    pub(super) of_vars: Vec<Use>,
    /// Uses by the outputs and by task defaults, which see whatever there is.
    pub(super) of_rest: Vec<Use>,
    pub(super) tasks: Vec<TaskFlow>,
    pub(super) graph: &'w Graph,
    pub(super) workflow_type: WorkflowType,
}

/// Judges all uses of a workflow.
pub(super) fn check(sink: &mut Sink, flow: &Flow<'_>) {
    let input: BTreeSet<&str> = flow.input.iter().map(|one| &*one.name).collect();
    let vars = flow.vars.map(names).unwrap_or_default();
    let globals = flow.tasks.iter().flat_map(|task| &task.globals);
    let mut everywhere = input.clone();
    everywhere.extend(vars.iter().chain(globals).map(|name| &**name));
    let mut publishers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, task) in flow.tasks.iter().enumerate() {
        for name in &task.published {
            publishers.entry(name).or_default().push(position);
        }
    }
    let mut judge = Judge {
        sink,
        flow,
        tasks: flow.tasks.iter().map(|task| &*task.name).collect(),
        everywhere,
        publishers,
        after: BTreeMap::new(),
        outbound: outbound(flow.graph),
        steps: 0,
    };
    for one in &flow.of_vars {
        judge.in_vars(one, &input);
    }
    for one in &flow.of_rest {
        judge.anywhere(one);
    }
    for (position, task) in flow.tasks.iter().enumerate() {
        for one in &task.uses {
            judge.in_task(one, position, task);
        }
    }
    let steps = judge.steps;
    sink.spend(steps);
}

struct Judge<'s, 'w> {
    sink: &'s mut Sink,
    flow: &'s Flow<'w>,
    tasks: BTreeSet<&'s str>,
    /// Set before any task runs, or for all tasks at once.
    everywhere: BTreeSet<&'s str>,
    publishers: BTreeMap<&'s str, Vec<usize>>,
    /// For each variable the tasks that run after one of its publishers.
    after: BTreeMap<&'s str, Vec<bool>>,
    outbound: Vec<Vec<usize>>,
    steps: usize,
}

impl<'s> Judge<'s, '_> {
    fn in_vars(&mut self, one: &'s Use, input: &BTreeSet<&str>) {
        match &one.wanted {
            Wanted::Variable(name) if !input.contains(&**name) => {
                let names = input.iter().copied();
                let suggestion = self.sink.suggest(name, names);
                let message = format!("there is no input {}", Quoted(name));
                self.undefined(one, message).suggestion =
                    suggestion.or_else(|| Some("`vars` see the input only".to_owned()));
            }
            Wanted::Variable(_) => {}
            Wanted::Task(name) => self.task(one, name),
        }
    }

    fn anywhere(&mut self, one: &'s Use) {
        match &one.wanted {
            Wanted::Variable(name) if !self.is_set_somewhere(name) => self.never_set(one, name),
            Wanted::Variable(_) => {}
            Wanted::Task(name) => self.task(one, name),
        }
    }

    fn in_task(&mut self, one: &'s Use, position: usize, task: &TaskFlow) {
        let name = match &one.wanted {
            Wanted::Variable(name) => name,
            Wanted::Task(name) => return self.task(one, name),
        };
        let own = task.published.iter().chain(&task.items);
        if self.everywhere.contains(&**name) || own.clone().any(|known| known == name) {
            return;
        }
        if !self.is_set_somewhere(name) {
            return self.never_set(one, name);
        }
        let is_direct = self.flow.workflow_type == WorkflowType::Direct;
        if is_direct && self.runs_before_all(name, position) {
            let message = format!(
                "no task that runs before this one publishes {}",
                Quoted(name)
            );
            self.undefined(one, message);
        }
    }

    fn is_set_somewhere(&self, name: &str) -> bool {
        self.everywhere.contains(name) || self.publishers.contains_key(name)
    }

    fn never_set(&mut self, one: &Use, name: &str) {
        let known = self.everywhere.iter().chain(self.publishers.keys());
        let suggestion = self.sink.suggest(name, known.copied());
        let message = format!("nothing sets the variable {}", Quoted(name));
        self.undefined(one, message).suggestion = suggestion.or_else(|| {
            let text = format!("declare it as an input, or read it with `get({name})`");
            (name.len() <= NAME_BYTES_MAX).then_some(text)
        });
    }

    fn undefined(&mut self, one: &Use, message: String) -> &mut Diagnostic {
        let root = Path::ROOT;
        let path = root.verbatim(&one.site.path);
        self.sink
            .warn(Rule::UndefinedVariable, &path, one.site.span, message)
    }

    fn task(&mut self, one: &Use, name: &str) {
        if self.tasks.contains(name) {
            return;
        }
        let suggestion = self.sink.suggest(name, self.tasks.iter().copied());
        let message = format!("there is no task {}, so this is null", Quoted(name));
        let root = Path::ROOT;
        let path = root.verbatim(&one.site.path);
        self.sink
            .warn(Rule::UnknownTaskName, &path, one.site.span, message)
            .suggestion = suggestion;
    }

    /// Whether a task surely runs before every task that publishes a variable.
    fn runs_before_all(&mut self, name: &'s str, position: usize) -> bool {
        if !self.after.contains_key(name) {
            if self.steps > STEPS_MAX {
                return false;
            }
            let after = self.after(name);
            self.after.insert(name, after);
        }
        !self.after[name][position]
    }

    fn after(&mut self, name: &str) -> Vec<bool> {
        let outbound = &self.outbound;
        let mut after = vec![false; outbound.len()];
        let mut queue = self.publishers.get(name).cloned().unwrap_or_default();
        self.steps += outbound.len();
        while let Some(position) = queue.pop() {
            for &next in &outbound[position] {
                self.steps += 1;
                if !std::mem::replace(&mut after[next], true) {
                    queue.push(next);
                }
            }
        }
        after
    }
}

fn outbound(graph: &Graph) -> Vec<Vec<usize>> {
    let mut outbound = vec![Vec::new(); graph.inbound.len()];
    for (to, all) in graph.inbound.iter().enumerate() {
        for &from in all {
            outbound[from].push(to);
        }
    }
    outbound
}
