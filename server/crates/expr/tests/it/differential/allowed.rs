//! What may differ from YAQL, and why: each line stands in `DIFFERENCES.md`, too.

use expr::EvalErrorKind;

use super::Found;
use super::oracle::Answer;

/// Why a difference is allowed, if it is.
pub(crate) fn reason(expr: &str, found: &Found, answer: &Answer) -> Option<&'static str> {
    let mut fitting = RULES
        .iter()
        .filter(|rule| (rule.holds)(expr, found, answer));
    fitting.next().map(|rule| rule.why)
}

struct Rule {
    why: &'static str,
    holds: fn(&str, &Found, &Answer) -> bool,
}

const RULES: &[Rule] = &[
    Rule {
        why: "allowed: a limit was hit",
        holds: |_, found, _| matches!(found, Err((EvalErrorKind::Limit(_), _))),
    },
    Rule {
        why: "allowed: keys() and items() are whole sets, not views without methods",
        holds: |expr, found, answer| {
            let view = |name| expr.contains(name);
            let unlike =
                |text: &str| text.to_lowercase().contains("view") || text.contains("dict_");
            view(".values()") && answer_has(answer, unlike)
                || (view(".keys()") || view(".items()"))
                    && (answer_has(answer, unlike)
                        || fails(answer, " unpack ")
                        || fails(answer, "\"#operator_")
                        || fails(answer, "No method")
                        || refuses(found, " of a set does not take ")
                        || matches!(found, Err((EvalErrorKind::Output, _)))
                        || [" + ", ".sum(", "str("]
                            .iter()
                            .any(|name| expr.contains(name))
                            && both_ok(found, answer)
                        || alike(found, answer, |text| sorted(&text.replace("set", ""))))
        },
    },
    Rule {
        why: "allowed: strings have a format() without attributes and items",
        holds: |_, _, answer| {
            fails(answer, "No method \"format\"") || fails(answer, "Unknown function \"format\"")
        },
    },
    Rule {
        why: "allowed: what binds names, and rules, are no values",
        holds: |_, found, answer| {
            found.is_err()
                && answer_has(answer, |text| {
                    text.contains("object:Context") || text.contains("object:MappingRule")
                })
        },
    },
    Rule {
        why: "allowed: offsets from UTC have whole seconds, moments and spans 64 bits",
        holds: |_, found, _| {
            refuses(found, "an offset from UTC has whole seconds only")
                || refuses(found, "the offset must be less than a day")
                || refuses(found, "the time is out of range")
        },
    },
    Rule {
        why: "allowed: a date names its day, month and year",
        holds: |_, found, _| refuses(found, "is no date that can be read"),
    },
    Rule {
        why: "allowed: patterns hold no half characters",
        holds: |_, found, _| refuses(found, "Invalid codepoint for hex or unicode escape"),
    },
    Rule {
        why: "allowed: places and counts have 64 bits",
        holds: |_, found, answer| {
            refuses(found, "the integer is too large") || fails(answer, "an index-sized integer")
        },
    },
    Rule {
        why: "allowed: there are no complex numbers",
        holds: |_, found, _| refuses(found, "a negative number cannot be raised to a fraction"),
    },
    Rule {
        why: "allowed: characters() takes the classes that Python no longer has",
        holds: |_, _, answer| fails(answer, "module 'string' has no attribute"),
    },
    Rule {
        why: "allowed: in str() all lists look like tuples",
        holds: |expr, found, answer| {
            let bare = |text: &str| text.replace(['(', '[', ']', ')', ',', ' '], "");
            let named = |names: &[&str]| names.iter().any(|name| expr.contains(name));
            // A pattern that is made of such a text finds something else.
            let patterns = ["regex(", "=~", "!~", "matches(", "replaceBy("];
            let is_pattern = named(&patterns) && found.is_ok();
            let compares = [" < ", " > ", " <= ", " >= ", " = ", " != ", " in "];
            let is_read = (named(LISTS) || named(&compares)) && both_ok(found, answer);
            named(&["str(", "join(", "replace("])
                && (alike(found, answer, bare) || is_pattern || is_read)
        },
    },
    Rule {
        why: "allowed: lists of YAQL's own and lists of the data are of one kind",
        holds: |expr, found, answer| {
            let named = |names: &[&str]| names.iter().any(|name| expr.contains(name));
            let refused = [
                "\"#operator_*",
                "\"#indexer",
                "No method",
                "No function",
                "can only concatenate",
            ];
            // What is chosen by such a question may fail.
            let chosen = ["switch(", "Case", "examine(", " and ", " or ", "here("];
            let chosen = found.is_err() && chosen.iter().any(|name| expr.contains(name));
            let is_chosen = chosen && matches!(answer, Answer::Value(_));
            let asked = [
                "isList(",
                "list(",
                " = ",
                " != ",
                " in ",
                "contains(",
                "ndexOf(",
                " + ",
            ];
            // A set of what is put together of both kinds holds the items in Python.
            let in_set = expr.contains("set(") && expr.contains(" + ");
            let in_set = in_set && matches!(found, Err((EvalErrorKind::Output, _)));
            named(LISTS)
                && (in_set && matches!(answer, Answer::Value(_))
                    || refused.iter().any(|part| fails(answer, part))
                    || named(&asked) && (is_chosen || both_ok(found, answer)))
        },
    },
    Rule {
        why: "allowed: what one round hands to the next is a list",
        holds: |expr, found, answer| {
            let rounds = ["aggregate(", "reduce(", "accumulate(", "sum(", "generate"];
            let lazy = fails(answer, "\"#operator_")
                || answer_has(answer, |text| text.contains("<sequence>"));
            // A list is made at once, so what is missing in it shows even if nobody reads it.
            let unread = matches!(found, Err((EvalErrorKind::MissingKey, _)))
                && matches!(answer, Answer::Value(_));
            // Python's sequences are true, also those without items.
            let asks = [
                "switch(", "Case", "examine(", " and ", " or ", "not ", "bool(", "filter(",
                "here(", "While(", "all(", "any(", "isList(",
            ];
            // What is chosen by that may fail on either side.
            let is_value = found.is_ok() || matches!(answer, Answer::Value(_));
            let judged = is_value && asks.iter().any(|name| expr.contains(name));
            // With `decycle` they are different, even those that hold the same.
            let decycles = ["true)", "true, ", "decycle"];
            let is_cycle = expr.contains("generate") && both_ok(found, answer);
            let is_cycle = is_cycle && decycles.iter().any(|name| expr.contains(name));
            (lazy || unread || judged || is_cycle) && rounds.iter().any(|name| expr.contains(name))
        },
    },
    Rule {
        why: "allowed: null is refused as the start of enumerate() even if nobody reads it",
        holds: |_, found, answer| {
            matches!(answer, Answer::Value(_)) && refuses(found, "enumerate() of ")
        },
    },
    Rule {
        why: "allowed: a group with a name is a group as any other",
        holds: |expr, _, answer| {
            expr.contains("(?P<") && fails(answer, "not enough values to unpack")
        },
    },
    Rule {
        why: "allowed: what text and keys are made of is computed at once",
        holds: |expr, found, answer| {
            let names = ["join(", "str(", "groupBy(", "toDict(", "distinct("];
            let missing = matches!(found, Err((EvalErrorKind::MissingKey, _)));
            let unread = answer_has(answer, |text| text.contains("<sequence>"));
            (missing || found.is_err() && unread) && names.iter().any(|name| expr.contains(name))
        },
    },
    Rule {
        why: "allowed: a sequence has no text of its own",
        holds: |_, _, answer| {
            let marks = [" object at 0x", "<generator object ", "repeat(", "count("];
            answer_has(answer, |text| {
                let text = text.to_lowercase();
                marks.iter().any(|mark| text.contains(mark))
            })
        },
    },
    Rule {
        why: "allowed: a sequence can be read again",
        holds: |expr, found, answer| {
            let again = AGAIN.iter().any(|name| expr.contains(name));
            (again || reads_an_item_twice(expr))
                && match (found, answer) {
                    (Ok(found), Answer::Value(wanted)) => {
                        // Of what is left of it in Python there is less, or less is counted.
                        let counted = ["len(", "count(", "sum("];
                        // It takes two items of each, of one that comes again the next two.
                        let paired = expr.contains("dict(");
                        found.len() > wanted.len()
                            || paired
                            || counted.iter().any(|name| expr.contains(name))
                    }
                    // Items that Python never came to may be wrong.
                    (Err((kind, _)), Answer::Value(_)) => {
                        expr.contains("len(")
                            || matches!(
                                kind,
                                EvalErrorKind::MissingKey
                                    | EvalErrorKind::NoMatch
                                    | EvalErrorKind::Value
                            )
                    }
                    // They fail where there is nothing left to begin again with.
                    (Ok(_), _) => {
                        let begins_again = ["cycle(", "repeat("];
                        begins_again.iter().any(|name| expr.contains(name))
                            && fails(answer, "StopIteration")
                    }
                    _ => false,
                }
        },
    },
    Rule {
        why: "allowed: a sequence is neither a key nor in a set",
        holds: |expr, found, answer| {
            let named = |names: &[&str]| names.iter().any(|name| expr.contains(name));
            let keyed = named(&["groupBy(", "distinct(", "set(", "toSet(", "toDict("]);
            // Items that are one here are several in Python, and may be too many there, or fail.
            let any_value = found.is_ok() || matches!(answer, Answer::Value(_));
            refuses(found, "a sequence is no key") || keyed && named(SEQUENCES) && any_value
        },
    },
    Rule {
        why: "allowed: lists, dicts and sets that functions make are keys and in sets, too",
        holds: |_, found, answer| found.is_ok() && fails(answer, "unhashable type"),
    },
    Rule {
        why: "allowed: JSON is written of sets and moments, as Mistral does",
        holds: |_, _, answer| fails(answer, "is not JSON serializable"),
    },
];

