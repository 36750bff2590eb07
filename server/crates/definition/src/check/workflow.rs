//! One workflow: its keys, its tasks, and what they are together.

use std::sync::Arc;

use expr::{Dict, Template, Value};

use crate::diagnostic::Rule;
use crate::model::{Parameter, Workflow, WorkflowType};
use crate::yaml::{Content, Entry, Mapping};

use super::dataflow::{self, Flow, TaskFlow};
use super::defaults;
use super::expressions::{self, Looked};
use super::graph;
use super::names;
use super::parameters;
use super::path::{Path, Quoted};
use super::publish;
use super::rollback;
use super::shape;
use super::sink::Sink;
use super::task::{self, Draft};

pub(super) const KEYS: [&str; 13] = [
    "name",
    "version",
    "description",
    "tags",
    "type",
    "input",
    "output",
    "output-on-error",
    "vars",
    "rollback-on",
    "catch-expression-errors",
    "task-defaults",
    "tasks",
];

/// Reads one workflow.
pub(super) fn workflow(
    sink: &mut Sink,
    path: &Path<'_>,
    name: &str,
    entry: &Entry,
) -> Option<Workflow> {
    names::workflow(sink, path, name, entry.key_span);
    let mapping = shape::mapping(sink, path, &entry.value)?;
    keys(sink, path, mapping);
    let workflow_type = workflow_type(sink, path, mapping);
    let input = parameters::input(sink, path, mapping);
    let tags = shape::tags(sink, path, mapping);
    sink.take_uses();
    let vars = template(sink, path, mapping, "vars", Looked::AtUpload);
    let of_vars = sink.take_uses();
    warn_of_hidden(sink, path, mapping, &input);
    let output = template(sink, path, mapping, "output", Looked::AtUpload);
    let output_on_error = template(sink, path, mapping, "output-on-error", Looked::Late);
    let rollback_on = rollback::of_workflow(sink, path, mapping);
    let catch_expression_errors = catches(sink, path, mapping);
    let defaults = defaults::defaults(sink, path, mapping, workflow_type);
    let of_rest = sink.take_uses();
    let errors = sink.errors();
    let mut drafts = tasks(sink, path, entry, mapping, workflow_type)?;
    // Of broken tasks not every transition is known, so little can be said about the whole.
    let is_sound = sink.errors() == errors;
    rollback::warn_of_nothing_to_undo(sink, path, mapping, &drafts);
    let spec = spec(name, mapping, &drafts);
    let place = graph::Place {
        path: &path.key("tasks"),
        span: entry.key_span,
        is_sound,
    };
    let flows = drafts.iter_mut().map(TaskFlow::of).collect();
    let (tasks, graph) = graph::link(sink, &place, drafts, &defaults, workflow_type);
    if sink.errors() == errors {
        let flow = Flow {
            input: &input,
            vars: vars.as_ref(),
            of_vars,
            of_rest,
            tasks: flows,
            graph: &graph,
            workflow_type,
        };
        dataflow::check(sink, &flow);
    }
    Some(Workflow {
        name: Arc::from(name),
        description: description(sink, path, mapping),
        tags,
        workflow_type,
        input,
        output,
        output_on_error,
        vars,
        rollback_on,
        catch_expression_errors,
        tasks,
        graph,
        spec,
        source: Arc::from(""),
    })
}

fn keys(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) {
    for (key, entry) in mapping.texts() {
        if KEYS.contains(&key) {
            continue;
        }
        let suggestion = sink.suggest(key, KEYS.into_iter());
        let message = format!("a workflow has no key {}, so it has no effect", Quoted(key));
        sink.warn(Rule::UnknownKey, &path.key(key), entry.key_span, message)
            .suggestion = suggestion;
    }
    for key in ["name", "version"] {
        if let Some(entry) = mapping.get(key) {
            let message = format!("`{key}` has no effect on a workflow");
            sink.warn(Rule::IgnoredKey, &path.key(key), entry.key_span, message);
        }
    }
}

/// A variable of `vars` stands in front of an input of the same name.
fn warn_of_hidden(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping, input: &[Parameter]) {
    let Some(vars) = mapping.get("vars").and_then(|entry| entry.value.as_map()) else {
        return;
    };
    for one in input {
        if let Some(entry) = vars.get(&one.name) {
            let message = format!("{} hides the input of the same name", Quoted(&one.name));
            let path = path.key("vars");
            let path = path.key(&one.name);
            sink.warn(Rule::HiddenVariable, &path, entry.key_span, message)
                .help("give the variable another name");
        }
    }
}

