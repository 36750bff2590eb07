//! What is certain about the names that a Jinja text reads. Finding the names is left to
//! `minijinja`, which tells no places, so the text is searched for them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::methods::CHANGING;
use super::words::{Kind, Word, words};
use super::{environment, known};
use crate::context::{HOST_FUNCTIONS, JINJA_FUNCTIONS};
use crate::inspect::FindingKind;

/// Names that are looked for in one text: each search goes through all of it.
pub(super) const NAMES_MAX: usize = 50;

/// With one of these words in the text a missing name may be what is asked about.
const GUARDS: [&str; 4] = ["default", "defined", "|d(", "| d("];

/// The methods of a dict, which are no names of the data.
const METHODS: [&str; 8] = [
    "copy",
    "get",
    "items",
    "keys",
    "pop",
    "setdefault",
    "update",
    "values",
];

/// Tells of names such as `_.a.b` and `task` what is certain.
pub(super) fn tell(
    text: &str,
    names: BTreeSet<String>,
    tell: &mut dyn FnMut(Range<usize>, FindingKind),
) {
    task(text, tell);
    let words = words(text);
    changes(text, &words, tell);
    known::tell(text, &words, tell);
    if GUARDS.iter().any(|guard| text.contains(guard)) {
        return;
    }
    let mut told = BTreeSet::new();
    for name in names.into_iter().take(NAMES_MAX) {
        let mut words = name.split('.');
        let (root, key) = (words.next().unwrap_or_default(), words.next());
        if root == "_" {
            if let Some(key) = key.filter(|key| !METHODS.contains(key))
                && told.insert(key.to_owned())
                && let Some(span) = place(text, &format!("_.{key}"))
            {
                tell(span, FindingKind::Variable(key.to_owned()));
            }
        } else if !is_known(root)
            && told.insert(format!("{root}()"))
            && let Some(span) = place(text, root)
        {
            tell(span, FindingKind::UnknownName(root.to_owned()));
        }
    }
}

fn is_known(name: &str) -> bool {
    matches!(name, "self" | "super" | "caller" | "loop")
        || HOST_FUNCTIONS[..JINJA_FUNCTIONS].contains(&name)
        || environment().globals().any(|(global, _)| global == name)
}

/// The first time that a word stands alone in a text.
fn place(text: &str, word: &str) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    text.match_indices(word)
        .map(|(start, _)| start..start + word.len())
        .find(|range| {
            let before = text[..range.start].chars().next_back();
            let after = text[range.end..].chars().next();
            !before.is_some_and(is_part) && !after.is_some_and(|c| c != '.' && is_part(c))
        })
}

/// Tells of methods that would change a list or dict.
fn changes(text: &str, words: &[Word], tell: &mut dyn FnMut(Range<usize>, FindingKind)) {
    let is_sign = |word: &Word, sign| word.kind == Kind::Sign && &text[word.span.clone()] == sign;
    let called = words.windows(3).filter_map(|words| match words {
        [dot, name, open] if is_sign(dot, ".") && is_sign(open, "(") => Some(name.span.clone()),
        _ => None,
    });
    let changing = called.filter(|place| CHANGING.contains(&&text[place.clone()]));
    for place in changing.take(NAMES_MAX) {
        let name = text[place.clone()].to_owned();
        tell(place, FindingKind::ChangesInPlace(name));
    }
}

/// Tells of `task('name')` where it is all that an expression begins with.
fn task(text: &str, tell: &mut dyn FnMut(Range<usize>, FindingKind)) {
    let Some(start) = text.starts_with("{{").then(|| text.find("task(")).flatten() else {
        return;
    };
    if !text[2..start].trim().is_empty() {
        return;
    }
    let open = start + "task(".len();
    let Some(quote) = text[open..]
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"'))
    else {
        return;
    };
    if let Some(length) = text[open + 1..].find(quote) {
        let end = open + 1 + length;
        if text[end + 1..].starts_with(')') {
            let name = text[open + 1..end].to_owned();
            tell(open..end + 1, FindingKind::Task(name));
        }
    }
}
