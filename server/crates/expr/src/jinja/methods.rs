//! Methods of Python's strings, lists and dicts that `minijinja` lacks or has otherwise.

use minijinja::value::{Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value as Jinja};

type Result<T> = std::result::Result<T, Error>;

/// The widest text that a method makes of a short one.
const WIDTH_MAX: usize = 1 << 16;

/// Methods of Python's lists and dicts that change them.
pub(super) const CHANGING: [&str; 11] = [
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

/// Calls a method of a value.
pub(super) fn call(
    state: &mut State<'_, '_>,
    value: &Jinja,
    name: &str,
    args: &[Jinja],
) -> Result<Jinja> {
    let found = match value.as_str() {
        // What a text without places is formatted with is not looked at.
        Some(text)
            if args.iter().any(Jinja::is_undefined) && (name != "format" || text.contains('{')) =>
        {
            return Err(ErrorKind::UndefinedError.into());
        }
        Some(text) => string(text, name, args)?,
        None => match (value.kind(), name) {
            (ValueKind::Map | ValueKind::Seq | ValueKind::Iterable, "copy") => {
                let () = from_args(args)?;
                Some(value.clone())
            }
            // A default that is undefined stays so, and fails where it is used.
            (ValueKind::Map, "get") if matches!(args, [_, default] if default.is_undefined()) => {
                let found = value.get_item(&args[0])?;
                Some(found)
            }
            (ValueKind::Seq | ValueKind::Iterable, "index") => Some(index(value, args)?),
            (ValueKind::Iterable, "count") => {
                let (wanted,): (&Jinja,) = from_args(args)?;
                Some(
                    value
                        .try_iter()?
                        .filter(|item| item == wanted)
                        .count()
                        .into(),
                )
            }
            _ => None,
        },
    };
    match found {
        Some(found) => Ok(found),
        None if !matches!(value.kind(), ValueKind::String) && CHANGING.contains(&name) => Err(bad(
            format!("values cannot be changed in place: there is no {name}()"),
        )),
        None => minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args),
    }
}

fn bad(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn index(value: &Jinja, args: &[Jinja]) -> Result<Jinja> {
    let (wanted,): (&Jinja,) = from_args(args)?;
    let place = value.try_iter()?.position(|item| item == *wanted);
    let missing = || bad(format!("{wanted} is not in the list"));
    place.map(Jinja::from).ok_or_else(missing)
}

fn string(text: &str, name: &str, args: &[Jinja]) -> Result<Option<Jinja>> {
    let simple = match name {
        "title" => Some(title(text)),
        "swapcase" => Some(swap_case(text)),
        "casefold" => Some(text.to_lowercase().replace('ß', "ss")),
        _ => None,
    };
    if let Some(made) = simple {
        let () = from_args(args)?;
        return Ok(Some(Jinja::from(made)));
    }
    Ok(Some(match name {
        "zfill" => {
            let (width,): (i64,) = from_args(args)?;
            zero_filled(text, checked(width)?).into()
        }
        "center" | "ljust" | "rjust" => {
            let (width, fill): (i64, Option<&str>) = from_args(args)?;
            let width = checked(width)?;
            let mut fill = fill.unwrap_or(" ").chars();
            let (Some(fill), None) = (fill.next(), fill.next()) else {
                return Err(bad("the fill character must be one character"));
            };
            let rest = width.saturating_sub(text.chars().count());
            let padding: String = std::iter::repeat_n(fill, rest).collect();
            match name {
                "center" => centered(text, width, fill),
                "ljust" => text.to_string() + &padding,
                _ => padding + text,
            }
            .into()
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            if separator.is_empty() {
                return Err(bad("the separator is empty"));
            }
            let parts = if name == "partition" {
                text.split_once(separator)
                    .map_or([text, "", ""], |(a, b)| [a, separator, b])
            } else {
                text.rsplit_once(separator)
                    .map_or(["", "", text], |(a, b)| [a, separator, b])
            };
            Jinja::from(Tuple::from(parts.map(Jinja::from)))
        }
        "removeprefix" | "removesuffix" => {
            let (part,): (&str,) = from_args(args)?;
            let cut = if name == "removeprefix" {
                text.strip_prefix(part)
            } else {
                text.strip_suffix(part)
            };
            cut.unwrap_or(text).into()
        }
        "rsplit" => right_split(text, args)?,
        "index" | "rindex" => {
            let (part,): (&str,) = from_args(args)?;
            let found = if name == "index" {
                text.find(part)
            } else {
                text.rfind(part)
            };
            let at = found.ok_or_else(|| bad("the part is not in the string"))?;
            text[..at].chars().count().into()
        }
        _ => return Ok(None),
    }))
}

fn checked(width: i64) -> Result<usize> {
    let width = usize::try_from(width).unwrap_or(0);
    if width > WIDTH_MAX {
        return Err(bad("the width is too large"));
    }
    Ok(width)
}

/// A text in the middle of so many characters; an odd one goes where Python puts it.
pub(super) fn centered(text: &str, width: usize, fill: char) -> String {
    let length = text.chars().count();
    let rest = width.saturating_sub(length);
    let left = rest / 2 + (rest & width & 1);
    let padding = |count| std::iter::repeat_n(fill, count).collect::<String>();
    padding(left) + text + &padding(rest - left)
}

fn zero_filled(text: &str, width: usize) -> String {
    let zeros = "0".repeat(width.saturating_sub(text.chars().count()));
    match text.strip_prefix(['+', '-']) {
        Some(digits) => format!("{}{zeros}{digits}", &text[..1]),
        None => zeros + text,
    }
}

/// Letters after anything but a letter become capitals.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut within = false;
    for c in text.chars() {
        match (c, within) {
            (c, true) => out.extend(c.to_lowercase()),
            ('ß', false) => out.push_str("Ss"),
            (c, false) => out.extend(c.to_uppercase()),
        }
        within = c.is_alphabetic();
    }
    out
}

fn swap_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_uppercase() {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
    }
    out
}

fn right_split(text: &str, args: &[Jinja]) -> Result<Jinja> {
    let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
    let most = usize::try_from(most.unwrap_or(-1)).unwrap_or(usize::MAX);
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = text;
    match separator {
        Some("") => return Err(bad("the separator is empty")),
        Some(separator) => {
            while parts.len() < most
                && let Some((before, after)) = rest.rsplit_once(separator)
            {
                parts.push(after);
                rest = before;
            }
            parts.push(rest);
        }
        None => {
            rest = rest.trim_end();
            while parts.len() < most
                && let Some(at) = rest.rfind(char::is_whitespace)
            {
                let next = at + rest[at..].chars().next().map_or(1, char::len_utf8);
                parts.push(&rest[next..]);
                rest = rest[..at].trim_end();
            }
            if !rest.is_empty() {
                parts.push(rest);
            }
        }
    }
    parts.reverse();
    Ok(parts
        .into_iter()
        .map(Jinja::from)
        .collect::<Vec<_>>()
        .into())
}
