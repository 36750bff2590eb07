//! Ad-hoc actions that are the base of one another: whichever is called, its task fails.

use std::collections::BTreeMap;

use crate::diagnostic::Rule;
use crate::model::Document;

use super::facts::CallFact;
use super::path::{Path, Quoted};
use super::sink::Sink;

/// Warns of each circle once, at the member that stands first in the document.
pub(super) fn warn_of_cycles(sink: &mut Sink, calls: &[CallFact], document: &Document) {
    let of_name: BTreeMap<&str, usize> = calls
        .iter()
        .enumerate()
        .filter_map(|(at, call)| Some((call.base_of.as_deref()?, at)))
        .collect();
    let base = |at: usize| {
        let name = &*calls[at].name;
        let short = short_name(document, name);
        let member = of_name.get(name);
        member.or_else(|| of_name.get(short?)).copied()
    };
    // From which action each was met first: who meets its own mark again has found a circle.
    let mut met_from = vec![None; calls.len()];
    for &start in of_name.values() {
        let mut next = Some(start);
        while let Some(at) = next.filter(|at| met_from[*at].is_none()) {
            met_from[at] = Some(start);
            next = base(at);
        }
        if let Some(at) = next.filter(|at| met_from[*at] == Some(start)) {
            let circle = std::iter::successors(Some(at), |at| base(*at));
            let others = circle.skip(1).take_while(|other| *other != at);
            warn(sink, &calls[others.fold(at, usize::min)]);
        }
    }
}

/// The name of a member of a workbook without that of the workbook.
fn short_name<'n>(document: &Document, name: &'n str) -> Option<&'n str> {
    match document {
        Document::Workbook(book) => name.strip_prefix(&*book.name)?.strip_prefix('.'),
        Document::Workflows(_) | Document::Actions(_) => None,
    }
}

fn warn(sink: &mut Sink, call: &CallFact) {
    let Some(action) = call.base_of.as_deref() else {
        return;
    };
    let through = if *call.name == *action {
        ""
    } else {
        ", through others"
    };
    let message = format!("the action {} is its own base{through}", Quoted(action));
    let (root, site) = (Path::ROOT, &call.site);
    let path = root.verbatim(&site.path);
    sink.warn(Rule::BaseCycle, &path, site.span, message);
}
