//! Where text goes and whether it may be coloured.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::Exit;
use super::error::Error;
use super::human::Paint;
use super::table::Table;

/// How a command speaks.
pub(super) struct Output {
    json: bool,
    paint: Paint,
    paint_notes: Paint,
    answers: Writer,
    notes: Writer,
}

type Writer = Mutex<Box<dyn Write + Send>>;

impl Output {
    /// To the standard streams, with colour for people at a terminal only.
    pub(super) fn standard(json: bool) -> Self {
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            json,
            paint: Paint::new(wanted && io::stdout().is_terminal()),
            paint_notes: Paint::new(wanted && io::stderr().is_terminal()),
            answers: Mutex::new(Box::new(io::stdout())),
            notes: Mutex::new(Box::new(io::stderr())),
        }
    }

    /// Whether scripts listen.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Colours of standard output.
    pub(super) fn paint(&self) -> Paint {
        self.paint
    }

    /// Colours of standard error.
    pub(super) fn paint_notes(&self) -> Paint {
        self.paint_notes
    }

    /// The time against which others are "ago".
    #[expect(
        clippy::unused_self,
        reason = "a clock is part of how a command speaks"
    )]
    pub(super) fn now(&self) -> SystemTime {
        let since_epoch = u64::try_from(crate::clock::now_us()).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_micros(since_epoch)
    }

    /// Prints what was asked for, with a line end.
    pub(super) fn line(&self, text: impl Display) -> Result<(), Error> {
        let mut out = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        // Lines of a live display must not wait for more of them.
        writeln!(out, "{text}")
            .and_then(|()| out.flush())
            .map_err(Error::Print)
    }

    /// Prints one object for scripts, on one line.
    pub(super) fn json_line(&self, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(value).map_err(|e| Error::Format(e.to_string()))?;
        self.line(text)
    }

    /// Prints one thing: for scripts as an object, for people as `text`.
    pub(super) fn one<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Error> {
        if self.json {
            self.json_line(value)
        } else {
            self.line(text(value).trim_end())
        }
    }

    /// Prints many things: for scripts an object a line, for people a table.
    pub(super) fn many<T: Serialize>(
        &self,
        values: &[T],
        table: impl FnOnce(&[T]) -> Table,
    ) -> Result<(), Error> {
        if self.json {
            return values.iter().try_for_each(|value| self.json_line(value));
        }
        self.line(table(values).render(self.paint).trim_end())
    }

    /// Says something beside what was asked for.
    pub(super) fn note(&self, text: impl Display) {
        // Without standard error there is nobody to tell.
        let _ = writeln!(
            self.notes.lock().unwrap_or_else(PoisonError::into_inner),
            "{text}"
        );
    }

    /// Says why the command failed, and how the program ends with that.
    pub(super) fn report(&self, error: &Error) -> Exit {
        match error.text() {
            Some(_) if self.json => self.note(error.json()),
            Some(text) => self.note(format!("{} {text}", self.paint_notes.bad("error:"))),
            None => {}
        }
        error.exit()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::table::Cell;
    use super::*;

    /// Remembers what was written, or refuses it.
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>, bool);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.1 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn output(json: bool, answers: &Page, notes: &Page) -> Output {
        Output {
            json,
            paint: Paint::new(false),
            paint_notes: Paint::new(false),
            answers: Mutex::new(Box::new(answers.clone())),
            notes: Mutex::new(Box::new(notes.clone())),
        }
    }

    #[test]
    fn people_get_tables_and_scripts_get_objects() {
        let table = |rows: &[u8]| {
            let mut table = Table::new(["N"]);
            for number in rows {
                table.row([Cell::number(number)]);
            }
            table
        };
        for (json, expected) in [(false, "N\n1\n2\n"), (true, "1\n2\n")] {
            let (answers, notes) = (Page::default(), Page::default());
            output(json, &answers, &notes).many(&[1, 2], table).unwrap();
            assert_eq!(
                (answers.text().as_str(), notes.text().as_str()),
                (expected, "")
            );
        }
    }

    #[test]
    fn errors_go_beside_the_answers() {
        let error = || Error::Unreachable {
            address: "a".to_owned(),
            message: "m".to_owned(),
        };
        for (json, expected) in [
            (false, "error: no server at a: m\n"),
            (true, "{\"error\":{\"message\":\"no server at a: m\"}}\n"),
        ] {
            let (answers, notes) = (Page::default(), Page::default());
            assert_eq!(
                output(json, &answers, &notes).report(&error()),
                Exit::Failure
            );
            assert_eq!(
                (answers.text().as_str(), notes.text().as_str()),
                ("", expected)
            );
        }
    }

    #[test]
    fn a_reader_that_has_enough_is_no_error() {
        let (answers, notes) = (Page(Arc::default(), true), Page::default());
        let output = output(false, &answers, &notes);
        let error = output.line("x").unwrap_err();
        assert_eq!(
            (output.report(&error), notes.text().as_str()),
            (Exit::Success, "")
        );
    }
}
