//! Lists in pages: where a page starts, how large it gets, and whether more follows.
//!
//! Left to others: opaque page tokens (`server::api`).

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// Key of the last row of the page before; `None` = from the start.
    pub after: Option<K>,
    /// At most this many rows.
    pub limit: u32,
    /// No further row once the texts of the rows so far reach this many bytes. The first row always
    /// comes.
    pub max_bytes: usize,
}

impl<K> Page<K> {
    /// The first page, bounded by rows only.
    pub fn first(limit: u32) -> Self {
        Self {
            after: None,
            limit,
            max_bytes: usize::MAX,
        }
    }
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<T> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// Whether at least one more row follows.
    pub more: bool,
}
