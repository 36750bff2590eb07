//! One ad-hoc action.

use std::sync::Arc;

use expr::{Dict, Template, Value};

use crate::diagnostic::Rule;
use crate::model::Action;
use crate::yaml::{Content, Entry, Mapping};

use super::calls::{self, Parsed};
use super::expressions::{self, Looked};
use super::names;
use super::parameters;
use super::path::Path;
use super::publish;
use super::shape;
use super::sink::Sink;

const KEYS: [&str; 8] = [
    "name",
    "version",
    "description",
    "tags",
    "base",
    "base-input",
    "input",
    "output",
];

/// Reads one ad-hoc action.
pub(super) fn action(
    sink: &mut Sink,
    path: &Path<'_>,
    name: &str,
    entry: &Entry,
) -> Option<Action> {
    names::any(sink, path, name, entry.key_span);
    let mapping = shape::mapping(sink, path, &entry.value)?;
    shape::known_keys(sink, path, mapping, &KEYS, "an ad-hoc action");
    let description = shape::description(sink, path, mapping);
    let tags = shape::tags(sink, path, mapping);
    let input = parameters::input(sink, path, mapping);
    let base_input = mapping
        .get("base-input")
        .and_then(|entry| publish::dict_template(sink, &path.key("base-input"), &entry.value));
    let output = output(sink, path, mapping);
    let Some(base) = mapping.get("base") else {
        let message = "an ad-hoc action needs `base`, the action underneath";
        sink.error(Rule::MissingKey, path, entry.key_span, message);
        return None;
    };
    let node = &base.value;
    let base = calls::parse(sink, &path.key("base"), node)?;
    let given = mapping.get("base-input").map(|entry| &entry.value);
    let called = calls::Called {
        node,
        key: "base",
        is_workflow: false,
        base_of: Some(name),
    };
    calls::note(
        sink,
        path,
        &called,
        &base,
        given.map(|node| ("base-input", node)),
    );
    // The variables of an ad-hoc action come from whoever calls it.
    sink.take_uses();
    Some(Action {
        name: Arc::from(name),
        description,
        tags,
        input,
        spec: spec(name, mapping, &base),
        base: base.call,
        base_input,
        output,
        source: Arc::from(""),
    })
}

/// Mistral looks at the expression of an output that is text, and of no other.
fn output(sink: &mut Sink, path: &Path<'_>, mapping: &Mapping) -> Option<Template> {
    let node = &mapping.get("output")?.value;
    let path = &path.key("output");
    let looked = match &node.content {
        Content::Date(_) => {
            shape::wrong_type(sink, path, node, "a value of JSON");
            return None;
        }
        // As in Mistral, null is the same as no output.
        Content::Scalar(Value::Null) => return None,
        Content::Scalar(_) => Looked::AtUpload,
        Content::List(_) | Content::Map(_) => Looked::Late,
    };
    Some(expressions::template(sink, path, node, looked))
}

/// The action as written, with what Mistral adds.
fn spec(name: &str, mapping: &Mapping, base: &Parsed) -> Value {
    let mut spec: Dict = mapping
        .entries
        .iter()
        .map(|(key, entry)| (key.clone(), entry.value.to_value()))
        .collect();
    if let Some(Value::Dict(mut input)) = spec.get("base-input") {
        for (key, value) in &base.params {
            input.insert(Arc::clone(key), value.clone());
        }
        spec.insert("base-input", Value::Dict(input));
    }
    spec.insert("name", name);
    spec.insert("version", super::VERSION);
    Value::Dict(spec)
}
