//! Declared inputs of workflows and ad-hoc actions.

use std::sync::Arc;

use expr::Value;
use indexmap::IndexMap;

use crate::diagnostic::Rule;
use crate::model::Parameter;
use crate::yaml::{Content, Mapping, Node};

use super::path::{Path, Quoted};
use super::shape;
use super::sink::Sink;

/// The `input` of a workflow or ad-hoc action.
pub(super) fn input(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> Vec<Parameter> {
    let Some(entry) = mapping.get("input") else {
        return Vec::new();
    };
    let path = &path.key("input");
    let Some(items) = shape::list(sink, path, &entry.value) else {
        return Vec::new();
    };
    shape::unique(sink, path, items);
    // Of equal names the last default stands, in the place of the first.
    let mut parameters: IndexMap<Arc<str>, Option<Value>> = IndexMap::new();
    for (index, item) in items.iter().enumerate() {
        let path = &path.index(index);
        if let Some((name, default)) = parameter(sink, path, item) {
            // Equal items are an error already.
            if parameters
                .get(&name)
                .is_some_and(|earlier| *earlier != default)
            {
                let message = format!(
                    "the input {} occurs twice; the last one counts",
                    Quoted(&name)
                );
                sink.warn(Rule::HiddenVariable, path, item.span, message);
            }
            parameters.insert(name, default);
        }
    }
    parameters
        .into_iter()
        .map(|(name, default)| Parameter { name, default })
        .collect()
}

fn parameter(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Option<(Arc<str>, Option<Value>)> {
    match &node.content {
        Content::Scalar(Value::Str(_)) => {
            let name = shape::text(sink, path, node)?;
            Some((Arc::from(name), None))
        }
        Content::Map(_) => {
            let mapping = shape::dict(sink, path, node)?;
            if mapping.entries.len() > 1 {
                let message = "an input with a default is a mapping with one key";
                sink.error(Rule::InvalidValue, path, node.span, message)
                    .help("make each input an item of its own");
                return None;
            }
            let (name, entry) = mapping.texts().next()?;
            let default = entry.value.to_value();
            if expr::holds_expression(&default) {
                let message = format!("the default of {} is not evaluated", Quoted(name));
                sink.warn(
                    Rule::IgnoredExpression,
                    &path.key(name),
                    entry.value.span,
                    message,
                )
                .help("evaluate it under `vars`");
            }
            Some((Arc::from(name), Some(default)))
        }
        _ => {
            shape::wrong_type(
                sink,
                path,
                node,
                "a name or a mapping of one name to its default",
            );
            None
        }
    }
}
