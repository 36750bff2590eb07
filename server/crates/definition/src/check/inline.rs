//! Inline parameters: `std.echo output="x" count=1`, as Mistral reads them. Owns the grammar and
//! its traps; what the parameters are for is left to the callers.
//!
//! The text is searched for every `key=value` that fits, wherever it stands, and everything else
//! is dropped without a word. Hence [`Inline::dropped`], so that callers can say that word.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use expr::Value;
use indexmap::IndexMap;

use super::shape::is_word_char;

/// A text taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Inline {
    /// What is called.
    pub(super) name: String,
    /// Parameters in order; of equal names the last value.
    pub(super) params: IndexMap<Arc<str>, Value>,
    /// Where the text of each parameter's value is, without quotes, in bytes of the text.
    pub(super) places: IndexMap<Arc<str>, Range<usize>>,
    /// The parts that are neither name nor parameter, in bytes of the text.
    pub(super) dropped: Vec<Range<usize>>,
    /// Parameters whose value another one of the same name takes, and where that value stands.
    pub(super) repeated: Vec<(Arc<str>, Range<usize>)>,
}

/// The text has blanks, and no name is at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoName;

/// Takes a text apart. Without a space it is a name as a whole.
pub(super) fn parse(text: &str) -> Result<Inline, NoName> {
    if !text.contains(' ') {
        return Ok(Inline {
            name: text.to_owned(),
            params: IndexMap::new(),
            places: IndexMap::new(),
            dropped: Vec::new(),
            repeated: Vec::new(),
        });
    }
    let name = name(text).ok_or(NoName)?;
    Ok(with_params(text, name))
}

/// Takes `fail(msg="x")` apart, which Mistral does only if there is a space in it.
pub(super) fn parse_function(text: &str) -> Option<Inline> {
    let open = text.find('(')?;
    (open > 0 && is_function(text)).then(|| {
        let mut inline = with_params(text, 0..open);
        inline.dropped.clear();
        inline
    })
}

/// Whether a text has the form `word(word=…)`.
pub(super) fn is_function(text: &str) -> bool {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let Some((word, rest)) = text.split_once('(') else {
        return false;
    };
    let Some(inner) = rest.strip_suffix(')') else {
        return false;
    };
    super::shape::is_word(word) && starts_with_assignment(inner) && !inner.contains('\n')
}

/// Whether a text has the form `word word=…`.
pub(super) fn is_command(text: &str) -> bool {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let Some((word, rest)) = text.split_once(' ') else {
        return false;
    };
    super::shape::is_word(word) && starts_with_assignment(rest) && !rest.contains('\n')
}

fn starts_with_assignment(text: &str) -> bool {
    text.split_once('=')
        .is_some_and(|(word, _)| super::shape::is_word(word))
}

/// The name at the start of a text: a word and what is attached to it, or an expression.
fn name(text: &str) -> Option<Range<usize>> {
    let line_end = text.find('\n').unwrap_or(text.len());
    let line = &text[..line_end];
    if text.starts_with(|c: char| is_word_char(c) || c == '.') {
        let ends = |c: char| matches!(c, '=' | '(' | '"') || is_blank(c);
        let word = text
            .find(|c: char| !is_word_char(c) && c != '.')
            .unwrap_or(text.len());
        let end = text[word..].find(ends).map_or(text.len(), |at| word + at);
        return Some(0..end);
    }
    if let Some(rest) = line.strip_prefix("<%") {
        return rest.find("%>").map(|at| 0..at + 4);
    }
    for (open, close) in [("{{", "}}"), ("{%", "%}")] {
        if let Some(rest) = line.strip_prefix(open) {
            return rest.rfind(close).map(|at| 0..at + 4);
        }
    }
    None
}

fn with_params(text: &str, name: Range<usize>) -> Inline {
    let mut params = IndexMap::new();
    let mut places = IndexMap::new();
    let mut repeated = Vec::new();
    let mut used = vec![name.clone()];
    let mut scan = Scan {
        text,
        absent: BTreeMap::new(),
        line: 0..0,
    };
    let mut from = 0;
    while let Some((key, value)) = scan.next_param(from) {
        from = value.end;
        let raw = &text[value.clone()];
        let name: Arc<str> = Arc::from(&text[key.clone()]);
        let quote = usize::from(raw.starts_with(['"', '\'']));
        let end = value.start + raw.trim_end_matches(is_blank).len() - quote;
        let place = value.start + quote..end;
        if let Some(earlier) = places.insert(Arc::clone(&name), place) {
            repeated.push((Arc::clone(&name), earlier));
        }
        params.insert(name, decode(raw));
        used.push(key.start..value.end);
    }
    Inline {
        name: text[name].to_owned(),
        params,
        places,
        dropped: dropped(text, &used),
        repeated,
    }
}

