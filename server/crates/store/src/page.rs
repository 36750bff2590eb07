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

impl<K> Page<K> {
    /// Puts a page together from parts of it, each of which holds the first rows that it has, in
    /// the order of `key`, with the bytes of their texts.
    pub(crate) fn merge<T, O: Ord>(
        &self,
        parts: Vec<Slice<(T, usize)>>,
        key: impl Fn(&T) -> O,
    ) -> Slice<T> {
        let cut_off = |part: &Slice<(T, usize)>| {
            let last = part.rows.last().filter(|_| part.more);
            last.map(|(row, _)| key(row))
        };
        // What comes after the end of a part that goes on may come after what it has not told.
        let end = parts.iter().filter_map(cut_off).min();
        let mut all: Vec<(T, usize)> = Vec::new();
        let mut more = parts.iter().any(|part| part.more);
        all.extend(parts.into_iter().flat_map(|part| part.rows));
        all.sort_by_key(|(row, _)| key(row));
        let mut rows = Vec::new();
        let mut bytes = 0usize;
        for (row, size) in all {
            let is_full =
                rows.len() >= self.limit as usize || (bytes >= self.max_bytes && !rows.is_empty());
            if is_full || end.as_ref().is_some_and(|end| key(&row) > *end) {
                more = true;
                break;
            }
            bytes = bytes.saturating_add(size);
            rows.push(row);
        }
        Slice { rows, more }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn part(rows: &[(u32, usize)], more: bool) -> Slice<(u32, usize)> {
        Slice {
            rows: rows.to_vec(),
            more,
        }
    }

    #[test]
    fn parts_make_a_page_without_holes() {
        let page = |limit, max_bytes| Page::<u32> {
            after: None,
            limit,
            max_bytes,
        };
        let merge = |page: Page<u32>, parts| {
            let Slice { rows, more } = page.merge(parts, |row| *row);
            (rows, more)
        };
        let odd = || part(&[(1, 5), (3, 5), (9, 5)], false);
        let even = || part(&[(2, 5), (4, 5)], true);
        assert_eq!(merge(page(9, 99), vec![]), (vec![], false));
        assert_eq!(merge(page(9, 99), vec![odd()]), (vec![1, 3, 9], false));
        // 6 or 8 may follow 4, so 9 is not the next.
        let both = || vec![odd(), even()];
        assert_eq!(merge(page(9, 99), both()), (vec![1, 2, 3, 4], true));
        assert_eq!(merge(page(3, 99), both()), (vec![1, 2, 3], true));
        assert_eq!(merge(page(9, 8), both()), (vec![1, 2], true));
        let whole = || vec![odd(), part(&[(2, 5)], false)];
        assert_eq!(merge(page(4, 99), whole()), (vec![1, 2, 3, 9], false));
        assert_eq!(merge(page(3, 99), whole()), (vec![1, 2, 3], true));
    }
}
