//! What can be wrong with an expression, found when it is compiled or when it is evaluated.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::limits::Limit;

/// A language expressions are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// `<% … %>`
    Yaql,
    /// `{{ … }}` and `{% … %}`
    Jinja,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yaql => "YAQL",
            Self::Jinja => "Jinja",
        })
    }
}

/// One step from a template's root to a string in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    /// Into a dict.
    Key(Arc<str>),
    /// Into a list.
    Index(usize),
}

/// What is wrong with a string as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileErrorKind {
    /// The expression breaks its language's grammar.
    Grammar,
    /// The string holds both languages.
    Mixed,
    /// The expression is nested too deeply or too long.
    TooLarge,
}

/// A string that cannot be compiled. Evaluating it raises the same error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// Where the string is in the template.
    pub path: Vec<PathSegment>,
    /// The language of the expression.
    pub language: Language,
    /// What kind of mistake it is.
    pub kind: CompileErrorKind,
    /// What is wrong, in one line.
    pub message: String,
    /// The whole string.
    pub text: Arc<str>,
    /// The part that is wrong, in bytes of `text`.
    pub span: Range<usize>,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            CompileErrorKind::Mixed => f.write_str(&self.message),
            _ => write!(f, "invalid {} expression: {}", self.language, self.message),
        }
    }
}

impl std::error::Error for CompileError {}

impl CompileError {
    /// The message with the line it is about and a caret under the mistake.
    pub fn render(&self) -> String {
        format!("{self}\n{}", excerpt(&self.text, &self.span))
    }
}

/// Why an evaluation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvalErrorKind {
    /// The string could not be compiled.
    Syntax,
    /// There is no function or method of that name.
    UnknownFunction,
    /// The function or operator does not take arguments of these kinds.
    NoMatch,
    /// A dict has no such key, or a name is undefined.
    MissingKey,
    /// A list has no such index, or a sequence no item.
    MissingItem,
    /// An argument or a result is outside what the function allows.
    Value,
    /// A function of the host failed.
    Host,
    /// A limit was hit.
    Limit(Limit),
    /// The result has no JSON form.
    Output,
    /// Binary data was to be read, which only passing on can be done with.
    Opaque,
}

impl EvalErrorKind {
    /// The limit that was hit, if that is what happened.
    pub fn limit(self) -> Option<Limit> {
        match self {
            Self::Limit(limit) => Some(limit),
            _ => None,
        }
    }
}

/// A failed evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// What kind of failure it is.
    pub kind: EvalErrorKind,
    /// What went wrong, in one line.
    pub message: String,
    /// The whole string that was evaluated.
    pub expression: Arc<str>,
    /// The part that failed, in bytes of `expression`, where known.
    pub span: Option<Range<usize>>,
    /// The language of the expression.
    pub language: Language,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot evaluate {} expression [expression={}, error={}]",
            self.language,
            self.expression.trim(),
            self.message
        )
    }
}

impl std::error::Error for EvalError {}

impl EvalError {
    /// The message with the line it is about and a caret under the part that failed.
    pub fn render(&self) -> String {
        let whole = 0..self.expression.len();
        let excerpt = excerpt(&self.expression, self.span.as_ref().unwrap_or(&whole));
        format!("{}\n{excerpt}", self.message)
    }
}

/// The first line that the span touches, and carets under the touched part of it.
fn excerpt(text: &str, span: &Range<usize>) -> String {
    let at = floor(text, span.start.min(text.len()));
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline);
    let line = &text[start..end];
    let indent = text[start..at].chars().count();
    let marked = floor(text, span.end.clamp(at, end));
    let carets = text[at..marked].chars().count().max(1);
    format!(
        "  | {line}\n  | {}{}",
        " ".repeat(indent),
        "^".repeat(carets)
    )
}

/// The character boundary at or before an offset.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Why a string with both languages in it is refused.
pub(crate) const MIXED: &str = "The line already contains an expression of type 'jinja'. \
                                Mixing expression types in a single line is not allowed.";
