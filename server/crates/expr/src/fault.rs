//! The error inside an evaluation, before the text of the expression is known.
//! Turning it into an [`crate::EvalError`] is left to `template`.

use std::ops::Range;

use crate::{Binary, EvalErrorKind, HostError, Limit};

/// What evaluation gives.
pub(crate) type Result<T> = std::result::Result<T, Box<Fault>>;

/// A failure and the part of the expression that failed, once known.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: EvalErrorKind,
    pub(crate) message: String,
    pub(crate) span: Option<Range<usize>>,
}

impl Fault {
    pub(crate) fn new(kind: EvalErrorKind, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            kind,
            message: message.into(),
            span: None,
        })
    }

    /// An argument or result outside what is allowed.
    pub(crate) fn value(message: impl Into<String>) -> Box<Self> {
        Self::new(EvalErrorKind::Value, message)
    }

    /// Arguments of kinds that no overload takes.
    pub(crate) fn no_match(message: impl Into<String>) -> Box<Self> {
        Self::new(EvalErrorKind::NoMatch, message)
    }

    /// Binary data where something is to be read.
    pub(crate) fn opaque(binary: &Binary) -> Box<Self> {
        let message = format!("PAYLOAD_OPAQUE: an expression cannot read inside {binary}");
        Self::new(EvalErrorKind::Opaque, message)
    }

    /// The fault with a place, unless a closer one is known.
    pub(crate) fn at(mut self: Box<Self>, span: &Range<usize>) -> Box<Self> {
        self.span.get_or_insert_with(|| span.clone());
        self
    }
}

impl From<Limit> for Box<Fault> {
    fn from(limit: Limit) -> Self {
        Fault::new(EvalErrorKind::Limit(limit), limit.to_string())
    }
}

impl From<HostError> for Box<Fault> {
    fn from(error: HostError) -> Self {
        Fault::new(EvalErrorKind::Host, error.message)
    }
}
