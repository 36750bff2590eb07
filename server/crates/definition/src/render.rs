//! A diagnostic as people read it: the message, the place, the line, and what to do.

use std::fmt::Write;

use crate::diagnostic::Diagnostic;
use crate::position::Span;

/// Longer lines are cut around the place in question.
const LINE_CHARS_MAX: usize = 120;

/// Shows a diagnostic with the line it is about, in the manner of a compiler:
///
/// ```text
/// error[unknown-key]: unknown key `pubish` in a task
///  --> flow.yaml:6:7
///   |
/// 6 |       pubish:
///   |       ^^^^^^
///   = help: did you mean `publish`?
/// ```
pub fn render(diagnostic: &Diagnostic, source: &str, file_name: &str) -> String {
    let Diagnostic {
        severity,
        rule,
        message,
        span,
        path,
        suggestion,
        related,
    } = diagnostic;
    let mut out = format!("{severity}[{rule}]: {message}\n");
    let width = number_width(*span).max(related.as_ref().map_or(0, |r| number_width(r.span)));
    excerpt(&mut out, source, file_name, *span, "", width);
    if let Some(related) = related {
        excerpt(
            &mut out,
            source,
            file_name,
            related.span,
            &related.message,
            width,
        );
    }
    if !path.is_empty() {
        push(&mut out, format_args!("{:width$} = at: {path}\n", ""));
    }
    if let Some(suggestion) = suggestion {
        push(
            &mut out,
            format_args!("{:width$} = help: {suggestion}\n", ""),
        );
    }
    out
}

fn excerpt(out: &mut String, source: &str, file: &str, span: Span, label: &str, width: usize) {
    let (number, column) = (span.start.line, span.start.column);
    push(
        out,
        format_args!("{:width$}--> {file}:{number}:{column}\n", ""),
    );
    let line = source.lines().nth(number as usize - 1).unwrap_or("");
    let before = column as usize - 1;
    let marked = if span.is_one_line() {
        span.width().max(1)
    } else {
        // Of several lines the first is shown, marked to its end.
        line.trim_end()
            .chars()
            .count()
            .saturating_sub(before)
            .max(1)
    };
    let skipped = before.saturating_sub(LINE_CHARS_MAX / 2);
    let shown: String = line.chars().skip(skipped).take(LINE_CHARS_MAX).collect();
    let shown = shown.trim_end();
    let marked = marked.min(LINE_CHARS_MAX - (before - skipped));
    // A tab is as wide above the mark as in the line itself.
    let indent: String = shown
        .chars()
        .chain(std::iter::repeat(' '))
        .take(before - skipped)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let label = if label.is_empty() {
        String::new()
    } else {
        format!(" {label}")
    };
    push(out, format_args!("{:width$} |\n", ""));
    push(out, format_args!("{number:width$} | {shown}\n"));
    push(
        out,
        format_args!("{:width$} | {indent}{}{label}\n", "", "^".repeat(marked)),
    );
}

fn number_width(span: Span) -> usize {
    span.start.line.to_string().len()
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
}
