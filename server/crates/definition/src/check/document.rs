//! The three kinds of document: what stands at the top level.

use std::sync::Arc;

use expr::Value;

use crate::diagnostic::Rule;
use crate::model::{Action, Document, Kind, Workbook, Workflow};
use crate::parts::{self, Member};
use crate::position::{Position, Span};
use crate::yaml::{Content, Entry, Mapping, Node};

use super::action::action;
use super::names;
use super::path::{Path, Quoted};
use super::shape;
use super::sink::Sink;
use super::workflow::workflow;

const WORKBOOK_KEYS: [&str; 6] = [
    "name",
    "version",
    "description",
    "tags",
    "workflows",
    "actions",
];

/// Reads a document of a kind from its root; a text without a document has none.
pub(super) fn document(
    sink: &mut Sink,
    source: &str,
    root: Option<&Node>,
    kind: Kind,
) -> Option<Document> {
    let path = &Path::ROOT;
    let empty = Mapping::default();
    let root = root.filter(|root| root.is_truthy());
    let mapping = match root {
        None => &empty,
        Some(root) => shape::mapping(sink, path, root)?,
    };
    match kind {
        Kind::Workflows => {
            let read = |sink: &mut Sink, path: &Path<'_>, name: &str, entry: &Entry| {
                shape::dict(sink, path, &entry.value)?;
                workflow(sink, path, name, entry)
            };
            let mut all: Vec<Workflow> = list(sink, path, mapping, "workflow", read)?;
            let sources = parts::sources(source, mapping.is_flow, &members(mapping));
            for (workflow, text) in all.iter_mut().zip(sources) {
                workflow.source = text;
            }
            Some(Document::Workflows(all.into_iter().map(Arc::new).collect()))
        }
        Kind::Actions => {
            let read = |sink: &mut Sink, path: &Path<'_>, name: &str, entry: &Entry| {
                shape::dict(sink, path, &entry.value)?;
                action(sink, path, name, entry)
            };
            let mut all: Vec<Action> = list(sink, path, mapping, "action", read)?;
            let sources = parts::sources(source, mapping.is_flow, &members(mapping));
            for (action, text) in all.iter_mut().zip(sources) {
                action.source = text;
            }
            Some(Document::Actions(all.into_iter().map(Arc::new).collect()))
        }
        Kind::Workbook => workbook(sink, path, mapping).map(Document::Workbook),
    }
}

/// Everything at the top level but the version.
fn members(mapping: &Mapping) -> Vec<Member<'_>> {
    mapping
        .texts()
        .filter(|(name, _)| *name != "version")
        .map(|(name, entry)| Member {
            name,
            key: entry.key_span.start,
            value: &entry.value,
        })
        .collect()
}

