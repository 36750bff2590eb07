//! Builtins on regular expressions. The dialect and the matching are in `crate::regex`.

use std::sync::Arc;

use super::{Builtin, Call, function, method};
use crate::eval::Lambda;
use crate::fault::{Fault, Result};
use crate::machine::Machine;
use crate::regex::{Flags, Groups, Pattern, Position};
use crate::scope::{Frame, Scope};
use crate::{Dict, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "regex",
        "pattern: string, ignoreCase: bool? = false, multiLine: bool? = false, \
         dotAll: bool? = false",
        |call| {
            let flags = Flags {
                ignore_case: call.flag(1),
                multi_line: call.flag(2),
                dot_all: call.flag(3),
            };
            call.machine.pattern(&call.text(0), flags).map(Value::Regex)
        },
        "Compiles a regular expression, in the dialect of Python.",
        &[
            (
                "regex('A+', ignoreCase => true).matches(baa)",
                "null",
                "true",
            ),
            (
                "regex('^b', multiLine => true).matches($)",
                "\"a\\nb\"",
                "true",
            ),
        ],
    ),
    method(
        "matches",
        "regexp: regex, string: string",
        |call| call.regex(0).is_match(&call.text(1)).map(Value::Bool),
        "Tells whether the expression matches anywhere in a string.",
        &[
            ("regex('a.c').matches(xabc)", "null", "true"),
            ("regex('^[a-z]+$').matches($)", "\"abc1\"", "false"),
        ],
    ),
    method(
        "matches",
        "string: string, regexp: string",
        |call| {
            let pattern = call.machine.pattern(&call.text(1), Flags::default())?;
            pattern.is_match(&call.text(0)).map(Value::Bool)
        },
        "Tells whether an expression matches anywhere in the string.",
        &[
            ("xabc.matches('a.c$')", "null", "true"),
            ("$.matches('[0-9]{2}')", "\"a12\"", "true"),
        ],
    ),
    method(
        "search",
        "regexp: regex, string: string, selector: lambda = none",
        |call| {
            let (pattern, text) = (call.regex(0), call.text(1));
            let Some(groups) = pattern.find_at(&text, 0)? else {
                return Ok(Value::Null);
            };
            let selector = call.optional_lambda(2);
            selected(call.machine, selector.as_ref(), &pattern, &text, &groups)
        },
        "Gives the first match, or what a selector makes of it: $ is the match, $2 the first \
         group, each a dict of value, start and end.",
        &[
            ("regex('b+').search(abbc)", "null", "\"bb\""),
            ("regex('a(b)').search(xab, $2.value)", "null", "\"b\""),
        ],
    ),
    method(
        "searchAll",
        "regexp: regex, string: string, selector: lambda = none",
        search_all,
        "Gives all matches, or what a selector makes of them.",
        &[
            ("regex('[0-9]').searchAll(a1b2)", "null", "[\"1\", \"2\"]"),
            (
                "regex('([a-z])=([0-9])').searchAll($, [$2.value, $3.value])",
                "\"a=1, b=2\"",
                "[[\"a\", \"1\"], [\"b\", \"2\"]]",
            ),
        ],
    ),
    method(
        "split",
        "regexp: regex, string: string, maxSplit: int = 0",
        |call| split(call, 0, 1),
        "Cuts a string at the matches; groups are kept between the parts.",
        &[
            (
                "regex('[,;]').split('a,b;c')",
                "null",
                "[\"a\", \"b\", \"c\"]",
            ),
            ("regex(' +').split($, 1)", "\"a  b c\"", "[\"a\", \"b c\"]"),
        ],
    ),
    method(
        "split",
        "string: string, regexp: regex, maxSplit: int = 0",
        |call| split(call, 1, 0),
        "Cuts the string at the matches of an expression.",
        &[
            ("'a,b'.split(regex(','))", "null", "[\"a\", \"b\"]"),
            (
                "$.split(regex('([;,])'))",
                "\"a,b;c\"",
                "[\"a\", \",\", \"b\", \";\", \"c\"]",
            ),
        ],
    ),
    method(
        "replace",
        "regexp: regex, string: string, repl: string, count: int = 0",
        |call| replace(call, 0, 1),
        "Replaces the matches; \\1 or \\g<name> stand for groups.",
        &[
            ("regex('a').replace(banana, o)", "null", "\"bonono\""),
            (
                "regex('([a-z])([0-9])').replace($, '\\\\2\\\\1')",
                "\"a1 b2\"",
                "\"1a 2b\"",
            ),
        ],
    ),
    method(
        "replace",
        "string: string, regexp: regex, repl: string, count: int = 0",
        |call| replace(call, 1, 0),
        "Replaces the matches of an expression in the string.",
        &[
            ("banana.replace(regex('a(n)'), '\\\\1')", "null", "\"bnna\""),
            ("$.replace(regex('a'), o, 2)", "\"banana\"", "\"bonona\""),
        ],
    ),
    method(
        "replaceBy",
        "regexp: regex, string: string, repl: lambda, count: int = 0",
        |call| replace_by(call, 0, 1),
        "Replaces each match by what an expression makes of it.",
        &[
            (
                "regex('a').replaceBy(banana, $.value + $.value, 1)",
                "null",
                "\"baanana\"",
            ),
            (
                "regex('[0-9]+').replaceBy($, str(int($.value) + 1))",
                "\"v9, v10\"",
                "\"v10, v11\"",
            ),
        ],
    ),
    method(
        "replaceBy",
        "string: string, regexp: regex, repl: lambda, count: int = 0",
        |call| replace_by(call, 1, 0),
        "Replaces each match in the string by what an expression makes of it.",
        &[
            (
                "ab.replaceBy(regex('b'), $.value.toUpper())",
                "null",
                "\"aB\"",
            ),
            ("$.replaceBy(regex('a'), '')", "\"banana\"", "\"bnn\""),
        ],
    ),
    function(
        "escapeRegex",
        "string: string",
        |call| Ok(Value::from(escape(&call.text(0)))),
        "Gives a pattern that matches exactly the string.",
        &[
            ("escapeRegex('a.b')", "null", "\"a\\\\.b\""),
            ("$.matches(escapeRegex('(1)'))", "\"a(1)\"", "true"),
        ],
    ),
];

