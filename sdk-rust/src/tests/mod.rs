//! Tests of calls and streams against a server that does what the test says.

mod batches;
mod calls;
mod examples;
mod fake;
mod streams;
mod things;
