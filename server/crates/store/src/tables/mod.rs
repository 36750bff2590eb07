//! The tables, one module each (small ones that live together share one): rows, and named
//! functions over a connection.
//!
//! **Invariant:** rows of diesel do not leave their module; what leaves are types of the engine or
//! of this crate's API.

#![expect(clippy::ref_option_ref, reason = "written by the derive of Insertable")]

pub(crate) mod actions;
pub(crate) mod changes;
pub(crate) mod counts;
pub(crate) mod definitions;
pub(crate) mod environments;
pub(crate) mod executions;
pub(crate) mod history;
pub(crate) mod ids;
pub(crate) mod labels;
pub(crate) mod listing;
pub(crate) mod meta;
pub(crate) mod operations;
pub(crate) mod payloads;
pub(crate) mod requests;
pub(crate) mod sources;
pub(crate) mod tasks;
pub(crate) mod workbooks;
pub(crate) mod workers;
