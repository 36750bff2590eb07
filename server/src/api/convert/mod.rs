//! Wire messages into domain types and back, one file a noun.
//!
//! **Invariant:** what comes in is checked here, against every limit that the contract names; a
//! refusal names the field. What goes out is only translated.

pub(crate) mod cause;
pub(crate) mod definition;
pub(crate) mod diagnostic;
pub(crate) mod execution;
pub(crate) mod field;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod order;
pub(crate) mod payload;
pub(crate) mod standing;
pub(crate) mod state;
pub(crate) mod task;
pub(crate) mod worker;
