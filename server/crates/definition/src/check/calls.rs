//! What a task or ad-hoc action calls: a name with inline parameters.

use std::sync::Arc;

use expr::{Template, Value};
use indexmap::IndexMap;

use crate::diagnostic::Rule;
use crate::model::Call;
use crate::yaml::Node;

use super::expressions::{self, Looked};
use super::inline::{self, Inline};
use super::path::{Path, Quoted};
use super::shape;
use super::sink::Sink;

/// A call, and its parameters as values for the specification that expressions can read.
pub(super) struct Parsed {
    pub(super) call: Call,
    pub(super) params: IndexMap<Arc<str>, Value>,
}

/// A call of something without parameters.
pub(super) fn plain(name: &str) -> Parsed {
    Parsed {
        call: Call {
            name: Template::literal(Value::from(name)),
            params: IndexMap::new(),
        },
        params: IndexMap::new(),
    }
}

/// Reads a call from text.
pub(super) fn parse(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Option<Parsed> {
    let text = shape::text(sink, path, node)?;
    let Inline { name, params, .. } = split(sink, path, node, text)?;
    let templates = params
        .iter()
        .map(|(key, value)| {
            let path = &path.key(key);
            let template =
                expressions::value_template(sink, path, node.span, value, Looked::AtUpload);
            (Arc::clone(key), template)
        })
        .collect();
    let part = 0..name.len();
    let name = expressions::text_template(sink, path, node, part, &name, Looked::Late);
    Some(Parsed {
        call: Call {
            name,
            params: templates,
        },
        params,
    })
}

/// Takes a text with inline parameters apart and warns of what is dropped.
pub(super) fn split(sink: &mut Sink, path: &Path<'_>, node: &Node, text: &str) -> Option<Inline> {
    let Ok(inline) = inline::parse(text) else {
        let message = format!("no name can be read at the start of {}", Quoted(text));
        sink.error(Rule::InvalidCall, path, node.span, message);
        return None;
    };
    if let Some(range) = &inline.dropped {
        let span = expressions::within(node.span, text, range.clone());
        let message = format!(
            "{} is not read as a parameter",
            Quoted(&text[range.clone()])
        );
        sink.warn(Rule::IgnoredParameter, path, span, message)
            .help("values are quoted texts, expressions, lists, whole numbers, true, false, null");
    }
    for (key, value) in &inline.params {
        if value.as_str().is_some_and(|text| text.starts_with('[')) {
            let message = format!("the value of {} is text, for it is not a list", Quoted(key));
            sink.warn(Rule::IgnoredParameter, path, node.span, message)
                .help("a list reaches to the last `]` of the line and is written as in JSON");
        }
    }
    Some(inline)
}
