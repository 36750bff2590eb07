//! Text in aligned columns.

use std::fmt::Write as _;

use super::human::{Paint, Tone, state_tone};

/// Spaces between columns.
const GAP: &str = "  ";

/// Rows under headings.
#[derive(Clone, Debug)]
pub(super) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One field of a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
    right: bool,
}

impl Cell {
    /// A state, in its colour.
    pub(super) fn state(state: &impl ToString) -> Self {
        let text = state.to_string();
        Self {
            tone: state_tone(&text),
            text,
            right: false,
        }
    }

    /// A number, aligned to the right.
    pub(super) fn number(number: &impl ToString) -> Self {
        Self {
            text: number.to_string(),
            tone: Tone::Plain,
            right: true,
        }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        // A line break or a tab would break the columns.
        let text = text.into().replace(['\n', '\r', '\t'], " ");
        Self {
            text,
            tone: Tone::Plain,
            right: false,
        }
    }
}

impl Table {
    pub(super) fn new(headings: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            headings: headings.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row with a cell for each heading.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<_> = cells.into_iter().collect();
        debug_assert_eq!(cells.len(), self.headings.len(), "a cell for each heading");
        self.rows.push(cells);
    }

    /// The whole table; the headings alone tell that it is empty.
    pub(super) fn render(&self, paint: Paint) -> String {
        let heading = |text: &&'static str| Cell {
            text: (*text).to_owned(),
            tone: Tone::Strong,
            right: false,
        };
        let mut lines = vec![self.headings.iter().map(heading).collect::<Vec<_>>()];
        lines.extend(self.rows.iter().cloned());
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|column| {
                lines
                    .iter()
                    .map(|line| line[column].width())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        // A heading stands over its numbers.
        for (column, cell) in lines[0].iter_mut().enumerate() {
            cell.right = self.rows.first().is_some_and(|row| row[column].right);
        }
        lines
            .iter()
            .map(|line| render_line(line, &widths, paint))
            .collect()
    }
}

fn render_line(line: &[Cell], widths: &[usize], paint: Paint) -> String {
    let last = line
        .iter()
        .rposition(|cell| !cell.text.is_empty())
        .unwrap_or(0);
    let mut out = String::new();
    for (column, (cell, width)) in line.iter().zip(widths).enumerate().take(last + 1) {
        let space = " ".repeat(width - cell.width());
        let text = paint.text(cell.tone, &cell.text);
        if column > 0 {
            out.push_str(GAP);
        }
        match (cell.right, column == last) {
            (true, _) => out.push_str(&(space + &text)),
            (false, false) => out.push_str(&(text + &space)),
            (false, true) => out.push_str(&text),
        }
    }
    out.push('\n');
    out
}

/// Names and values of one thing, a line each; those without a value are left out.
pub(super) fn fields(
    paint: Paint,
    fields: impl IntoIterator<Item = (&'static str, String)>,
) -> String {
    let fields: Vec<_> = fields
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let width = fields
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for (name, value) in fields {
        let space = " ".repeat(width - name.chars().count());
        let indent = format!("\n{}", " ".repeat(width + GAP.len()));
        let value = value.trim_end().replace('\n', &indent);
        let name = paint.text(Tone::Strong, name);
        writeln!(out, "{name}{space}{GAP}{value}").expect("a text takes everything");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_where_they_end() {
        let mut table = Table::new(["NAME", "REV", "STATE", "INFO"]);
        table.row([
            "a".into(),
            Cell::number(&3),
            Cell::state(&"RUNNING"),
            "".into(),
        ]);
        table.row([
            "größer".into(),
            Cell::number(&120),
            Cell::state(&"OK"),
            "two\nlines".into(),
        ]);
        let expected = "NAME    REV  STATE    INFO\n\
                        a         3  RUNNING\n\
                        größer  120  OK       two lines\n";
        assert_eq!(table.render(Paint::new(false)), expected);
    }

    #[test]
    fn colours_do_not_move_columns() {
        let mut table = Table::new(["S", "X"]);
        table.row([Cell::state(&"ERROR"), "x".into()]);
        let expected = "\x1b[1mS\x1b[0m      \x1b[1mX\x1b[0m\n\x1b[31mERROR\x1b[0m  x\n";
        assert_eq!(table.render(Paint::new(true)), expected);
        assert_eq!(Table::new(["A", "B"]).render(Paint::new(false)), "A  B\n");
    }

    #[test]
    fn fields_without_value_are_left_out() {
        let found = fields(
            Paint::new(false),
            [
                ("Id", "e1".to_owned()),
                ("Nothing", String::new()),
                ("Output", "{\n  1\n}\n".to_owned()),
            ],
        );
        assert_eq!(found, "Id      e1\nOutput  {\n          1\n        }\n");
    }
}
