//! How work is undone: `rollback` of a task and `rollback-on` of a workflow. Mistral has neither.

use crate::diagnostic::Rule;
use crate::model::{Body, Policies, RollbackOn, Task};
use crate::position::Span;
use crate::yaml::{Content, Mapping, Node};

use super::path::{Path, Quoted};
use super::policies;
use super::shape;
use super::sink::Sink;
use super::task::{self, Draft};

pub(super) const KEYS: [&str; 11] = [
    "action",
    "workflow",
    "input",
    "retry",
    "timeout",
    "start-to-close",
    "schedule-to-start",
    "heartbeat",
    "target",
    "action-version",
    "affinity-key",
];

/// Reads what undoes a task.
pub(super) fn of_task(
    sink: &mut Sink,
    path: &Path<'_>,
    name: &str,
    mapping: &Mapping,
) -> Option<Box<Task>> {
    let entry = mapping.get("rollback")?;
    let path = &path.key("rollback");
    let node = &entry.value;
    if let Content::Scalar(expr::Value::Str(text)) = &node.content {
        let message = format!("expected a mapping, found the text {}", Quoted(text));
        sink.error(Rule::WrongType, path, node.span, message)
            .help("write the call under `action` or `workflow`");
        return None;
    }
    let mapping = shape::dict(sink, path, node)?;
    keys(sink, path, mapping, node.span);
    let (body, parsed) = task::body(sink, path, mapping);
    let input = task::input(sink, path, mapping, &parsed);
    if body == Body::Workflow {
        task::without_worker(sink, path, mapping);
    }
    let all = policies::policies(sink, path, mapping);
    let mut undo = Task::calling(name.into(), body, parsed.call);
    undo.input = input;
    undo.policies = Policies {
        retry: all.retry,
        timeout: all.timeout,
        start_to_close: all.start_to_close,
        schedule_to_start: all.schedule_to_start,
        heartbeat: all.heartbeat,
        ..Policies::default()
    };
    undo.target = task::late_text(sink, path, mapping, "target");
    undo.action_version = task::late_text(sink, path, mapping, "action-version");
    undo.affinity_key = task::late_text(sink, path, mapping, "affinity-key");
    Some(Box::new(undo))
}

fn keys(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping, span: Span) {
    for (key, entry) in mapping.texts() {
        if KEYS.contains(&key) {
            continue;
        }
        if key == "rollback" {
            let message = "what undoes a task is not undone itself";
            sink.error(Rule::UnknownKey, &path.key(key), entry.key_span, message);
        } else {
            shape::unknown_key(sink, path, key, entry.key_span, &KEYS, "a rollback");
        }
    }
    if mapping.get("action").is_none() && mapping.get("workflow").is_none() {
        let message = "a rollback needs `action` or `workflow`";
        sink.error(Rule::MissingKey, path, span, message);
    }
}

/// Reads when a workflow rolls itself back.
pub(super) fn of_workflow(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> RollbackOn {
    let mut on = RollbackOn::default();
    let Some(entry) = mapping.get("rollback-on") else {
        return on;
    };
    let path = &path.key("rollback-on");
    let node = &entry.value;
    shape::text_or_texts(sink, path, node);
    match node.as_list() {
        Some(items) => {
            for (index, item) in items.iter().enumerate() {
                word(sink, &path.index(index), item, &mut on);
            }
        }
        None => word(sink, path, node, &mut on),
    }
    on
}

fn word(sink: &mut Sink, path: &Path<'_>, node: &Node, on: &mut RollbackOn) {
    match node.as_text() {
        Some("error") => on.error = true,
        Some("cancel") => on.cancel = true,
        Some(other) if !other.is_empty() => {
            let suggestion = sink.suggest(other, ["error", "cancel"].into_iter());
            let message = format!(
                "a workflow rolls itself back on `error` or `cancel`, not on {}",
                Quoted(other)
            );
            sink.error(Rule::InvalidValue, path, node.span, message)
                .suggestion = suggestion;
        }
        // That it is no text was said already.
        _ => {}
    }
}

/// A workflow that rolls itself back needs a task that can be undone.
pub(super) fn warn_of_nothing_to_undo(
    sink: &mut Sink,
    path: &Path<'_>,
    mapping: &Mapping,
    drafts: &[Draft],
) {
    let Some(entry) = mapping.get("rollback-on") else {
        return;
    };
    let can_be_undone = |draft: &Draft| draft.rollback.is_some() || draft.body == Body::Workflow;
    if !drafts.iter().any(can_be_undone) {
        let path = &path.key("rollback-on");
        let message = "no task can be undone, so this has no effect";
        sink.warn(Rule::IgnoredKey, path, entry.key_span, message)
            .help("give the tasks a `rollback`");
    }
}
