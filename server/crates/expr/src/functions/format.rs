//! Python's `str.format` without its reach into attributes and items: fields by place or by
//! name, `!s` and `!r`, and the fill, alignment, sign, width, precision and type of a value.

use std::sync::Arc;

use num_bigint::BigInt;

use crate::Value;
use crate::fault::{Fault, Result};
use crate::number;
use crate::value::repr;

/// The widest field, which bounds the memory a template can ask for.
const WIDTH_MAX: usize = 10_000;

/// Fills a template.
pub(super) fn format(
    template: &str,
    args: &[Value],
    named: &[(Arc<str>, Value)],
) -> Result<String> {
    let mut out = String::new();
    let mut next = 0;
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(Fault::value("a single '}' stands in the template"));
        }
        let Some((field, after)) = rest.split_once('}') else {
            return Err(Fault::value("a '{' of the template is not closed"));
        };
        rest = after;
        out.push_str(&fill(field, args, named, &mut next)?);
    }
    out.push_str(rest);
    Ok(out)
}

fn fill(
    field: &str,
    args: &[Value],
    named: &[(Arc<str>, Value)],
    next: &mut usize,
) -> Result<String> {
    let (head, spec) = field.split_once(':').unwrap_or((field, ""));
    let (name, conversion) = head.split_once('!').unwrap_or((head, ""));
    if name.contains(['.', '[']) {
        return Err(Fault::value(format!(
            "the field '{name}' may not reach into a value"
        )));
    }
    let value = if name.is_empty() {
        *next += 1;
        args.get(*next - 1)
    } else if let Ok(index) = name.parse::<usize>() {
        args.get(index)
    } else {
        named
            .iter()
            .find(|(bound, _)| **bound == *name)
            .map(|(_, value)| value)
    };
    let value = value.ok_or_else(|| Fault::value(format!("no argument fills '{{{field}}}'")))?;
    match conversion {
        "" => apply(value, &Spec::parse(spec)?),
        "s" => apply(&Value::from(value.to_text()), &Spec::parse(spec)?),
        "r" => apply(&Value::from(repr(value)), &Spec::parse(spec)?),
        other => Err(Fault::value(format!("unknown conversion '!{other}'"))),
    }
}

struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn parse(text: &str) -> Result<Self> {
        let bad = || Fault::value(format!("'{text}' is no format of a field"));
        let mut spec = Self {
            fill: ' ',
            align: None,
            sign: '-',
            alternate: false,
            width: 0,
            grouping: None,
            precision: None,
            kind: None,
        };
        let is_align = |c: &char| matches!(c, '<' | '>' | '^' | '=');
        let mut chars = text.chars().peekable();
        let mut ahead = text.chars();
        let (first, second) = (ahead.next(), ahead.next());
        if let (Some(fill), Some(align)) = (first, second.filter(is_align)) {
            (spec.fill, spec.align) = (fill, Some(align));
            chars.nth(1);
        } else if let Some(align) = first.filter(is_align) {
            spec.align = Some(align);
            chars.next();
        }
        if let Some(sign) = chars.next_if(|c| matches!(c, '+' | '-' | ' ')) {
            spec.sign = sign;
        }
        spec.alternate = chars.next_if_eq(&'#').is_some();
        if chars.next_if_eq(&'0').is_some() && spec.align.is_none() {
            (spec.fill, spec.align) = ('0', Some('='));
        }
        spec.width = digits(&mut chars).ok_or_else(bad)?.unwrap_or(0);
        spec.grouping = chars.next_if(|c| matches!(c, ',' | '_'));
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(digits(&mut chars).ok_or_else(bad)?.ok_or_else(bad)?);
        }
        spec.kind = chars.next();
        if chars.next().is_some() {
            return Err(bad());
        }
        Ok(spec)
    }
}

/// A number, `None` for none; the outer `None` says that it is too large.
#[expect(
    clippy::option_option,
    reason = "absence and excess are different answers"
)]
fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Option<usize>> {
    let mut number: Option<usize> = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        number = Some(number.unwrap_or(0) * 10 + digit as usize);
        if number > Some(WIDTH_MAX) {
            return None;
        }
    }
    Some(number)
}

