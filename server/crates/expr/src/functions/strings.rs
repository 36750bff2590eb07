//! Builtins on strings. Positions count characters, as in Python. Patterns are left to
//! `regexes`, `format` to its own file.

use super::call::int;
use super::{Builtin, Call, both, format, function, method};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::number;
use crate::seq::Cursor;
use crate::value::tuple_text;

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "concat",
        "*strings: string",
        concat,
        "Puts strings together.",
        &[
            ("concat(a, $, c)", "\"b\"", "\"abc\""),
            (
                "concat($.a, '-', str($.b))",
                "{\"a\": \"x\", \"b\": 1}",
                "\"x-1\"",
            ),
        ],
    ),
    method(
        "toUpper",
        "string: string",
        |call| Ok(Value::from(call.text(0).to_uppercase())),
        "Gives the string in capital letters.",
        &[
            ("aB1.toUpper()", "null", "\"AB1\""),
            ("$.select($.toUpper())", "[\"a\", \"ß\"]", "[\"A\", \"SS\"]"),
        ],
    ),
    method(
        "toLower",
        "string: string",
        |call| Ok(Value::from(call.text(0).to_lowercase())),
        "Gives the string in small letters.",
        &[
            ("aB1.toLower()", "null", "\"ab1\""),
            ("$.toLower()", "\"ÄB\"", "\"äb\""),
        ],
    ),
    both(
        "len",
        "string: string",
        |call| Ok(Value::from(call.text(0).chars().count())),
        "Gives the number of characters.",
        &[("len($)", "\"größe\"", "5"), ("abc.len()", "null", "3")],
    ),
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
    function(
        "str",
        "value: any?",
        |call| {
            let value = call.value(0);
            match value.first_binary() {
                Some(binary) => Err(Fault::opaque(&binary)),
                None => Ok(Value::from(text_of(&value))),
            }
        },
        "Gives the value as a string.",
        &[
            ("str($)", "12", "\"12\""),
            ("str(null) + str(true)", "null", "\"nulltrue\""),
        ],
    ),
    method(
        "trim",
        "string: string, chars: string? = null",
        |call| {
            Ok(Value::from(trim(
                &call.text(0),
                call.optional_text(1).as_deref(),
                true,
                true,
            )))
        },
        "Removes white space, or any of the given characters, at both ends.",
        &[
            ("' a '.trim()", "null", "\"a\""),
            ("xax.trim(x)", "null", "\"a\""),
        ],
    ),
    method(
        "trimLeft",
        "string: string, chars: string? = null",
        |call| {
            Ok(Value::from(trim(
                &call.text(0),
                call.optional_text(1).as_deref(),
                true,
                false,
            )))
        },
        "Removes white space, or any of the given characters, at the start.",
        &[
            ("' a '.trimLeft()", "null", "\"a \""),
            ("$.trimLeft('0')", "\"0070\"", "\"70\""),
        ],
    ),
    method(
        "trimRight",
        "string: string, chars: string? = null",
        |call| {
            Ok(Value::from(trim(
                &call.text(0),
                call.optional_text(1).as_deref(),
                false,
                true,
            )))
        },
        "Removes white space, or any of the given characters, at the end.",
        &[
            ("' a '.trimRight()", "null", "\" a\""),
            ("$.trimRight('.!')", "\"well!..\"", "\"well\""),
        ],
    ),
    both(
        "norm",
        "string: string?, chars: string? = null",
        norm,
        "Trims the string and gives null if nothing is left.",
        &[
            ("norm(' a ')", "null", "\"a\""),
            ("' '.norm()", "null", "null"),
        ],
    ),
    both(
        "isEmpty",
        "string: string?, trim: bool = true, chars: string? = null",
        is_empty,
        "Tells whether the string is null or empty, trimmed before unless told not to.",
        &[
            ("isEmpty(null)", "null", "true"),
            ("isEmpty(' ', false)", "null", "false"),
        ],
    ),
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
            ("$.lastIndexOf(a, 0, 3)", "\"banana\"", "1"),
        ],
    ),
    method(
        "toCharArray",
        "string: string",
        |call| {
            Ok(call
                .text(0)
                .chars()
                .map(|c| Value::from(c.to_string()))
                .collect())
        },
        "Gives the characters as a list.",
        &[
            ("ab.toCharArray()", "null", "[\"a\", \"b\"]"),
            ("$.toCharArray().where($ > b)", "\"abcd\"", "[\"c\", \"d\"]"),
        ],
    ),
    function(
        "characters",
        "digits: bool? = false, hexdigits: bool? = false, asciiLowercase: bool? = false, \
         asciiUppercase: bool? = false, asciiLetters: bool? = false, letters: bool? = false, \
         octdigits: bool? = false, punctuation: bool? = false, printable: bool? = false, \
         lowercase: bool? = false, uppercase: bool? = false, whitespace: bool? = false",
        characters,
        "Gives the characters of the named classes as a list.",
        &[
            (
                "characters(octdigits => true).join('')",
                "null",
                "\"01234567\"",
            ),
            ("characters(digits => true).len()", "null", "10"),
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
    function(
        "hex",
        "num: number",
        hex,
        "Gives an integer in hexadecimal digits.",
        &[
            ("hex(255)", "null", "\"0xff\""),
            ("hex(-1)", "null", "\"-0x1\""),
        ],
    ),
    both(
        "format",
        "template: string, *args: any?, **kwargs: any?",
        |call| {
            let (args, named) = (call.rest_values(), call.named_values());
            let text = format::format(&call.text(0), &args, &named)?;
            call.machine.check_bytes(text.len())?;
            Ok(Value::from(text))
        },
        "Fills the {} of a template with the arguments, by place or by name.",
        &[
            ("'{0}-{1}'.format($, b)", "1", "\"1-b\""),
            ("'{x}'.format(x => 2)", "null", "\"2\""),
        ],
    ),
];

/// A value as YAQL's `str()` has it: like Python's, but `null`, `true` and `false` as YAQL
/// writes them, and lists as the tuples that YAQL makes of them.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        value => tuple_text(value),
    }
}

