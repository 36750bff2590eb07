//! Builtins that look for parts of strings, and take or replace them. Positions count characters,
//! as in Python.

use super::call::int;
use super::strings::text_of;
use super::{Builtin, Call, method};
use crate::Value;
use crate::fault::Result;

pub(super) const BUILTINS: &[Builtin] = &[
    method(
        "replace",
        "string: string, old: string, new: string, count: int = -1",
        |call| {
            let (text, old, new) = (call.text(0), call.text(1), call.text(2));
            let count = call.int(3)?;
            replace(call, &text, &old, &new, count).map(Value::from)
        },
        "Replaces a part wherever it occurs, or the first so many times.",
        &[
            ("aba.replace(a, x)", "null", "\"xbx\""),
            ("aba.replace(a, x, 1)", "null", "\"xba\""),
        ],
    ),
    method(
        "replace",
        "string: string, replacements: dict, count: int = -1",
        replace_all,
        "Replaces each key of a dict by its value.",
        &[
            ("abc.replace({a => 1, c => null})", "null", "\"1bnull\""),
            (
                "$.replace({'<' => '&lt;', '>' => '&gt;'})",
                "\"<b>\"",
                "\"&lt;b&gt;\"",
            ),
        ],
    ),
    method(
        "substring",
        "string: string, start: int, length: int = -1",
        substring,
        "Gives a part of the string; a negative start counts from the end.",
        &[
            ("abcd.substring(1, 2)", "null", "\"bc\""),
            ("abcd.substring(-2)", "null", "\"cd\""),
        ],
    ),
    method(
        "indexOf",
        "string: string, sub: string, start: int = 0",
        |call| index_of(call, None, false),
        "Gives the place of the first occurrence from a start on, or -1.",
        &[
            ("abab.indexOf(b)", "null", "1"),
            ("abab.indexOf(x)", "null", "-1"),
        ],
    ),
    method(
        "indexOf",
        "string: string, sub: string, start: int, length: int",
        |call| index_of(call, Some(3), false),
        "Gives the place of the first occurrence within so many characters, or -1.",
        &[
            ("abab.indexOf(b, 2, 2)", "null", "3"),
            ("$.indexOf(a, 2, 2)", "\"banana\"", "3"),
        ],
    ),
    method(
        "lastIndexOf",
        "string: string, sub: string, start: int = 0",
        |call| index_of(call, None, true),
        "Gives the place of the last occurrence from a start on, or -1.",
        &[
            ("abab.lastIndexOf(b)", "null", "3"),
            ("$.lastIndexOf(x)", "\"banana\"", "-1"),
        ],
    ),
    method(
        "lastIndexOf",
        "string: string, sub: string, start: int, length: int",
        |call| index_of(call, Some(3), true),
        "Gives the place of the last occurrence within so many characters, or -1.",
        &[
            ("abab.lastIndexOf(b, 0, 3)", "null", "1"),
            ("abab.lastIndexOf('', -5, 1)", "null", "-1"),
            ("$.lastIndexOf(a, 0, 3)", "\"banana\"", "1"),
        ],
    ),
    method(
        "startsWith",
        "string: string, *prefixes: string",
        |call| Ok(any_rest(call, |text, part| text.starts_with(part))),
        "Tells whether the string starts with one of the given ones.",
        &[
            ("abc.startsWith(x, ab)", "null", "true"),
            ("abc.startsWith(b)", "null", "false"),
        ],
    ),
    method(
        "endsWith",
        "string: string, *suffixes: string",
        |call| Ok(any_rest(call, |text, part| text.ends_with(part))),
        "Tells whether the string ends with one of the given ones.",
        &[
            ("abc.endsWith(bc)", "null", "true"),
            ("$.endsWith('.yaml', '.yml')", "\"a.yml\"", "true"),
        ],
    ),
];

fn replace(
    call: &mut Call<'_, '_>,
    text: &str,
    old: &str,
    new: &str,
    count: i64,
) -> Result<String> {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let found = if old.is_empty() {
        text.len() + 1
    } else {
        text.matches(old).count()
    };
    let replaced = found.min(limit);
    let bytes = text
        .len()
        .saturating_add(replaced.saturating_mul(new.len()));
    call.machine.check_bytes(bytes)?;
    call.machine
        .spend(text.len() as u64 / 256 + replaced as u64 / 8)?;
    Ok(text.replacen(old, new, limit))
}

fn replace_all(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut text = call.text(0).to_string();
    let count = call.int(2)?;
    for (old, new) in call.dict(1).iter() {
        text = replace(call, &text, &text_of(&old), &text_of(&new), count)?;
    }
    Ok(Value::from(text))
}

/// The byte range of the characters `start..end`, where negative places count from the end and
/// places outside are moved inside.
fn byte_range(text: &str, start: i64, end: i64) -> std::ops::Range<usize> {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let place = |at: i64| {
        if at < 0 {
            at.saturating_add(length).max(0)
        } else {
            at.min(length)
        }
    };
    let (start, end) = (place(start), place(end));
    let offset = |at: i64| {
        let at = usize::try_from(at).unwrap_or(0);
        text.char_indices()
            .nth(at)
            .map_or(text.len(), |(offset, _)| offset)
    };
    let start_offset = offset(start);
    start_offset..offset(end).max(start_offset)
}

fn substring(call: &mut Call<'_, '_>) -> Result<Value> {
    let text = call.text(0);
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let (mut start, mut wanted) = (call.int(1)?, call.int(2)?);
    if wanted < 0 {
        wanted = length;
    }
    if start < 0 {
        start = start.saturating_add(length);
    }
    Ok(Value::from(
        &text[byte_range(&text, start, start.saturating_add(wanted))],
    ))
}

fn index_of(call: &mut Call<'_, '_>, length: Option<usize>, last: bool) -> Result<Value> {
    let (text, part) = (call.text(0), call.text(1));
    let mut start = call.int(2)?;
    let total = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let end = match length {
        None => total,
        Some(index) => {
            if start < 0 {
                start = start.saturating_add(total);
            }
            let wanted = int(&call.value(index))?;
            if wanted < 0 {
                total
            } else {
                start.saturating_add(wanted)
            }
        }
    };
    // Nothing, not even the empty text, is found where the end comes before the start.
    let place = |at: i64| {
        if at < 0 {
            (at.saturating_add(total)).max(0)
        } else {
            at
        }
    };
    if place(start) > place(end).min(total) {
        return Ok(Value::Int(-1));
    }
    let range = byte_range(&text, start, end);
    let window = &text[range.clone()];
    let found = if last {
        window.rfind(&*part)
    } else {
        window.find(&*part)
    };
    Ok(found.map_or(Value::Int(-1), |at| {
        Value::from(text[..range.start + at].chars().count())
    }))
}

fn any_rest(call: &Call<'_, '_>, holds: fn(&str, &str) -> bool) -> Value {
    let text = call.text(0);
    let parts = call.rest_values();
    Value::Bool(
        parts
            .iter()
            .filter_map(Value::as_str)
            .any(|part| holds(&text, part)),
    )
}
