//! Collects diagnostics while a document is walked. The only place that decides what a severity
//! does to the verdict.

use crate::diagnostic::{Diagnostic, Related, Rule, Severity};
use crate::position::Span;

use super::Options;
use super::path::Path;

/// Diagnostics that are kept; of a document with more faults the first are told.
const DIAGNOSTICS_MAX: usize = 1_000;
/// Names are compared with all others only so often, for that is not linear.
const SUGGESTIONS_MAX: usize = 50;

/// Where findings go.
pub(super) struct Sink {
    options: Options,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    suggestions: usize,
    /// Takes what is said after the list is full.
    spare: Option<Diagnostic>,
}

impl Sink {
    /// An empty sink.
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            diagnostics: Vec::new(),
            errors: 0,
            suggestions: 0,
            spare: None,
        }
    }

    /// Reports what makes the document invalid.
    pub(super) fn error(
        &mut self,
        rule: Rule,
        path: &Path<'_>,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Severity::Error, rule, path, span, message.into())
    }

    /// Reports what is legal and probably not meant.
    pub(super) fn warn(
        &mut self,
        rule: Rule,
        path: &Path<'_>,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let severity = if self.options.strict {
            Severity::Error
        } else {
            Severity::Warning
        };
        self.push(severity, rule, path, span, message.into())
    }

    /// How many errors there are; with any the document is invalid.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// The name most like a wrong one, as a question for the author.
    pub(super) fn suggest<'n>(
        &mut self,
        wrong: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Option<String> {
        self.suggestions += 1;
        if self.suggestions > SUGGESTIONS_MAX {
            return None;
        }
        super::suggest::nearest(wrong, names).map(|name| format!("did you mean `{name}`?"))
    }

    /// Everything found, in the order of the text.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics;
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        // Two parts of the language may look at the same value.
        diagnostics.dedup();
        diagnostics
    }

    fn push(
        &mut self,
        severity: Severity,
        rule: Rule,
        path: &Path<'_>,
        span: Span,
        message: String,
    ) -> &mut Diagnostic {
        self.errors += usize::from(severity == Severity::Error);
        let is_full = self.diagnostics.len() >= DIAGNOSTICS_MAX;
        let diagnostic = Diagnostic {
            severity,
            rule,
            message,
            span,
            path: if is_full {
                String::new()
            } else {
                path.to_string()
            },
            suggestion: None,
            related: None,
        };
        if is_full {
            return self.spare.insert(diagnostic);
        }
        self.diagnostics.push(diagnostic);
        self.diagnostics.last_mut().expect("just pushed")
    }
}

impl Diagnostic {
    /// Adds what to do.
    pub(super) fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.suggestion = Some(text.into());
        self
    }

    /// Adds a second place.
    pub(super) fn also(&mut self, span: Span, message: impl Into<String>) -> &mut Self {
        let message = message.into();
        self.related = Some(Related { span, message });
        self
    }
}