fn list<T>(
    sink: &mut Sink,
    path: &Path<'_>,
    mapping: &Mapping,
    what: &str,
    read: impl Fn(&mut Sink, &Path<'_>, &str, &Entry) -> Option<T>,
) -> Option<Vec<T>> {
    match mapping.get("version") {
        Some(entry) => {
            let path = &path.key("version");
            shape::version(sink, path, &entry.value);
            warn_of_version(sink, path, &entry.value);
        }
        None => missing_version(sink, path),
    }
    shape::text_keys(sink, path, mapping);
    if mapping.get("workflows").is_some() && mapping.get("name").is_some() {
        let span = Span::at(Position::START);
        let message = format!("this looks like a workbook, not like a list of {what}s");
        sink.warn(Rule::IgnoredKey, path, span, message);
    }
    let mut all = Vec::new();
    let mut is_complete = true;
    for (name, entry) in mapping.texts().filter(|(name, _)| *name != "version") {
        let member = read(sink, &path.key(name), name, entry);
        is_complete &= member.is_some();
        all.extend(member);
    }
    let is_empty = mapping
        .entries
        .keys()
        .all(|key| key.as_str() == Some("version"));
    if is_empty {
        let span = Span::at(Position::START);
        let message = format!("the document has no {what}");
        sink.error(Rule::EmptyValue, path, span, message);
    }
    is_complete.then_some(all)
}

fn missing_version(sink: &mut Sink, path: &Path<'_>) {
    let span = Span::at(Position::START);
    sink.error(
        Rule::MissingKey,
        path,
        span,
        "the document needs a `version`",
    )
    .help("begin with `version: '2.0'`");
}

fn workbook(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> Option<Workbook> {
    shape::text_keys(sink, path, mapping);
    shape::known_keys(sink, path, mapping, &WORKBOOK_KEYS, "a workbook");
    match mapping.get("version") {
        Some(entry) => version_two(sink, &path.key("version"), &entry.value),
        None => missing_version(sink, path),
    }
    let name = workbook_name(sink, path, mapping);
    let description = shape::description(sink, path, mapping);
    let tags = shape::tags(sink, path, mapping);
    let workflows = workbook_members(sink, path, mapping, "workflows", workflow);
    let actions = workbook_members(sink, path, mapping, "actions", action);
    Some(Workbook {
        name: Arc::from(name?),
        description,
        tags,
        workflows: workflows?.into_iter().map(Arc::new).collect(),
        actions: actions?.into_iter().map(Arc::new).collect(),
    })
}

fn workbook_name<'n>(sink: &mut Sink, path: &Path<'_>, mapping: &'n Mapping) -> Option<&'n str> {
    let Some(entry) = mapping.get("name") else {
        let span = Span::at(Position::START);
        sink.error(Rule::MissingKey, path, span, "a workbook needs a `name`");
        return None;
    };
    let path = &path.key("name");
    let name = shape::text(sink, path, &entry.value)?;
    names::any(sink, path, name, entry.value.span);
    Some(name)
}

fn workbook_members<T>(
    sink: &mut Sink,
    path: &Path<'_>,
    mapping: &Mapping,
    key: &str,
    read: impl Fn(&mut Sink, &Path<'_>, &str, &Entry) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(entry) = mapping.get(key) else {
        return Some(Vec::new());
    };
    let path = &path.key(key);
    let members = shape::mapping(sink, path, &entry.value)?;
    if members.entries.is_empty() {
        sink.error(
            Rule::EmptyValue,
            path,
            entry.value.span,
            "this mapping must not be empty",
        );
        return None;
    }
    shape::text_keys(sink, path, members);
    let mut all = Vec::new();
    for (name, entry) in members.texts() {
        let path = &path.key(name);
        if name == "version" {
            version_two(sink, path, &entry.value);
            continue;
        }
        let is_name = |c: char| shape::is_word_char(c) || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            let message = format!(
                "the name {} may have only letters, digits, `_` and `-` in a workbook",
                Quoted(name)
            );
            sink.error(Rule::InvalidName, path, entry.key_span, message);
        }
        all.push(read(sink, path, name, entry));
    }
    all.into_iter().collect()
}

/// Lists are accepted with any version, and read as version 2.
fn warn_of_version(sink: &mut Sink, path: &Path<'_>, node: &Node) {
    if !is_two(node) {
        let message = "there is no such version: the document is read as '2.0'";
        sink.warn(Rule::UnsupportedVersion, path, node.span, message)
            .help("write `version: '2.0'`");
    }
}

fn is_two(node: &Node) -> bool {
    let number = match &node.content {
        Content::Scalar(Value::Str(text)) => text.trim().parse::<f64>().ok(),
        Content::Scalar(value) => value.as_f64(),
        _ => None,
    };
    number == Some(2.0)
}

/// A workbook is read only if its version is 2, in whatever way that is written.
fn version_two(sink: &mut Sink, path: &Path<'_>, node: &Node) {
    if !is_two(node) {
        let message = "the version of a workbook must be '2.0'";
        sink.error(Rule::UnsupportedVersion, path, node.span, message);
    }
}
