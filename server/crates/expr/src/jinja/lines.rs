//! The filters of Jinja2 that work line by line: `indent` and `wordwrap`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "minijinja hands its arguments over by value"
)]

use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Value as Jinja};

use super::filters::{Result, bad, options, shown, width};

/// The most that `indent` adds to a text, in bytes.
const INDENT_MAX: usize = 1 << 24;

/// Adds them.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("indent", indent);
    environment.add_filter("wordwrap", wordwrap);
}

/// Puts blanks, or a given text, before the lines of a text: without more ado not before the first
/// one and not before empty ones.
fn indent(value: Jinja, given: Rest<Jinja>, keyed: Kwargs) -> Result<String> {
    let Some(text) = value.as_str() else {
        return Err(bad("only a text can be indented"));
    };
    let [by, first, blank] = options(&given, &keyed, ["width", "first", "blank"])?;
    let by = match by.as_ref().and_then(Jinja::as_str) {
        Some(by) => by.to_owned(),
        None => " ".repeat(width(by, 4)?),
    };
    let is_set = |flag: Option<Jinja>| flag.is_some_and(|flag| flag.is_true());
    let (first, blank) = (is_set(first), is_set(blank));
    // A break at the end has an empty line after it.
    let text = format!("{text}\n");
    let lines = split_lines(&text);
    if by.len().saturating_mul(lines.len()) > INDENT_MAX {
        return Err(bad("the indented text is too large"));
    }
    let mut out = String::with_capacity(text.len() + by.len() * lines.len());
    for (number, line) in lines.into_iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let is_indented = if number == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        if is_indented {
            out.push_str(&by);
        }
        out.push_str(line);
    }
    Ok(out)
}

