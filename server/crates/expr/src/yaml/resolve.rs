//! What a scalar of YAML means: the implicit types of YAML 1.1 as PyYAML implements them, and the
//! tags of the core schema. `yes` is true, `010` is 8, `1:30` is 90, `1e3` is text, `2020-01-01` a
//! date. Both `yaml_parse` and the reader of definitions go by it; reading is left to them.

use num_bigint::BigInt;

use crate::Value;

/// Digits of a number; parsing more would not be linear.
pub const DIGITS_MAX: usize = 4_300;

/// The meaning of a scalar.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// A value of JSON.
    Value(Value),
    /// A timestamp.
    Date,
    /// The plain scalar `<<`: as a key it merges, elsewhere it is refused.
    Merge,
    /// The plain scalar `=`: as a key it is text, elsewhere it is refused.
    Default,
    /// A plain scalar that is nothing but `&`, `*` or `!`: refused everywhere.
    Indicator,
}

/// A scalar that has the form of a type but is no value of it, such as `0b_` or `!!int x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Not a number of this base.
    Number,
    /// More digits than are read.
    TooLong,
    /// Not a value of the type its tag names.
    Tag,
    /// A tag that is not known.
    UnknownTag,
}

/// The meaning of a plain scalar without a tag.
pub fn plain(text: &str) -> Result<Resolved, Malformed> {
    if let Some(value) = word(text) {
        return Ok(Resolved::Value(value));
    }
    match text {
        "<<" => return Ok(Resolved::Merge),
        "=" => return Ok(Resolved::Default),
        "&" | "*" | "!" => return Ok(Resolved::Indicator),
        _ => {}
    }
    let starts_number =
        text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    if starts_number {
        if is_float(text) {
            return float(text).map(Resolved::Value);
        }
        if is_int(text) {
            return int(text).map(Resolved::Value);
        }
        if is_timestamp(text) {
            return Ok(Resolved::Date);
        }
    }
    Ok(Resolved::Value(Value::from(text)))
}

/// The meaning of a scalar with a tag of the core schema, such as `int` for `!!int`.
pub fn tagged(tag: &str, text: &str) -> Result<Resolved, Malformed> {
    let value = match tag {
        "str" => Value::from(text),
        "null" => Value::Null,
        "bool" => match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" => Value::Bool(true),
            "no" | "false" | "off" => Value::Bool(false),
            _ => return Err(Malformed::Tag),
        },
        "int" if is_int(text.trim()) || is_digits(text.trim()) => int(text.trim())?,
        "float" if is_float(text.trim()) || is_digits(text.trim()) => float(text.trim())?,
        "timestamp" if is_timestamp(text) => return Ok(Resolved::Date),
        "int" | "float" | "timestamp" => return Err(Malformed::Tag),
        _ => return Err(Malformed::UnknownTag),
    };
    Ok(Resolved::Value(value))
}

