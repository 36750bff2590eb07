//! The shapes that values of a definition have: text, mappings, lists without repetition, known
//! keys. Each function reports what does not fit and gives back what does.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use expr::Value;

use crate::diagnostic::Rule;
use crate::position::Span;
use crate::yaml::{Content, Mapping, Node};

use super::path::{Path, Quoted};
use super::sink::Sink;

/// Reports a value of another type than wanted.
pub(super) fn wrong_type(sink: &mut Sink, path: &Path<'_>, node: &Node, wanted: &str) {
    let message = format!("expected {wanted}, found {}", node.kind());
    let diagnostic = sink.error(Rule::WrongType, path, node.span, message);
    if let Content::Date(text) = &node.content {
        diagnostic.help(format!(
            "YAML reads `{text}` as a date; quote it to make it text"
        ));
    }
}

/// Text that is not empty.
pub(super) fn text<'n>(sink: &mut Sink, path: &Path<'_>, node: &'n Node) -> Option<&'n str> {
    match node.as_text() {
        Some("") => {
            sink.error(
                Rule::EmptyValue,
                path,
                node.span,
                "this text must not be empty",
            );
            None
        }
        Some(text) => Some(text),
        None => {
            wrong_type(sink, path, node, "a string");
            None
        }
    }
}

/// A mapping, empty or not.
pub(super) fn mapping<'n>(sink: &mut Sink, path: &Path<'_>, node: &'n Node) -> Option<&'n Mapping> {
    let mapping = node.as_map();
    if mapping.is_none() {
        wrong_type(sink, path, node, "a mapping");
    }
    mapping
}

/// A mapping with at least one entry, text keys, and no dates as values.
pub(super) fn dict<'n>(sink: &mut Sink, path: &Path<'_>, node: &'n Node) -> Option<&'n Mapping> {
    let mapping = mapping(sink, path, node)?;
    if mapping.entries.is_empty() {
        sink.error(
            Rule::EmptyValue,
            path,
            node.span,
            "this mapping must not be empty",
        );
        return None;
    }
    text_keys(sink, path, mapping);
    for (key, entry) in mapping.texts() {
        if matches!(entry.value.content, Content::Date(_)) && is_word(key) {
            wrong_type(sink, &path.key(key), &entry.value, "a value of JSON");
        }
    }
    Some(mapping)
}

/// Reports keys that are not text, which YAML 1.1 makes of `on`, `yes` and numbers.
pub(super) fn text_keys(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) {
    for (key, entry) in &mapping.entries {
        if key.as_str().is_none() {
            let shown = key.to_text();
            let message = match key {
                Value::Null | Value::Bool(_) => format!(
                    "a key must be text, but YAML reads this one as {}",
                    shown.to_lowercase().replace("none", "null")
                ),
                _ => format!("a key must be text, {} is a number", Quoted(&shown)),
            };
            sink.error(Rule::NonStringKey, path, entry.key_span, message)
                .help("quote the key");
        }
    }
}

/// Reports keys that have no meaning here. `what` names the mapping: `a task`.
pub(super) fn known_keys(
    sink: &mut Sink,
    path: &Path<'_>,
    mapping: &Mapping,
    known: &[&str],
    what: &str,
) {
    for (key, entry) in mapping.texts() {
        if !known.contains(&key) {
            unknown_key(sink, path, key, entry.key_span, known, what);
        }
    }
}

/// Reports one unknown key.
pub(super) fn unknown_key(
    sink: &mut Sink,
    path: &Path<'_>,
    key: &str,
    span: Span,
    known: &[&str],
    what: &str,
) {
    let suggestion = sink.suggest(key, known.iter().copied());
    let message = format!("{what} has no key {}", Quoted(key));
    sink.error(Rule::UnknownKey, &path.key(key), span, message)
        .suggestion = suggestion;
}

/// A list without repetition whose items are texts.
pub(super) fn texts(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Vec<Arc<str>> {
    let Some(items) = list(sink, path, node) else {
        return Vec::new();
    };
    let texts = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| text(sink, &path.index(index), item).map(Arc::from))
        .collect();
    unique(sink, path, items);
    texts
}

