//! What may differ from Jinja2, and why: each line stands in `DIFFERENCES.md`, too.

use expr::EvalErrorKind;

use super::Found;
use super::oracle::Answer;

/// Why a difference is allowed, if it is.
pub(crate) fn reason(text: &str, found: &Found, answer: &Answer) -> Option<&'static str> {
    let mut fitting = RULES
        .iter()
        .filter(|rule| (rule.holds)(text, found, answer));
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
        why: "allowed: `text % value`, of a text that is no literal, is `text | format(value)`",
        holds: |text, found, _| {
            let is_literal = text.contains("' % ") || text.contains("\" % ");
            refuses(found, "tried to use % operator") && !is_literal
        },
    },
    Rule {
        why: "allowed: a `+` before a value means nothing",
        holds: |text, found, answer| {
            let mut signs = text.match_indices('+');
            let before = signs.any(|(at, _)| !text[at + 1..].starts_with(' '));
            fails(answer, "bad operand type for unary +")
                || before && both(found, answer, differ_in_flags)
                || before && both(found, answer, differ_in_numbers_of_flags)
        },
    },
    Rule {
        why: "allowed: values of different kinds have an order",
        holds: |_, _, answer| fails(answer, "not supported between instances"),
    },
    Rule {
        why: "allowed: none has no items where some are asked for",
        holds: |text, _, answer| {
            let refused = ["is not iterable", "is not subscriptable"];
            let sliced = ["none[", "_.n["];
            fails(answer, "'NoneType'") && refused.iter().any(|part| fails(answer, part))
                || sliced.iter().any(|part| text.contains(part)) && text.contains("default(")
        },
    },
    Rule {
        why: "allowed: tests can be chained",
        holds: |_, _, answer| fails(answer, "cannot chain multiple tests"),
    },
    Rule {
        why: "allowed: filters of many items take undefined ones as false, or pass them on",
        holds: |text, _, answer| {
            let filters = [
                "select", "reject", "map(", "groupby", "unique", "join(", "sum(", "sort(",
            ];
            filters.iter().any(|name| text.contains(name))
                && (fails(answer, "UndefinedError") || has(answer, "Undefined"))
        },
    },
    Rule {
        why: "allowed: what filters find in nothing is undefined, and taken as such",
        holds: |_, found, answer| {
            let empty = ["sequence was empty", "has no element", "Undefined"];
            found.is_ok()
                && empty
                    .iter()
                    .any(|part| fails(answer, part) || has(answer, part))
                && !fails(answer, "'missing'")
                || matches!(found, Err((EvalErrorKind::MissingKey, _)))
                    && matches!(answer, Answer::Value(text)
                        if text == "[]" || text.contains("Undefined"))
        },
    },
    Rule {
        why: "allowed: filters, tests and `in` take values of more kinds, as their text or as none",
        holds: |_, found, answer| {
            let refused = [
                "requires string as left operand",
                "can't multiply sequence",
                "not all arguments converted",
                "has no attribute 'splitlines'",
                "unsupported operand type",
                "cannot be interpreted as an integer",
                "an index-sized integer",
                "has no len()",
                "is not iterable",
                "expected str instance",
                "can only join an iterable",
                "object is not reversible",
                "list_reverseiterator",
            ];
            found.is_ok() && refused.iter().any(|part| fails(answer, part))
        },
    },
    Rule {
        why: "allowed: booleans are no numbers in filters, floats none for `%d`",
        holds: |_, found, _| {
            let refused = [
                "cannot round value (bool)",
                "cannot get absolute value",
                "cannot be formatted in decimal",
                "is not iterable",
                "invalid operation",
            ];
            refused.iter().any(|part| refuses(found, part))
        },
    },
    Rule {
        why: "allowed: dicts and lists can be keys",
        holds: |_, found, answer| found.is_ok() && fails(answer, "unhashable type"),
    },
    Rule {
        why: "allowed: sequences print as what they hold",
        holds: |text, found, answer| {
            let names = [" object at 0x", "<generator object", "markup("];
            // All letters of `<list_reverseiterator object at 0x…>` are small ones.
            let lazy = [
                "reverse", "map", "select", "reject", "batch", "slice", "items", "unique",
            ];
            let asked = text.contains(" is lower")
                && lazy.iter().any(|name| text.contains(name))
                && both(found, answer, differ_in_flags);
            let shown = |text: &String| {
                let text = text.to_lowercase();
                names.iter().any(|name| text.contains(name))
            };
            asked || matches!(answer, Answer::Value(text) if shown(text))
        },
    },
    Rule {
        why: "allowed: escaped text is text, and escaped once more where it is asked for",
        holds: |text, found, answer| {
            let makes = [
                "| e",
                "| escape",
                "| forceescape",
                "| safe",
                "| tojson",
                "| xmlattr",
            ];
            let is_made = makes.iter().any(|name| text.contains(name));
            is_made
                && (text.contains(" is escaped") && both(found, answer, differ_in_flags)
                    || both(found, answer, |found, wanted| bare(found) == bare(wanted)))
        },
    },
    Rule {
        why: "allowed: within texts, floats are written without an exponent",
        holds: |text, found, answer| {
            let exponents = ["e+", "e-", "E+", "E-"];
            // The parts of such a text may be numbers or letters, as in `1e16 | upper | list`.
            let is_cut = text.contains(" | ") && both(found, answer, |_, _| true);
            // So may those of a number of the data, as in `_.f | trim | wordcount`.
            let is_counted = is_cut && text.contains("_.f") && text.contains("count");
            found.is_ok() && exponents.iter().any(|exponent| has(answer, exponent))
                || is_cut && has_exponent(text)
                || is_counted
        },
    },
    Rule {
        why: "allowed: a filter after a test binds to the argument of the test",
        holds: |text, found, answer| {
            let after = text.split_once(" is ").map_or("", |(_, after)| after);
            after.contains(" | ") && both(found, answer, |_, _| true)
        },
    },
    Rule {
        why: "allowed: `/` of integers beyond 53 bits rounds twice",
        holds: |text, found, answer| text.contains("/ ") && both(found, answer, are_near),
    },
    Rule {
        why: "allowed: `%f` of an integer beyond 53 bits writes all of its digits",
        holds: |text, found, answer| text.contains("format(") && both(found, answer, are_near),
    },
    Rule {
        why: "allowed: what follows a test is its argument, a sign as well",
        holds: |text, found, _| {
            let signs = [" + ", " - "];
            text.contains(" is ")
                && signs.iter().any(|sign| text.contains(sign))
                && (refuses(found, "unexpected `+`") || refuses(found, "too many arguments"))
        },
    },
    Rule {
        why: "allowed: unknown filters and tests are found when they are run",
        holds: |_, found, answer| {
            let unknown = ["No filter named", "No test named"];
            found.is_ok() && unknown.iter().any(|part| fails(answer, part))
        },
    },
    Rule {
        why: "allowed: an undefined value is in nothing, not even in an empty list",
        holds: |text, found, answer| {
            text.contains(" in ")
                && matches!(found, Err((EvalErrorKind::MissingKey, _)))
                && matches!(answer, Answer::Value(_))
        },
    },
    Rule {
        why: "allowed: within lists and dicts, texts show all characters",
        holds: |_, found, answer| found.is_ok() && (has(answer, "\\\\x") || has(answer, "\\\\u")),
    },
    Rule {
        why: "allowed: `pprint` writes tuples as lists and breaks long values otherwise",
        holds: |text, found, answer| {
            let bare = |text: &str| {
                let text = text.replace("\\n", "");
                text.replace(['(', '[', ']', ')', ',', ' '], "")
            };
            text.contains("pprint")
                && matches!((found, answer), (Ok(found), Answer::Value(wanted))
                    if bare(found) == bare(wanted))
        },
    },
    Rule {
        why: "allowed: `**` of floats may give infinity, or no number",
        holds: |text, found, answer| {
            let unlike = fails(answer, "OverflowError") || has(answer, "object:complex");
            text.contains("**") && found.is_ok() && unlike
        },
    },
    Rule {
        why: "allowed: a sign binds tighter than `**`, as in Jinja2 where both numbers are known",
        holds: |text, found, answer| {
            let mut powers = text.match_indices(" ** ");
            let signed = powers.any(|(at, _)| {
                let before = text[..at].trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
                before.len() < at && before.ends_with('-')
            });
            signed && both(found, answer, |_, _| true)
        },
    },
    Rule {
        why: "allowed: lists that were cut or put together are compared as sequences",
        holds: |text, found, answer| {
            let made = ["[:", ":]", "::", " + ", " * ", "reverse"];
            text.contains(" < ")
                && made.iter().any(|part| text.contains(part))
                && both(found, answer, differ_in_flags)
        },
    },
    Rule {
        why: "allowed: `a if b` without else is an error where it gives nothing",
        holds: |text, found, answer| {
            text.contains(" if ")
                && (has(answer, "object:Undefined")
                    || matches!(found, Err((EvalErrorKind::MissingKey, _))))
        },
    },
];

