//! What a task publishes: the clauses of the task and of its transitions, and their combination.

use expr::Template;

use crate::diagnostic::Rule;
use crate::model::Publish;
use crate::yaml::{Mapping, Node};

use super::expressions::{self, Looked};
use super::path::{Path, Quoted};
use super::shape;
use super::sink::Sink;

pub(super) const SCOPES: [&str; 3] = ["branch", "global", "atomic"];

/// The `publish` key of a transition clause.
pub(super) fn scoped(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Publish {
    let Some(mapping) = shape::mapping(sink, path, node) else {
        return Publish::default();
    };
    shape::text_keys(sink, path, mapping);
    let known: Vec<&str> = SCOPES.iter().chain(&shape::META_KEYS).copied().collect();
    for (key, entry) in mapping.texts() {
        if !known.contains(&key) {
            shape::unknown_key(
                sink,
                path,
                key,
                entry.key_span,
                &SCOPES,
                "a publishing clause",
            );
        }
    }
    ignored_meta(sink, path, mapping);
    let mut scope = |name: &str| {
        let entry = mapping.get(name)?;
        dict_template(sink, &path.key(name), &entry.value)
    };
    let publish = Publish {
        branch: scope("branch"),
        global: scope("global"),
        atomic: scope("atomic"),
    };
    if SCOPES.iter().all(|name| mapping.get(name).is_none()) {
        let message = "a publishing clause needs `branch`, `global` or `atomic`";
        sink.error(Rule::MissingKey, path, node.span, message)
            .help("put the variables under `branch`");
    }
    publish
}

/// A task's own `publish`, `publish-on-error` or `publish-on-skip`.
pub(super) fn own(sink: &mut Sink, path: &Path<'_>, task: &Mapping, key: &str) -> Publish {
    let branch = task
        .get(key)
        .and_then(|entry| dict_template(sink, &path.key(key), &entry.value));
    Publish {
        branch,
        ..Publish::default()
    }
}

/// A mapping with expressions in it.
pub(super) fn dict_template(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Option<Template> {
    shape::dict(sink, path, node)?;
    Some(expressions::template(sink, path, node, Looked::AtUpload))
}

/// Name, version, description and tags, which Mistral accepts on a clause and never reads.
pub(super) fn ignored_meta(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) {
    for key in ["name", "description"] {
        if let Some(entry) = mapping.get(key) {
            shape::text(sink, &path.key(key), &entry.value);
        }
    }
    if let Some(entry) = mapping.get("version") {
        shape::version(sink, &path.key("version"), &entry.value);
    }
    shape::tags(sink, path, mapping);
    for (key, entry) in mapping
        .texts()
        .filter(|(key, _)| shape::META_KEYS.contains(key))
    {
        let message = format!("`{key}` has no effect here");
        sink.warn(Rule::IgnoredKey, &path.key(key), entry.key_span, message);
    }
}

/// The transition clause and the key of the task that publish in the same final state.
const SAME_STATE: [(&str, &str); 3] = [
    ("on-success", "publish"),
    ("on-error", "publish-on-error"),
    ("on-skip", "publish-on-skip"),
];

/// Warns of variables that another clause publishes as well, so that these are never seen: what
/// `on-complete` publishes beats the task's own `publish`, and that the other clauses'.
pub(super) fn warn_of_hidden(sink: &mut Sink, path: &Path<'_>, task: &Mapping) {
    for (clause, own) in SAME_STATE {
        let of_task = task.get(own).and_then(|entry| entry.value.as_map());
        for scope in SCOPES {
            let of_task = of_task.filter(|_| scope == "branch");
            let of_clause = scope_of(task, clause, scope);
            let of_complete = scope_of(task, "on-complete", scope);
            let at_clause = path.key(clause);
            let at_publish = at_clause.key("publish");
            hidden(
                sink,
                &at_publish.key(scope),
                of_clause,
                [of_complete, of_task],
            );
            hidden(sink, &path.key(own), of_task, [of_complete, None]);
        }
    }
}

fn scope_of<'n>(task: &'n Mapping, clause: &str, scope: &str) -> Option<&'n Mapping> {
    let clause = task.get(clause)?.value.as_map()?;
    let publish = clause.get("publish")?.value.as_map()?;
    publish.get(scope)?.value.as_map()
}

fn hidden(sink: &mut Sink, path: &Path<'_>, under: Option<&Mapping>, over: [Option<&Mapping>; 2]) {
    for (key, entry) in under.into_iter().flat_map(Mapping::texts) {
        let Some(other) = over.into_iter().flatten().find_map(|over| over.get(key)) else {
            continue;
        };
        // Two mappings are merged.
        if entry.value.as_map().is_some() && other.value.as_map().is_some() {
            continue;
        }
        let message = format!(
            "{} is published elsewhere too, and that counts",
            Quoted(key)
        );
        sink.warn(
            Rule::HiddenVariable,
            &path.key(key),
            entry.key_span,
            message,
        )
        .also(other.key_span, "this one counts");
    }
}

/// The clauses for one final state as one, later ones winning.
pub(super) fn combine(clauses: [Option<&Publish>; 3]) -> Publish {
    let mut all = Publish::default();
    for clause in clauses.into_iter().flatten() {
        overlay(&mut all.branch, clause.branch.as_ref());
        overlay(&mut all.global, clause.global.as_ref());
        overlay(&mut all.atomic, clause.atomic.as_ref());
    }
    all
}

fn overlay(under: &mut Option<Template>, over: Option<&Template>) {
    let Some(over) = over else { return };
    *under = Some(match under {
        None => over.clone(),
        Some(under) => under.overlaid(over),
    });
}
