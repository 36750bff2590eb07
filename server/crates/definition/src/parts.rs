//! Each member of a list document as a text of its own, so that it can be stored and checked
//! alone and gives the same model.
//!
//! A member keeps exactly its lines, comments and all, where that reads as the same value.
//! Otherwise it is written anew.

use std::sync::Arc;

use expr::{Dict, Value};

use crate::model::Document;
use crate::position::Position;
use crate::yaml::{self, Node};

/// One member of a [`Document`] and its own text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of the workflow or action.
    pub name: Arc<str>,
    /// A document with only this member.
    pub source: Arc<str>,
}

impl Document {
    /// The members of a list document. A workbook has none: it is stored as a whole.
    pub fn parts(&self) -> Vec<Part> {
        fn part(name: &Arc<str>, source: &Arc<str>) -> Part {
            Part {
                name: Arc::clone(name),
                source: Arc::clone(source),
            }
        }
        match self {
            Self::Workflows(all) => all.iter().map(|one| part(&one.name, &one.source)).collect(),
            Self::Actions(all) => all.iter().map(|one| part(&one.name, &one.source)).collect(),
            Self::Workbook(_) => Vec::new(),
        }
    }
}

/// A member as it stands in the tree.
pub(crate) struct Member<'n> {
    pub(crate) name: &'n str,
    pub(crate) key: Position,
    pub(crate) value: &'n Node,
}

/// The text of each member.
pub(crate) fn sources(source: &str, is_flow: bool, members: &[Member<'_>]) -> Vec<Arc<str>> {
    let lines: Vec<&str> = source.split_inclusive('\n').collect();
    members
        .iter()
        .map(|member| {
            let value = member.value.to_value();
            let alone = single(member.name, value);
            // Within braces members do not have lines of their own.
            let slices = if is_flow {
                Vec::new()
            } else {
                slices(&lines, member.key)
            };
            slices
                .into_iter()
                .find(|text| reads_as(text, &alone))
                .unwrap_or_else(|| rewritten(&alone))
                .into()
        })
        .collect()
}

fn single(name: &str, value: Value) -> Value {
    let mut dict = Dict::new();
    dict.insert("version", "2.0");
    dict.insert(name, value);
    Value::Dict(dict)
}

/// The lines from a key to the next line that is not indented more, without and with the blank
/// lines and comments at the end: they belong to what follows, unless they are text.
fn slices(lines: &[&str], key: Position) -> Vec<String> {
    let first = key.line as usize - 1;
    let indent = key.column as usize - 1;
    let is_outside = |line: &&str| {
        let text = line.trim_start_matches(' ');
        let depth = line.len() - text.len();
        depth <= indent && !text.trim().is_empty() && !text.starts_with('#')
    };
    let after = lines.get(first + 1..).unwrap_or_default();
    let count = after.iter().position(is_outside);
    let whole = &lines[first..first + 1 + count.unwrap_or(after.len())];
    let is_content = |line: &&str| {
        let text = line.trim();
        let depth = line.len() - line.trim_start_matches(' ').len();
        !text.is_empty() && (!text.starts_with('#') || depth > indent)
    };
    let last = whole.iter().rposition(is_content);
    let short = &whole[..last.map_or(whole.len(), |last| last + 1)];
    let header = format!("{}version: '2.0'\n\n", " ".repeat(indent));
    [short, whole]
        .map(|lines| format!("{header}{}", lines.concat()))
        .into()
}

/// Whether a text reads as a value. Equal as JSON is not enough: `1` and `true` are equal there.
fn reads_as(text: &str, value: &Value) -> bool {
    match yaml::read(text) {
        Ok(yaml::Read {
            root: Some(root), ..
        }) => rewritten(&root.to_value()) == rewritten(value),
        _ => false,
    }
}

fn rewritten(value: &Value) -> String {
    let mut out = String::new();
    yaml::dump(value, &mut out);
    out.push('\n');
    out
}
