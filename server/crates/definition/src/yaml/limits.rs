//! The largest document that is read. Every limit has an error of its own.

/// Bytes of a document.
pub(crate) const BYTES_MAX: usize = 1 << 20;
/// Nesting of lists and mappings.
pub(crate) const DEPTH_MAX: usize = 100;
/// Scalars, lists and mappings in a document.
pub(crate) const NODES_MAX: usize = 100_000;
