//! Tests of the engine through its public door.

mod harness;
mod limits;
mod scenarios;
