//! Expressions of workflow definitions: YAQL and Jinja over JSON-like values.
//!
//! Owns the value type, both languages and how they are embedded in strings. What an expression
//! may know of the workflow comes through [`Host`]; where expressions stand in a definition is
//! left to `definition`.
//!
//! **Invariant:** pure. No clock, randomness, I/O, async or threads: the same template, context
//! and host give the same result.
//! **Invariant:** every evaluation ends, within its [`Limits`].

#![expect(
    clippy::unnecessary_box_returns,
    reason = "a fault goes into results, which are small only if it is boxed"
)]

mod ast;
mod context;
mod dialect;
mod embed;
mod error;
mod escape;
mod eval;
mod fault;
mod functions;
mod inspect;
mod jinja;
mod lexer;
mod limits;
mod machine;
mod number;
mod operators;
mod parser;
mod regex;
mod scope;
mod seq;
mod template;
mod token;
mod value;
mod yaml;

pub use context::{Context, HOST_FUNCTIONS, Host, HostError, NoHost};
pub use error::{CompileError, CompileErrorKind, EvalError, EvalErrorKind, Language, PathSegment};
pub use functions::{Form, FunctionDoc, functions};
pub use inspect::{Finding, FindingKind, unknown_filter, unknown_function, unknown_test};
pub use limits::{Limit, Limits, NESTING_MAX, SOURCE_BYTES_MAX, TEMPLATE_DEPTH_MAX};
pub use regex::Pattern;
pub use seq::Seq;
pub use template::{Template, compilations, holds_expression, is_expression, language_of};
pub use value::{BINARY_KEY, Binary, DateTime, Dict, JsonError, TimeSpan, Value, View};
pub use yaml::mask::Mask as YamlMask;
pub use yaml::resolve as yaml_scalar;
