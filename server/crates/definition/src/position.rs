//! Places in a source text. Owns counting; what is said about a place is left to `diagnostic`.

/// One character of a source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// From a character up to, but without, another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first character.
    pub start: Position,
    /// The character after the last.
    pub end: Position,
}

impl Position {
    /// The very first character.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The position `columns` characters later in the same line.
    #[must_use]
    pub(crate) fn right(self, columns: usize) -> Self {
        Self {
            line: self.line,
            column: self
                .column
                .saturating_add(u32::try_from(columns).unwrap_or(u32::MAX)),
        }
    }
}

impl Span {
    /// From one position to another.
    pub(crate) fn new(start: Position, end: Position) -> Self {
        Self { start, end }
    }

    /// The single character at a position.
    pub(crate) fn at(start: Position) -> Self {
        Self::new(start, start.right(1))
    }

    /// Whether the span stays in one line.
    pub(crate) fn is_one_line(self) -> bool {
        self.start.line == self.end.line
    }

    /// The number of characters of a span within one line.
    pub(crate) fn width(self) -> usize {
        self.end.column.saturating_sub(self.start.column) as usize
    }
}
