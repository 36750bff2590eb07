//! Builtins that make strings of values and values of strings. Parts of strings are left to
//! `splitting`, `substrings` and `trimming`, patterns to `regexes`, `format` to its own file.

use super::{Builtin, Call, both, format, function, method};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::number;
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
        "toCharArray",
        "string: string",
        |call| {
            let text = call.text(0);
            call.machine.spend(text.len() as u64 / 8)?;
            Ok(text.chars().map(|c| Value::from(c.to_string())).collect())
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

/// What `str()` gives for a value of the workflow's own functions: lists are written as such.
pub(crate) fn host_text(value: &Value) -> String {
    match value {
        Value::List(_) | Value::Dict(_) => value.to_text(),
        value => text_of(value),
    }
}

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

fn hex(call: &mut Call<'_, '_>) -> Result<Value> {
    let number = number::to_bigint(&call.value(0));
    let number = number.ok_or_else(|| Fault::value("hex() takes an integer, not a float"))?;
    Ok(Value::from(format!("{number:#x}")))
}