fn word(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => return None,
    })
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_digits(text: &str) -> bool {
    let digits = unsigned(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The rest after the longest prefix of bytes that are digits or underscores.
fn after_digits(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
}

fn is_float(text: &str) -> bool {
    let body = unsigned(text);
    if matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if let Some(fraction) = text.strip_prefix('.') {
        return fraction.starts_with(|c: char| c.is_ascii_digit())
            && is_exponent_or_end(after_digits(fraction));
    }
    if !body.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let rest = after_digits(body);
    if let Some(fraction) = rest.strip_prefix('.') {
        return is_exponent_or_end(after_digits(fraction));
    }
    match after_sexagesimal(rest).strip_prefix('.') {
        Some(fraction) => rest.starts_with(':') && after_digits(fraction).is_empty(),
        None => false,
    }
}

fn is_exponent_or_end(text: &str) -> bool {
    let Some(exponent) = text.strip_prefix(['e', 'E']) else {
        return text.is_empty();
    };
    // YAML 1.1 wants a sign, so `1.0e3` is text.
    exponent.starts_with(['-', '+']) && is_digits(exponent)
}

/// The rest after any number of `:59`.
fn after_sexagesimal(mut text: &str) -> &str {
    while let Some(digits) = text.strip_prefix(':') {
        let bytes = digits.as_bytes();
        let first = bytes.first().copied().unwrap_or(b' ');
        let second = bytes.get(1).copied().unwrap_or(b' ');
        let width = match (first, second) {
            (b'0'..=b'5', b'0'..=b'9') => 2,
            (b'0'..=b'9', _) => 1,
            _ => return text,
        };
        text = &digits[width..];
    }
    text
}

fn is_int(text: &str) -> bool {
    let body = unsigned(text);
    let radix_digits = |digits: &str, valid: fn(u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|b| b == b'_' || valid(b))
    };
    if let Some(digits) = body.strip_prefix("0b") {
        return radix_digits(digits, |b| matches!(b, b'0' | b'1'));
    }
    if let Some(digits) = body.strip_prefix("0x") {
        return radix_digits(digits, |b| b.is_ascii_hexdigit());
    }
    if let Some(digits) = body.strip_prefix('0') {
        return digits.is_empty() || radix_digits(digits, |b| matches!(b, b'0'..=b'7'));
    }
    body.starts_with(|c: char| c.is_ascii_digit())
        && after_sexagesimal(after_digits(body)).is_empty()
}

fn int(text: &str) -> Result<Value, Malformed> {
    let plain = text.replace('_', "");
    let body = unsigned(&plain);
    if body.len() > DIGITS_MAX {
        return Err(Malformed::TooLong);
    }
    let parse = |digits: &str, radix: u32| {
        BigInt::parse_bytes(digits.as_bytes(), radix).ok_or(Malformed::Number)
    };
    let magnitude = if let Some(digits) = body.strip_prefix("0b") {
        parse(digits, 2)?
    } else if let Some(digits) = body.strip_prefix("0x") {
        parse(digits, 16)?
    } else if body.len() > 1 && body.starts_with('0') {
        parse(body, 8)?
    } else {
        let mut total = BigInt::from(0);
        for part in body.split(':') {
            total = total * 60 + parse(part, 10)?;
        }
        total
    };
    let negative = plain.starts_with('-');
    Ok(Value::from_bigint(if negative {
        -magnitude
    } else {
        magnitude
    }))
}

fn float(text: &str) -> Result<Value, Malformed> {
    let plain = text.replace('_', "").to_ascii_lowercase();
    let body = unsigned(&plain);
    let magnitude = match body {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ => {
            let mut total = 0.0;
            for part in body.split(':') {
                total = total * 60.0 + part.parse::<f64>().map_err(|_| Malformed::Number)?;
            }
            total
        }
    };
    let negative = plain.starts_with('-');
    Ok(Value::Float(if negative { -magnitude } else { magnitude }))
}

/// `2020-01-31`, or a date with one or two digits a field, then `T`, `t` or blanks, then a time
/// with an optional fraction and zone.
fn is_timestamp(text: &str) -> bool {
    let Some((year, rest)) = digits(text, 4, 4) else {
        return false;
    };
    debug_assert_eq!(year.len(), 4, "the prefix is as long as asked for");
    let date = |min: usize| -> Option<&str> {
        let (_, rest) = digits(rest.strip_prefix('-')?, min, 2)?;
        digits(rest.strip_prefix('-')?, min, 2).map(|(_, rest)| rest)
    };
    if date(2).is_some_and(str::is_empty) {
        return true;
    }
    let time = |rest: &str| -> Option<bool> {
        let blanks = rest.trim_start_matches([' ', '\t']);
        let rest = match rest.strip_prefix(['T', 't']) {
            Some(rest) => rest,
            None if blanks.len() < rest.len() => blanks,
            None => return None,
        };
        let (_, rest) = digits(rest, 1, 2)?;
        let (_, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        let (_, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        let rest = match rest.strip_prefix('.') {
            Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => rest,
        };
        Some(rest.is_empty() || is_zone(rest.trim_start_matches([' ', '\t'])))
    };
    date(1).and_then(time).unwrap_or(false)
}

fn is_zone(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let Some((_, rest)) = text.strip_prefix(['-', '+']).and_then(|t| digits(t, 1, 2)) else {
        return false;
    };
    rest.is_empty()
        || rest
            .strip_prefix(':')
            .and_then(|minutes| digits(minutes, 2, 2))
            .is_some_and(|(_, rest)| rest.is_empty())
}

/// Splits off at least `min` and at most `max` leading digits.
fn digits(text: &str, min: usize, max: usize) -> Option<(&str, &str)> {
    let count = text
        .bytes()
        .take(max)
        .take_while(u8::is_ascii_digit)
        .count();
    (count >= min).then(|| text.split_at(count))
}
