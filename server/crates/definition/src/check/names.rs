//! Names of workflows, actions and workbooks.

use crate::diagnostic::Rule;
use crate::position::Span;

use super::path::{Path, Quoted};
use super::sink::Sink;

/// The name of a workflow, which must not be taken for the id of one.
pub(super) fn workflow(sink: &mut Sink, path: &Path<'_>, name: &str, span: Span) {
    any(sink, path, name, span);
    if is_uuid(name) {
        let message = "a workflow must not have the form of a UUID as its name";
        sink.error(Rule::InvalidName, path, span, message);
    }
}

/// Any name.
pub(super) fn any(sink: &mut Sink, path: &Path<'_>, name: &str, span: Span) {
    if name.is_empty() {
        sink.error(Rule::InvalidName, path, span, "a name must not be empty");
    } else if name.contains(' ') {
        let message = format!("the name {} must not contain spaces", Quoted(name));
        sink.error(Rule::InvalidName, path, span, message);
    }
}

/// With or without dashes, braces and prefixes.
fn is_uuid(name: &str) -> bool {
    let name = name.replace("urn:", "").replace("uuid:", "");
    let digits = name.trim_matches(['{', '}']).replace('-', "");
    digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}