/// Whether the value of a round is named more than once, as in `map([$, $])`, and a sequence is
/// about that may be in it.
fn reads_an_item_twice(expr: &str) -> bool {
    let of_field = |next: char| next.is_alphanumeric() || matches!(next, '.' | '_' | '{' | '[');
    let names = expr
        .split('$')
        .skip(1)
        .filter(|rest| !rest.starts_with(of_field));
    names.count() > 1
        && SEQUENCES
            .iter()
            .any(|name| name.ends_with('(') && expr.contains(name))
}

/// What reads a sequence a second time.
const AGAIN: &[&str] = &[
    " * ",
    "repeat(",
    "cycle(",
    "let(",
    "with(",
    "def(",
    "unpack(",
    "generate",
    "aggregate(",
    "reduce(",
    "accumulate(",
    "join(",
    "zipLongest(",
    "memorize(",
    // These look at an item before they pass it on.
    "orderBy",
    "thenBy",
    "groupBy(",
    "toDict(",
    "distinct(",
    "here(",
    "While(",
    "filter(",
    "all(",
    "any(",
];

/// What gives a list of Python, where the data and literals are tuples.
const LISTS: &[&str] = &[
    "split(",
    "rightSplit(",
    "groupBy(",
    "slice(",
    "splitAt(",
    "plitWhere(",
    "insert(",
    "json_parse(",
    "enumerate(",
];

