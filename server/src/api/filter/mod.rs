//! Filters of lists: the text form that `ListExecutions` documents, read into `store::Filter`.
//!
//! A subset of AIP-160: comparisons joined by AND, OR, NOT and parentheses, of which OR binds
//! tighter than AND. Two comparisons side by side without a word between them are refused, since
//! readers take them for different things.
//!
//! Left to others: which rows match (`store`).

mod fields;
mod parser;
mod scanner;

pub(crate) use parser::parse;

/// Longest filter.
const BYTES_MAX: usize = 8 << 10;

/// Deepest nesting of parentheses and NOT. Each level is up to three levels of the store's tree.
const DEPTH_MAX: usize = 12;

/// Most comparisons.
const COMPARISONS_MAX: usize = 100;

/// Where a filter is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, character {position}: expected {expected}, found {found}")]
pub(crate) struct Error {
    /// Character, from 1.
    pub(crate) position: usize,
    /// What would have been right.
    pub(crate) expected: String,
    /// What is there.
    pub(crate) found: String,
}

#[cfg(test)]
mod tests;
