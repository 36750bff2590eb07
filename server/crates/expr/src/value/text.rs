//! Values as Python's `str()` and `repr()` write them: what interpolation puts into a string.
//! JSON text is left to `json`; YAQL's own `str()` to `functions::string`.

use std::fmt::Write;

use super::Value;

impl Value {
    /// The value as Python's `str()` writes it: `True`, `None`, `[1, 'a', None]`, `1.0`, `1e+16`.
    pub fn to_text(&self) -> String {
        if let Self::Str(text) = self {
            text.to_string()
        } else {
            let mut out = String::new();
            repr_into(
                self,
                &mut out,
                Style {
                    top: true,
                    tuples: false,
                },
            );
            out
        }
    }
}

/// How a value is written.
#[derive(Clone, Copy)]
struct Style {
    /// The value stands alone rather than within another one.
    top: bool,
    /// Lists are written as tuples.
    tuples: bool,
}

/// The value as Python's `str()` writes it inside YAQL, where lists are tuples.
pub(crate) fn tuple_text(value: &Value) -> String {
    if let Value::Str(text) = value {
        text.to_string()
    } else {
        let mut out = String::new();
        repr_into(
            value,
            &mut out,
            Style {
                top: true,
                tuples: true,
            },
        );
        out
    }
}

/// The value as Python's `repr()` writes it.
pub(crate) fn repr(value: &Value) -> String {
    let mut out = String::new();
    repr_into(
        value,
        &mut out,
        Style {
            top: false,
            tuples: false,
        },
    );
    out
}

fn repr_into(value: &Value, out: &mut String, style: Style) {
    let inner = Style {
        top: false,
        ..style
    };
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(flag) => out.push_str(if *flag { "True" } else { "False" }),
        Value::Int(number) => write!(out, "{number}").expect("a String accepts all text"),
        Value::BigInt(number) => write!(out, "{number}").expect("a String accepts all text"),
        Value::Float(number) => out.push_str(&float_text(*number)),
        Value::Str(text) => repr_str(text, out),
        Value::List(items) if style.tuples => {
            let close = if items.len() == 1 { ",)" } else { ")" };
            sequence(items.iter(), ["(", close], out, inner);
        }
        Value::List(items) => {
            sequence(items.iter(), ["[", "]"], out, inner);
        }
        Value::Set(items) if items.is_empty() => {
            out.push_str(if style.tuples { "frozenset()" } else { "set()" });
        }
        Value::Set(items) if style.tuples => {
            sequence(items.iter(), ["frozenset({", "})"], out, inner);
        }
        Value::Set(items) => sequence(items.iter(), ["{", "}"], out, inner),
        Value::Dict(dict) => {
            out.push('{');
            for (index, (key, value)) in dict.to_map().iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                repr_into(key, out, inner);
                out.push_str(": ");
                repr_into(value, out, inner);
            }
            out.push('}');
        }
        Value::DateTime(moment) if style.top => out.push_str(&moment.to_text(' ')),
        Value::DateTime(moment) => out.push_str(&moment.repr()),
        Value::TimeSpan(span) if style.top => out.push_str(&span.to_text()),
        Value::TimeSpan(span) => out.push_str(&span.repr()),
        Value::Binary(binary) => {
            write!(out, "{binary}").expect("a String accepts all text");
        }
        Value::Regex(pattern) => out.push_str(&pattern.to_text()),
        Value::Seq(_) => out.push_str("<sequence>"),
    }
}

fn sequence<'a>(
    items: impl Iterator<Item = &'a Value>,
    [open, close]: [&str; 2],
    out: &mut String,
    style: Style,
) {
    out.push_str(open);
    for (index, item) in items.enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        repr_into(item, out, style);
    }
    out.push_str(close);
}

/// Python quotes with `'` unless the text holds one and no `"`.
fn repr_str(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_unprintable(c) => escape(c, out),
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// The characters that Python escapes: controls, separators other than the space, formatting
/// marks and private use.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(
            c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{f0000}'..='\u{10ffff}'
        )
}

fn escape(c: char, out: &mut String) {
    let code = u32::from(c);
    let written = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    written.expect("a String accepts all text");
}

/// A double as Python writes it: the shortest digits that read back the same, an exponent below
/// 1e-4 and from 1e16 on.
pub(crate) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "inf".into()
        } else {
            "-inf".into()
        };
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific
        .split_once('e')
        .expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    let rounded = format!(
        "{number:.*e}",
        digits.bytes().filter(u8::is_ascii_digit).count() - 1
    );
    // Of two shortest texts Python takes the closer one, and of two as close the even one.
    let digits = match rounded.split_once('e') {
        Some((closest, _)) if rounded.parse() == Ok(number) => closest,
        _ => digits,
    };
    if (-4..16).contains(&exponent) {
        return plain_digits(digits, exponent);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A double without an exponent, from its digits and the power of ten of the first one.
fn plain_digits(digits: &str, exponent: i32) -> String {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |digits| ("-", digits));
    let digits = digits.replace('.', "");
    let Ok(before) = usize::try_from(exponent + 1) else {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    };
    match digits.len().checked_sub(before) {
        None | Some(0) => format!("{sign}{digits:0<before$}.0"),
        Some(_) if before == 0 => format!("{sign}0.{digits}"),
        Some(_) => format!("{sign}{}.{}", &digits[..before], &digits[before..]),
    }
}