fn workflow_type(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> WorkflowType {
    let Some(entry) = mapping.get("type") else {
        return WorkflowType::Direct;
    };
    match entry.value.as_text() {
        Some("direct") => WorkflowType::Direct,
        Some("reverse") => WorkflowType::Reverse,
        _ => {
            let message = "the type of a workflow is `direct` or `reverse`";
            sink.error(
                Rule::InvalidValue,
                &path.key("type"),
                entry.value.span,
                message,
            );
            WorkflowType::Direct
        }
    }
}

/// Whether errors of expressions are errors of their tasks. Mistral does not know the key.
fn catches(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> bool {
    let Some(entry) = mapping.get("catch-expression-errors") else {
        return false;
    };
    let Content::Scalar(Value::Bool(catches)) = &entry.value.content else {
        let path = &path.key("catch-expression-errors");
        shape::wrong_type(sink, path, &entry.value, "`true` or `false`");
        return false;
    };
    *catches
}

/// Mistral never looks at the description of a workflow, so anything is accepted.
fn description(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> Option<Arc<str>> {
    let entry = mapping.get("description")?;
    let text = entry.value.as_text().filter(|text| !text.is_empty());
    if text.is_none() && !entry.value.is_null() {
        let message = "this description is not text, so it has no effect";
        sink.warn(
            Rule::IgnoredKey,
            &path.key("description"),
            entry.value.span,
            message,
        );
    }
    text.map(Arc::from)
}

fn template(
    sink: &mut Sink,
    path: &Path<'_>,
    mapping: &Mapping,
    key: &str,
    looked: Looked,
) -> Option<Template> {
    let entry = mapping.get(key)?;
    let path = &path.key(key);
    if looked == Looked::AtUpload {
        return publish::dict_template(sink, path, &entry.value);
    }
    shape::dict(sink, path, &entry.value)?;
    Some(expressions::template(sink, path, &entry.value, looked))
}

fn tasks(
    sink: &mut Sink,
    path: &Path<'_>,
    workflow: &Entry,
    mapping: &Mapping,
    workflow_type: WorkflowType,
) -> Option<Vec<Draft>> {
    let Some(entry) = mapping.get("tasks") else {
        let message = "a workflow needs `tasks`";
        let mut names = mapping.texts().map(|(key, _)| key);
        let near = names.find(|key| sink.nearest(key, ["tasks"].into_iter()).is_some());
        let help = near.map(|key| format!("did you mean `tasks` by {}?", Quoted(key)));
        sink.error(Rule::MissingKey, path, workflow.key_span, message)
            .suggestion = help;
        return None;
    };
    let path = &path.key("tasks");
    let tasks = shape::mapping(sink, path, &entry.value)?;
    if tasks.entries.is_empty() {
        sink.error(
            Rule::EmptyValue,
            path,
            entry.value.span,
            "a workflow needs at least one task",
        );
        return None;
    }
    shape::text_keys(sink, path, tasks);
    let mut drafts = Vec::with_capacity(tasks.entries.len());
    for (name, entry) in tasks.texts() {
        let path = &path.key(name);
        let (span, node) = (entry.key_span, &entry.value);
        // Mistral takes this key for the version of the list and never reads it as a task.
        if name == "version" {
            shape::dict(sink, path, node);
            let message = "a task cannot be called `version`: it is left out";
            sink.warn(Rule::IgnoredKey, path, span, message);
            continue;
        }
        defaults::warn_of_falsy(sink, path, mapping, node);
        drafts.push(task::task(sink, path, name, span, node, workflow_type));
    }
    Some(drafts)
}

/// The workflow as Mistral shows it to expressions: as written, with what it adds.
fn spec(name: &str, mapping: &Mapping, drafts: &[Draft]) -> Value {
    let mut spec = Dict::new();
    for (key, entry) in &mapping.entries {
        let value = if key.as_str() == Some("tasks") {
            let specs = drafts
                .iter()
                .map(|draft| (Value::Str(Arc::clone(&draft.name)), draft.spec.clone()));
            Value::Dict(specs.collect())
        } else {
            entry.value.to_value()
        };
        spec.insert(key.clone(), value);
    }
    spec.insert("name", name);
    spec.insert("version", super::VERSION);
    Value::Dict(spec)
}
