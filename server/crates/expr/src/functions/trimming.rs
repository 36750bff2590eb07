//! Builtins that take characters off the ends of strings.

use super::{Builtin, Call, both, method};
use crate::Value;
use crate::fault::Result;

pub(super) const BUILTINS: &[Builtin] = &[
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
];

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
