//! Which filters and tests a Jinja text names that do not exist, and which ones come near them.

use std::ops::Range;

use super::words::{Kind, Word};
use super::{environment, names};
use crate::functions::nearest;
use crate::inspect::FindingKind;

/// Jinja2's filters, and Mistral's functions, which are filters, too: what can be meant.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "env",
    "escape",
    "execution",
    "executions",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "global",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "json_dump",
    "json_parse",
    "json_pp",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "task",
    "tasks",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "urlize",
    "uuid",
    "wordcount",
    "wordwrap",
    "xmlattr",
    "yaml_dump",
    "yaml_parse",
];

/// Jinja2's tests with names of letters.
const TESTS: &[&str] = &[
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Words that stand between two values. Where none has ended they are names.
const OPERATORS: [&str; 6] = ["and", "else", "if", "in", "is", "or"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    Filter,
    Test,
}

/// What to say about a filter that does not exist: it names a near one that does.
pub(crate) fn unknown_filter(name: &str) -> String {
    message("filter", name, FILTERS)
}

/// What to say about a test that does not exist: it names a near one that does.
pub(crate) fn unknown_test(name: &str) -> String {
    message("test", name, TESTS)
}

fn message(kind: &str, name: &str, known: &[&'static str]) -> String {
    let hint = nearest(name, known.iter().copied());
    let hint = hint.map(|near| format!(" (did you mean `{near}`?)"));
    format!("there is no {kind} `{name}`{}", hint.unwrap_or_default())
}

/// Tells of all filters and tests that do not exist, each time that one is named.
pub(super) fn tell(text: &str, words: &[Word], tell: &mut dyn FnMut(Range<usize>, FindingKind)) {
    let uses = Uses { text, words };
    let named = uses.all();
    // A text that asks what there is may use it only if it is there.
    let asks = |thing| {
        let name = if thing == Thing::Filter {
            "filter"
        } else {
            "test"
        };
        named
            .iter()
            .any(|(used, place)| *used == Thing::Test && &text[place.clone()] == name)
    };
    let silent = [Thing::Filter, Thing::Test].map(asks);
    let unknown = named.iter().filter(|(thing, place)| {
        !silent[usize::from(*thing == Thing::Test)] && !exists(*thing, &text[place.clone()])
    });
    for (thing, place) in unknown.take(names::NAMES_MAX) {
        let name = text[place.clone()].to_owned();
        let kind = match thing {
            Thing::Filter => FindingKind::UnknownFilter(name),
            Thing::Test => FindingKind::UnknownTest(name),
        };
        tell(place.clone(), kind);
    }
}

fn exists(thing: Thing, name: &str) -> bool {
    let asked = if thing == Thing::Filter {
        "filter"
    } else {
        "test"
    };
    let mut state = environment().empty_state();
    // Nothing is said where that cannot be asked.
    state.perform_test(asked, &[name.into()]).unwrap_or(true)
}

/// The words of a text, looked through for filters and tests.
struct Uses<'t> {
    text: &'t str,
    words: &'t [Word],
}

impl Uses<'_> {
    /// Every filter and test that is named, and where.
    fn all(&self) -> Vec<(Thing, Range<usize>)> {
        let mut named = Vec::new();
        let mut follows_value = false;
        for at in 0..self.words.len() {
            let found = self.named_after(at, follows_value);
            follows_value = self.ends_value(at, follows_value);
            if let Some((thing, first)) = found {
                let Some((place, next)) = self.name(first) else {
                    continue;
                };
                if thing == Thing::Filter {
                    named.extend(self.handed(&self.text[place.clone()], next));
                }
                named.push((thing, place));
            }
        }
        named
    }

    /// What the word at a place says to follow, and the place of its name.
    fn named_after(&self, at: usize, follows_value: bool) -> Option<(Thing, usize)> {
        match self.word(at)? {
            (Kind::Sign, "|") => Some((Thing::Filter, at + 1)),
            (Kind::Name, "filter") if self.begins_block(at) => Some((Thing::Filter, at + 1)),
            (Kind::Name, "is") if follows_value => {
                let is_negated = self.word(at + 1)? == (Kind::Name, "not");
                Some((Thing::Test, at + 1 + usize::from(is_negated)))
            }
            _ => None,
        }
    }

    /// A name that may have dots, and the place of the word after it.
    fn name(&self, first: usize) -> Option<(Range<usize>, usize)> {
        let start = self
            .words
            .get(first)
            .filter(|word| word.kind == Kind::Name)?;
        let mut last = first;
        while self.word(last + 1) == Some((Kind::Sign, "."))
            && matches!(self.word(last + 2), Some((Kind::Name, _)))
        {
            last += 2;
        }
        Some((start.span.start..self.words[last].span.end, last + 1))
    }

    /// The filter or test that a filter is given by its name: `map('upper')`.
    fn handed(&self, filter: &str, open: usize) -> Option<(Thing, Range<usize>)> {
        let (thing, place) = match filter {
            "map" => (Thing::Filter, open + 1),
            "select" | "reject" => (Thing::Test, open + 1),
            "selectattr" | "rejectattr" => (Thing::Test, open + 3),
            _ => return None,
        };
        let is_sign = |at, sign| self.word(at) == Some((Kind::Sign, sign));
        let is_literal = |at| matches!(self.word(at), Some((Kind::Literal, _)));
        let is_first = place == open + 1 || is_literal(open + 1) && is_sign(open + 2, ",");
        // The literal must be all there is: `map('up' ~ 'per')` is none.
        let is_whole = is_sign(place + 1, ",") || is_sign(place + 1, ")");
        if !is_sign(open, "(") || !is_first || !is_literal(place) || !is_whole {
            return None;
        }
        let quoted = &self.words[place].span;
        let inner = quoted.start + 1..quoted.end - 1;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let name = &self.text[inner.clone()];
        (!name.is_empty() && name.chars().all(is_plain)).then_some((thing, inner))
    }

    /// Whether a value ends with a word.
    fn ends_value(&self, at: usize, follows_value: bool) -> bool {
        match self.word(at) {
            Some((Kind::Name, "not")) => false,
            Some((Kind::Name, _)) if self.begins_block(at) => false,
            Some((Kind::Name, name)) => !follows_value || !OPERATORS.contains(&name),
            Some((Kind::Literal, _)) => true,
            Some((Kind::Sign, sign)) => matches!(sign, ")" | "]" | "}"),
            _ => false,
        }
    }

    /// Whether a word says what a block is.
    fn begins_block(&self, at: usize) -> bool {
        let before = |count| self.word(at.checked_sub(count)?);
        let is_trimmed = matches!(before(1), Some((Kind::Sign, "-" | "+")));
        let open = before(1 + usize::from(is_trimmed));
        open.is_some_and(|(kind, _)| kind == Kind::OpenBlock)
    }

    fn word(&self, at: usize) -> Option<(Kind, &str)> {
        let word = self.words.get(at)?;
        Some((word.kind, &self.text[word.span.clone()]))
    }
}

#[cfg(test)]
mod tests {
    use super::{FILTERS, TESTS, Thing, exists};

    #[test]
    fn all_that_can_be_meant_exists() {
        for (thing, names) in [(Thing::Filter, FILTERS), (Thing::Test, TESTS)] {
            for name in names {
                assert!(exists(thing, name), "{thing:?} {name}");
            }
            assert!(!exists(thing, "nothing"));
        }
    }
}
