//! One task: its keys and their values. Its place in the graph is left to `graph`.

use std::sync::Arc;

use expr::{Dict, Template, Value};

use crate::diagnostic::Rule;
use crate::model::{Body, Call, Item, Join, Policies, Publish, Task, WorkflowType};
use crate::position::Span;
use crate::yaml::{Content, Mapping, Node};

use super::calls::{self, Parsed};
use super::expressions::{self, Looked};
use super::facts::Use;
use super::on_clause::{self, Clause};
use super::path::{Path, Quoted};
use super::policies::{self, Kind};
use super::publish;
use super::rollback;
use super::shape;
use super::sink::Sink;

/// Characters of a task name.
const NAME_CHARS_MAX: usize = 255;
/// Characters of the name of a join task, which becomes part of a longer key.
const JOIN_NAME_CHARS_MAX: usize = 208;

pub(super) const COMMON_KEYS: [&str; 28] = [
    "name",
    "version",
    "type",
    "description",
    "tags",
    "action",
    "workflow",
    "input",
    "with-items",
    "publish",
    "publish-on-error",
    "publish-on-skip",
    "retry",
    "wait-before",
    "wait-after",
    "timeout",
    "pause-before",
    "concurrency",
    "fail-on",
    "start-to-close",
    "schedule-to-start",
    "heartbeat",
    "target",
    "action-version",
    "affinity-key",
    "keep-result",
    "safe-rerun",
    "rollback",
];
/// Keys that say which worker an action is for, besides `target`, which Mistral has.
const ROUTING_KEYS: [&str; 2] = ["action-version", "affinity-key"];
pub(super) const DIRECT_KEYS: [&str; 5] =
    ["join", "on-success", "on-error", "on-complete", "on-skip"];
pub(super) const REVERSE_KEYS: [&str; 1] = ["requires"];

/// The transition clauses of a task or of task defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct Clauses {
    pub(super) success: Clause,
    pub(super) error: Clause,
    pub(super) complete: Clause,
    pub(super) skip: Clause,
}

/// A task whose links are not yet looked up.
pub(super) struct Draft {
    pub(super) name: Arc<str>,
    pub(super) name_span: Span,
    pub(super) description: Option<Arc<str>>,
    pub(super) tags: Vec<Arc<str>>,
    pub(super) body: Body,
    pub(super) call: Call,
    pub(super) input: Option<Template>,
    pub(super) with_items: Vec<Item>,
    pub(super) policies: Policies,
    pub(super) publish: Publish,
    pub(super) publish_on_error: Publish,
    pub(super) publish_on_skip: Publish,
    pub(super) clauses: Clauses,
    pub(super) join: Option<Join>,
    pub(super) join_span: Span,
    pub(super) target: Option<Template>,
    pub(super) action_version: Option<Template>,
    pub(super) affinity_key: Option<Template>,
    pub(super) keep_result: Option<Template>,
    pub(super) safe_rerun: Option<Template>,
    pub(super) rollback: Option<Box<Task>>,
    pub(super) requires: Vec<Requirement>,
    pub(super) spec: Value,
    /// What the expressions of the task ask for.
    pub(super) uses: Vec<Use>,
}

/// A task that must be done first.
#[derive(Clone, Debug)]
pub(super) struct Requirement {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) path: Arc<str>,
}

/// Reads one task.
pub(super) fn task(
    sink: &mut Sink,
    path: &Path<'_>,
    name: &str,
    name_span: Span,
    node: &Node,
    workflow_type: WorkflowType,
) -> Draft {
    // A broken task still has a name that others may lead to.
    let nothing = Mapping::default();
    let mapping = as_task(sink, path, name, node).unwrap_or(&nothing);
    keys(sink, path, mapping, workflow_type);
    let (body, parsed) = body(sink, path, mapping);
    let input = input(sink, path, mapping, &parsed);
    let (join, join_span) = join(sink, path, name, mapping, name_span);
    let mut optional = |key: &'static str, kind: Kind| {
        let entry = mapping.get(key)?;
        policies::value(sink, &path.key(key), &entry.value, kind)
    };
    let keep_result = optional("keep-result", Kind::Flag);
    let safe_rerun = optional("safe-rerun", Kind::Flag);
    let with_items = mapping
        .get("with-items")
        .map(|entry| super::with_items::items(sink, &path.key("with-items"), &entry.value))
        .unwrap_or_default();
    if mapping.get("with-items").is_none()
        && let Some(entry) = mapping.get("concurrency")
    {
        let message = "`concurrency` has no effect without `with-items`";
        let path = &path.key("concurrency");
        sink.warn(Rule::IgnoredKey, path, entry.key_span, message);
    }
    if body == Body::Workflow {
        without_worker(sink, path, mapping);
    }
    if workflow_type == WorkflowType::Direct {
        publish::warn_of_hidden(sink, path, mapping);
    }
    let spec = spec(name, mapping, workflow_type, &parsed);
    Draft {
        name: Arc::from(name),
        name_span,
        description: shape::description(sink, path, mapping),
        tags: shape::tags(sink, path, mapping),
        body,
        call: parsed.call,
        input,
        with_items,
        policies: policies::policies(sink, path, mapping),
        publish: publish::own(sink, path, mapping, "publish"),
        publish_on_error: publish::own(sink, path, mapping, "publish-on-error"),
        publish_on_skip: publish::own(sink, path, mapping, "publish-on-skip"),
        clauses: match workflow_type {
            WorkflowType::Direct => clauses(sink, path, mapping),
            WorkflowType::Reverse => Clauses::default(),
        },
        join: join.filter(|_| workflow_type == WorkflowType::Direct),
        join_span,
        target: late_text(sink, path, mapping, "target"),
        action_version: late_text(sink, path, mapping, "action-version"),
        affinity_key: late_text(sink, path, mapping, "affinity-key"),
        keep_result,
        safe_rerun,
        rollback: rollback::of_task(sink, path, name, mapping),
        requires: match workflow_type {
            WorkflowType::Direct => Vec::new(),
            WorkflowType::Reverse => requires(sink, path, mapping),
        },
        spec,
        // Fields are read in this order: all expressions of the task were seen before.
        uses: sink.take_uses(),
    }
}

