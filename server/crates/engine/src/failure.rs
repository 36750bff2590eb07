//! Why an execution ended in ERROR, in a word that programs can tell apart, with the limit that was
//! hit if it was one. The text for people is the state info.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use expr::{EvalError, EvalErrorKind};
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// Why an execution ended in ERROR.
    FailureKind {
        /// Tasks failed and nothing handled it.
        Task = "task_error",
        /// An expression could not be evaluated.
        Expression = "expression_error",
        /// An expression read inside binary data.
        PayloadOpaque = "payload_opaque",
        /// A limit was hit: of an expression, of the size of data, of tasks or of nesting.
        Limit = "limit_exceeded",
        /// The command `fail` was reached.
        FailCommand = "fail_command",
        /// It was stopped with this outcome from outside.
        Stopped = "stopped",
        /// Undoing a task has failed, and others are still to be undone.
        Rollback = "rollback_failed",
        /// It was terminated from outside; then its state is CANCELLED.
        Terminated = "terminated",
        /// Anything else that is wrong with the definition or its data: an unknown action, input
        /// that does not fit, a shape.
        Workflow = "workflow_error",
        /// A fault of the server, which has put the execution aside.
        Internal = "internal_error",
    }
}

impl From<EvalErrorKind> for FailureKind {
    fn from(kind: EvalErrorKind) -> Self {
        match kind {
            EvalErrorKind::Opaque => Self::PayloadOpaque,
            EvalErrorKind::Limit(_) => Self::Limit,
            _ => Self::Expression,
        }
    }
}

/// A limit that was hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitHit {
    /// Its name, as the message shows it; one word.
    pub name: Arc<str>,
    /// What it allows.
    pub allowed: u64,
}

/// Why an execution ended in ERROR.
///
/// As text it is the word of its kind; after it, where a limit was hit, the name of the limit and
/// what it allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// Which limit was hit, in a failure of that kind.
    pub limit: Option<LimitHit>,
}

impl Failure {
    /// A limit that was hit.
    pub(crate) fn limit(name: &str, allowed: u64) -> Self {
        let name = name.into();
        Self {
            kind: FailureKind::Limit,
            limit: Some(LimitHit { name, allowed }),
        }
    }
}

impl From<FailureKind> for Failure {
    fn from(kind: FailureKind) -> Self {
        Self { kind, limit: None }
    }
}

impl From<&EvalError> for Failure {
    fn from(error: &EvalError) -> Self {
        match error.kind {
            EvalErrorKind::Limit(limit) => {
                Self::limit(limit.name(), expr::Limits::default().of(limit))
            }
            kind => FailureKind::from(kind).into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        match &self.limit {
            Some(LimitHit { name, allowed }) => write!(f, " {name} {allowed}"),
            None => Ok(()),
        }
    }
}

/// A text that stands for no failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no failure is written {0:?}")]
pub struct UnknownFailure(String);

impl FromStr for Failure {
    type Err = UnknownFailure;

    fn from_str(text: &str) -> Result<Self, UnknownFailure> {
        let unknown = || UnknownFailure(text.to_owned());
        let mut words = text.split(' ');
        let kind = words.next().and_then(FailureKind::from_word);
        let kind = kind.ok_or_else(unknown)?;
        let limit = match (words.next(), words.next(), words.next()) {
            (None, ..) => None,
            (Some(name), Some(allowed), None) => Some(LimitHit {
                name: name.into(),
                allowed: allowed.parse().map_err(|_| unknown())?,
            }),
            _ => return Err(unknown()),
        };
        Ok(Self { kind, limit })
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        failure.to_string()
    }
}

impl TryFrom<String> for Failure {
    type Error = UnknownFailure;

    fn try_from(text: String) -> Result<Self, UnknownFailure> {
        text.parse()
    }
}
