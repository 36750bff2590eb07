//! Tests of the crate from outside: documents in, verdicts, diagnostics and models out.
#![expect(
    clippy::disallowed_methods,
    reason = "only the library must not read files"
)]

mod compiled_once;
mod conformance;
mod docs;
mod fixtures;
mod forms;
mod properties;
mod summary;
mod work;
mod yaml;
