//! JSON trees as YAML text that people like to read and that every YAML reader takes alike.
//!
//! Owns quoting. What reads the text follows YAML 1.1, where `yes`, `0o7`, `1:30` and many more are
//! not texts; so a text is left plain only if it is a simple word that nobody could take for
//! anything else.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// Plain words that YAML 1.1 takes for booleans or null.
const RESERVED: [&str; 13] = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "nil", "none",
];

/// A document with this mapping at the top.
pub(super) fn render(document: &Map<String, Value>) -> String {
    let mut out = String::new();
    for (key, value) in document {
        entry(&mut out, 0, key, value);
    }
    out
}

fn entry(out: &mut String, indent: usize, key: &str, value: &Value) {
    pad(out, indent);
    scalar_text(out, key);
    out.push(':');
    block(out, indent + 1, value);
}

/// A value after `key:`, on the same line if it is short by nature.
fn block(out: &mut String, indent: usize, value: &Value) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            out.push('\n');
            for (key, value) in object {
                entry(out, indent, key, value);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            out.push('\n');
            for value in list {
                pad(out, indent);
                item(out, indent, value);
            }
        }
        other => {
            out.push(' ');
            scalar(out, other);
            out.push('\n');
        }
    }
}

/// An element of a list; the line is padded already.
fn item(out: &mut String, indent: usize, value: &Value) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            out.push_str("- ");
            for (index, (key, value)) in object.iter().enumerate() {
                if index > 0 {
                    pad(out, indent + 1);
                }
                scalar_text(out, key);
                out.push(':');
                block(out, indent + 2, value);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            out.push_str("- ");
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    pad(out, indent + 1);
                }
                item(out, indent + 1, value);
            }
        }
        other => {
            out.push_str("- ");
            scalar(out, other);
            out.push('\n');
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    for _ in 0..indent {
        out.push_str("  ");
    }
}

fn scalar(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => number(out, value),
        Value::String(text) => scalar_text(out, text),
        // Only empty ones come here; the others are blocks.
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// YAML 1.1 wants a point in the mantissa and a sign in the exponent, or it reads a text.
fn number(out: &mut String, number: &Number) {
    let text = number.to_string();
    match text.split_once(['e', 'E']) {
        None => out.push_str(&text),
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with(['-', '+']) {
                ""
            } else {
                "+"
            };
            write!(out, "{mantissa}{point}e{sign}{exponent}").expect("a text takes everything");
        }
    }
}

fn scalar_text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if must_escape(other) => {
                write!(out, "\\u{:04X}", u32::from(other)).expect("a text takes everything");
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn is_plain(text: &str) -> bool {
    let mut characters = text.chars();
    let starts_well = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic());
    starts_well
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str())
}

/// Controls, line breaks of Unicode and the byte order mark: not allowed in the text or changed by
/// reading it. All of them fit into four hexadecimal digits.
fn must_escape(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
        )
}

#[cfg(test)]
mod tests;