fn concat(call: &mut Call<'_, '_>) -> Result<Value> {
    let mut out = String::new();
    for part in call.rest_values() {
        out.push_str(part.as_str().unwrap_or_default());
        call.machine.check_bytes(out.len())?;
    }
    Ok(Value::from(out))
}

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
        let item = call.machine.strict(item)?;
        match &item {
            Value::Str(text) => out.push_str(text),
            other => out.push_str(&text_of(other)),
        }
        call.machine.check_bytes(out.len())?;
    }
    Ok(Value::from(out))
}

fn trim<'t>(text: &'t str, chars: Option<&str>, left: bool, right: bool) -> &'t str {
    let trimmed = |c: char| chars.map_or(c.is_whitespace(), |chars| chars.contains(c));
    let text = if left {
        text.trim_start_matches(trimmed)
    } else {
        text
    };
    if right {
        text.trim_end_matches(trimmed)
    } else {
        text
    }
}

fn norm(call: &mut Call<'_, '_>) -> Result<Value> {
    let Some(text) = call.optional_text(0) else {
        return Ok(Value::Null);
    };
    let trimmed = trim(&text, call.optional_text(1).as_deref(), true, true);
    Ok(if trimmed.is_empty() {
        Value::Null
    } else {
        Value::from(trimmed)
    })
}

fn is_empty(call: &mut Call<'_, '_>) -> Result<Value> {
    let Some(text) = call.optional_text(0) else {
        return Ok(Value::Bool(true));
    };
    let trimmed = if call.flag(1) {
        trim(&text, call.optional_text(2).as_deref(), true, true)
    } else {
        &*text
    };
    Ok(Value::Bool(trimmed.is_empty()))
}

fn replace(call: &Call<'_, '_>, text: &str, old: &str, new: &str, count: i64) -> Result<String> {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let found = if old.is_empty() {
        text.len() + 1
    } else {
        text.matches(old).count()
    };
    call.machine.check_bytes(
        text.len()
            .saturating_add(found.min(limit).saturating_mul(new.len())),
    )?;
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
            start.saturating_add(if wanted < 0 { total - start } else { wanted })
        }
    };
    if start > total {
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

fn characters(call: &mut Call<'_, '_>) -> Result<Value> {
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const DIGITS: &str = "0123456789";
    const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    const SPACE: &str = " \t\n\r\u{b}\u{c}";
    const CLASSES: [&[&str]; 12] = [
        &[DIGITS],
        &[DIGITS, "abcdefABCDEF"],
        &[LOWER],
        &[UPPER],
        &[LOWER, UPPER],
        &[LOWER, UPPER],
        &["01234567"],
        &[PUNCTUATION],
        &[DIGITS, LOWER, UPPER, PUNCTUATION, SPACE],
        &[LOWER],
        &[UPPER],
        &[SPACE],
    ];
    let wanted = CLASSES
        .iter()
        .enumerate()
        .filter(|(index, _)| call.flag(*index));
    let chars = wanted
        .flat_map(|(_, parts)| parts.iter())
        .flat_map(|part| part.chars());
    let distinct: indexmap::IndexSet<char> = chars.collect();
    Ok(distinct
        .into_iter()
        .map(|c| Value::from(c.to_string()))
        .collect())
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

fn hex(call: &mut Call<'_, '_>) -> Result<Value> {
    let number = number::to_bigint(&call.value(0));
    let number = number.ok_or_else(|| Fault::value("hex() takes an integer, not a float"))?;
    Ok(Value::from(format!("{number:#x}")))
}
