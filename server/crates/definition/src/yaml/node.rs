//! The tree that a document is read into.

use std::sync::Arc;

use expr::{Dict, Value};
use indexmap::IndexMap;

use crate::position::Span;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// From its first character to the end of its last.
    pub(crate) span: Span,
    /// The value.
    pub(crate) content: Content,
}

/// The value of a node.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Null, a boolean, a number or text.
    Scalar(Value),
    /// A YAML timestamp, as written. A kind of its own because Mistral refuses dates wherever its
    /// schema looks; deeper inside they become text.
    Date(Arc<str>),
    /// A list.
    List(Vec<Node>),
    /// A mapping.
    Map(Mapping),
}

/// A mapping in document order. Of equal keys (`1`, `1.0` and `true` are equal) the last value
/// stands, in the place of the first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mapping {
    /// The entries by key.
    pub(crate) entries: IndexMap<Value, Entry>,
    /// Written as `{…}`.
    pub(crate) is_flow: bool,
}

/// One value of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where the key stands.
    pub(crate) key_span: Span,
    /// The value.
    pub(crate) value: Node,
}

impl Mapping {
    /// The entry under a text key.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(&Value::from(key))
    }

    /// The entries with text keys.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .filter_map(|(key, entry)| Some((key.as_str()?, entry)))
    }
}

impl Node {
    /// The mapping, if this is one.
    pub(crate) fn as_map(&self) -> Option<&Mapping> {
        match &self.content {
            Content::Map(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is text; dates are not.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(value) => value.as_str(),
            _ => None,
        }
    }

    /// Whether this is null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar(Value::Null))
    }

    /// Python truthiness.
    pub(crate) fn is_truthy(&self) -> bool {
        match &self.content {
            Content::Scalar(value) => value.truthy(),
            Content::Date(_) => true,
            Content::List(items) => !items.is_empty(),
            Content::Map(mapping) => !mapping.entries.is_empty(),
        }
    }

    /// What this is, for messages: `an integer`.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(Value::Null) => "null",
            Content::Scalar(Value::Bool(_)) => "a boolean",
            Content::Scalar(Value::Int(_) | Value::BigInt(_)) => "an integer",
            Content::Scalar(Value::Float(_)) => "a number",
            Content::Scalar(_) => "a string",
            Content::Date(_) => "a date",
            Content::List(_) => "a list",
            Content::Map(_) => "a mapping",
        }
    }

    /// The value without positions.
    pub(crate) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::Date(text) => Value::Str(Arc::clone(text)),
            Content::List(items) => items.iter().map(Self::to_value).collect(),
            Content::Map(mapping) => Value::Dict(
                mapping
                    .entries
                    .iter()
                    .map(|(key, entry)| (key.clone(), entry.value.to_value()))
                    .collect::<Dict>(),
            ),
        }
    }
}
