//! Expressions in values: compiling them, and saying where a bad one stands. The languages are
//! left to `expr`.

use std::ops::Range;

use expr::{CompileError, CompileErrorKind, PathSegment, Template, Value};

use crate::diagnostic::Rule;
use crate::position::Span;
use crate::yaml::{Content, Node};

use super::inline::is_blank;
use super::path::Path;
use super::sink::Sink;

/// When Mistral looks at the expressions of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// At upload, at the value itself and one level below; deeper ones when the workflow runs.
    AtUpload,
    /// Only when the workflow runs.
    Late,
}

/// Compiles every expression in a value.
pub(super) fn template(sink: &mut Sink, path: &Path<'_>, node: &Node, looked: Looked) -> Template {
    let (template, errors) = Template::compile(&node.to_value());
    for error in &errors {
        report(sink, path, node, error, looked);
    }
    warn_of_broken_lines(sink, path, node);
    template
}

/// Compiles a text that is a part of the text of `node`, from the given offset in bytes.
pub(super) fn text_template(
    sink: &mut Sink,
    path: &Path<'_>,
    node: &Node,
    part: Range<usize>,
    text: &str,
    looked: Looked,
) -> Template {
    let (template, error) = Template::compile_str(text);
    if let Some(error) = error {
        let span = match node.as_text() {
            Some(whole) => within(node.span, whole, part),
            None => node.span,
        };
        say(sink, path, span, &error, looked == Looked::AtUpload);
    }
    template
}

/// Compiles a value that has no node of its own, such as an inline parameter.
pub(super) fn value_template(
    sink: &mut Sink,
    path: &Path<'_>,
    span: Span,
    value: &Value,
    looked: Looked,
) -> Template {
    let (template, errors) = Template::compile(value);
    for error in &errors {
        let is_error = looked == Looked::AtUpload && error.path.is_empty();
        say(sink, path, span, error, is_error);
    }
    template
}

fn report(sink: &mut Sink, path: &Path<'_>, node: &Node, error: &CompileError, looked: Looked) {
    let is_error = looked == Looked::AtUpload && error.path.len() <= 1;
    descend(sink, path, node, &error.path, &mut |sink, path, node| {
        let span = within(node.span, node.as_text().unwrap_or(""), error.span.clone());
        say(sink, path, span, error, is_error);
    });
}

/// Finds the node that a compile error is about, building its path on the way.
fn descend(
    sink: &mut Sink,
    path: &Path<'_>,
    node: &Node,
    way: &[PathSegment],
    found: &mut dyn FnMut(&mut Sink, &Path<'_>, &Node),
) {
    let Some((first, rest)) = way.split_first() else {
        return found(sink, path, node);
    };
    match (first, &node.content) {
        (PathSegment::Key(key), Content::Map(mapping)) => match mapping.get(key) {
            Some(entry) => descend(sink, &path.key(key), &entry.value, rest, found),
            None => found(sink, path, node),
        },
        (PathSegment::Index(index), Content::List(items)) => match items.get(*index) {
            Some(item) => descend(sink, &path.index(*index), item, rest, found),
            None => found(sink, path, node),
        },
        _ => found(sink, path, node),
    }
}

fn say(sink: &mut Sink, path: &Path<'_>, span: Span, error: &CompileError, is_error: bool) {
    if is_error {
        let rule = match error.kind {
            CompileErrorKind::Mixed => Rule::MixedExpressions,
            _ => Rule::ExpressionSyntax,
        };
        sink.error(rule, path, span, error.to_string());
    } else {
        sink.warn(Rule::LateExpressionError, path, span, error.to_string())
            .help("this is accepted, and fails when the expression is evaluated");
    }
}

/// An expression broken over lines is text: its marks are looked for line by line.
fn warn_of_broken_lines(sink: &mut Sink, path: &Path<'_>, node: &Node) {
    match &node.content {
        Content::Scalar(Value::Str(text)) if text.contains('\n') && is_broken(text) => {
            sink.warn(
                Rule::IgnoredExpression,
                path,
                node.span,
                "`<% … %>` over several lines is text, not an expression",
            )
            .help("write it in one line, or fold the text with `>` instead of `|`");
        }
        Content::Scalar(_) | Content::Date(_) => {}
        Content::List(items) => {
            for (index, item) in items.iter().enumerate() {
                warn_of_broken_lines(sink, &path.index(index), item);
            }
        }
        Content::Map(mapping) => {
            for (key, entry) in mapping.texts() {
                warn_of_broken_lines(sink, &path.key(key), &entry.value);
            }
        }
    }
}

fn is_broken(text: &str) -> bool {
    let mut rest = text;
    while let Some(start) = rest.find("<%") {
        let inner = &rest[start + 2..];
        let Some(end) = inner.find("%>") else {
            return false;
        };
        if inner[..end].contains('\n') {
            return true;
        }
        rest = &inner[end + 2..];
    }
    false
}

/// The place of a part of a scalar's text, as far as it can be known: text that is written as it
/// reads, in one line. Otherwise the place of the whole scalar.
pub(super) fn within(span: Span, text: &str, part: Range<usize>) -> Span {
    let chars = text.chars().count();
    let Some(quotes) = span.width().checked_sub(chars) else {
        return span;
    };
    let is_verbatim = span.is_one_line() && matches!(quotes, 0 | 2);
    let (Some(before), Some(inside)) = (text.get(..part.start), text.get(part)) else {
        return span;
    };
    if !is_verbatim {
        return span;
    }
    let start = span.start.right(quotes / 2 + before.chars().count());
    Span::new(start, start.right(inside.chars().count().max(1)))
}

/// Whether a text is one expression, from its first character to its last but blanks.
pub(super) fn is_whole(text: &str) -> bool {
    let text = text.trim_end_matches(is_blank);
    let is = |open: &str, close: &str| {
        text.strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
            .is_some_and(|inner| !inner.contains('\n'))
    };
    is("<%", "%>") || is("{{", "}}")
}