/// `left =~ right`
pub(crate) fn matches(machine: &mut Machine<'_>, left: &Value, right: &Value) -> Result<bool> {
    match (left, right) {
        (Value::Str(text), Value::Regex(pattern)) => pattern.is_match(text),
        (Value::Str(text), Value::Str(source)) => {
            machine.pattern(source, Flags::default())?.is_match(text)
        }
        (left, right) => {
            let (left, right) = (left.type_name(), right.type_name());
            let message = format!("the operators '=~' and '!~' do not take a {left} and a {right}");
            Err(Fault::no_match(message))
        }
    }
}

fn selected(
    machine: &mut Machine<'_>,
    selector: Option<&Lambda>,
    pattern: &Pattern,
    text: &str,
    groups: &Groups,
) -> Result<Value> {
    match selector {
        None => Ok(Value::from(part(text, groups, 0))),
        Some(selector) => {
            let scope = scope_of(pattern, text, groups, &selector.scope);
            machine.eval(&selector.body, &scope)
        }
    }
}

fn part<'t>(text: &'t str, groups: &Groups, index: usize) -> &'t str {
    groups
        .get(index)
        .and_then(Clone::clone)
        .map_or("", |range| &text[range])
}

/// Binds `$1` to the match, `$2` … to the groups, and names to the groups that have them.
fn scope_of(pattern: &Pattern, text: &str, groups: &Groups, parent: &Scope) -> Scope {
    let place = |offset: usize| Value::from(text[..offset].chars().count());
    let group = |range: &Option<std::ops::Range<usize>>| -> Value {
        let (value, start, end) = match range {
            Some(range) => (
                Value::from(&text[range.clone()]),
                place(range.start),
                place(range.end),
            ),
            None => (Value::Null, Value::Int(-1), Value::Int(-1)),
        };
        let items = [("value", value), ("start", start), ("end", end)];
        Value::Dict(items.into_iter().collect::<Dict>())
    };
    let args: Vec<Value> = groups.iter().map(group).collect();
    let named = pattern
        .names()
        .zip(&args)
        .filter_map(|(name, value)| Some((Arc::from(name?), value.clone())))
        .collect();
    Frame::bind(parent, args, named)
}

fn search_all(call: &mut Call<'_, '_>) -> Result<Value> {
    let (pattern, text, selector) = (call.regex(0), call.text(1), call.optional_lambda(2));
    let mut position = Position::default();
    Ok(call.machine.lazy(
        move |machine| match pattern.next_match(&text, &mut position)? {
            Some(groups) => {
                selected(machine, selector.as_ref(), &pattern, &text, &groups).map(Some)
            }
            None => Ok(None),
        },
    ))
}

