//! Python's `'…' % value`, which `minijinja` does not know, as the filter `format`, which it does.
//!
//! Only a literal on the left is seen: what `%` means between other values is found out too late.

use std::ops::Range;

/// How many times one string is rewritten.
const TIMES_MAX: usize = 64;

/// The string with its literals formatted by the filter, if there are any.
pub(super) fn rewritten(source: &str) -> Option<String> {
    let mut text: Option<String> = None;
    for _ in 0..TIMES_MAX {
        let now = text.as_deref().unwrap_or(source);
        let Some(found) = Formatting::find(now) else {
            break;
        };
        text = Some(found.apply(now));
    }
    text
}

/// A literal with what follows its `%`.
#[derive(Debug)]
struct Formatting {
    literal: Range<usize>,
    value: Range<usize>,
}

impl Formatting {
    /// The first one in a block of the template.
    fn find(source: &str) -> Option<Self> {
        let mut at = 0;
        while let Some(open) = source[at..].find('{').map(|found| at + found) {
            at = match source.get(open..open + 2)? {
                "{#" => after(source, open, "#}")?,
                "{%" if is_raw(&source[open + 2..]) => after(source, open, "endraw")?,
                "{{" | "{%" => match Self::find_in_block(source, open + 2) {
                    Ok(found) => return Some(found),
                    Err(end) => end,
                },
                _ => open + 1,
            };
        }
        None
    }

    /// One in the block that has begun before; otherwise where the block ends.
    fn find_in_block(source: &str, from: usize) -> Result<Self, usize> {
        let mut at = from;
        while let Some(next) = source[at..].chars().next() {
            match next {
                '\'' | '"' => {
                    let end = literal_end(source, at).ok_or(source.len())?;
                    // What stands before takes the literal first: `2 * '%s' % x`.
                    let is_taken = source[from..at].trim_end().ends_with(['*', '/', '%']);
                    if let Some(value) = value_after(source, end).filter(|_| !is_taken) {
                        let literal = at..end;
                        return Ok(Self { literal, value });
                    }
                    at = end;
                }
                '}' if source[..at].ends_with(['}', '%']) => return Err(at + 1),
                _ => at += next.len_utf8(),
            }
        }
        Err(source.len())
    }

    fn apply(&self, source: &str) -> String {
        let literal = &source[self.literal.clone()];
        let value = &source[self.value.clone()];
        let arguments = if literal.contains("%(") {
            format!("**{value}")
        } else {
            tuple_of(value).unwrap_or(value).to_owned()
        };
        let (before, rest) = (&source[..self.literal.start], &source[self.value.end..]);
        format!("{before}({literal}|format({arguments})){rest}")
    }
}

fn after(source: &str, from: usize, end: &str) -> Option<usize> {
    source[from..]
        .find(end)
        .map(|found| from + found + end.len())
}

fn is_raw(block: &str) -> bool {
    let block = block.strip_prefix(['-', '+']).unwrap_or(block);
    block.trim_start().starts_with("raw")
}

/// Where the literal ends that begins there.
fn literal_end(source: &str, start: usize) -> Option<usize> {
    let quote = source[start..].chars().next()?;
    let mut chars = source[start + 1..].char_indices();
    while let Some((at, next)) = chars.next() {
        if next == '\\' {
            chars.next();
        } else if next == quote {
            return Some(start + 1 + at + 1);
        }
    }
    None
}

/// The value that follows a `%` there.
fn value_after(source: &str, at: usize) -> Option<Range<usize>> {
    let rest = source[at..].trim_start().strip_prefix('%')?;
    // The end of a block is none.
    if rest.starts_with('}') {
        return None;
    }
    let start = source.len() - rest.trim_start().len();
    let end = value_end(source, start)?;
    let next = source[end..].trim_start();
    // They bind more tightly, and are not understood here.
    let is_more = next.starts_with("**") || next.starts_with("is ");
    (!is_more).then_some(start..end)
}

