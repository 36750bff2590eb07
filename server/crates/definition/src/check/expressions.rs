//! Expressions in values: compiling them, and saying where a bad one stands. The languages are
//! left to `expr`.

use std::ops::Range;

use expr::{CompileError, CompileErrorKind, Finding, FindingKind, PathSegment, Template, Value};

use crate::diagnostic::Rule;
use crate::position::Span;
use crate::yaml::{Content, Node};

use super::facts::{Site, Use, Wanted};
use super::inline::is_blank;
use super::path::{Path, Quoted};
use super::sink::Sink;

/// Longer names are not compared with those of functions.
const NAME_BYTES_MAX: usize = 64;

/// When Mistral looks at the expressions of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// At upload, at the value itself and one level below; deeper ones when the workflow runs.
    AtUpload,
    /// At upload, at all levels: the value is written as one text.
    AsText,
    /// Only when the workflow runs.
    Late,
}

/// Compiles every expression in a value.
pub(super) fn template(sink: &mut Sink, path: &Path<'_>, node: &Node, looked: Looked) -> Template {
    let (template, errors) = Template::compile(&node.to_value());
    for error in &errors {
        report(sink, path, node, error, looked);
    }
    for finding in template.inspect() {
        descend(sink, path, node, &finding.path, &mut |sink, path, node| {
            let text = node.as_text().unwrap_or("");
            let span = sink.within(node.span, text, finding.span.clone());
            tell(sink, path, span, &finding);
        });
    }
    warn_of_lost(sink, path, node);
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
        let span = place(sink, node, part.start, &error.span);
        say(sink, path, span, &error, looked != Looked::Late);
    }
    for finding in template.inspect() {
        let span = place(sink, node, part.start, &finding.span);
        tell(sink, path, span, &finding);
    }
    template
}

/// The place of a part of a text that begins at an offset of the text of `node`.
fn place(sink: &mut Sink, node: &Node, start: usize, part: &Range<usize>) -> Span {
    let text = node.as_text().unwrap_or("");
    sink.within(node.span, text, start + part.start..start + part.end)
}

/// Compiles a value that has no node of its own, such as an inline parameter, whose text begins
/// at an offset of the text of `node`.
pub(super) fn value_template(
    sink: &mut Sink,
    path: &Path<'_>,
    node: &Node,
    start: usize,
    value: &Value,
    looked: Looked,
) -> Template {
    let (template, errors) = Template::compile(value);
    // Within a list the offsets are those of its items.
    let place = |sink: &mut Sink, path: &[PathSegment], part: &Range<usize>| {
        if path.is_empty() {
            place(sink, node, start, part)
        } else {
            node.span
        }
    };
    for error in &errors {
        let is_error = match looked {
            Looked::AtUpload => error.path.is_empty(),
            Looked::AsText => true,
            Looked::Late => false,
        };
        let span = place(sink, &error.path, &error.span);
        say(sink, path, span, error, is_error);
    }
    for finding in template.inspect() {
        let span = place(sink, &finding.path, &finding.span);
        tell(sink, path, span, &finding);
    }
    template
}

fn report(sink: &mut Sink, path: &Path<'_>, node: &Node, error: &CompileError, looked: Looked) {
    let is_error = looked == Looked::AtUpload && error.path.len() <= 1;
    descend(sink, path, node, &error.path, &mut |sink, path, node| {
        let span = sink.within(node.span, node.as_text().unwrap_or(""), error.span.clone());
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

/// Says what is certain about an expression, and notes what cannot be judged yet.
fn tell(sink: &mut Sink, path: &Path<'_>, span: Span, finding: &Finding) {
    let mut note = |wanted: Wanted| {
        let path = path.to_string().into();
        let site = Site { span, path };
        sink.facts.uses.push(Use { wanted, site });
    };
    match &finding.kind {
        FindingKind::Variable(name) => note(Wanted::Variable(name.as_str().into())),
        FindingKind::Task(name) => note(Wanted::Task(name.as_str().into())),
        FindingKind::UnknownFunction(name, form) => {
            let message = if is_compared(sink, name) {
                expr::unknown_function(name, *form)
            } else {
                format!("there is no function {}", Quoted(name))
            };
            sink.warn(Rule::UnknownFunction, path, span, message);
        }
        FindingKind::UnknownFilter(name) => {
            let message = if is_compared(sink, name) {
                expr::unknown_filter(name)
            } else {
                format!("there is no filter {}", Quoted(name))
            };
            sink.warn(Rule::UnknownFilter, path, span, message);
        }
        FindingKind::UnknownTest(name) => {
            let message = if is_compared(sink, name) {
                expr::unknown_test(name)
            } else {
                format!("there is no test {}", Quoted(name))
            };
            sink.warn(Rule::UnknownFilter, path, span, message);
        }
        FindingKind::ChangesInPlace(name) => {
            let message = format!("values cannot be changed in place: there is no {name}()");
            sink.warn(Rule::UnknownFunction, path, span, message)
                .help("make a new value: `list + [item]`, `dict(old, key=value)`");
        }
        FindingKind::UnknownName(name) => {
            let message = format!("nothing is called {} in Jinja", Quoted(name));
            sink.warn(Rule::UnknownFunction, path, span, message)
                .help("variables of the workflow are read with `_.name`");
        }
        FindingKind::WrongArguments(name) => {
            let message = format!("{} does not take these arguments", Quoted(name));
            sink.warn(Rule::WrongArguments, path, span, message);
        }
        _ => {}
    }
}

/// Whether an unknown name is compared with those that are known.
fn is_compared(sink: &mut Sink, name: &str) -> bool {
    sink.may_suggest() && name.len() <= NAME_BYTES_MAX
}

/// Warns of expressions that are not found: those broken over lines, for marks are looked for
/// line by line, and those in keys.
fn warn_of_lost(sink: &mut Sink, path: &Path<'_>, node: &Node) {
    match &node.content {
        Content::Scalar(Value::Str(text)) if text.contains('\n') => {
            for (open, close) in [("<%", "%>"), ("{{", "}}")] {
                if let Some(part) = broken(text, open, close) {
                    let span = sink.within(node.span, text, part);
                    let message =
                        format!("`{open} … {close}` over several lines is text, not an expression");
                    sink.warn(Rule::IgnoredExpression, path, span, message)
                        .help("write it in one line, or fold the text with `>-` instead of `|`");
                }
            }
        }
        Content::Scalar(_) | Content::Date(_) => {}
        Content::List(items) => {
            for (index, item) in items.iter().enumerate() {
                warn_of_lost(sink, &path.index(index), item);
            }
        }
        Content::Map(mapping) => {
            for (key, entry) in mapping.texts() {
                let path = path.key(key);
                if expr::is_expression(key) {
                    let message = "an expression in a key is not evaluated";
                    sink.warn(Rule::IgnoredExpression, &path, entry.key_span, message);
                }
                warn_of_lost(sink, &path, &entry.value);
            }
        }
    }
}

/// The first expression with a line break in it.
fn broken(text: &str, open: &str, close: &str) -> Option<Range<usize>> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find(open)?;
        let end = start + text[start..].find(close)? + close.len();
        if text[start..end].contains('\n') {
            return Some(start..end);
        }
        from = end;
    }
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