/// Whether both gave a value, and what is asked holds for the two.
fn both(found: &Found, answer: &Answer, holds: fn(&str, &str) -> bool) -> bool {
    matches!((found, answer), (Ok(found), Answer::Value(wanted)) if holds(found, wanted))
}

/// Whether two texts differ in nothing but true and false.
fn differ_in_flags(found: &str, wanted: &str) -> bool {
    let rest = |text: &str| text.to_lowercase().replace("true", "").replace("false", "");
    rest(found) == rest(wanted)
}

/// Whether two texts are the same where true and false are the numbers that they are in Python.
fn differ_in_numbers_of_flags(found: &str, wanted: &str) -> bool {
    let numbers = |text: &str| {
        let text = text.to_lowercase();
        text.replace("true", "1").replace("false", "0")
    };
    numbers(found) == numbers(wanted)
}

/// Whether a number is written with an exponent, as `1e16`.
fn has_exponent(text: &str) -> bool {
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let mut letters = text.match_indices('e');
    letters.any(|(at, _)| {
        let sign = usize::from(text[at + 1..].starts_with(['-', '+']));
        at > 0 && digit(at - 1) && digit(at + 1 + sign)
    })
}

/// A text without what escaping it, however often, has made of it.
fn bare(text: &str) -> String {
    let mut bare = text.to_owned();
    while bare.contains("&amp;") {
        bare = bare.replace("&amp;", "&");
    }
    let marks = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#34;", "\\\""),
        ("&#39;", "'"),
    ];
    marks
        .iter()
        .fold(bare, |text, (escaped, plain)| text.replace(escaped, plain))
}

/// Whether two texts differ in nothing but the last digits of numbers.
fn are_near(found: &str, wanted: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let pieces = |text: &str| -> (String, Vec<f64>) {
        let numbers = text
            .split(|c| !is_part(c))
            .filter_map(|part| part.parse().ok());
        (text.replace(is_part, ""), numbers.collect())
    };
    let ((text, numbers), (other, others)) = (pieces(found), pieces(wanted));
    let mut pairs = numbers.iter().zip(&others);
    text == other
        && numbers.len() == others.len()
        && pairs.all(|(one, other)| (one - other).abs() <= one.abs() * 1e-15)
}

fn has(answer: &Answer, part: &str) -> bool {
    matches!(answer, Answer::Value(text) if text.contains(part))
}

fn fails(answer: &Answer, part: &str) -> bool {
    matches!(answer, Answer::Error(text) if text.contains(part))
}

fn refuses(found: &Found, part: &str) -> bool {
    matches!(found, Err((_, text)) if text.contains(part))
}
