//! Where a part of a scalar's text stands in the document, also where the text is folded,
//! indented or escaped there.
//!
//! The text is walked along with the source. What is in the one and not in the other is line
//! breaks, indentation and escapes, so the walk knows what to skip.

use std::ops::Range;
use std::sync::Arc;

use crate::position::{Position, Span};

/// Characters that are walked over for one document; places found later are those of the whole
/// scalar. Many findings in one long text would take quadratic time otherwise.
const STEPS_MAX: usize = 4_000_000;

/// A document as it is written.
pub(super) struct Source {
    text: Arc<str>,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    steps: usize,
    /// The scalar of the last answer: places in one scalar are mostly asked for in order.
    last: Option<Scalar>,
}

/// A scalar and how far it was walked.
#[derive(Clone)]
struct Scalar {
    span: Span,
    /// Where its text begins in the line, if it is written as it reads in one line and every
    /// character is a byte.
    verbatim: Option<Position>,
    walk: Option<Walk>,
    /// The bytes of the text that were walked over.
    walked: usize,
}

impl Source {
    /// The source of a document.
    pub(super) fn new(text: &str) -> Self {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let starts = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self {
            lines: std::iter::once(0).chain(starts).collect(),
            text: Arc::from(text),
            steps: 0,
            last: None,
        }
    }

    /// Characters that were walked over.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// The place of a part, in bytes, of the text of a scalar that stands in `span`. Where it
    /// cannot be known it is the place of the whole scalar.
    pub(super) fn within(&mut self, span: Span, text: &str, part: Range<usize>) -> Span {
        if !text.is_char_boundary(part.start) || text.get(part.clone()).is_none() {
            return span;
        }
        let known = self.last.take().filter(|one| one.span == span);
        let mut scalar = match known {
            Some(scalar) if scalar.walked <= part.start => scalar,
            _ => self.scalar(span, text),
        };
        let place = match scalar.verbatim {
            Some(start) => {
                let start = start.right(part.start);
                Some(Span::new(start, start.right(part.len().max(1))))
            }
            None => self.walk(&mut scalar, text, part),
        };
        self.last = Some(scalar);
        place.unwrap_or(span)
    }

    fn scalar(&mut self, span: Span, text: &str) -> Scalar {
        self.steps += text.len() / 16;
        let quotes = span.width().checked_sub(text.len());
        let verbatim = quotes
            .filter(|quotes| span.is_one_line() && matches!(quotes, 0 | 2) && text.is_ascii())
            .map(|quotes| span.start.right(quotes / 2));
        let line = span.start.line as usize - 1;
        let walk = self.lines.get(line).map(|start| {
            let mut walk = Walk::new(&self.text, *start, span.start);
            if !self.begins_block(line) {
                walk.open_quotes(&self.text);
            }
            walk
        });
        Scalar {
            span,
            verbatim,
            walk,
            walked: 0,
        }
    }

    /// Whether a line is the first of a block, for the line before ends with a header like `|-`.
    fn begins_block(&self, line: usize) -> bool {
        let Some(before) = line.checked_sub(1) else {
            return false;
        };
        let header = &self.text[self.lines[before]..self.lines[line]];
        let header = header.split(" #").next().unwrap_or("").trim_end();
        let word = header.rsplit([' ', ':']).next().unwrap_or("");
        word.len() <= 3 && word.starts_with(['|', '>'])
    }

    fn walk(&mut self, scalar: &mut Scalar, text: &str, part: Range<usize>) -> Option<Span> {
        if self.steps > STEPS_MAX {
            return None;
        }
        let source = &self.text;
        let mut walk = scalar.walk.take()?;
        let begin = walk.offset;
        for wanted in text[scalar.walked..part.start].chars() {
            walk.pass(source, wanted)?;
        }
        let inside = &text[part.clone()];
        let first = walk.stand(source, inside.chars().next().unwrap_or('x'));
        // What was walked so far stays known, for the next part may begin within this one.
        scalar.walk = Some(walk.clone());
        scalar.walked = part.start;
        let mut last = first;
        for wanted in inside.chars() {
            last = walk.stand(source, wanted);
            walk.pass(source, wanted)?;
        }
        self.steps += walk.offset - begin;
        Some(Span::new(first, last.right(1)))
    }
}

/// How a scalar is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
}

/// The walk along the source.
#[derive(Clone)]
struct Walk {
    offset: usize,
    at: Position,
    style: Style,
}

impl Walk {
    /// A walk from a position in a line that begins at an offset.
    fn new(source: &str, line: usize, start: Position) -> Self {
        let columns = start.column as usize - 1;
        let rest = source.get(line..).unwrap_or("");
        let bytes = rest
            .char_indices()
            .nth(columns)
            .map_or(rest.len(), |(at, _)| at);
        Self {
            offset: line + bytes,
            at: start,
            style: Style::Plain,
        }
    }

    fn open_quotes(&mut self, source: &str) {
        self.style = match self.peek(source) {
            Some('"') => Style::Double,
            Some('\'') => Style::Single,
            _ => return,
        };
        self.next(source);
    }

    fn peek(&self, source: &str) -> Option<char> {
        source[self.offset..].chars().next()
    }

    fn next(&mut self, source: &str) -> Option<char> {
        let character = self.peek(source)?;
        self.offset += character.len_utf8();
        if character == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(character)
    }

    /// Skips what is not in the text, and gives the position of a character of the text.
    fn stand(&mut self, source: &str, wanted: char) -> Position {
        while !is_blank(wanted) {
            match self.peek(source) {
                Some(c) if is_blank(c) => self.next(source),
                Some('\\') if self.is_broken_line(source) => self.next(source),
                _ => break,
            };
        }
        self.at
    }

    /// A backslash at the end of a line within double quotes joins it to the next one.
    fn is_broken_line(&self, source: &str) -> bool {
        self.style == Style::Double && source[self.offset + 1..].starts_with('\n')
    }

    /// Passes a character of the text.
    fn pass(&mut self, source: &str, wanted: char) -> Option<()> {
        self.stand(source, wanted);
        let written = self.peek(source)?;
        match (self.style, written) {
            (Style::Double, '\\') => return self.escape(source),
            (Style::Single, '\'') => {
                self.next(source);
            }
            // A line break that reads as a blank, or several that read as fewer.
            _ if is_blank(wanted) && is_blank(written) => {}
            _ if written == wanted => {}
            _ => return None,
        }
        self.next(source).map(|_| ())
    }

    fn escape(&mut self, source: &str) -> Option<()> {
        self.next(source);
        let digits = match self.next(source)? {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        for _ in 0..digits {
            self.next(source)?;
        }
        Some(())
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests;