/// A list with at least one item.
pub(super) fn list<'n>(sink: &mut Sink, path: &Path<'_>, node: &'n Node) -> Option<&'n [Node]> {
    let Some(items) = node.as_list() else {
        wrong_type(sink, path, node, "a list");
        return None;
    };
    if items.is_empty() {
        sink.error(
            Rule::EmptyValue,
            path,
            node.span,
            "this list must not be empty",
        );
        return None;
    }
    Some(items)
}

/// One text, or a list of texts without repetition.
pub(super) fn text_or_texts(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Vec<Arc<str>> {
    match &node.content {
        Content::List(_) => texts(sink, path, node),
        Content::Scalar(Value::Str(_)) => {
            text(sink, path, node).map(Arc::from).into_iter().collect()
        }
        _ => {
            wrong_type(sink, path, node, "a string or a list of strings");
            Vec::new()
        }
    }
}

/// Reports items that equal an earlier one.
pub(super) fn unique(sink: &mut Sink, path: &Path<'_>, items: &[Node]) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let mut form = String::new();
        canonical(&item.to_value(), &mut form);
        if !seen.insert(form) {
            let message = "this item occurs more than once";
            sink.error(Rule::RepeatedItem, &path.index(index), item.span, message);
        }
    }
}

/// Equal values have equal forms: `1` and `1.0` are equal, `1` and `true` are not, and the order
/// of keys does not matter.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Bool(flag) => out.push_str(if *flag { "t" } else { "f" }),
        Value::Str(text) => write!(out, "{text:?}").expect("writing to a string cannot fail"),
        Value::List(items) => {
            out.push('[');
            for item in items.iter() {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Dict(dict) => {
            let mut entries: Vec<String> = Vec::new();
            for (key, item) in dict.iter() {
                let mut form = String::new();
                canonical(&key, &mut form);
                form.push(':');
                canonical(&item, &mut form);
                entries.push(form);
            }
            entries.sort_unstable();
            out.push('{');
            out.push_str(&entries.join(","));
            out.push('}');
        }
        Value::Float(number) if number.fract() == 0.0 => {
            write!(out, "{number:.0}").expect("writing to a string cannot fail");
        }
        number => out.push_str(&number.to_text()),
    }
}

/// What JSON schema calls an integer: also `3.0`.
pub(super) fn integer(node: &Node) -> Option<Value> {
    match &node.content {
        Content::Scalar(value @ (Value::Int(_) | Value::BigInt(_))) => Some(value.clone()),
        Content::Scalar(Value::Float(number)) if number.fract() == 0.0 => {
            // Every integral double beyond 64 bits is far outside any use; it stays a double.
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            let whole = (number.abs() < 9.0e15).then_some(*number as i64);
            Some(whole.map_or(Value::Float(*number), Value::Int))
        }
        _ => None,
    }
}

/// Whether a text is made of letters, digits and underscores.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word_char)
}

/// What `\w` matches.
pub(super) fn is_word_char(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The keys that Mistral allows on nearly everything.
pub(super) const META_KEYS: [&str; 4] = ["name", "version", "description", "tags"];

/// A description that is text.
pub(super) fn description(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> Option<Arc<str>> {
    let entry = mapping.get("description")?;
    text(sink, &path.key("description"), &entry.value).map(Arc::from)
}

/// Tags.
pub(super) fn tags(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> Vec<Arc<str>> {
    match mapping.get("tags") {
        Some(entry) => texts(sink, &path.key("tags"), &entry.value),
        None => Vec::new(),
    }
}

/// A version: text that is not empty, or a number from 0.
pub(super) fn version(sink: &mut Sink, path: &Path<'_>, node: &Node) {
    let is_version = match &node.content {
        Content::Scalar(Value::Str(text)) => !text.is_empty(),
        Content::Scalar(Value::Int(number)) => *number >= 0,
        Content::Scalar(Value::Float(number)) => *number >= 0.0,
        Content::Scalar(Value::BigInt(number)) => number.sign() != num_bigint::Sign::Minus,
        _ => false,
    };
    if !is_version {
        let message = "the version must be '2.0'";
        sink.error(Rule::UnsupportedVersion, path, node.span, message);
    }
}
