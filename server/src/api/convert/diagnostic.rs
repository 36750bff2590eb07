//! Diagnostics of documents on the wire.

use definition::{Diagnostic, Severity, render};
use proto::v1;

/// Name of the document in excerpts; its real one is not known here.
const FILE_NAME: &str = "source";

/// Most excerpts in one answer: each one looks its line up from the start of the document.
const EXCERPTS_MAX: usize = 100;

/// Diagnostics with the lines that they are about.
pub(crate) fn wire_all(diagnostics: &[Diagnostic], source: &str) -> Vec<v1::Diagnostic> {
    let numbered = diagnostics.iter().enumerate();
    numbered
        .map(|(place, diagnostic)| {
            let excerpt = if place < EXCERPTS_MAX {
                render(diagnostic, source, FILE_NAME)
            } else {
                String::new()
            };
            wire(diagnostic, excerpt)
        })
        .collect()
}

fn wire(diagnostic: &Diagnostic, excerpt: String) -> v1::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => v1::Severity::Error,
        Severity::Warning => v1::Severity::Warning,
    };
    let span = diagnostic.span;
    v1::Diagnostic {
        severity: severity.into(),
        rule: diagnostic.rule.id().to_owned(),
        message: diagnostic.message.clone(),
        path: diagnostic.path.clone(),
        line: number(span.start.line),
        column: number(span.start.column),
        end_line: number(span.end.line),
        end_column: number(span.end.column),
        suggestion: diagnostic.suggestion.clone().unwrap_or_default(),
        excerpt,
    }
}

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
