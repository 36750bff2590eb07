//! Policies of tasks and task defaults: waiting, timing out, retrying and the like.

use std::sync::Arc;

use expr::{Template, Value};
use indexmap::IndexMap;

use crate::diagnostic::Rule;
use crate::model::{Policies, Retry};
use crate::yaml::{Content, Mapping, Node};

use super::calls;
use super::expressions::{self, Looked, is_whole};
use super::path::{Path, Quoted};
use super::shape;
use super::sink::Sink;

/// The keys of policies.
pub(super) const KEYS: [&str; 10] = [
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
];

/// Those of them that only actions of workers have.
pub(super) const WORKER_KEYS: [&str; 3] = ["start-to-close", "schedule-to-start", "heartbeat"];

pub(super) const RETRY_KEYS: [&str; 4] = ["count", "delay", "break-on", "continue-on"];

/// The policies of a task or of task defaults.
pub(super) fn policies(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> Policies {
    let mut get = |key: &'static str, kind: Kind| {
        let entry = mapping.get(key)?;
        let template = value(sink, &path.key(key), &entry.value, kind)?;
        // As in Mistral, 0 and false are the same as no policy.
        entry.value.is_truthy().then_some(template)
    };
    let mut policies = Policies {
        pause_before: get("pause-before", Kind::Flag),
        wait_before: get("wait-before", Kind::Count),
        wait_after: get("wait-after", Kind::Count),
        timeout: get("timeout", Kind::Count),
        concurrency: get("concurrency", Kind::Count),
        start_to_close: get("start-to-close", Kind::Count),
        schedule_to_start: get("schedule-to-start", Kind::Count),
        heartbeat: get("heartbeat", Kind::Count),
        fail_on: get("fail-on", Kind::Flag),
        retry: None,
    };
    if let Some(entry) = mapping.get("retry") {
        policies.retry = retry(sink, &path.key("retry"), &entry.value);
    }
    policies
}

/// Takes from the defaults what a task does not set.
pub(super) fn with_defaults(own: Policies, defaults: &Policies) -> Policies {
    fn or<T: Clone>(own: Option<T>, default: Option<&T>) -> Option<T> {
        own.or_else(|| default.cloned())
    }
    Policies {
        pause_before: or(own.pause_before, defaults.pause_before.as_ref()),
        wait_before: or(own.wait_before, defaults.wait_before.as_ref()),
        wait_after: or(own.wait_after, defaults.wait_after.as_ref()),
        timeout: or(own.timeout, defaults.timeout.as_ref()),
        concurrency: or(own.concurrency, defaults.concurrency.as_ref()),
        start_to_close: or(own.start_to_close, defaults.start_to_close.as_ref()),
        schedule_to_start: or(own.schedule_to_start, defaults.schedule_to_start.as_ref()),
        heartbeat: or(own.heartbeat, defaults.heartbeat.as_ref()),
        fail_on: or(own.fail_on, defaults.fail_on.as_ref()),
        retry: or(own.retry, defaults.retry.as_ref()),
    }
}

/// What a value may be besides an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An integer from 0.
    Count,
    /// A boolean.
    Flag,
    /// Nothing else.
    Expression,
}

/// An expression, or a literal of the given kind.
pub(super) fn value(sink: &mut Sink, path: &Path<'_>, node: &Node, kind: Kind) -> Option<Template> {
    if node.as_text().is_some_and(is_whole) {
        return Some(expressions::template(sink, path, node, Looked::AtUpload));
    }
    match (kind, &node.content) {
        (Kind::Flag, Content::Scalar(flag @ Value::Bool(_))) => {
            return Some(Template::literal(flag.clone()));
        }
        (Kind::Count, _) => {
            if let Some(number) = shape::integer(node) {
                if number.as_f64().is_some_and(|number| number >= 0.0) {
                    return Some(Template::literal(number));
                }
                let message = "this number must not be negative";
                sink.error(Rule::InvalidValue, path, node.span, message);
                return None;
            }
        }
        _ => {}
    }
    refuse(sink, path, node, kind);
    None
}

fn refuse(sink: &mut Sink, path: &Path<'_>, node: &Node, kind: Kind) {
    let wanted = match kind {
        Kind::Count => "an integer from 0 or an expression",
        Kind::Flag => "true, false or an expression",
        Kind::Expression => "an expression",
    };
    let Some(text) = node.as_text() else {
        return shape::wrong_type(sink, path, node, wanted);
    };
    let message = format!("expected {wanted}, found the text {}", Quoted(text));
    let diagnostic = sink.error(Rule::WrongType, path, node.span, message);
    if kind == Kind::Count && text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        diagnostic.help("remove the quotes");
    } else if expr::is_expression(text) {
        diagnostic.help("the whole value must be one expression in one line");
    }
}

fn retry(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Option<Retry> {
    match &node.content {
        Content::Map(mapping) => {
            shape::text_keys(sink, path, mapping);
            retry_from(sink, path, node, mapping)
        }
        Content::Scalar(Value::Str(_)) => {
            let text = shape::text(sink, path, node)?;
            let inline = calls::split(sink, path, node, text)?;
            let mapping = as_mapping(node, &inline.params);
            retry_from(sink, path, node, &mapping)
        }
        _ => {
            let wanted = "a mapping or a text such as `count=3 delay=1`";
            shape::wrong_type(sink, path, node, wanted);
            None
        }
    }
}

/// Parameters of a one-line retry as if written as a mapping, all standing where the line stands.
fn as_mapping(node: &Node, params: &IndexMap<Arc<str>, Value>) -> Mapping {
    let mut mapping = Mapping::default();
    for (key, value) in params {
        let content = Content::Scalar(value.clone());
        let value = Node {
            span: node.span,
            content,
        };
        let entry = crate::yaml::Entry {
            key_span: node.span,
            value,
        };
        mapping.entries.insert(Value::from(&**key), entry);
    }
    mapping
}

fn retry_from(sink: &mut Sink, path: &Path<'_>, node: &Node, mapping: &Mapping) -> Option<Retry> {
    shape::known_keys(sink, path, mapping, &RETRY_KEYS, "a retry policy");
    for key in ["count", "delay"] {
        if mapping.get(key).is_none() {
            let message = format!("a retry policy needs `{key}`");
            sink.error(Rule::MissingKey, path, node.span, message);
        }
    }
    let mut get = |key: &'static str, kind: Kind| {
        let entry = mapping.get(key)?;
        value(sink, &path.key(key), &entry.value, kind)
    };
    let count = get("count", Kind::Count);
    let delay = get("delay", Kind::Count);
    let break_on = get("break-on", Kind::Expression);
    let continue_on = get("continue-on", Kind::Expression);
    Some(Retry {
        count: count?,
        delay: delay?,
        break_on,
        continue_on,
    })
}