/// Warns of what only actions have.
pub(super) fn without_worker(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) {
    for key in policies::WORKER_KEYS.into_iter().chain(ROUTING_KEYS) {
        if let Some(entry) = mapping.get(key) {
            let message = format!("`{key}` has an effect on actions of workers only");
            sink.warn(Rule::IgnoredKey, &path.key(key), entry.key_span, message);
        }
    }
}

/// The mapping of a task. Only under plain names does Mistral insist that it is not empty.
fn as_task<'n>(
    sink: &mut Sink,
    path: &Path<'_>,
    name: &str,
    node: &'n Node,
) -> Option<&'n Mapping> {
    if node.is_null() || (shape::is_word(name) && !node.is_truthy()) {
        let message = format!("the task {} is empty", Quoted(name));
        sink.error(Rule::EmptyValue, path, node.span, message)
            .help("a task that does nothing is written `action: std.noop`");
        return None;
    }
    if shape::is_word(name) {
        return shape::dict(sink, path, node);
    }
    let mapping = shape::mapping(sink, path, node)?;
    shape::text_keys(sink, path, mapping);
    Some(mapping)
}

fn keys(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping, workflow_type: WorkflowType) {
    let (known, other, needs): (&[&str], &[&str], &str) = match workflow_type {
        WorkflowType::Direct => (&DIRECT_KEYS, &REVERSE_KEYS, "reverse"),
        WorkflowType::Reverse => (&REVERSE_KEYS, &DIRECT_KEYS, "direct"),
    };
    let known: Vec<&str> = COMMON_KEYS.iter().chain(known).copied().collect();
    for (key, entry) in mapping.texts() {
        if known.contains(&key) {
            if matches!(key, "name" | "version" | "type") {
                let message = format!("`{key}` has no effect on a task");
                sink.warn(Rule::IgnoredKey, &path.key(key), entry.key_span, message);
            }
        } else if other.contains(&key) {
            let message = format!("`{key}` is for tasks of {needs} workflows");
            sink.error(Rule::UnknownKey, &path.key(key), entry.key_span, message)
                .help(format!("set `type: {needs}` on the workflow"));
        } else {
            shape::unknown_key(sink, path, key, entry.key_span, &known, "a task");
        }
    }
}

/// What a task calls, and how that is written.
pub(super) fn body(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> (Body, Parsed) {
    let (action, workflow) = (mapping.get("action"), mapping.get("workflow"));
    if let (Some(action), Some(workflow)) = (action, workflow) {
        let message = "a task has either `action` or `workflow`";
        let (first, second) = if action.key_span < workflow.key_span {
            (action, workflow)
        } else {
            (workflow, action)
        };
        sink.error(Rule::ConflictingKeys, path, second.key_span, message)
            .also(first.key_span, "the other one is here");
    }
    let mut parse = |key: &'static str| {
        let entry = mapping.get(key)?;
        Some(
            calls::parse(sink, &path.key(key), &entry.value)
                .unwrap_or_else(|| calls::plain("std.noop")),
        )
    };
    let (action, workflow) = (parse("action"), parse("workflow"));
    let (body, key, parsed) = match (action, workflow) {
        (Some(action), _) => (Body::Action, "action", action),
        (None, Some(workflow)) => (Body::Workflow, "workflow", workflow),
        (None, None) => return (Body::Action, calls::plain("std.noop")),
    };
    let input = mapping.get("input").map(|entry| &entry.value);
    if let Some(entry) = mapping.get(key) {
        let is_workflow = body == Body::Workflow;
        let called = calls::Called {
            node: &entry.value,
            key,
            is_workflow,
            base_of: None,
        };
        calls::note(
            sink,
            path,
            &called,
            &parsed,
            input.map(|node| ("input", node)),
        );
    }
    (body, parsed)
}