/// Where a value ends, with its sign, its items, attributes and calls, and its filters.
fn value_end(source: &str, start: usize) -> Option<usize> {
    let mut at = start;
    if source[at..].starts_with(['-', '+']) {
        at += 1;
    }
    at = match source[at..].chars().next()? {
        '\'' | '"' => literal_end(source, at)?,
        '(' | '[' | '{' => bracket_end(source, at)?,
        _ => word_end(source, at)?,
    };
    loop {
        let next = source[at..].chars().next();
        at = match next {
            Some('.') => word_end(source, at + 1)?,
            Some('(' | '[') => bracket_end(source, at)?,
            _ => {
                let Some(filter) = source[at..].trim_start().strip_prefix('|') else {
                    return Some(at);
                };
                word_end(source, source.len() - filter.trim_start().len())?
            }
        };
    }
}

/// Where a name or a number ends; there must be one.
fn word_end(source: &str, start: usize) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let rest = &source[start..];
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    (length > 0).then_some(start + length)
}

/// Where the bracket is closed that is opened there.
fn bracket_end(source: &str, start: usize) -> Option<usize> {
    let mut open = Vec::new();
    let mut at = start;
    while let Some(next) = source[at..].chars().next() {
        match next {
            '\'' | '"' => {
                at = literal_end(source, at)?;
                continue;
            }
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(next) => return None,
            _ => {}
        }
        at += next.len_utf8();
        if open.is_empty() {
            return Some(at);
        }
    }
    None
}

/// What is in the parentheses of a tuple: several values, or one with a comma.
fn tuple_of(value: &str) -> Option<&str> {
    if !value.starts_with('(') || bracket_end(value, 0)? != value.len() {
        return None;
    }
    let inner = value[1..value.len() - 1].trim();
    let mut at = 0;
    let mut is_tuple = inner.is_empty();
    while let Some(next) = inner[at..].chars().next() {
        at = match next {
            '\'' | '"' => literal_end(inner, at)?,
            '(' | '[' | '{' => bracket_end(inner, at)?,
            _ => at + next.len_utf8(),
        };
        is_tuple |= next == ',';
    }
    is_tuple.then(|| inner.strip_suffix(',').unwrap_or(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_formatted_by_the_filter() {
        for (source, expected) in [
            ("{{ '%s' % x }}", "{{ ('%s'|format(x)) }}"),
            ("{{'%s'%x}}", "{{('%s'|format(x))}}"),
            ("{{ '%s-%s' % (a, b) }}", "{{ ('%s-%s'|format(a, b)) }}"),
            ("{{ '%s' % (a,) }}", "{{ ('%s'|format(a)) }}"),
            ("{{ '%s' % (a) }}", "{{ ('%s'|format((a))) }}"),
            ("{{ '%s' % ('a,b') }}", "{{ ('%s'|format(('a,b'))) }}"),
            ("{{ '%%' % () }}", "{{ ('%%'|format()) }}"),
            (
                "{{ '%d' % -x.y[0].z(1)|abs + 1 }}",
                "{{ ('%d'|format(-x.y[0].z(1)|abs)) + 1 }}",
            ),
            ("{{ \"%(a)s\" % _.d }}", "{{ (\"%(a)s\"|format(**_.d)) }}"),
            (
                "{{ '%(a)s' % {'a': 1} }}",
                "{{ ('%(a)s'|format(**{'a': 1})) }}",
            ),
            (
                "{% if '%s' % x == '1' %}{{ '%s' % ('%d' % y) }}",
                "{% if ('%s'|format(x)) == '1' %}{{ ('%s'|format((('%d'|format(y))))) }}",
            ),
            ("{{ '%s' % 'it\\'s' }}", "{{ ('%s'|format('it\\'s')) }}"),
        ] {
            assert_eq!(rewritten(source).as_deref(), Some(expected), "{source}");
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        for source in [
            "{{ x % 2 }}",
            "'%s' % x",
            "{# '%s' % x #}",
            "{% raw %}{{ '%s' % x }}{% endraw %}",
            "{% set a = 'x' %}{{ a }}",
            "{% set a = 'x'%}",
            "{{ '%s' % }}",
            "{{ '%s' % x is defined }}",
            "{{ '%d' % x ** 2 }}",
            "{{ 2 * '%s' % x }}",
            "{{ '%s",
            "{{ '%s' % (x }}",
            "{",
            "{{ é }} 'é' % é",
        ] {
            assert_eq!(rewritten(source), None, "{source}");
        }
    }
}
