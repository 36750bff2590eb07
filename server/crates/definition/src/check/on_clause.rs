//! `on-success` and its siblings: a target, a list of targets, or a mapping of `publish` and
//! `next`. Which task a target names is left to `graph`.

use std::sync::Arc;

use expr::{Template, Value};

use crate::diagnostic::Rule;
use crate::model::Publish;
use crate::position::Span;
use crate::yaml::{Content, Entry, Mapping, Node};

use super::calls;
use super::expressions::{self, Looked, is_whole};
use super::inline::{self, Inline, is_blank};
use super::path::{Path, Quoted};
use super::publish;
use super::shape;
use super::sink::Sink;

/// One clause as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Clause {
    /// Variables to publish.
    pub(super) publish: Publish,
    /// Where to go, in order.
    pub(super) next: Vec<Next>,
}

/// One target that is not yet looked up.
#[derive(Clone, Debug)]
pub(super) struct Next {
    /// A task or an engine command.
    pub(super) name: Arc<str>,
    /// Absent means always.
    pub(super) condition: Option<Template>,
    /// The `msg` parameter.
    pub(super) message: Option<Template>,
    /// Where the target stands.
    pub(super) span: Span,
    /// The same in the structure.
    pub(super) path: Arc<str>,
}

/// Reads a clause.
pub(super) fn clause(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Clause {
    match &node.content {
        Content::Map(mapping) => from_mapping(sink, path, node, mapping),
        Content::List(_) => Clause {
            next: list(sink, path, node),
            ..Clause::default()
        },
        _ => Clause {
            next: target(sink, path, node).into_iter().collect(),
            ..Clause::default()
        },
    }
}

/// A mapping is taken for `publish` and `next` whatever its keys are, so a condition written
/// without a list is lost.
fn from_mapping(sink: &mut Sink, path: &Path<'_>, node: &Node, mapping: &Mapping) -> Clause {
    if mapping.entries.is_empty() {
        sink.error(
            Rule::EmptyValue,
            path,
            node.span,
            "this clause must not be empty",
        );
        return Clause::default();
    }
    shape::text_keys(sink, path, mapping);
    let is_known = |key: &str| matches!(key, "publish" | "next");
    let has_known = mapping.texts().any(|(key, _)| is_known(key));
    if !has_known && mapping.entries.len() == 1 {
        if let Some((key, entry)) = mapping.texts().next() {
            conditional(sink, path, key, entry, Looked::Late);
            let message = format!("the transition to {} is lost", Quoted(key));
            sink.warn(Rule::IgnoredTransition, path, entry.key_span, message)
                .help(
                    "a target with a condition is written as an item of a list: put `- ` before it",
                );
        }
        return Clause::default();
    }
    shape::known_keys(
        sink,
        path,
        mapping,
        &["publish", "next"],
        "a transition clause",
    );
    Clause {
        publish: mapping
            .get("publish")
            .map(|entry| publish::scoped(sink, &path.key("publish"), &entry.value))
            .unwrap_or_default(),
        next: mapping
            .get("next")
            .map(|entry| next(sink, &path.key("next"), &entry.value))
            .unwrap_or_default(),
    }
}

fn next(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Vec<Next> {
    match &node.content {
        Content::List(_) => list(sink, path, node),
        // Mistral reads only the key here, so the transition is always taken.
        Content::Map(_) => {
            let Some((key, entry)) = one_entry(sink, path, node) else {
                return Vec::new();
            };
            let next = conditional(sink, path, key, entry, Looked::Late);
            let message = format!("the condition of {} is not looked at", Quoted(key));
            sink.warn(Rule::IgnoredCondition, path, entry.value.span, message)
                .help(
                    "a target with a condition is written as an item of a list: put `- ` before it",
                );
            next.map(|next| Next {
                condition: None,
                ..next
            })
            .into_iter()
            .collect()
        }
        _ => target(sink, path, node).into_iter().collect(),
    }
}

fn list(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Vec<Next> {
    let Some(items) = shape::list(sink, path, node) else {
        return Vec::new();
    };
    shape::unique(sink, path, items);
    let mut all = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = &path.index(index);
        all.extend(match &item.content {
            Content::Map(_) => one_entry(sink, path, item)
                .and_then(|(key, entry)| conditional(sink, path, key, entry, Looked::AtUpload)),
            _ => target(sink, path, item),
        });
    }
    warn_of_cut(sink, &all);
    all
}

/// What stands after `fail` or `succeed` is dropped.
fn warn_of_cut(sink: &mut Sink, all: &[Next]) {
    let ends = |next: &Next| next.condition.is_none() && matches!(&*next.name, "fail" | "succeed");
    let Some(at) = all.iter().position(ends) else {
        return;
    };
    if let Some(lost) = all.get(at + 1) {
        let message = format!(
            "nothing after {} is reached: it ends the workflow",
            Quoted(&all[at].name)
        );
        let root = Path::ROOT;
        let path = root.verbatim(&lost.path);
        sink.warn(Rule::IgnoredTransition, &path, lost.span, message);
    }
}

fn one_entry<'n>(sink: &mut Sink, path: &Path<'_>, node: &'n Node) -> Option<(&'n str, &'n Entry)> {
    let mapping = node.as_map()?;
    shape::text_keys(sink, path, mapping);
    if mapping.entries.len() != 1 {
        let message = "a target with a condition is a mapping with one key";
        sink.error(Rule::InvalidValue, path, node.span, message)
            .help("make each target an item of its own");
        return None;
    }
    mapping.texts().next()
}

/// A target with a condition. Where `looked` is late the condition will not be used.
fn conditional(
    sink: &mut Sink,
    path: &Path<'_>,
    key: &str,
    entry: &Entry,
    looked: Looked,
) -> Option<Next> {
    let path = &path.key(key);
    let node = &entry.value;
    // Mistral asks for an expression only under keys of a known form, and takes any other value
    // as it is.
    let must_be_expression = is_name(key) || inline::is_command(key) || inline::is_function(key);
    if must_be_expression && !node.as_text().is_some_and(is_whole) {
        let message = format!("the condition of {} must be an expression", Quoted(key));
        sink.error(Rule::WrongType, path, node.span, message)
            .help("write <% … %> or \"{{ … }}\" over the whole value");
        return None;
    }
    let condition = match &node.content {
        Content::Scalar(Value::Str(_)) => expressions::template(sink, path, node, looked),
        _ => Template::literal(node.to_value()),
    };
    let key_node = Node {
        span: entry.key_span,
        content: Content::Scalar(Value::from(key)),
    };
    let inline = split_target(sink, path, &key_node, key)?;
    let next = made(sink, path, &key_node, inline);
    // An empty text is how Mistral writes "no condition".
    let is_absent = condition.source().as_str() == Some("");
    Some(Next {
        condition: (!is_absent).then_some(condition),
        ..next
    })
}

fn target(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Option<Next> {
    let Some(text) = node.as_text() else {
        shape::wrong_type(sink, path, node, "a target, a list of targets or a mapping");
        return None;
    };
    if !(is_name(text) || inline::is_command(text) || inline::is_function(text)) {
        let message = format!("{} is not a target", Quoted(text));
        sink.error(Rule::InvalidValue, path, node.span, message)
            .help("a target is a task or a command such as `fail msg=\"why\"`");
        return None;
    }
    let inline = split_target(sink, path, node, text)?;
    Some(made(sink, path, node, inline))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(is_blank)
}

fn split_target(sink: &mut Sink, path: &Path<'_>, node: &Node, text: &str) -> Option<Inline> {
    match inline::parse_function(text) {
        Some(inline) => Some(inline),
        None => calls::split(sink, path, node, text),
    }
}

fn made(sink: &mut Sink, path: &Path<'_>, node: &Node, inline: Inline) -> Next {
    // Mistral looks at an expression in a target before it looks for a task of that name.
    let part = 0..inline.name.len();
    expressions::text_template(sink, path, node, part, &inline.name, Looked::AtUpload);
    let is_command = matches!(&*inline.name, "noop" | "fail" | "succeed" | "pause");
    for (key, place) in &inline.places {
        if !(is_command && &**key == "msg") {
            let span = sink.within(node.span, node.as_text().unwrap_or(""), place.clone());
            let what = if is_command {
                "an engine command takes `msg` only"
            } else {
                "a task takes no parameters from its transitions"
            };
            let message = format!("{} has no effect: {what}", Quoted(key));
            sink.warn(Rule::IgnoredParameter, path, span, message);
        }
    }
    let message = inline.params.get("msg").map(|message| {
        let start = inline.places["msg"].start;
        expressions::value_template(sink, path, node, start, message, Looked::Late)
    });
    Next {
        name: Arc::from(inline.name),
        condition: None,
        message,
        span: node.span,
        path: Arc::from(path.to_string()),
    }
}
