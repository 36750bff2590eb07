//! Task defaults of a workflow.

use expr::Template;

use crate::diagnostic::Rule;
use crate::model::{Policies, WorkflowType};
use crate::yaml::{Mapping, Node};

use super::path::Path;
use super::policies::{self, Kind};
use super::publish;
use super::shape;
use super::sink::Sink;
use super::task::{self, Clauses, Requirement};

pub(super) const KEYS: [&str; 6] = [
    "on-success",
    "on-error",
    "on-complete",
    "on-skip",
    "safe-rerun",
    "requires",
];

/// What tasks take if they say nothing themselves.
#[derive(Default)]
pub(super) struct Defaults {
    pub(super) policies: Policies,
    pub(super) clauses: Clauses,
    pub(super) safe_rerun: Option<Template>,
    pub(super) requires: Vec<Requirement>,
}

/// Reads the `task-defaults` of a workflow.
pub(super) fn defaults(
    sink: &mut Sink,
    path: &Path<'_>,
    workflow: &Mapping,
    workflow_type: WorkflowType,
) -> Defaults {
    let path = &path.key("task-defaults");
    let Some(entry) = workflow.get("task-defaults") else {
        return Defaults::default();
    };
    let Some(mapping) = shape::dict(sink, path, &entry.value) else {
        return Defaults::default();
    };
    let known: Vec<&str> = KEYS
        .iter()
        .chain(&policies::KEYS)
        .chain(&shape::META_KEYS)
        .copied()
        .collect();
    shape::known_keys(sink, path, mapping, &known, "`task-defaults`");
    publish::ignored_meta(sink, path, mapping);
    let clauses = task::clauses(sink, path, mapping);
    for (key, clause) in [
        ("on-success", &clauses.success),
        ("on-error", &clauses.error),
        ("on-complete", &clauses.complete),
        ("on-skip", &clauses.skip),
    ] {
        let publish = &clause.publish;
        let publishes =
            publish.branch.is_some() || publish.global.is_some() || publish.atomic.is_some();
        if let (true, Some(entry)) = (publishes, mapping.get(key)) {
            let message = "publishing in task defaults has no effect";
            sink.warn(Rule::IgnoredKey, &path.key(key), entry.key_span, message);
        }
    }
    for (key, entry) in mapping.texts() {
        let needs = match key {
            "requires" if workflow_type == WorkflowType::Direct => "reverse",
            "on-success" | "on-error" | "on-complete" | "on-skip"
                if workflow_type == WorkflowType::Reverse =>
            {
                "direct"
            }
            _ => continue,
        };
        let message = format!("`{key}` has an effect in {needs} workflows only");
        sink.warn(Rule::IgnoredKey, &path.key(key), entry.key_span, message);
    }
    let safe_rerun = mapping
        .get("safe-rerun")
        .and_then(|entry| policies::value(sink, &path.key("safe-rerun"), &entry.value, Kind::Flag));
    Defaults {
        policies: policies::policies(sink, path, mapping),
        clauses,
        safe_rerun,
        requires: task::requires(sink, path, mapping),
    }
}

/// Warns of policies that are set to nothing where a default is set: the default stays.
pub(super) fn warn_of_falsy(sink: &mut Sink, path: &Path<'_>, workflow: &Mapping, task: &Node) {
    let defaults = workflow.get("task-defaults");
    let (Some(defaults), Some(task)) = (
        defaults.and_then(|entry| entry.value.as_map()),
        task.as_map(),
    ) else {
        return;
    };
    for key in policies::KEYS {
        if let (Some(own), Some(default)) = (task.get(key), defaults.get(key))
            && !own.value.is_truthy()
            && default.value.is_truthy()
        {
            let message = "0 and false mean \"not set\", so the task default stays";
            sink.warn(Rule::IgnoredValue, &path.key(key), own.value.span, message)
                .also(default.value.span, "this one counts");
        }
    }
}
