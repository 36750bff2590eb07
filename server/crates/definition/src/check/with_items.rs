//! `with-items`: `name in source`, alone or as a list.

use std::sync::Arc;

use expr::{Template, Value};
use indexmap::IndexMap;

use crate::diagnostic::Rule;
use crate::model::Item;
use crate::yaml::{Content, Node};

use super::expressions::{self, Looked};
use super::inline::is_blank;
use super::path::{Path, Quoted};
use super::shape::{self, is_word_char};
use super::sink::Sink;

/// The items of a task, in order; of equal names the last source, in the place of the first.
pub(super) fn items(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Vec<Item> {
    let mut items: IndexMap<Arc<str>, Template> = IndexMap::new();
    let mut add = |sink: &mut Sink, path: &Path<'_>, node: &Node| {
        if let Some((name, source)) = item(sink, path, node) {
            if items.contains_key(&name) {
                let message = format!("{} occurs twice; the last one counts", Quoted(&name));
                sink.warn(Rule::HiddenVariable, path, node.span, message);
            }
            items.insert(name, source);
        }
    };
    match &node.content {
        Content::List(list) => {
            shape::texts(sink, path, node);
            for (index, node) in list.iter().enumerate() {
                add(sink, &path.index(index), node);
            }
        }
        Content::Scalar(Value::Str(_)) => {
            if shape::text(sink, path, node).is_some() {
                add(sink, path, node);
            }
        }
        _ => shape::wrong_type(sink, path, node, "a string or a list of strings"),
    }
    items
        .into_iter()
        .map(|(name, source)| Item { name, source })
        .collect()
}

fn item(sink: &mut Sink, path: &Path<'_>, node: &Node) -> Option<(Arc<str>, Template)> {
    let text = node.as_text().filter(|text| !text.is_empty())?;
    let Some((name, part)) = split(text) else {
        let message = format!("{} is not of the form `name in source`", Quoted(text));
        sink.error(Rule::InvalidWithItems, path, node.span, message)
            .help("write `i in <% $.list %>`, `i in {{ _.list }}` or `i in [1, 2, 3]`");
        return None;
    };
    let source = &text[part.clone()];
    let rest = text[part.end..].trim_matches(is_blank);
    if !rest.is_empty() {
        let span = sink.within(node.span, text, part.end..text.len());
        let message = format!("{} after the source is not read", Quoted(rest));
        sink.warn(Rule::IgnoredParameter, path, span, message);
    }
    let template = if source.starts_with('[') {
        match Value::from_json(source) {
            Ok(list) => {
                let (at, looked) = (part.start, Looked::AsText);
                // Mistral looks for expressions in the text, before it reads it as JSON.
                if expr::is_expression(source) && !expr::holds_expression(&list) {
                    expressions::text_template(sink, path, node, part, source, looked);
                }
                expressions::value_template(sink, path, node, at, &list, looked)
            }
            Err(error) => {
                let span = sink.within(node.span, text, part);
                let message = format!("the list is not valid JSON: {error}");
                sink.error(Rule::InvalidWithItems, path, span, message)
                    .help("texts in the list take double quotes");
                return None;
            }
        }
    } else {
        expressions::text_template(sink, path, node, part, source, Looked::AtUpload)
    };
    Some((Arc::from(name), template))
}

/// The name and the place of the source.
fn split(text: &str) -> Option<(&str, std::ops::Range<usize>)> {
    let start = text.len() - text.trim_start_matches(is_blank).len();
    let body = &text[start..];
    let word_end = body
        .find(|c: char| !is_word_char(c) && c != '-')
        .unwrap_or(body.len());
    let word = &body[..word_end];
    let after = body[word_end..].trim_start_matches(is_blank);
    let found = after
        .strip_prefix("in")
        .and_then(source)
        .map(|source| (word, source));
    // Blanks around `in` may be missing: `xin[1]` is `x in [1]`.
    let found = found.or_else(|| {
        let name = word.strip_suffix("in")?;
        Some((name, source(&body[word_end..])?))
    });
    let (name, source) = found.filter(|(name, _)| !name.is_empty())?;
    let source_start = text.len() - source.1;
    Some((name, source_start..source_start + source.0))
}

/// The length of the source at the start of a text, and of the text from there.
fn source(text: &str) -> Option<(usize, usize)> {
    let text = text.trim_start_matches(is_blank);
    let line = &text[..text.find('\n').unwrap_or(text.len())];
    let end = if line.starts_with('[') {
        line.rfind(']').filter(|at| *at > 1)? + 1
    } else if let Some(rest) = line.strip_prefix("{{") {
        rest.find("}}")? + 4
    } else if let Some(rest) = line.strip_prefix("<%") {
        rest.find("%>")? + 4
    } else {
        return None;
    };
    Some((end, text.len()))
}
