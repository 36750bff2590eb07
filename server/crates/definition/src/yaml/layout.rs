//! Lines that begin within brackets or quotes: YAML 1.1, as PyYAML reads it, lets them begin in
//! any column, and the parser wants them deeper than the mapping around them. So such a line is
//! moved to the right when the parser complains about it, and positions in it are moved back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Marker, ScanError};

use crate::position::Position;

/// Bytes that are read again in all because lines were moved. Every move means another reading
/// of what stands before.
const REREAD_BYTES_MAX: usize = 8 << 20;

/// Columns that a line is moved at most.
const SHIFT_MAX: usize = 1_000;

/// What the parser says of a line within brackets.
const COMPLAINTS: [&str; 2] = [
    "invalid indentation",
    "invalid indentation in flow construct",
];
/// What the parser says of a text within quotes.
const QUOTED_COMPLAINT: &str = "invalid indentation in quoted scalar";

/// A text and the lines in it that were moved.
pub(super) struct Layout<'t> {
    text: Cow<'t, str>,
    /// Its length.
    chars: usize,
    /// Deeper than anything in the text.
    shift: usize,
    /// By line, from 1.
    moved: BTreeMap<usize, usize>,
    reread: usize,
}

impl<'t> Layout<'t> {
    /// A text as it stands.
    pub(super) fn new(text: Cow<'t, str>) -> Self {
        // A dash, or the mark of a key, is as good as a blank: what follows it stands deeper.
        let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-', '?']).len();
        let deepest = text.lines().map(indent).max().unwrap_or(0);
        Self {
            chars: text.chars().count(),
            text,
            shift: deepest + 1,
            moved: BTreeMap::new(),
            reread: 0,
        }
    }

    /// Whether nothing comes after a place, not even a line break.
    pub(super) fn ends_at(&self, marker: Marker) -> bool {
        !self.text.ends_with('\n') && marker.index() >= self.chars
    }

    /// Bytes that were read more than once.
    pub(super) fn reread(&self) -> usize {
        self.reread
    }

    /// The text for the parser.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a complaint is about lines that may now be read again, moved.
    pub(super) fn accepts(&mut self, error: &ScanError) -> bool {
        let first = error.marker().line();
        let is_quoted = error.info() == QUOTED_COMPLAINT;
        if self.shift > SHIFT_MAX || !(is_quoted || COMPLAINTS.contains(&error.info())) {
            return false;
        }
        let Some(start) = line_start(&self.text, first) else {
            return false;
        };
        // Of quoted text the parser shows the beginning; any line after it may be to blame.
        let (first, last) = if is_quoted {
            let column = error.marker().col();
            (
                first + 1,
                first + line_breaks_in_quotes(&self.text[start..], column),
            )
        } else {
            (first, first)
        };
        self.reread += self.text.len();
        if first > last || self.moved.contains_key(&first) || self.reread > REREAD_BYTES_MAX {
            return false;
        }
        self.shift_lines(first, last);
        true
    }

    fn shift_lines(&mut self, first: usize, last: usize) {
        let blanks = " ".repeat(self.shift);
        let mut text = String::with_capacity(self.text.len() + (last - first + 1) * self.shift);
        for (line, part) in (1..).zip(self.text.split_inclusive('\n')) {
            if (first..=last).contains(&line) {
                text.push_str(&blanks);
                self.moved.insert(line, self.shift);
            }
            text.push_str(part);
        }
        self.chars += (last - first + 1) * self.shift;
        self.text = Cow::Owned(text);
    }

    /// The position in the text as the author sees it.
    pub(super) fn position(&self, marker: Marker) -> Position {
        let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let moved = self.moved.get(&marker.line()).copied().unwrap_or(0);
        Position {
            line: clamp(marker.line()).max(1),
            column: clamp(marker.col().saturating_sub(moved)).saturating_add(1),
        }
    }
}

/// Where a line begins, in bytes.
fn line_start(text: &str, line: usize) -> Option<usize> {
    let before = line.checked_sub(2);
    match before {
        None => Some(0),
        Some(index) => text
            .match_indices('\n')
            .nth(index)
            .map(|(newline, _)| newline + 1),
    }
}

/// The line breaks between the quote in a column and the one that ends the text.
fn line_breaks_in_quotes(text: &str, column: usize) -> usize {
    let mut characters = text.chars().skip(column);
    let Some(quote) = characters.next() else {
        return 0;
    };
    let mut breaks = 0;
    while let Some(character) = characters.next() {
        match character {
            '\n' => breaks += 1,
            '\\' if quote == '"' => breaks += usize::from(characters.next() == Some('\n')),
            // A doubled quote ends the text and begins it again.
            _ if character == quote && characters.clone().next() != Some(quote) => return breaks,
            _ if character == quote => {
                characters.next();
            }
            _ => {}
        }
    }
    breaks
}