fn apply(value: &Value, spec: &Spec) -> Result<String> {
    let (sign, body, numeric) = match value {
        Value::Int(_) | Value::BigInt(_) => integer(value, spec)?,
        Value::Float(number) => float(*number, spec)?,
        Value::Bool(_) if spec.kind.is_some_and(|kind| kind != 's') => integer(value, spec)?,
        value => {
            if spec.kind.is_some_and(|kind| kind != 's') {
                let kind = value.type_name();
                return Err(Fault::value(format!("the format does not take a {kind}")));
            }
            let text = value.to_text();
            let text = spec
                .precision
                .map_or(text.clone(), |n| text.chars().take(n).collect());
            (String::new(), text, false)
        }
    };
    let missing = spec
        .width
        .saturating_sub(sign.chars().count() + body.chars().count());
    let padding = |count: usize| spec.fill.to_string().repeat(count);
    Ok(
        match spec.align.unwrap_or(if numeric { '>' } else { '<' }) {
            '<' => format!("{sign}{body}{}", padding(missing)),
            '^' => {
                format!(
                    "{}{sign}{body}{}",
                    padding(missing / 2),
                    padding(missing - missing / 2)
                )
            }
            '=' => format!("{sign}{}{body}", padding(missing)),
            _ => format!("{}{sign}{body}", padding(missing)),
        },
    )
}

fn sign_of(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.sign) {
        (true, _) => "-",
        (false, '+') => "+",
        (false, ' ') => " ",
        (false, _) => "",
    }
}

fn integer(value: &Value, spec: &Spec) -> Result<(String, String, bool)> {
    let kind = spec.kind.unwrap_or('d');
    if matches!(kind, 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') {
        return float(
            number::to_f64(&Value::Float(value.as_f64().unwrap_or(f64::NAN)))?,
            spec,
        );
    }
    let number = number::to_bigint(value).unwrap_or_default();
    let magnitude = number.magnitude();
    let (prefix, digits) = match kind {
        'd' | 'n' => ("", magnitude.to_string()),
        'x' => ("0x", format!("{magnitude:x}")),
        'X' => ("0X", format!("{magnitude:X}")),
        'o' => ("0o", format!("{magnitude:o}")),
        'b' => ("0b", format!("{magnitude:b}")),
        other => {
            return Err(Fault::value(format!(
                "unknown format '{other}' of an integer"
            )));
        }
    };
    let prefix = if spec.alternate { prefix } else { "" };
    let sign = format!("{}{prefix}", sign_of(number < BigInt::ZERO, spec));
    Ok((sign, group(&digits, spec), true))
}

fn float(number: f64, spec: &Spec) -> Result<(String, String, bool)> {
    let places = spec.precision.unwrap_or(6);
    let size = number.abs();
    let text = match spec.kind {
        _ if !number.is_finite() => crate::value::float_text(size),
        None if spec.precision.is_none() => crate::value::float_text(size),
        Some('f' | 'F') => format!("{size:.places$}"),
        Some('%') => format!("{:.places$}%", size * 100.0),
        Some('e' | 'E') => {
            let text = format!("{size:.places$e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        other => {
            let kind = other.map_or("precision alone".into(), |kind| format!("'{kind}'"));
            return Err(Fault::value(format!(
                "unknown format {kind} of a float: use 'f' or 'e'"
            )));
        }
    };
    let sign = sign_of(number.is_sign_negative(), spec).to_string();
    Ok((sign, group(&text, spec), true))
}

/// Puts the grouping mark between each three digits before the point.
fn group(digits: &str, spec: &Spec) -> String {
    let Some(mark) = spec.grouping else {
        return digits.to_string();
    };
    let (whole, fraction) = digits.split_at(digits.find(['.', 'e', '%']).unwrap_or(digits.len()));
    let mut out = String::new();
    for (index, c) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(c);
    }
    out + fraction
}