/// The input of a call besides its inline parameters.
pub(super) fn input(
    sink: &mut Sink,
    path: &Path<'_>,
    mapping: &Mapping,
    parsed: &Parsed,
) -> Option<Template> {
    let entry = mapping.get("input")?;
    let path = &path.key("input");
    let node = &entry.value;
    match &node.content {
        Content::Map(_) => publish::dict_template(sink, path, node),
        Content::Scalar(Value::Str(_)) => {
            let text = shape::text(sink, path, node)?;
            if !parsed.params.is_empty() {
                let message = "inline parameters cannot be joined with an `input` that is text";
                sink.error(Rule::ConflictingKeys, path, node.span, message)
                    .help("write the parameters into a mapping under `input`");
            }
            if !expr::is_expression(text) {
                let message = "this text is no mapping of inputs";
                sink.warn(Rule::InvalidValue, path, node.span, message)
                    .help("`input` is a mapping, or an expression that gives one");
            }
            Some(expressions::template(sink, path, node, Looked::AtUpload))
        }
        _ => {
            shape::wrong_type(sink, path, node, "a mapping or an expression");
            None
        }
    }
}

fn join(
    sink: &mut Sink,
    path: &Path<'_>,
    name: &str,
    mapping: &Mapping,
    name_span: Span,
) -> (Option<Join>, Span) {
    let length = name.chars().count();
    if length == 0 {
        sink.error(
            Rule::InvalidName,
            path,
            name_span,
            "a name must not be empty",
        );
    }
    let mut limit = |max: usize, what: &str| {
        if length > max {
            let message = format!("the name of a {what} may have {max} characters, not {length}");
            sink.error(Rule::NameTooLong, path, name_span, message);
        }
    };
    limit(NAME_CHARS_MAX, "task");
    let Some(entry) = mapping.get("join") else {
        return (None, name_span);
    };
    let node = &entry.value;
    if node.is_truthy() {
        limit(JOIN_NAME_CHARS_MAX, "join task");
    }
    let join = match node.as_text() {
        Some("all") => Some(Join::All),
        Some("all-active") => Some(Join::AllActive),
        Some("one") => Some(Join::Count(1)),
        _ => match shape::integer(node).and_then(|number| number.as_f64()) {
            // As in Mistral, `join: 0` is the same as no join.
            Some(0.0) => {
                let message = "`join: 0` is the same as no join";
                sink.warn(Rule::IgnoredValue, &path.key("join"), node.span, message);
                None
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a float to integer cast saturates, which is far beyond any graph"
            )]
            Some(number) if number > 0.0 => Some(Join::Count(number as u32)),
            _ => {
                let message = "`join` is `all`, `all-active`, `one` or an integer from 0";
                sink.error(Rule::InvalidValue, &path.key("join"), node.span, message);
                None
            }
        },
    };
    (join, node.span)
}

/// The transition clauses of a task or of task defaults.
pub(super) fn clauses(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> Clauses {
    let mut get = |key: &'static str| {
        let entry = mapping.get(key)?;
        Some(on_clause::clause(sink, &path.key(key), &entry.value))
    };
    Clauses {
        success: get("on-success").unwrap_or_default(),
        error: get("on-error").unwrap_or_default(),
        complete: get("on-complete").unwrap_or_default(),
        skip: get("on-skip").unwrap_or_default(),
    }
}

/// A text that says which worker a call is for; evaluated when it is called.
pub(super) fn late_text(
    sink: &mut Sink,
    path: &Path<'_>,
    mapping: &Mapping,
    key: &'static str,
) -> Option<Template> {
    let entry = mapping.get(key)?;
    let path = &path.key(key);
    shape::text(sink, path, &entry.value)?;
    Some(expressions::template(
        sink,
        path,
        &entry.value,
        Looked::Late,
    ))
}

/// The tasks that a task or the task defaults name under `requires`.
pub(super) fn requires(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> Vec<Requirement> {
    let Some(entry) = mapping.get("requires") else {
        return Vec::new();
    };
    let path = &path.key("requires");
    let node = &entry.value;
    shape::text_or_texts(sink, path, node);
    let requirement = |path: &Path<'_>, node: &Node| {
        Some(Requirement {
            name: Arc::from(node.as_text()?),
            span: node.span,
            path: Arc::from(path.to_string()),
        })
    };
    match node.as_list() {
        Some(items) => items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| requirement(&path.index(index), item))
            .collect(),
        None => requirement(path, node).into_iter().collect(),
    }
}

/// The task as Mistral shows it to expressions: as written, with what it adds.
fn spec(name: &str, mapping: &Mapping, workflow_type: WorkflowType, parsed: &Parsed) -> Value {
    let mut spec: Dict = mapping
        .entries
        .iter()
        .map(|(key, entry)| (key.clone(), entry.value.to_value()))
        .collect();
    if let Some(Value::Dict(mut input)) = spec.get("input") {
        for (key, value) in &parsed.params {
            input.insert(Arc::clone(key), value.clone());
        }
        spec.insert("input", Value::Dict(input));
    }
    let workflow_type = match workflow_type {
        WorkflowType::Direct => "direct",
        WorkflowType::Reverse => "reverse",
    };
    spec.insert("type", workflow_type);
    spec.insert("name", name);
    spec.insert("version", super::VERSION);
    Value::Dict(spec)
}
