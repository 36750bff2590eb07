//! Tests of the engine through its public door.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests read their scenarios from files, and take fresh seeds from the clock"
)]

mod abandoned;
mod compiled_once;
mod documented;
mod explain;
mod harness;
mod lifecycle;
mod limits;
mod rollback;
mod scenarios;
mod simulation;
mod updates;
