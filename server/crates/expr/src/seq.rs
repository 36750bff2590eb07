//! Lazy sequences: what `where`, `select`, `range` and their like give until something reads them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A sequence whose items are computed when first read, then kept.
#[derive(Clone, Debug)]
pub struct Seq(Arc<()>);

impl Seq {
    pub(crate) fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Hash for Seq {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}
