//! Expressions of workflow definitions: YAQL and Jinja over JSON-like values.
//!
//! Owns the value type, both languages and how they are embedded in strings. What an expression
//! may know of the workflow comes through [`Host`]; where expressions stand in a definition is
//! left to `definition`.
//!
//! **Invariant:** pure. No clock, randomness, I/O, async or threads: the same template, context
//! and host give the same result.
//! **Invariant:** every evaluation ends, within its [`Limits`].

mod context;
mod error;
mod limits;
mod regex;
mod seq;
mod template;
mod value;

pub use context::{Context, HOST_FUNCTIONS, Host, HostError, NoHost};
pub use error::{CompileError, CompileErrorKind, EvalError, EvalErrorKind, Language, PathSegment};
pub use limits::{Limit, Limits, NESTING_MAX, SOURCE_BYTES_MAX, TEMPLATE_DEPTH_MAX};
pub use regex::Pattern;
pub use seq::Seq;
pub use template::{Template, is_expression, language_of};
pub use value::{DateTime, Dict, JsonError, TimeSpan, Value, View};

/// One builtin function, as the reference page shows it.
#[derive(Clone, Copy, Debug)]
pub struct FunctionDoc {
    /// The group of functions it belongs to.
    pub group: &'static str,
    /// Its name.
    pub name: &'static str,
    /// How it is called, such as `list.where(predicate)`.
    pub signature: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// Examples: expression, data as JSON, result as JSON.
    pub examples: &'static [(&'static str, &'static str, &'static str)],
}

/// Every builtin function of YAQL, by group.
pub fn functions() -> &'static [FunctionDoc] {
    &[]
}
