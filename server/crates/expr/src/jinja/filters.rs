//! Filters and tests of Jinja2 that `minijinja` lacks or has otherwise.

#![expect(
    clippy::needless_pass_by_value,
    reason = "minijinja hands its arguments over by value"
)]

use std::fmt::Write;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, Value as Jinja, filters};

use super::values::from_jinja;
use crate::Value;
use crate::value::{float_text, repr};

pub(super) type Result<T> = std::result::Result<T, Error>;

/// The widest text that a filter makes of a short one.
const WIDTH_MAX: usize = 1 << 16;

/// Adds them.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.set_formatter(format_value);
    for name in ["escape", "e", "forceescape"] {
        environment.add_filter(name, |value: &Jinja| Ok::<_, Error>(escape(&shown(value)?)));
    }
    environment.add_filter("attr", attribute);
    environment.add_filter("center", center);
    environment.add_filter("dictsort", dictsort);
    environment.add_filter("filesizeformat", file_size);
    environment.add_filter("items", |value: &Jinja| match value.kind() {
        ValueKind::Undefined => Ok(Jinja::from(Vec::<Jinja>::new())),
        _ => filters::items(value),
    });
    environment.add_filter("pprint", pretty);
    environment.add_filter("round", round);
    environment.add_filter("safe", |value: &Jinja| {
        shown(value).map(Jinja::from_safe_string)
    });
    environment.add_filter("string", shown);
    environment.add_filter("striptags", strip_tags);
    environment.add_filter("truncate", truncate);
    environment.add_filter("urlencode", urlencode);
    environment.add_filter("wordcount", |value: &Jinja| {
        let text = shown(value)?;
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        Ok::<_, Error>(words.filter(|word| !word.is_empty()).count())
    });
    environment.add_filter("xmlattr", xmlattr);
    // What is undefined can be called in Python, if only to fail.
    environment.add_test("callable", |value: &Jinja| {
        matches!(value.kind(), ValueKind::Plain | ValueKind::Undefined)
    });
    environment.add_test("iterable", |value: &Jinja| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        Ok(has_items(value))
    });
    environment.add_test("lower", |value: &Jinja| {
        shown(value).map(|text| is_cased(&text, char::is_lowercase, char::is_uppercase))
    });
    environment.add_test("upper", |value: &Jinja| {
        shown(value).map(|text| is_cased(&text, char::is_uppercase, char::is_lowercase))
    });
    environment.add_test("sequence", |value: &Jinja| {
        has_items(value) && (value.kind() != ValueKind::Iterable || value.len().is_some())
    });
}

/// An attribute of a value, never an item: dicts have none that are data.
fn attribute(value: &Jinja, name: &str) -> Result<Jinja> {
    match value.kind() {
        ValueKind::Map => Ok(Jinja::UNDEFINED),
        _ => value.get_attr(name),
    }
}

/// Whether a text has letters of one case and none of the other.
fn is_cased(text: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    text.contains(wanted) && !text.contains(other)
}

fn has_items(value: &Jinja) -> bool {
    matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Iterable
    )
}

/// Prints a value; floats as Python does.
fn format_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Jinja,
) -> std::result::Result<(), Error> {
    match float(value) {
        Some(number) => out.write_str(&float_text(number)).map_err(Error::from),
        None => minijinja::escape_formatter(out, state, value),
    }
}

fn float(value: &Jinja) -> Option<f64> {
    let is_float = value.kind() == ValueKind::Number && !value.is_integer();
    is_float
        .then(|| f64::try_from(value.clone()).ok())
        .flatten()
}

/// A value as text; an undefined one is an error.
pub(super) fn shown(value: &Jinja) -> Result<String> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    Ok(float(value).map_or_else(|| value.to_string(), float_text))
}

pub(super) fn bad(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// Arguments that may be given by place or by name.
pub(super) fn options<const N: usize>(
    given: &[Jinja],
    keyed: &Kwargs,
    names: [&str; N],
) -> Result<[Option<Jinja>; N]> {
    if given.len() > N {
        return Err(ErrorKind::TooManyArguments.into());
    }
    let mut found = [const { None }; N];
    for (index, name) in names.iter().enumerate() {
        found[index] = match given.get(index) {
            Some(value) => Some(value.clone()),
            None => keyed.get::<Option<Jinja>>(name)?,
        };
    }
    keyed.assert_all_used()?;
    Ok(found)
}

/// Rounds a number. `ceil` and `floor` divide in the end, so they give a float of an integer, too.
fn round(value: Jinja, given: Rest<Jinja>, keyed: Kwargs) -> Result<Jinja> {
    let [precision, method] = options(&given, &keyed, ["precision", "method"])?;
    let precision = precision.map(i32::try_from).transpose()?;
    let method = method.as_ref().map(|method| {
        let text = method.as_str();
        text.ok_or_else(|| bad("the method of rounding is no text"))
    });
    let method = method.transpose()?.unwrap_or("common");
    let divides = value.is_integer() && method != "common";
    let rounded = filters::round(value, precision, Some(method), keyed.clone())?;
    if divides {
        return Ok(Jinja::from(f64::try_from(rounded)?));
    }
    Ok(rounded)
}

pub(super) fn width(given: Option<Jinja>, default: usize) -> Result<usize> {
    let width = match given {
        Some(width) => i64::try_from(width)?,
        None => return Ok(default),
    };
    let width = usize::try_from(width).unwrap_or(0);
    if width > WIDTH_MAX {
        return Err(bad("the width is too large"));
    }
    Ok(width)
}

pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Without comments and tags. What only begins like one is text.
fn strip_tags(value: &Jinja) -> Result<String> {
    let text = without(&without(&shown(value)?, "<!--", "-->"), "<", ">");
    Ok(minijinja_contrib::filters::striptags(
        text.replace('<', "&lt;"),
    ))
}

/// A text without the parts between two marks, and without the marks.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, within)) = rest.split_once(open)
        && let Some((_, after)) = within.split_once(close)
    {
        out.push_str(before);
        rest = after;
    }
    out + rest
}

