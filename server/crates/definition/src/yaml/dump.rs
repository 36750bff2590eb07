//! A value as YAML text that reads as the same value: one line, flow style, every text quoted.

use std::fmt::Write;

use expr::Value;

/// Keys longer than this need the explicit form `? key`.
const SIMPLE_KEY_MAX: usize = 1_000;

/// Appends a value. Only values that a document can hold are written; anything else is null.
pub(crate) fn dump(value: &Value, out: &mut String) {
    match value {
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => push(out, format_args!("{number}")),
        Value::BigInt(number) => push(out, format_args!("{number}")),
        Value::Float(number) => float(*number, out),
        Value::Str(text) => quoted(text, out),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                dump(item, out);
            }
            out.push(']');
        }
        Value::Dict(dict) => {
            out.push('{');
            for (index, (key, item)) in dict.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                if key.as_str().is_some_and(|text| text.len() > SIMPLE_KEY_MAX) {
                    out.push_str("? ");
                }
                dump(&key, out);
                out.push_str(": ");
                dump(&item, out);
            }
            out.push('}');
        }
        _ => out.push_str("null"),
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
}

/// YAML 1.1 takes a number for a float only if it has a point and its exponent a sign.
fn float(number: f64, out: &mut String) {
    if number.is_nan() {
        out.push_str(".nan");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { ".inf" } else { "-.inf" });
    } else {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').expect("the format has an exponent");
        let point = if mantissa.contains('.') { "" } else { ".0" };
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        push(out, format_args!("{mantissa}{point}e{sign}{exponent}"));
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}') => {
                push(out, format_args!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