/// The lines of a text without their ends, which are those of Python's `splitlines`.
fn split_lines(text: &str) -> Vec<&str> {
    let ends = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}'
        ) || matches!(c, '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((at, end)) = rest.char_indices().find(|(_, c)| ends(*c)) {
        lines.push(&rest[..at]);
        let after = &rest[at + end.len_utf8()..];
        let is_pair = end == '\r' && after.starts_with('\n');
        rest = &after[usize::from(is_pair)..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Cuts the lines of a text into lines of at most so many characters.
fn wordwrap(value: &Jinja, args: Rest<Jinja>, keyed: Kwargs) -> Result<String> {
    let names = [
        "width",
        "break_long_words",
        "wrapstring",
        "break_on_hyphens",
    ];
    let [given, long, wrap, hyphens] = options(&args, &keyed, names)?;
    let width = width(given, 79)?;
    if width == 0 {
        return Err(bad("the width must be above 0"));
    }
    let long = long.is_none_or(|long| long.is_true());
    let hyphens = hyphens.is_none_or(|hyphens| hyphens.is_true());
    let wrap = wrap
        .filter(|wrap| !wrap.is_none())
        .map_or("\n".into(), |wrap| wrap.to_string());
    let text = shown(value)?;
    let lines = split_lines(&text).into_iter();
    let lines = lines.map(|line| wrapped(line, width, long, hyphens).join(&wrap));
    Ok(lines.collect::<Vec<_>>().join(&wrap))
}

/// One line cut into lines at spaces and hyphens, as Python's textwrap does it: of each line, the
/// last piece is dropped if it is blank. A long word leaves an empty piece in a line that is full,
/// so the blank before it stays.
fn wrapped(line: &str, width: usize, long: bool, hyphens: bool) -> Vec<String> {
    let fits = |used: usize, piece: &str| used + piece.chars().count() <= width;
    let mut lines: Vec<String> = Vec::new();
    let mut pending = pieces(line, hyphens);
    pending.reverse();
    while !pending.is_empty() {
        let mut current: Vec<String> = Vec::new();
        let mut used = 0;
        if !lines.is_empty() {
            pending.pop_if(|piece| is_blank(piece));
        }
        while let Some(piece) = pending.pop_if(|piece| fits(used, piece)) {
            used += piece.chars().count();
            current.push(piece);
        }
        if let Some(piece) = pending.pop_if(|piece| !fits(0, piece)) {
            let room = match (long, hyphens) {
                (true, true) => through_hyphen(&piece, width - used),
                (true, false) => width - used,
                (false, _) if current.is_empty() => piece.chars().count(),
                (false, _) => 0,
            };
            let end = piece.chars().take(room).map(char::len_utf8).sum();
            let (now, later) = piece.split_at(end);
            if long || !now.is_empty() {
                current.push(now.to_owned());
            }
            if !later.is_empty() {
                pending.push(later.to_owned());
            }
        }
        current.pop_if(|last| is_blank(last));
        if !current.is_empty() {
            lines.push(current.concat());
        }
    }
    lines
}

/// How many of at most so many characters of a long word stand before a break: those up to the last
/// hyphen after something else, or all.
fn through_hyphen(word: &str, room: usize) -> usize {
    let start: Vec<char> = word.chars().take(room).collect();
    let hyphen = start.iter().rposition(|c| *c == '-');
    let is_within = |at: &usize| start[..*at].iter().any(|c| *c != '-');
    hyphen.filter(is_within).map_or(room, |at| at + 1)
}

/// The words of a line and the blanks between them. If hyphens break words, they end after one
/// between letters, and a dash of two and more is a piece of its own.
fn pieces(line: &str, hyphens: bool) -> Vec<String> {
    let line = Letters(line.chars().collect());
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < line.0.len() {
        let end = line.end_of_piece(start, hyphens);
        pieces.push(line.0[start..end].iter().collect());
        start = end;
    }
    pieces
}

/// The characters of a line.
struct Letters(Vec<char>);

impl Letters {
    fn end_of_piece(&self, start: usize, hyphens: bool) -> usize {
        let mut rest = start..self.0.len();
        if self.is(start, is_space) {
            return rest
                .find(|at| !self.is(*at, is_space))
                .unwrap_or(self.0.len());
        }
        if hyphens && let Some(end) = self.end_of_dash(start) {
            return end;
        }
        for end in start + 1..self.0.len() {
            if hyphens && self.is_hyphen(end) {
                return end + 1;
            }
            let is_over = self.is(end, is_space) || hyphens && self.end_of_dash(end).is_some();
            if is_over {
                return end;
            }
        }
        self.0.len()
    }

    fn is(&self, at: usize, holds: fn(char) -> bool) -> bool {
        self.0.get(at).is_some_and(|c| holds(*c))
    }

    /// Whether such characters stand before this one, the nearest first.
    fn follows(&self, at: usize, wanted: &[fn(char) -> bool]) -> bool {
        let mut nearer = wanted.iter().enumerate();
        nearer.all(|(by, holds)| at.checked_sub(by + 1).is_some_and(|at| self.is(at, *holds)))
    }

    /// Where the dash between words that begins here ends, if there is one.
    fn end_of_dash(&self, start: usize) -> Option<usize> {
        let of_word = |c: char| is_word(c) || "!\"'&.,?".contains(c);
        let end = (start..=self.0.len()).find(|at| !self.is(*at, is_dash))?;
        (end >= start + 2 && self.follows(start, &[of_word]) && self.is(end, is_word))
            .then_some(end)
    }

    /// Whether this is the hyphen of a word, as in `long-lived` or `a-b-c`.
    fn is_hyphen(&self, at: usize) -> bool {
        let before = self.follows(at, &[is_letter, is_letter])
            || self.follows(at, &[is_letter, is_dash, is_letter]);
        let next = at + 1 + usize::from(self.is(at + 2, is_dash));
        self.is(at, is_dash) && before && self.is(at + 1, is_letter) && self.is(next + 1, is_letter)
    }
}

fn is_dash(c: char) -> bool {
    c == '-'
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// The blanks at which lines are cut.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\x0b'
}

fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || matches!(c, '\x1c'..='\x1f'))
}
