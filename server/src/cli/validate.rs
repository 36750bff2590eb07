//! `autan validate`: documents checked here, without a server.

use std::path::{Path, PathBuf};

use definition::{Checked, Diagnostic, Kind, Options, Severity, check, render};
use serde_json::{Value, json};

use super::Exit;
use super::error::Error;
use super::human::Tone;
use super::input::read_text;
use super::output::Output;

/// Arguments of `autan validate`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Documents to check (`-` is standard input)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// How to check.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct How {
    /// What the documents are
    #[arg(long, value_enum, default_value_t = KindArg::Workflows)]
    pub(super) kind: KindArg,
    /// Take warnings for errors
    #[arg(long)]
    pub(super) strict: bool,
}

/// The three kinds of documents, as words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum KindArg {
    /// One or more workflows
    Workflows,
    /// A workbook: workflows and actions under a name
    Workbook,
    /// One or more ad-hoc actions
    Actions,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Workflows => Self::Workflows,
            KindArg::Workbook => Self::Workbook,
            KindArg::Actions => Self::Actions,
        }
    }
}

pub(super) fn validate(args: &Args, output: &Output) -> Result<Exit, Error> {
    let mut total = Tally::default();
    for path in &args.files {
        let source = read_text(path)?;
        let checked = check(&source, args.how.kind.into(), args.how.into());
        total.add(&checked.diagnostics);
        if output.is_json() {
            output.json_line(&file_json(path, &checked, &source))?;
        } else {
            for diagnostic in &checked.diagnostics {
                output.line(render(diagnostic, &source, &path.display().to_string()))?;
            }
        }
    }
    if !output.is_json() {
        let tone = if total.errors == 0 {
            Tone::Good
        } else {
            Tone::Bad
        };
        let summary = total.summary(args.files.len());
        output.note(output.paint_notes().text(tone, summary));
    }
    Ok(if total.errors == 0 {
        Exit::Success
    } else {
        Exit::Failure
    })
}

impl From<How> for Options {
    fn from(how: How) -> Self {
        Self {
            strict: how.strict,
            actions: crate::actions::known_actions(),
        }
    }
}

/// Checks a document that is about to be used; what is wrong with it goes to standard error.
pub(super) fn check_first(
    path: &Path,
    source: &str,
    how: How,
    output: &Output,
) -> Result<definition::Document, Error> {
    let Checked {
        document,
        diagnostics,
        ..
    } = check(source, how.kind.into(), how.into());
    for diagnostic in &diagnostics {
        if output.is_json() {
            output.note(diagnostic_json(
                diagnostic,
                source,
                &path.display().to_string(),
            ));
        } else {
            output.note(render(diagnostic, source, &path.display().to_string()));
        }
    }
    document.ok_or(Error::InvalidDocument)
}

/// How much was found.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    errors: usize,
    warnings: usize,
}

impl Tally {
    fn add(&mut self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics {
            match diagnostic.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
            }
        }
    }

    fn summary(self, files: usize) -> String {
        let files = count(files, "file");
        match (self.errors, self.warnings) {
            (0, 0) => format!("{files} checked, all well"),
            (errors, 0) => format!("{files} checked: {}", count(errors, "error")),
            (0, warnings) => format!("{files} checked: {}", count(warnings, "warning")),
            (errors, warnings) => format!(
                "{files} checked: {}, {}",
                count(errors, "error"),
                count(warnings, "warning")
            ),
        }
    }
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

fn file_json(path: &Path, checked: &Checked, source: &str) -> Value {
    let name = path.display().to_string();
    let diagnostics: Vec<_> = checked
        .diagnostics
        .iter()
        .map(|d| diagnostic_json(d, source, &name))
        .collect();
    json!({"file": name, "valid": checked.document.is_some(), "diagnostics": diagnostics})
}

/// With the field names of the API's diagnostics.
fn diagnostic_json(diagnostic: &Diagnostic, source: &str, name: &str) -> Value {
    let mut value = json!({
        "severity": diagnostic.severity.to_string(),
        "rule": diagnostic.rule.id(),
        "message": diagnostic.message,
        "path": diagnostic.path,
        "line": diagnostic.span.start.line,
        "column": diagnostic.span.start.column,
        "end_line": diagnostic.span.end.line,
        "end_column": diagnostic.span.end.column,
        "excerpt": render(diagnostic, source, name),
    });
    if let Some(suggestion) = &diagnostic.suggestion {
        value["suggestion"] = json!(suggestion);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_count_what_was_found() {
        for (files, errors, warnings, expected) in [
            (1, 0, 0, "1 file checked, all well"),
            (2, 1, 0, "2 files checked: 1 error"),
            (1, 0, 2, "1 file checked: 2 warnings"),
            (3, 2, 1, "3 files checked: 2 errors, 1 warning"),
        ] {
            assert_eq!(Tally { errors, warnings }.summary(files), expected);
        }
    }

    #[test]
    fn scripts_get_every_diagnostic_with_its_place() {
        let source = "version: '2.0'\nwf:\n  tasks:\n    t1:\n      acton: std.noop\n";
        let checked = check(source, Kind::Workflows, Options::default());
        let value = file_json(Path::new("x.yaml"), &checked, source);
        assert_eq!(value["valid"], false);
        let found = &value["diagnostics"][0];
        assert_eq!(
            (&found["rule"], &found["line"], &found["severity"]),
            (&json!("unknown-key"), &json!(5), &json!("error"))
        );
    }
}
