//! Tests of the crate from outside: documents in, verdicts, diagnostics and models out.

mod conformance;
