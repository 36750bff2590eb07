//! What may differ from PyYAML, and why: each line stands in `DIFFERENCES.md` of the crate, too.

use definition::Rule;

use super::Found;
use super::oracle::Answer;

/// Why a difference is allowed, if it is.
pub(crate) fn reason(source: &str, found: &Found, answer: &Answer) -> Option<&'static str> {
    let case = Case {
        source,
        found,
        is_refused_there: matches!(answer, Answer::Error(_)),
        error: match answer {
            Answer::Error(text) => text,
            _ => "",
        },
    };
    let mut fitting = RULES.iter().filter(|rule| (rule.holds)(&case));
    fitting.next().map(|rule| rule.why)
}

/// One text on which both sides differ.
struct Case<'c> {
    source: &'c str,
    found: &'c Found,
    /// Whether PyYAML refuses it.
    is_refused_there: bool,
    /// What PyYAML says then.
    error: &'c str,
}

impl Case<'_> {
    /// Whether it is refused here, and not there, with one of these messages.
    fn is_refused_here(&self, messages: &[&str]) -> bool {
        let has = |text: &str| messages.iter().any(|part| text.contains(part));
        !self.is_refused_there && matches!(self.found, Err(found) if has(&found.message))
    }

    /// Whether only PyYAML refuses it, and one of these parts is in it.
    fn is_accepted_with(&self, parts: &[&str]) -> bool {
        self.is_refused_there
            && self.found.is_ok()
            && parts.iter().any(|part| self.source.contains(part))
    }
}

struct AllowedRule {
    why: &'static str,
    holds: fn(&Case<'_>) -> bool,
}

const RULES: &[AllowedRule] = &[
    AllowedRule {
        why: "allowed: tags beyond those of JSON are refused",
        holds: |case| matches!(case.found, Err(found) if found.rule == Rule::UnknownTag),
    },
    AllowedRule {
        why: "allowed: a date that does not exist stays text",
        holds: |case| {
            let parts = ["must be in", "out of range", "must be strictly between"];
            case.found.is_ok() && parts.iter().any(|part| case.error.contains(part))
        },
    },
    AllowedRule {
        why: "allowed: NEL, LS and PS are characters, not line breaks",
        holds: |case| case.source.contains(['\u{85}', '\u{2028}', '\u{2029}']),
    },
    AllowedRule {
        why: "allowed: a key that is no single value, or missing after `?`, is refused",
        holds: |case| {
            let refused = [
                "a key is missing",
                "may not contain `?`",
                "expected whitespace",
                "expected ',' or ']'",
                "a key must be a single value",
            ];
            case.source.contains('?') && case.is_refused_here(&refused)
        },
    },
    AllowedRule {
        why: "allowed: a dash alone within brackets wants quotes",
        holds: |case| case.is_refused_here(&["cannot start with '-'"]),
    },
    AllowedRule {
        why: "allowed: within brackets, a colon wants a blank before the next bracket",
        holds: |case| case.is_refused_here(&["':' may not precede"]),
    },
    AllowedRule {
        why: "allowed: within brackets, keys go over lines, and `|` and `>` are texts",
        holds: |case| {
            let there = ["but got ':'", "cannot start any token"];
            case.is_accepted_with(&["[", "{"]) && there.iter().any(|part| case.error.contains(part))
        },
    },
    AllowedRule {
        why: "allowed: a tab may follow quoted text",
        holds: |case| case.is_accepted_with(&["'\t", "\"\t", "' \t", "\" \t"]),
    },
    AllowedRule {
        why: "allowed: a comment wants a blank before it",
        holds: |case| {
            let refused = ["comments must be separated", "invalid trailing content"];
            case.source.contains('#') && case.is_refused_here(&refused)
        },
    },
    AllowedRule {
        why: "allowed: a tab does not begin a line of quoted text",
        holds: |case| case.source.contains('\t') && case.is_refused_here(&["tab cannot be used"]),
    },
    AllowedRule {
        why: "allowed: a byte order mark stands at the beginning only",
        holds: |case| case.is_refused_here(&["byte order mark"]),
    },
    AllowedRule {
        why: "allowed: block text stands deeper than its key, comments below it do not touch it",
        holds: |case| {
            let refused = [
                "wrongly indented line in block scalar",
                "simple key expect",
                "did not find expected key",
            ];
            case.source.contains(['|', '>']) && case.is_refused_here(&refused)
        },
    },
    AllowedRule {
        why: "allowed: a bare `!` may stand anywhere, and makes what is empty a text",
        holds: |case| {
            let is_text = matches!(case.found, Ok(found) if found.contains("\"\""));
            case.is_accepted_with(&["!"]) || case.source.contains('!') && is_text
        },
    },
    AllowedRule {
        why: "allowed: marks of documents are text within brackets and quotes, and may stand alone",
        holds: |case| case.is_accepted_with(&["---", "..."]),
    },
    AllowedRule {
        why: "allowed: directives are not judged",
        holds: |case| case.is_accepted_with(&["%"]),
    },
];
