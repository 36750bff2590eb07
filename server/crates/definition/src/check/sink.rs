//! Collects diagnostics while a document is walked, and facts that are judged later. The only
//! place that decides what a severity does to the verdict.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Related, Rule, Severity};
use crate::position::Span;

use super::Options;
use super::facts::{Facts, Use};
use super::path::Path;
use super::place::Source;

/// Diagnostics of each severity that are kept; of a document with more the first are told.
const DIAGNOSTICS_MAX: usize = 500;
/// Names are compared with all others only so often, for that is not linear.
const SUGGESTIONS_MAX: usize = 50;
/// What comparing names may cost for one document.
const SUGGEST_STEPS_MAX: usize = 5_000_000;

/// Where findings go.
pub(super) struct Sink {
    options: Options,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
    suggestions: usize,
    /// What comparing names may still cost.
    suggest_budget: usize,
    steps: usize,
    /// Takes what is said after the list is full.
    spare: Option<Diagnostic>,
    /// How many were said since.
    left_out: usize,
    /// Noted, not yet judged.
    pub(super) facts: Facts,
    source: Source,
}

impl Sink {
    /// An empty sink.
    pub(super) fn new(options: Options, source: &str) -> Self {
        Self {
            options,
            diagnostics: Vec::new(),
            errors: 0,
            warnings: 0,
            suggestions: 0,
            suggest_budget: SUGGEST_STEPS_MAX,
            steps: 0,
            spare: None,
            left_out: 0,
            facts: Facts::default(),
            source: Source::new(source),
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

    /// The place of a part, in bytes, of the text of a scalar that stands in `span`.
    pub(super) fn within(&mut self, span: Span, text: &str, part: Range<usize>) -> Span {
        self.source.within(span, text, part)
    }

    /// What the caller knows of the world around the document.
    pub(super) fn options(&self) -> Options {
        self.options
    }

    /// Takes the uses that were noted since the last time.
    pub(super) fn take_uses(&mut self) -> Vec<Use> {
        std::mem::take(&mut self.facts.uses)
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
        if !self.may_suggest() {
            return None;
        }
        self.nearest(wrong, names)
            .map(|name| format!("did you mean `{name}`?"))
    }

    /// The name most like another one.
    pub(super) fn nearest<'n>(
        &mut self,
        wrong: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Option<&'n str> {
        let before = self.suggest_budget;
        let near = super::suggest::nearest(wrong, names, &mut self.suggest_budget);
        self.spend(before - self.suggest_budget);
        near
    }

    /// Counts work whose amount is not bounded by the text alone.
    pub(super) fn spend(&mut self, steps: usize) {
        self.steps += steps;
    }

    /// How much of such work there was.
    pub(super) fn steps(&self) -> usize {
        self.steps + self.source.steps()
    }

    /// Whether there may be one more suggestion; counts it.
    pub(super) fn may_suggest(&mut self) -> bool {
        self.suggestions += 1;
        self.suggestions <= SUGGESTIONS_MAX
    }

    /// Everything found, in the order of the text; what was left out is said at the end.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics;
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        // Two parts of the language may look at the same value.
        diagnostics.dedup();
        if let Some(spare) = &self.spare {
            diagnostics.push(more(self.left_out, spare.severity, spare.span));
        }
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
        self.warnings += usize::from(severity == Severity::Warning);
        // Warnings must not leave errors without a place in the list.
        let count = match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.warnings,
        };
        let is_full = count > DIAGNOSTICS_MAX;
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
            self.left_out += 1;
            return self.spare.insert(diagnostic);
        }
        self.diagnostics.push(diagnostic);
        self.diagnostics.last_mut().expect("just pushed")
    }
}

/// What stands for findings that are not listed, the first of which stands at `span`.
fn more(count: usize, severity: Severity, span: Span) -> Diagnostic {
    Diagnostic {
        severity,
        rule: Rule::MoreFindings,
        message: format!("… and {count} more"),
        span,
        path: String::new(),
        suggestion: None,
        related: None,
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
