//! What a task publishes: the clauses of the task and of its transitions, and their combination.

use expr::Template;

use crate::diagnostic::Rule;
use crate::model::Publish;
use crate::yaml::{Mapping, Node};

use super::expressions::{self, Looked};
use super::path::Path;
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