/// What gives a sequence, whose text in Python is that of an object.
const SEQUENCES: &[&str] = &[
    "].",
    ".k",
    ".v",
    "range(",
    "generate",
    "sequence(",
    "Where(",
    "where(",
    "select",
    "skip",
    "take",
    "limit(",
    "enumerate(",
    "zip",
    "append(",
    "concat(",
    "distinct(",
    "reverse(",
    "cycle(",
    "repeat(",
    "orderBy",
    "examine(",
    "insert",
    "replace",
    "searchAll(",
    "delete(",
    "flatten(",
    "accumulate(",
    "filter(",
];

fn both_ok(found: &Found, answer: &Answer) -> bool {
    matches!((found, answer), (Ok(_), Answer::Value(_)))
}

fn alike<T: PartialEq>(found: &Found, answer: &Answer, by: impl Fn(&str) -> T) -> bool {
    matches!((found, answer), (Ok(found), Answer::Value(wanted)) if by(found) == by(wanted))
}

fn sorted(text: &str) -> Vec<char> {
    let mut parts: Vec<char> = text.chars().collect();
    parts.sort_unstable();
    parts
}

fn answer_has(answer: &Answer, holds: impl Fn(&str) -> bool) -> bool {
    match answer {
        Answer::Value(text) | Answer::Error(text) => holds(text),
        Answer::Skip => false,
    }
}

fn fails(answer: &Answer, part: &str) -> bool {
    matches!(answer, Answer::Error(text) if text.contains(part))
}

fn refuses(found: &Found, part: &str) -> bool {
    matches!(found, Err((_, text)) if text.contains(part))
}
