//! Integration tests of the expression languages: recorded behaviour, limits and properties.

#![expect(
    clippy::unwrap_used,
    reason = "a failure here is a failed test, also in the helpers that clippy takes for code"
)]

mod binary;
mod conformance;
mod cost;
mod differential;
mod host;
mod limits;
mod properties;
mod reference;