/// As Python prints what fits on a line, with the keys of dicts sorted; longer values otherwise.
fn pretty(value: &Jinja) -> Result<String> {
    if value.is_undefined() {
        return Ok("Undefined".into());
    }
    let own = from_jinja(value)?;
    let text = repr(&sorted(&own));
    if text.len() <= 80 {
        return Ok(text);
    }
    Ok(filters::pprint(value))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::List(items) => items.iter().map(sorted).collect(),
        Value::Dict(dict) => {
            let mut pairs: Vec<(Value, Value)> = dict
                .iter()
                .map(|(key, item)| (key, sorted(&item)))
                .collect();
            pairs.sort_by(|(left, _), (right, _)| left.as_str().cmp(&right.as_str()));
            Value::Dict(pairs.into_iter().collect())
        }
        other => other.clone(),
    }
}

fn center(value: &Jinja, args: Rest<Jinja>, keyed: Kwargs) -> Result<String> {
    let [given] = options(&args, &keyed, ["width"])?;
    Ok(super::methods::centered(
        &shown(value)?,
        width(given, 80)?,
        ' ',
    ))
}

fn dictsort(value: &Jinja, args: Rest<Jinja>, keyed: Kwargs) -> Result<Jinja> {
    let names = ["case_sensitive", "by", "reverse"];
    let given = options(&args, &keyed, names)?;
    let given = names.into_iter().zip(given);
    let given = given.filter_map(|(name, value)| value.map(|value| (name, value)));
    filters::dictsort(value, given.collect())
}

fn truncate(
    state: &mut State<'_, '_>,
    value: &Jinja,
    args: Rest<Jinja>,
    keyed: Kwargs,
) -> Result<Jinja> {
    let names = ["length", "killwords", "end", "leeway"];
    let given = options(&args, &keyed, names)?;
    let given = names.into_iter().zip(given);
    let given = given.filter_map(|(name, value)| value.map(|value| (name, value)));
    minijinja_contrib::filters::truncate(state, value, given.collect())
}

fn file_size(value: &Jinja, args: Rest<Jinja>, keyed: Kwargs) -> Result<String> {
    let [binary] = options(&args, &keyed, ["binary"])?;
    let binary = binary.is_some_and(|binary| binary.is_true());
    let bytes = match value.as_str() {
        Some(text) => text.trim().parse().map_err(|_| bad("no number"))?,
        None => f64::try_from(value.clone())?,
    };
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if (bytes - 1.0).abs() < f64::EPSILON {
        return Ok("1 Byte".into());
    }
    if bytes < base {
        // Cut if it is no whole number, as Python does; all digits, and no sign before a zero.
        return Ok(format!("{:.0} Bytes", bytes.trunc() + 0.0));
    }
    let units = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let mut unit = base;
    let mut shown = String::new();
    for prefix in units {
        let prefix = if binary {
            prefix.to_uppercase() + "i"
        } else {
            prefix.into()
        };
        shown = format!("{:.1} {prefix}B", bytes / unit);
        if bytes < unit * base {
            break;
        }
        unit *= base;
    }
    Ok(shown)
}

fn urlencode(value: &Jinja) -> Result<String> {
    let pairs: Vec<(Jinja, Jinja)> = match value.kind() {
        ValueKind::Map => {
            let keys = value.try_iter()?;
            keys.map(|key| Ok((key.clone(), value.get_item(&key)?)))
                .collect::<Result<_>>()?
        }
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()?
            .map(|pair| {
                let parts: Vec<Jinja> = pair.try_iter()?.collect();
                <[Jinja; 2]>::try_from(parts)
                    .map(|[key, value]| (key, value))
                    .map_err(|_| bad("urlencode takes pairs"))
            })
            .collect::<Result<_>>()?,
        _ => return Ok(quoted(&shown(value)?, false)),
    };
    let parts: Vec<String> = pairs
        .iter()
        .map(|(key, value)| Ok(quoted(&shown(key)?, true) + "=" + &quoted(&shown(value)?, true)))
        .collect::<Result<_>>()?;
    Ok(parts.join("&"))
}

fn quoted(text: &str, query: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if !query => out.push('/'),
            b' ' if query => out.push('+'),
            byte => write!(out, "%{byte:02X}").expect("a String accepts all text"),
        }
    }
    out
}

fn xmlattr(value: &Jinja, args: Rest<Jinja>, keyed: Kwargs) -> Result<String> {
    let [space] = options(&args, &keyed, ["autospace"])?;
    if value.kind() != ValueKind::Map {
        return Err(bad("xmlattr takes a dict"));
    }
    let mut parts = Vec::new();
    for key in value.try_iter()? {
        let item = value.get_item(&key)?;
        if item.is_none() || item.is_undefined() {
            continue;
        }
        let Some(name) = key.as_str() else {
            return Err(bad("the name of an attribute must be a string"));
        };
        if name.contains([' ', '/', '>', '=']) || name.contains(char::is_whitespace) {
            return Err(bad(format!("{name:?} is no name of an attribute")));
        }
        parts.push(format!("{}=\"{}\"", escape(name), escape(&shown(&item)?)));
    }
    let lead = !parts.is_empty() && space.is_none_or(|space| space.is_true());
    Ok(if lead { " " } else { "" }.to_string() + &parts.join(" "))
}