/// The value of a parameter: quotes are cut, JSON is read, and the rest stays as it is.
fn decode(raw: &str) -> Value {
    let raw = raw.trim_matches(is_blank);
    let is_quoted = raw.starts_with(['"', '\'']);
    if is_quoted {
        return Value::from(&raw[1..raw.len() - 1]);
    }
    Value::from_json(raw).unwrap_or_else(|_| Value::from(raw))
}

fn dropped(text: &str, used: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut from = 0;
    let end = text.len()..text.len();
    let ends = used.iter().chain(std::iter::once(&end));
    // The name and the first parameter overlap in texts such as `count=3 delay=1`.
    for range in ends {
        if range.start > from {
            let gap = &text[from..range.start];
            let kept = gap.trim_matches(|c: char| is_blank(c) || matches!(c, ',' | '(' | ')'));
            if !kept.is_empty() {
                let start = from + gap.find(kept).unwrap_or(0);
                all.push(start..start + kept.len());
            }
        }
        from = from.max(range.end);
    }
    all
}

/// What `\s` matches.
pub(super) fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1C}'..='\u{1F}')
}

/// Looks for parameters from left to right in linear time: a closing mark that was once looked
/// for in vain is not looked for again.
struct Scan<'t> {
    text: &'t str,
    /// Until where each closing mark is known not to occur.
    absent: BTreeMap<&'static str, usize>,
    /// The rest of the line that was last looked at.
    line: Range<usize>,
}

impl Scan<'_> {
    /// The next key and value at or after an offset.
    fn next_param(&mut self, from: usize) -> Option<(Range<usize>, Range<usize>)> {
        let mut at = from;
        loop {
            let equals = at + self.text[at..].find('=')?;
            let is_key = |c: char| is_word_char(c) || c == '-';
            let key_start = self.text[at..equals].trim_end_matches(is_key).len() + at;
            if key_start < equals
                && let Some(end) = self.value_end(equals + 1)
            {
                return Some((key_start..equals, equals + 1..end));
            }
            at = equals + 1;
        }
    }

    /// The end of the value that begins at an offset, if a value does.
    fn value_end(&mut self, start: usize) -> Option<usize> {
        let rest = &self.text[start..];
        for quote in ["\"", "'"] {
            if rest.starts_with(quote) {
                return self
                    .find(quote, start + 1, false)
                    .map(|at| self.skip_blanks(at + 1));
            }
        }
        if rest.starts_with("{{") {
            return self.find("}}", start + 2, true).map(|at| at + 2);
        }
        if rest.starts_with("<%") {
            return self.find("%>", start + 2, true).map(|at| at + 2);
        }
        if rest.starts_with('[') {
            return self.last_bracket(start).map(|at| self.skip_blanks(at + 1));
        }
        for word in ["true", "false", "null"] {
            if rest.starts_with(word) {
                return Some(start + word.len());
            }
        }
        let digits = rest.find(|c: char| !c.is_numeric()).unwrap_or(rest.len());
        (digits > 0).then_some(start + digits)
    }

    fn skip_blanks(&self, from: usize) -> usize {
        from + self.text[from..].len() - self.text[from..].trim_start_matches(is_blank).len()
    }

    /// The first `mark` from an offset, in the same line if `one_line`.
    fn find(&mut self, mark: &'static str, from: usize, one_line: bool) -> Option<usize> {
        if self.absent.get(mark).is_some_and(|until| from < *until) {
            return None;
        }
        let end = if one_line {
            self.line_end(from)
        } else {
            self.text.len()
        };
        let found = self.text[from..end].find(mark).map(|at| from + at);
        if found.is_none() {
            self.absent.insert(mark, end);
        }
        found
    }

    /// The last `]` in the line of an opening bracket.
    fn last_bracket(&mut self, open: usize) -> Option<usize> {
        if self.absent.get("]").is_some_and(|until| open < *until) {
            return None;
        }
        let end = self.line_end(open);
        let found = self.text[open..end].rfind(']').map(|at| open + at);
        if found.is_none() {
            self.absent.insert("]", end);
        }
        found
    }

    fn line_end(&mut self, from: usize) -> usize {
        if !self.line.contains(&from) {
            let end = self.text[from..]
                .find('\n')
                .map_or(self.text.len(), |at| from + at);
            self.line = from..end;
        }
        self.line.end
    }
}
