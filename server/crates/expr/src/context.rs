//! What an evaluation is given from outside: the data, the host's functions and the limits.

use std::sync::Arc;

use crate::{Limits, Value};

/// What one evaluation may see.
#[derive(Clone)]
pub struct Context<'a> {
    /// What `$` is in YAQL and `_` in Jinja.
    pub data: Value,
    /// The functions that look outside the expression.
    pub host: &'a dyn Host,
    /// What the evaluation may cost.
    pub limits: Limits,
}

impl<'a> Context<'a> {
    /// A context with the default limits.
    pub fn new(data: Value, host: &'a dyn Host) -> Self {
        Self {
            data,
            host,
            limits: Limits::default(),
        }
    }
}

/// The functions an expression may call that are not a matter of its arguments alone.
///
/// Called with these names: `env`, `execution`, `executions`, `task`, `tasks`, `global`, `uuid`,
/// `now` (gives microseconds since 1970 in UTC as an integer) and `random` (gives a float from 0
/// up to 1). A host must answer the same call alike within one evaluation, `uuid` and `random`
/// excepted.
pub trait Host {
    /// Calls a function with its arguments by place and by name.
    fn call(
        &self,
        name: &str,
        args: &[Value],
        kwargs: &[(Arc<str>, Value)],
    ) -> Result<Value, HostError>;
}

/// The names [`Host::call`] is called with.
pub const HOST_FUNCTIONS: &[&str] = &[
    "env",
    "execution",
    "executions",
    "task",
    "tasks",
    "global",
    "uuid",
    "now",
    "random",
];

/// How many of those, from the first on, Jinja has as well: it knows no clock and no chance.
pub(crate) const JINJA_FUNCTIONS: usize = 7;

/// Why a host's function failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// What went wrong, for the author of the workflow.
    pub message: String,
}

impl HostError {
    /// An error with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// A host without functions: every call fails. For tests and for checking literals.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl Host for NoHost {
    fn call(&self, name: &str, _: &[Value], _: &[(Arc<str>, Value)]) -> Result<Value, HostError> {
        Err(HostError::new(format!(
            "the function {name}() is not available here"
        )))
    }
}
