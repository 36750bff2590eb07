//! Definitions: YAML text in, a checked model or a list of everything that is wrong out.

#![forbid(unsafe_code)]

pub mod model;

pub use model::{Document, Kind};