/// Goes through the matches, at most `count` if that is positive, giving the text before each.
fn each_match(
    call: &mut Call<'_, '_>,
    pattern: &Pattern,
    text: &str,
    count: i64,
    mut visit: impl FnMut(&mut Call<'_, '_>, &str, &Groups) -> Result<()>,
) -> Result<usize> {
    let mut position = Position::default();
    let mut end = 0;
    let mut left = if count > 0 { count } else { i64::MAX };
    if count < 0 {
        return Ok(0);
    }
    while left > 0
        && let Some(groups) = pattern.next_match(text, &mut position)?
    {
        call.machine.step()?;
        let whole = groups[0]
            .clone()
            .expect("the whole match always takes part");
        visit(call, &text[end..whole.start], &groups)?;
        end = whole.end;
        left -= 1;
    }
    Ok(end)
}

fn split(call: &mut Call<'_, '_>, regex: usize, text: usize) -> Result<Value> {
    let (pattern, text, count) = (call.regex(regex), call.text(text), call.int(2)?);
    let mut parts = Vec::new();
    let end = each_match(call, &pattern, &text, count, |_, before, groups| {
        parts.push(Value::from(before));
        for range in &groups[1..] {
            parts.push(Value::from(range.clone().map(|range| &text[range])));
        }
        Ok(())
    })?;
    parts.push(Value::from(&text[end..]));
    Ok(Value::from(parts))
}

fn replace(call: &mut Call<'_, '_>, regex: usize, text: usize) -> Result<Value> {
    let (pattern, text, count) = (call.regex(regex), call.text(text), call.int(3)?);
    let template = call.text(2);
    // A bad replacement is an error even where nothing is to be replaced.
    let no_groups = vec![None; pattern.names().count()];
    expand(&template, &pattern, "", &no_groups, &mut String::new())?;
    let mut out = String::new();
    let end = each_match(call, &pattern, &text, count, |call, before, groups| {
        out.push_str(before);
        expand(&template, &pattern, &text, groups, &mut out)?;
        call.machine.check_bytes(out.len())
    })?;
    out.push_str(&text[end..]);
    Ok(Value::from(out))
}

fn replace_by(call: &mut Call<'_, '_>, regex: usize, text: usize) -> Result<Value> {
    let (pattern, text, count) = (call.regex(regex), call.text(text), call.int(3)?);
    let lambda = call.lambda(2);
    let mut out = String::new();
    let end = each_match(call, &pattern, &text, count, |call, before, groups| {
        out.push_str(before);
        let made = selected(call.machine, Some(&lambda), &pattern, &text, groups)?;
        // Python's `re.sub` puts nothing where a function gives nothing.
        let made = if made.is_null() {
            Some("")
        } else {
            made.as_str()
        };
        let Some(made) = made else {
            return Err(Fault::value("the replacement must be a string"));
        };
        out.push_str(made);
        call.machine.check_bytes(out.len())
    })?;
    out.push_str(&text[end..]);
    Ok(Value::from(out))
}

/// Writes a replacement: `\1`, `\g<1>` and `\g<name>` stand for groups, `\n` and its like for
/// characters.
fn expand(
    template: &str,
    pattern: &Pattern,
    text: &str,
    groups: &Groups,
    out: &mut String,
) -> Result<()> {
    let bad = |what: &str| Fault::value(format!("the replacement has a bad {what}"));
    let mut rest = template;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let c = rest.chars().next().ok_or_else(|| bad("escape"))?;
        rest = &rest[c.len_utf8()..];
        match c {
            'g' => {
                let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
                let (name, after) = named.ok_or_else(|| bad("group"))?;
                rest = after;
                let by_name = || pattern.names().position(|known| known == Some(name));
                let index = name.parse().ok().or_else(by_name);
                let index = index.filter(|index| *index < groups.len());
                out.push_str(part(text, groups, index.ok_or_else(|| bad("group"))?));
            }
            '0' => out.push('\0'),
            '1'..='9' => {
                let mut index = c.to_digit(10).unwrap_or(0) as usize;
                if let Some(digit) = rest.chars().next().and_then(|c| c.to_digit(10)) {
                    index = index * 10 + digit as usize;
                    rest = &rest[1..];
                }
                if index >= groups.len() {
                    return Err(bad("group"));
                }
                out.push_str(part(text, groups, index));
            }
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            '\\' => out.push('\\'),
            c if c.is_ascii_alphabetic() => return Err(bad("escape")),
            c => {
                out.push('\\');
                out.push(c);
            }
        }
    }
    out.push_str(rest);
    Ok(())
}

/// The characters that Python escapes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
