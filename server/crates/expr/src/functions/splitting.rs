//! Builtins that cut strings in parts and put parts together. Cutting at patterns is left to
//! `regexes`.

use super::strings::text_of;
use super::{Builtin, Call, method};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::seq::Cursor;

pub(super) const BUILTINS: &[Builtin] = &[
    method(
        "split",
        "string: string, separator: string? = null, maxSplits: int = -1",
        |call| split(call, false),
        "Cuts the string at each separator, or at white space if none is given.",
        &[
            ("$.split(',')", "\"a,b\"", "[\"a\", \"b\"]"),
            ("' a  b '.split()", "null", "[\"a\", \"b\"]"),
        ],
    ),
    method(
        "rightSplit",
        "string: string, separator: string? = null, maxSplits: int = -1",
        |call| split(call, true),
        "Cuts the string like split(), counting the cuts from its end.",
        &[
            ("$.rightSplit(',', 1)", "\"a,b,c\"", "[\"a,b\", \"c\"]"),
            ("$.rightSplit('/', 1).first()", "\"/a/b/c\"", "\"/a/b\""),
        ],
    ),
    method(
        "join",
        "sequence: iterable, separator: string",
        |call| join(call, 0, 1),
        "Puts the items, as strings, together with a separator between them.",
        &[
            ("$.join('-')", "[1, \"a\", null]", "\"1-a-null\""),
            ("$.join(', ')", "[\"a\", 1, null]", "\"a, 1, null\""),
        ],
    ),
    method(
        "join",
        "separator: string, sequence: iterable",
        |call| join(call, 1, 0),
        "Puts the items, as strings, together with the receiver between them.",
        &[
            ("'-'.join($)", "[1, 2]", "\"1-2\""),
            ("', '.join($)", "[1.5, true]", "\"1.5, true\""),
        ],
    ),
];

fn split(call: &mut Call<'_, '_>, from_right: bool) -> Result<Value> {
    let text = call.text(0);
    let cuts = usize::try_from(call.int(2)?).unwrap_or(usize::MAX);
    call.machine.spend(text.len() as u64 / 8)?;
    let parts: Vec<&str> = match (call.optional_text(1), from_right) {
        (None, false) => split_space(&text, cuts),
        (None, true) => rsplit_space(&text, cuts),
        (Some(separator), _) if separator.is_empty() => {
            return Err(Fault::value("the separator is empty"));
        }
        (Some(separator), false) => text.splitn(cuts.saturating_add(1), &*separator).collect(),
        (Some(separator), true) => {
            let mut parts: Vec<&str> = text.rsplitn(cuts.saturating_add(1), &*separator).collect();
            parts.reverse();
            parts
        }
    };
    Ok(parts.into_iter().map(Value::from).collect())
}

fn split_space(text: &str, cuts: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = if parts.len() == cuts {
            None
        } else {
            rest.find(char::is_whitespace)
        };
        let end = end.unwrap_or(rest.len());
        parts.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    parts
}

fn rsplit_space(text: &str, cuts: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        let start = if parts.len() == cuts {
            None
        } else {
            rest.rfind(char::is_whitespace)
        };
        let start = start.map_or(0, |at| {
            at + rest[at..].chars().next().map_or(0, char::len_utf8)
        });
        parts.push(&rest[start..]);
        rest = rest[..start].trim_end();
    }
    parts.reverse();
    parts
}

fn join(call: &mut Call<'_, '_>, sequence: usize, separator: usize) -> Result<Value> {
    let mut cursor: Cursor = call.cursor(sequence);
    let separator = call.text(separator);
    let mut out = String::new();
    let mut first = true;
    while let Some(item) = cursor.next(call.machine)? {
        if !first {
            out.push_str(&separator);
        }
        first = false;
        match &item {
            Value::Str(text) => out.push_str(text),
            other => out.push_str(&text_of(other)),
        }
        call.machine.check_bytes(out.len())?;
    }
    Ok(Value::from(out))
}
