//! What a task or ad-hoc action calls: a name with inline parameters.

use std::ops::Range;
use std::sync::Arc;

use expr::{Template, Value};
use indexmap::IndexMap;

use crate::diagnostic::Rule;
use crate::model::Call;
use crate::position::Span;
use crate::yaml::{Mapping, Node};

use super::expressions::{self, Looked};
use super::facts::{CallFact, Site};
use super::inline::{self, Inline};
use super::path::{Path, Quoted};
use super::shape;
use super::sink::Sink;

/// A call, and its parameters as values for the specification that expressions can read.
pub(super) struct Parsed {
    pub(super) call: Call,
    pub(super) params: IndexMap<Arc<str>, Value>,
    /// Where the values stand, in bytes of the text.
    pub(super) places: IndexMap<Arc<str>, Range<usize>>,
}

/// A call of something without parameters.
pub(super) fn plain(name: &str) -> Parsed {
    Parsed {
        call: Call {
            name: Template::literal(Value::from(name)),
            params: IndexMap::new(),
        },
        params: IndexMap::new(),
        places: IndexMap::new(),
    }
}

/// Reads a call from text.
pub(super) fn parse(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Option<Parsed> {
    let text = shape::text(sink, path, node)?;
    let Inline {
        name,
        params,
        places,
        ..
    } = split(sink, path, node, text)?;
    let templates = params
        .iter()
        .map(|(key, value)| {
            let path = &path.key(key);
            let start = places[key].start;
            let template =
                expressions::value_template(sink, path, node, start, value, Looked::AtUpload);
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
        places,
    })
}

/// What is called, and where that stands.
pub(super) struct Called<'n> {
    /// The text with name and parameters.
    pub(super) node: &'n Node,
    /// The key that it stands under.
    pub(super) key: &'static str,
    pub(super) is_workflow: bool,
    /// The ad-hoc action of which it is the base.
    pub(super) base_of: Option<&'n str>,
}

/// Warns of input that an inline parameter of the same name takes the place of.
fn warn_of_overruled(
    sink: &mut Sink,
    path: &Path<'_>,
    called: &Called<'_>,
    parsed: &Parsed,
    input: Option<(&'static str, &Node)>,
) {
    let Some((key, node)) = input else { return };
    let path = path.key(key);
    let text = called.node.as_text().unwrap_or("");
    for (key, entry) in node.as_map().into_iter().flat_map(Mapping::texts) {
        if let Some(place) = parsed.places.get(key) {
            let inline = sink.within(called.node.span, text, place.clone());
            let message = format!("{} is given inline too, and that counts", Quoted(key));
            sink.warn(Rule::IgnoredValue, &path.key(key), entry.key_span, message)
                .also(inline, "this one counts");
        }
    }
}

/// Notes a call whose name is fixed, for `lookup`; `input` is the key and value of what is given
/// besides inline parameters.
pub(super) fn note(
    sink: &mut Sink,
    path: &Path<'_>,
    called: &Called<'_>,
    parsed: &Parsed,
    input: Option<(&'static str, &Node)>,
) {
    warn_of_overruled(sink, path, called, parsed, input);
    let name = parsed.call.name.source();
    let (Some(name), true) = (name.as_str(), parsed.call.name.is_literal()) else {
        return;
    };
    let site = |path: &Path<'_>, span: Span| Site {
        span,
        path: path.to_string().into(),
    };
    let text = called.node.as_text().unwrap_or("");
    let mut place = |range: Range<usize>| sink.within(called.node.span, text, range);
    let path_of_call = path.key(called.key);
    let mut given: Vec<(Arc<str>, Site)> = parsed
        .places
        .iter()
        .map(|(key, range)| {
            let path = path_of_call.key(key);
            (Arc::clone(key), site(&path, place(range.clone())))
        })
        .collect();
    let mut is_complete = true;
    if let Some((key, node)) = input {
        let path = path.key(key);
        is_complete = node.as_map().is_some();
        for (key, entry) in node.as_map().into_iter().flat_map(Mapping::texts) {
            given.push((Arc::from(key), site(&path.key(key), entry.key_span)));
        }
    }
    let own = site(&path_of_call, place(0..name.len()));
    sink.facts.calls.push(CallFact {
        name: Arc::from(name),
        is_workflow: called.is_workflow,
        base_of: called.base_of.map(Arc::from),
        site: own,
        given,
        is_complete,
    });
}

/// Takes a text with inline parameters apart and warns of what is dropped.
pub(super) fn split(sink: &mut Sink, path: &Path<'_>, node: &Node, text: &str) -> Option<Inline> {
    let Ok(inline) = inline::parse(text) else {
        let message = format!("no name can be read at the start of {}", Quoted(text));
        sink.error(Rule::InvalidCall, path, node.span, message);
        return None;
    };
    for range in &inline.dropped {
        let span = sink.within(node.span, text, range.clone());
        let message = format!(
            "{} is not read as a parameter",
            Quoted(&text[range.clone()])
        );
        sink.warn(Rule::IgnoredParameter, path, span, message)
            .help("values are quoted texts, expressions, lists, whole numbers, true, false, null");
    }
    for (key, place) in &inline.repeated {
        let span = sink.within(node.span, text, place.clone());
        let message = format!("{} occurs twice; the last one counts", Quoted(key));
        sink.warn(Rule::IgnoredParameter, path, span, message);
    }
    for (key, value) in &inline.params {
        let place = &inline.places[key];
        let is_bracket = text[..place.start].ends_with('=') && text[place.start..].starts_with('[');
        if is_bracket && value.as_str().is_some() {
            let message = format!("the value of {} is text, for it is not a list", Quoted(key));
            let span = sink.within(node.span, text, place.clone());
            sink.warn(Rule::IgnoredParameter, path, span, message)
                .help("a list reaches to the last `]` of the line and is written as in JSON");
        }
    }
    Some(inline)
}
